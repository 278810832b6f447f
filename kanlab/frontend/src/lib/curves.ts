/** Paths of the network graph: an edge's curve in its box, and its links to both nodes. No DOM. */

import type { EdgePlace, NodePlace, Point } from "./layout";
import { extent } from "./scales";

const PAD = 0.13;

/**
 * The curve of one edge within a box of side `size` around (0, 0), scaled to its own range.
 * Draws about every `stride`-th point and always the last; lifts the pen over what is not finite.
 */
export function curvePath(values: Float32Array, size: number, stride: number): string {
  const range = extent(values);
  if (!range) return "";
  const span = size * (1 - 2 * PAD);
  const height = heightIn(range, span);
  const n = values.length;
  let path = "";
  let pen = "M";
  for (let k = 0; k < n; k = k + stride < n || k === n - 1 ? k + stride : n - 1) {
    const value = values[k] as number;
    if (!Number.isFinite(value)) {
      pen = "M";
      continue;
    }
    const x = (k / Math.max(1, n - 1) - 0.5) * span;
    const y = height(value);
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** Where a point of the curve lies in its box; `share` = 0 … 1 is its place between the ends of the range. */
export function pointIn(values: Float32Array, size: number, share: number, value: number): Point | null {
  const range = extent(values);
  if (!range || !(share >= 0 && share <= 1) || !Number.isFinite(value)) return null;
  const span = size * (1 - 2 * PAD);
  return { x: (share - 0.5) * span, y: Math.min(span / 2, Math.max(-span / 2, heightIn(range, span)(value))) };
}

/** A curve flat to the last bits of float32 is a straight line, not noise blown up. */
function heightIn([low, high]: readonly [number, number], span: number): (value: number) => number {
  const flat = high - low <= 1e-6 * Math.max(Math.abs(high), Math.abs(low), 1e-3);
  return flat ? () => 0 : (value) => (0.5 - (value - low) / (high - low)) * span;
}

/** How many points to skip in a box of this many pixels. */
export function strideFor(points: number, pixels: number): number {
  const wanted = pixels < 24 ? 14 : pixels < 44 ? 24 : pixels;
  return Math.max(1, Math.floor(points / wanted));
}

const f = (x: number): string => x.toFixed(1);

/** The link input node → box → output node. It runs vertically behind the other boxes of its block. */
export function linkPath({ x, y, size, source, target, blockBottom, blockTop }: EdgePlace): string {
  if (size === 0) return swing(source, target);
  const half = size / 2;
  const below = `${swing(source, { x, y: blockBottom })}V${f(y + half)}`;
  const above = `M${f(x)} ${f(y - half)}V${f(blockTop)}${swing({ x, y: blockTop }, target).replace(/^M[^C]*/, "")}`;
  return below + above;
}

function swing(from: Point, to: Point): string {
  const middle = f((from.y + to.y) / 2);
  return `M${f(from.x)} ${f(from.y)}C${f(from.x)} ${middle} ${f(to.x)} ${middle} ${f(to.x)} ${f(to.y)}`;
}

const mix = (a: number, b: number, t: number): number => a + (b - a) * t;
const mixPoint = (a: Point, b: Point, t: number): Point => ({ x: mix(a.x, b.x, t), y: mix(a.y, b.y, t) });

/** On the way from one place to another, `t` = 0 … 1. */
export function mixEdge(a: EdgePlace, b: EdgePlace, t: number): EdgePlace {
  return {
    ...mixPoint(a, b, t),
    size: mix(a.size, b.size, t),
    visible: b.visible,
    source: mixPoint(a.source, b.source, t),
    target: mixPoint(a.target, b.target, t),
    blockBottom: mix(a.blockBottom, b.blockBottom, t),
    blockTop: mix(a.blockTop, b.blockTop, t),
  };
}

export function mixNode(a: NodePlace, b: NodePlace, t: number): NodePlace {
  const ports = b.ports.map((port, p) => mixPoint(a.ports[p] ?? a, port, t));
  return { ...b, ...mixPoint(a, b, t), ports };
}

/** Slow at both ends. */
export const ease = (t: number): number => (t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2);
