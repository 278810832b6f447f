/** The control points of a spline, to be dragged up and down (or moved by the arrows); the curve follows at once. */

import { s, setAttribute } from "./dom";
import { Drag, pace } from "./lib/drag";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import type { PlotBox, PlotGeometry } from "./lib/plot";
import type { Detail } from "./lib/protocol";
import { basisAt } from "./lib/spline";

/** After the last arrow key, the change is made. */
const KEYS_REST = 600;

export interface HandleActions {
  /** Shown while it moves. */
  onTry(index: number, y: number): void;
  onKeep(index: number, y: number): void;
  onDrop(): void;
  /** The curve must be drawn anew. */
  onMove(): void;
}

/** One control point on its way. */
interface Move {
  detail: Detail;
  index: number;
  from: number;
  to: number;
}

export function createHandles(actions: HandleActions) {
  const element = s("g", { class: "kanlab-handles" });
  const polygon = s("path", { class: "kanlab-handles-polygon" });
  const dots = s("g");
  element.append(polygon, dots);
  let move: Move | null = null;
  let shown: { detail: Detail; geometry: PlotGeometry; box: PlotBox } | null = null;
  let rest: ReturnType<typeof setTimeout> | undefined;

  function begin(index: number): Move | null {
    const from = shown?.detail.spline?.handles[index]?.[1];
    if (!shown || from == null) return null;
    if (move?.index !== index) move = { detail: shown.detail, index, from, to: from };
    return move;
  }

  function go(to: number): void {
    if (!move) return;
    move.to = to;
    actions.onTry(move.index, to);
    actions.onMove();
  }

  function keep(): void {
    clearTimeout(rest);
    if (!move) return;
    if (move.to === move.from) move = null;
    else actions.onKeep(move.index, move.to);
  }

  function drop(): void {
    clearTimeout(rest);
    if (!move) return;
    move = null;
    actions.onDrop();
    actions.onMove();
  }

  function handle(index: number): SVGCircleElement {
    const dot = s("circle", {
      class: "kanlab-handle",
      r: 5,
      role: "slider",
      tabindex: 0,
      "aria-label": labels.controlPoint(index),
      "aria-orientation": "vertical",
      "data-lm-suppress-shortcuts": "true",
    });
    dot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !shown) return;
      event.preventDefault();
      event.stopPropagation();
      const started = begin(index);
      const unit = shown.geometry.y.inverse;
      if (!started) return;
      const start = started.to;
      const drag = new Drag(event.clientY);
      dot.setPointerCapture?.(event.pointerId);
      dot.focus({ preventScroll: true });
      const moved = (next: PointerEvent) => go(start + drag.move(next.clientY, next) * unit);
      const up = () => {
        dot.removeEventListener("pointermove", moved);
        dot.removeEventListener("pointerup", up);
        dot.removeEventListener("pointercancel", up);
        keep();
      };
      dot.addEventListener("pointermove", moved);
      dot.addEventListener("pointerup", up);
      dot.addEventListener("pointercancel", up);
    });
    dot.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && move) {
        event.stopPropagation();
        drop();
      }
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (way === undefined || !shown) return;
      event.preventDefault();
      const started = begin(index);
      if (!started) return;
      go(started.to + way * pace(event) * shown.geometry.yTicks.step * 0.1);
      clearTimeout(rest);
      rest = setTimeout(keep, KEYS_REST);
    });
    return dot;
  }

  return {
    element,
    /** Whether a control point is held, so that the axes must stay where they are. */
    get moving(): boolean {
      return move !== null;
    },
    /** The curve with the point that is being moved where it is now. */
    curve(detail: Detail): (number | null)[] {
      if (move?.detail !== detail || !detail.spline) return detail.y;
      const { knots, k } = detail.spline;
      const { index, to, from } = move;
      return detail.y.map((y, n) => {
        const x = detail.x[n];
        return y === null || x == null ? null : y + (to - from) * basisAt(x, knots, k, index);
      });
    },
    show(detail: Detail | null, geometry: PlotGeometry | null, box: PlotBox): void {
      if (move && move.detail !== detail) move = null;
      const handles = detail?.spline?.handles ?? [];
      shown = detail && geometry ? { detail, geometry, box } : null;
      while (dots.childElementCount > handles.length) dots.lastElementChild?.remove();
      while (dots.childElementCount < handles.length) dots.append(handle(dots.childElementCount));
      let path = "";
      handles.forEach(([x, own], index) => {
        const dot = dots.children[index] as SVGCircleElement;
        const y = move?.index === index ? move.to : own;
        const at = x === null ? Number.NaN : (geometry?.x(x) ?? Number.NaN);
        const inside = y !== null && at >= box.left - 1 && at <= box.right + 1;
        setAttribute(dot, "display", inside ? null : "none");
        if (!inside || !geometry || y === null) return;
        const height = geometry.y(y);
        setAttribute(dot, "cx", at.toFixed(1));
        setAttribute(dot, "cy", Math.min(box.bottom, Math.max(box.top, height)).toFixed(1));
        setAttribute(dot, "aria-valuenow", String(y));
        setAttribute(dot, "aria-valuetext", format.signed(y));
        path += `${path ? "L" : "M"}${at.toFixed(1)} ${height.toFixed(1)}`;
      });
      setAttribute(polygon, "d", path || null);
    },
    hide(): void {
      clearTimeout(rest);
      move = shown = null;
      dots.replaceChildren();
      polygon.removeAttribute("d");
    },
    dispose: () => clearTimeout(rest),
  };
}
