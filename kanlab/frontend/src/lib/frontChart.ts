/** The geometry of the front: error, logarithmic, against complexity. No DOM. */

import type { PlotBox } from "./plot";
import type { Front } from "./protocol";
import { linear } from "./scales";

/** Errors this far below the largest are all the same: rounding. */
const DECADES = 16;

export interface FrontGeometry {
  /** Where each formula stands. */
  points: { x: number; y: number }[];
  /** The steps between them. */
  path: string;
  complexities: { x: number; value: number }[];
  exponents: { y: number; value: number }[];
}

export function frontGeometry({ items }: Front, box: PlotBox): FrontGeometry | null {
  const errors = items.map(({ error }) => error ?? Number.NaN);
  const most = Math.max(...errors.filter((error) => error > 0), 0);
  if (items.length === 0 || most === 0) return null;
  const top = Math.ceil(Math.log10(most) + 1e-9);
  const logs = errors.map((error) => Math.max(error > 0 ? Math.log10(error) : Number.NEGATIVE_INFINITY, top - DECADES));
  const known = logs.filter(Number.isFinite);
  const low = Math.min(Math.floor(Math.min(...known)), top - 1);
  const sizes = items.map(({ complexity }) => complexity);
  const [first, last] = [Math.min(...sizes), Math.max(...sizes)];
  const margin = Math.max(1, 0.08 * (last - first));
  const x = linear([first - margin, last + margin], [box.left, box.right]);
  const y = linear([low, top], [box.bottom, box.top]);
  const points = items.map(({ complexity }, n) => ({ x: x(complexity), y: y(logs[n] ?? top) }));
  const path = points
    .map(({ x: at, y: height }, n) => (n === 0 ? `M${f(at)} ${f(height)}` : `H${f(at)}V${f(height)}`))
    .join("");
  const stride = Math.max(1, Math.ceil((top - low) / 3));
  const exponents = [];
  for (let n = top; n >= low; n -= stride) exponents.push({ y: y(n), value: n });
  const complexities = spaced(
    [...new Set(sizes)].map((value) => ({ x: x(value), value })),
    22,
  );
  return { points, path, complexities, exponents };
}

/** Those ticks that do not run into the one before. */
function spaced<T extends { x: number }>(ticks: T[], room: number): T[] {
  const kept: T[] = [];
  for (const tick of ticks) if (tick.x - (kept.at(-1)?.x ?? Number.NEGATIVE_INFINITY) >= room) kept.push(tick);
  return kept;
}

const f = (value: number): string => value.toFixed(1);
