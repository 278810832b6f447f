/** The geometry of the inspector's plot: ranges, ticks and paths. No DOM. */

import type { Detail } from "./protocol";
import { extent, linear, type Scale, ticks } from "./scales";

/** A vertical scale, and what one pixel down is worth. */
export type Height = Scale & { inverse: number };

export interface PlotGeometry {
  x: Scale;
  y: Height;
  xTicks: { step: number; values: number[] };
  yTicks: { step: number; values: number[] };
}

export interface PlotBox {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

type Numbers = readonly (number | null)[];

/** Null when the edge has no finite point to draw. */
export function plotGeometry(detail: Detail, box: PlotBox, handles = false): PlotGeometry | null {
  const xs = extent(detail.x);
  if (!xs) return null;
  const inside = (detail.spline?.handles ?? []).filter(([x]) => x !== null && x >= xs[0] && x <= xs[1]);
  const more = handles ? inside.map(([, y]) => y) : [];
  const ys = extent([...detail.y, ...detail.points.map(([, y]) => y), ...more]);
  if (!ys) return null;
  const pad = (ys[1] - ys[0]) * 0.06 || Math.max(Math.abs(ys[0]), 1e-6) * 0.5;
  const low = ys[0] - pad;
  const high = ys[1] + pad;
  return {
    x: linear(xs, [box.left, box.right]),
    y: Object.assign(linear([low, high], [box.bottom, box.top]), { inverse: (high - low) / (box.top - box.bottom) }),
    xTicks: ticks(xs[0], xs[1], 4),
    yTicks: ticks(low, high, 3),
  };
}

/** A line through the points; the pen is lifted where one of them is missing. */
export function linePath(xs: Numbers, ys: Numbers, { x, y }: { x: Scale; y: Scale }): string {
  let path = "";
  let pen = "M";
  const n = Math.min(xs.length, ys.length);
  for (let k = 0; k < n; k++) {
    const a = xs[k];
    const b = ys[k];
    if (a === null || a === undefined || b === null || b === undefined) {
      pen = "M";
      continue;
    }
    path += `${pen}${x(a).toFixed(1)} ${y(b).toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** As many values as are wanted, between those there are. */
export function resampled(values: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, n) => {
    const at = (n / Math.max(1, count - 1)) * (values.length - 1);
    const left = Math.min(Math.floor(at), Math.max(0, values.length - 2));
    const [a, b] = [values[left] ?? Number.NaN, values[left + 1] ?? Number.NaN];
    return a + (b - a) * (at - left);
  });
}

/** The derivative, on a scale of its own that fills the box; null where there is none to draw. */
export function slopeGeometry(detail: Detail, box: PlotBox): Pick<PlotGeometry, "y" | "yTicks"> | null {
  const ys = extent(detail.slope);
  if (!ys) return null;
  const pad = (ys[1] - ys[0]) * 0.06 || Math.max(Math.abs(ys[0]), 1e-6) * 0.5;
  const [low, high] = [ys[0] - pad, ys[1] + pad];
  const y = Object.assign(linear([low, high], [box.bottom, box.top]), {
    inverse: (high - low) / (box.top - box.bottom),
  });
  return { y, yTicks: ticks(low, high, 3) };
}

/** Points as little squares in one path: two hundred elements less. */
export function dotsPath(points: Detail["points"], { x, y }: PlotGeometry, size: number): string {
  let path = "";
  for (const [a, b] of points) {
    if (a === null || b === null) continue;
    path += `M${(x(a) - size / 2).toFixed(1)} ${y(b).toFixed(1)}h${size}`;
  }
  return path;
}

/** The histogram's bars, the tallest `height` high, standing on the bottom of the box. */
export function barsPath(density: Numbers, box: PlotBox, height: number): string {
  const most = Math.max(1e-12, ...density.map((count) => count ?? 0));
  const width = (box.right - box.left) / Math.max(1, density.length);
  return density
    .map((count, n) => {
      const tall = ((count ?? 0) / most) * height;
      return tall > 0
        ? `M${(box.left + n * width + 0.5).toFixed(1)} ${box.bottom}v${(-tall).toFixed(1)}h${(width - 1).toFixed(1)}v${tall.toFixed(1)}z`
        : "";
    })
    .join("");
}
