/**
 * Where everything of the network graph goes: inputs at the bottom, outputs on top, each edge's box under the node it
 * leads to. The boxes of a node stand in one row while there is room, else in a block of rows, so that a hundred edges
 * are still legible. Pixels in, pixels out; no DOM.
 */

import type { EdgeId } from "./protocol";

export interface LayoutInput {
  width: number;
  /** The height to fill; the layout takes more when it must. */
  height: number;
  /** How many nodes each layer has, inputs first. */
  layers: readonly number[];
  /** `subnodes[l][i]`: how many sums node i of layer l multiplies; 1 is a plain sum node. */
  subnodes: readonly (readonly number[])[];
  edges: readonly { edge: EdgeId; alive: boolean }[];
}

export interface Point {
  x: number;
  y: number;
}

export interface NodePlace extends Point {
  layer: number;
  index: number;
  visible: boolean;
  /** The horizontal room for its label. */
  room: number;
  /** The points where edges arrive: the node itself, or its subnodes when it multiplies. */
  ports: Point[];
}

export interface EdgePlace extends Point {
  /** The side of its box; 0 for a pruned edge, which has a dot only. */
  size: number;
  visible: boolean;
  source: Point;
  target: Point;
  /** The y between which links run vertically behind the boxes of a block. */
  blockBottom: number;
  blockTop: number;
}

export interface Layout {
  width: number;
  height: number;
  nodes: NodePlace[];
  edges: EdgePlace[];
}

export const NODE_RADIUS = 11;
const SUBNODE_RADIUS = 4;
const MAX_BOX = 54;
const MIN_BOX = 4;
const COMFORTABLE = 30;
const TOP = 44;
const BOTTOM = 54;
const LABEL_UNDER_BOX = 6;
const MIN_LINK = 30;
const MAX_LINK = 96;
const SIDE = 14;
const MAX_GAP = 150;
const SUBNODE_DROP = 22;
const SUBNODE_PITCH = 14;

/** The boxes that lead to one port, to be placed together. */
interface Group {
  node: number;
  members: number[];
}

/** How the blocks of one layer of edges are cut: boxes of side `size` in `columns` and `rows`. */
interface Cut {
  size: number;
  columns: number;
  rows: number;
  height: number;
}

export function layoutNetwork(input: LayoutInput): Layout {
  const visible = visibleNodes(input);
  const groups = groupEdges(input);
  const depth = input.layers.length - 1;
  const cuts = cutLayers(input, groups);
  const drops = input.layers.map((_, l) => (input.subnodes[l]?.some((n) => n > 1) ? SUBNODE_DROP : 0));
  const fan = fans(groups);
  const fixed = TOP + BOTTOM + sum(drops) + sum(fan) + sum(cuts.map((cut) => cut.height));
  const link = clamp((input.height - fixed) / (2 * depth), MIN_LINK, MAX_LINK);
  const height = Math.max(input.height, fixed + 2 * depth * link);

  const nodes: NodePlace[][] = [];
  const edges: EdgePlace[] = new Array(input.edges.length);
  let y = (height + fixed + 2 * depth * link) / 2 - BOTTOM;
  for (let l = 0; l <= depth; l++) {
    const cut = cuts[l - 1];
    if (cut) {
      const bottom = y - link - (fan[l - 1] ?? 0);
      y = bottom - cut.height - link;
      nodes.push(
        placeBlocks(input, l, groups[l - 1] ?? [], cut, visible[l] ?? [], { bottom, y: y - (drops[l] ?? 0) }, edges),
      );
      y -= drops[l] ?? 0;
    } else {
      nodes.push(placeInputs(input, visible[0] ?? [], y));
    }
  }
  connect(input, nodes, edges);
  return { width: input.width, height, nodes: nodes.flat(), edges };
}

