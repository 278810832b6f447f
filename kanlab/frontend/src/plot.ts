/** The inspector's plot: the activation, the data's points on it, knots, density, and a candidate laid over. */

import { Disposer, h, s, setAttribute } from "./dom";
import { createHandles, type HandleActions } from "./handles";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import type { Point } from "./lib/layout";
import { barsPath, dotsPath, linePath, type PlotBox, type PlotGeometry, plotGeometry, slopeGeometry } from "./lib/plot";
import type { Candidate, Detail } from "./lib/protocol";
import type { Scale } from "./lib/scales";

interface Scales {
  x: Scale;
  y: Scale;
}

const HEIGHT = 208;
const BARS = 26;

/** What the plot shows beside the curve, on request. */
export interface PlotExtras {
  slope: boolean;
  handles: boolean;
}

export function createPlot(actions: Omit<HandleActions, "onMove">) {
  const disposer = new Disposer();
  const bars = s("path", { class: "kanlab-plot-bars" });
  const axes = s("g", { class: "kanlab-plot-axes" });
  const knots = s("path", { class: "kanlab-plot-knots" });
  const dots = s("path", { class: "kanlab-plot-dots" });
  const curve = s("path", { class: "kanlab-plot-curve" });
  const overlay = s("path", { class: "kanlab-plot-overlay" });
  const probe = s("path", { class: "kanlab-plot-probe" });
  const slope = s("path", { class: "kanlab-plot-slope" });
  const handles = createHandles({ ...actions, onMove: () => draw() });
  disposer.add(handles.dispose);
  let extras: PlotExtras = { slope: false, handles: false };
  let held: PlotGeometry | null = null;
  const svg = s(
    "svg",
    { class: "kanlab-plot", role: "group", "aria-label": labels.inspectorPlot, height: HEIGHT },
    bars,
    axes,
    knots,
    slope,
    curve,
    dots,
    overlay,
    probe,
    handles.element,
  );
  const element = h("div", { class: "kanlab-plot-holder" }, svg);
  let width = 360;
  let shown: { detail: Detail; candidate: Candidate | null; point: Point | null } | null = null;
  disposer.size(element, (w) => {
    if (w < 40 || w === width) return;
    width = w;
    draw();
  });

  function draw(): void {
    const box: PlotBox = { left: 46, right: width - (extras.slope ? 42 : 10), top: 8, bottom: HEIGHT - 26 };
    setAttribute(svg, "width", width);
    setAttribute(svg, "viewBox", `0 0 ${width} ${HEIGHT}`);
    // While a control point is held, the axes stay where they are.
    if (!handles.moving || !held) held = shown ? plotGeometry(shown.detail, box, extras.handles) : null;
    const geometry = held;
    if (!shown || !geometry) {
      for (const path of [bars, knots, dots, curve, overlay, probe, slope]) path.removeAttribute("d");
      axes.replaceChildren();
      handles.hide();
      return;
    }
    const { detail, candidate, point } = shown;
    setAttribute(bars, "d", barsPath(detail.density, box, BARS));
    setAttribute(knots, "d", knotsPath(detail, geometry, box));
    setAttribute(dots, "d", dotsPath(detail.points, geometry, 2));
    setAttribute(curve, "d", linePath(detail.x, handles.curve(detail), geometry));
    setAttribute(curve, "class", `kanlab-plot-curve${detail.kind === "symbolic" ? " kanlab-symbolic" : ""}`);
    setAttribute(overlay, "d", candidate ? linePath(detail.x, candidate.y, clipped(geometry, box)) : null);
    setAttribute(probe, "d", point ? probePath(point, clipped(geometry, box), box) : null);
    if (extras.handles) handles.show(detail, geometry, box);
    else handles.hide();
    const steep = extras.slope ? slopeGeometry(detail, box) : null;
    setAttribute(slope, "d", steep ? linePath(detail.x, detail.slope, { x: geometry.x, y: steep.y }) : null);
    axes.replaceChildren(...axisElements(geometry, box), ...(steep ? slopeTicks(steep, box) : []));
  }

  return {
    element,
    /** `point`: the input being tried, and what the edge makes of it. */
    show(detail: Detail | null, candidate: Candidate | null, point: Point | null, beside: PlotExtras): void {
      shown = detail ? { detail, candidate, point } : null;
      extras = beside;
      draw();
    },
    dispose: () => disposer.dispose(),
  };
}

/** A line down from the point to the axis, and the point. */
function probePath(point: Point, { x, y }: Scales, box: PlotBox): string | null {
  if (!Number.isFinite(point.x) || !Number.isFinite(point.y)) return null;
  const at = Math.min(box.right, Math.max(box.left, x(point.x)));
  const top = y(point.y);
  return `M${at.toFixed(1)} ${box.bottom}V${(top + 4).toFixed(1)}m-4 -4a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`;
}

/** A candidate may run far off (1/x, exp): hold it at the plot's edge. */
function clipped({ x, y }: PlotGeometry, box: PlotBox): Scales {
  return { x, y: (value) => Math.min(box.bottom + 4, Math.max(box.top - 4, y(value))) };
}

function knotsPath(detail: Detail, { x }: PlotGeometry, box: PlotBox): string {
  const inside = detail.knots.filter((knot): knot is number => {
    const at = knot === null ? Number.NaN : x(knot);
    return at >= box.left - 0.5 && at <= box.right + 0.5;
  });
  return inside.map((knot) => `M${x(knot).toFixed(1)} ${box.bottom - 4}l3 4l-3 4l-3 -4z`).join("");
}

function slopeTicks({ y, yTicks }: Pick<PlotGeometry, "y" | "yTicks">, box: PlotBox): SVGElement[] {
  return yTicks.values.map((value) =>
    s(
      "text",
      { class: "kanlab-tick kanlab-slope-tick", x: box.right + 6, y: y(value) + 4 },
      format.tick(value, yTicks.step),
    ),
  );
}

function axisElements({ x, y, xTicks, yTicks }: PlotGeometry, box: PlotBox): SVGElement[] {
  const elements: SVGElement[] = [
    s("path", { class: "kanlab-axis", d: `M${box.left} ${box.top}V${box.bottom}H${box.right}` }),
  ];
  for (const value of xTicks.values) {
    const anchor = x(value) > box.right - 14 ? "end" : x(value) < box.left + 6 ? "start" : "middle";
    const at = { class: "kanlab-tick", x: x(value), y: box.bottom + 20, "text-anchor": anchor };
    elements.push(s("text", at, format.tick(value, xTicks.step)));
  }
  for (const value of yTicks.values) {
    const at = { class: "kanlab-tick", x: box.left - 7, y: y(value) + 4, "text-anchor": "end" };
    elements.push(s("path", { class: "kanlab-axis", d: `M${box.left - 4} ${y(value).toFixed(1)}h4` }));
    elements.push(s("text", at, format.tick(value, yTicks.step)));
  }
  return elements;
}