/** Inputs and outputs always show; a hidden node only while an edge that is alive comes in or goes out. */
function visibleNodes({ layers, subnodes, edges }: LayoutInput): boolean[][] {
  const incoming = layers.map(() => new Set<number>());
  const outgoing = layers.map(() => new Set<number>());
  for (const { edge, alive } of edges) {
    if (!alive) continue;
    outgoing[edge[0]]?.add(edge[1]);
    incoming[edge[0] + 1]?.add(portOf(subnodes[edge[0] + 1] ?? [], edge[2]).node);
  }
  return layers.map((n, l) =>
    Array.from(
      { length: n },
      (_, i) => l === 0 || l === layers.length - 1 || incoming[l]?.has(i) === true || outgoing[l]?.has(i) === true,
    ),
  );
}

/** Which node the subnode `j` belongs to, and which of its subnodes it is. */
export function portOf(subnodes: readonly number[], j: number): { node: number; port: number } {
  let node = 0;
  let port = j;
  while (node < subnodes.length - 1 && port >= (subnodes[node] ?? 1)) port -= subnodes[node++] ?? 1;
  return { node, port };
}

function groupEdges({ layers, subnodes, edges }: LayoutInput): Group[][] {
  return layers.slice(1).map((_, l) => {
    const byTarget = new Map<number, Group>();
    edges.forEach(({ edge, alive }, e) => {
      if (edge[0] !== l || !alive) return;
      const group = byTarget.get(edge[2]) ?? { node: portOf(subnodes[l + 1] ?? [], edge[2]).node, members: [] };
      group.members.push(e);
      byTarget.set(edge[2], group);
    });
    return [...byTarget.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
  });
}

/** Layer by layer: as few rows as keep the boxes comfortable, else the largest boxes that fit its share of the height. */
function cutLayers({ width, height, layers }: LayoutInput, groups: Group[][]): Cut[] {
  const depth = layers.length - 1;
  const links = sum(fans(groups)) + 2 * depth * MIN_LINK;
  const share = Math.max(MAX_BOX + 6, (Math.max(height, 360) - TOP - BOTTOM - links) / depth);
  return groups.map((layer) => {
    const largest = Math.max(1, ...layer.map((group) => group.members.length));
    let best: Cut = { size: 0, columns: largest, rows: 1, height: 0 };
    for (let columns = largest; columns >= 1; columns--) {
      const rows = Math.ceil(largest / columns);
      const across = sum(layer.map((group) => Math.min(columns, group.members.length)));
      // gaps: 0.14 of a box between boxes, 0.4 between groups
      const fitsWidth = (width - 2 * SIDE) / (1.14 * across + 0.26 * layer.length);
      const size = clamp(Math.floor(Math.min(fitsWidth, share / (1.14 * rows))), MIN_BOX, MAX_BOX);
      if (size > best.size && best.size < COMFORTABLE)
        best = { size, columns, rows, height: size * (1.14 * rows - 0.14) + LABEL_UNDER_BOX };
    }
    return best;
  });
}

/** More height for the links below a layer of many boxes, where they cross. */
function fans(groups: Group[][]): number[] {
  return groups.map((layer) => Math.min(36, sum(layer.map((group) => group.members.length)) / 4));
}

function placeInputs({ width, layers, subnodes }: LayoutInput, visible: boolean[], y: number): NodePlace[] {
  const n = layers[0] ?? 1;
  const gap = Math.min((width - 2 * SIDE) / (n + (n > 6 ? 0 : 1)), MAX_GAP * 1.6);
  return Array.from({ length: n }, (_, i) => {
    const x = width / 2 + (i - (n - 1) / 2) * gap;
    return node(0, i, x, y, gap, visible[i] === true, subnodes[0]?.[i] ?? 1);
  });
}

/** Place the boxes that lead to layer `l`, and its nodes above the middle of their own boxes. */
function placeBlocks(
  { width, layers, subnodes }: LayoutInput,
  l: number,
  groups: Group[],
  { size, columns, rows }: Cut,
  visible: boolean[],
  { bottom, y }: { bottom: number; y: number },
  edges: EdgePlace[],
): NodePlace[] {
  const spans = groups.map((group) => Math.min(columns, group.members.length));
  const free = width - 2 * SIDE - size * sum(spans);
  const inner = clamp(free / (sum(spans) - spans.length + 2.6 * (spans.length + 1)), 0.14 * size, 0.5 * size);
  const widths = spans.map((n) => n * size + (n - 1) * inner);
  const gap = Math.min((width - 2 * SIDE - sum(widths)) / (groups.length + 1), MAX_GAP);
  const outer = Math.max(gap, 0.3 * size);
  const pitch = 1.14 * size;
  const top = bottom - LABEL_UNDER_BOX - pitch * (rows - 1) - size;

  let x = (width - sum(widths) - outer * (groups.length - 1)) / 2;
  const middles = new Map<number, number[]>();
  groups.forEach((group, g) => {
    const span = spans[g] ?? 1;
    group.members.forEach((e, n) => {
      const inRow = Math.min(span, group.members.length - Math.floor(n / span) * span);
      const indent = ((span - inRow) * (size + inner)) / 2;
      edges[e] = {
        x: x + indent + (n % span) * (size + inner) + size / 2,
        y: top + (rows - 1 - Math.floor(n / span)) * pitch + size / 2,
        size,
        visible: true,
        source: { x: 0, y: 0 },
        target: { x: 0, y: 0 },
        blockBottom: bottom - LABEL_UNDER_BOX,
        blockTop: top,
      };
    });
    middles.set(group.node, [...(middles.get(group.node) ?? []), x + (widths[g] ?? 0) / 2]);
    x += (widths[g] ?? 0) + outer;
  });

  const count = layers[l] ?? 1;
  return Array.from({ length: count }, (_, i) => {
    const own = middles.get(i);
    const x = own ? sum(own) / own.length : width * ((i + 0.5) / count);
    const room = (width - 2 * SIDE) / Math.max(1, visible.filter(Boolean).length);
    return node(l, i, x, y, room, visible[i] === true, subnodes[l]?.[i] ?? 1);
  });
}

function node(
  layer: number,
  index: number,
  x: number,
  y: number,
  room: number,
  visible: boolean,
  ports: number,
): NodePlace {
  const subnodes = Array.from({ length: ports }, (_, p) => ({
    x: x + (p - (ports - 1) / 2) * SUBNODE_PITCH,
    y: y + SUBNODE_DROP,
  }));
  return { layer, index, x, y, room, visible, ports: ports > 1 && layer > 0 ? subnodes : [{ x, y }] };
}

/** Give every edge its ends, and a pruned one its dot. */
function connect({ edges: ids, subnodes }: LayoutInput, nodes: NodePlace[][], edges: EdgePlace[]): void {
  ids.forEach(({ edge: [l, i, j], alive }, e) => {
    const from = nodes[l]?.[i];
    const { node: index, port } = portOf(subnodes[l + 1] ?? [], j);
    const to = nodes[l + 1]?.[index];
    if (!from || !to) return;
    const end = to.ports[port] ?? to;
    const radius = to.ports.length > 1 ? SUBNODE_RADIUS : NODE_RADIUS;
    const source = { x: from.x, y: from.y - NODE_RADIUS };
    const target = { x: end.x, y: end.y + radius };
    const place = edges[e];
    if (place) {
      place.source = source;
      place.target = target;
      return;
    }
    const middle = ghostDot(source, target);
    const ghost = { size: 0, visible: !alive && from.visible && to.visible, source, target };
    edges[e] = { ...middle, ...ghost, blockBottom: middle.y, blockTop: middle.y };
  });
}

/** A fifth of the way along the curve from source to target: before the row of boxes, which it must not cover. */
function ghostDot(source: Point, target: Point): Point {
  const t = 0.2;
  const nearTarget = t * t * (3 - 2 * t);
  const middle = (source.y + target.y) / 2;
  return {
    x: source.x + (target.x - source.x) * nearTarget,
    y: source.y * (1 - t) ** 3 + middle * 3 * t * (1 - t) + target.y * t ** 3,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);
const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));
