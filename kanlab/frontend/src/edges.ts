/** The marks of one edge of the graph: its link, its box with the curve, the name of a fixed function. */

import { s, setAttribute, setText } from "./dom";
import { curvePath, linkPath, pointIn, strideFor } from "./lib/curves";
import { labels } from "./lib/labels";
import type { EdgePlace } from "./lib/layout";
import { edgeStateName, functionText } from "./lib/names";
import type { EdgeState, State } from "./lib/protocol";
import { strength } from "./lib/scales";

/** Boxes smaller than this on screen show how much an edge matters, not its curve. */
const LEGIBLE = 9;
const NAMED = 22;

export class EdgeMark {
  readonly link = s("path", { class: "kanlab-wire" });
  /** Drawn above all boxes, and not part of the button: its accessible name says it in full. */
  readonly name = s("text", { class: "kanlab-function", "text-anchor": "middle" });
  readonly element = s("g", {
    class: "kanlab-edge",
    role: "button",
    tabindex: -1,
    "aria-keyshortcuts": "Delete",
    "data-lm-suppress-shortcuts": "true",
  });
  place: EdgePlace;
  edge: EdgeState;
  private readonly hit = s("circle", { class: "kanlab-hit", r: 9 });
  private readonly dot = s("circle", { class: "kanlab-ghost-dot", r: 2.5 });
  private readonly box = s("rect", { class: "kanlab-box" });
  private readonly curve = s("path", { class: "kanlab-curve" });
  private readonly strike = s("path", { class: "kanlab-strike" });
  private readonly probe = s("circle", { class: "kanlab-probe", r: 3, display: "none" });
  private doomed = false;

  constructor(edge: EdgeState, place: EdgePlace) {
    this.edge = edge;
    this.place = place;
    this.element.append(this.hit, this.dot, this.box, this.curve, this.strike, this.probe);
  }

  /** What the edge is: its kind and name, whether it is selected. */
  describe(state: State, edge: EdgeState, selected: boolean): void {
    this.edge = edge;
    setAttribute(this.element, "aria-label", labels.edge(edge.edge, edgeStateName(edge)));
    setAttribute(this.element, "aria-pressed", String(selected));
    for (const part of [this.element, this.link]) {
      part.classList.toggle("kanlab-symbolic", edge.kind === "symbolic");
      part.classList.toggle("kanlab-pruned", edge.kind === "pruned");
      part.classList.toggle("kanlab-selected", selected);
    }
    setText(this.name, edge.kind === "symbolic" ? functionText(state, edge.name) : "");
  }

  /** Where it stands. */
  move(place: EdgePlace, zoom: number): void {
    this.place = place;
    const { size } = place;
    const alive = size > 0;
    for (const part of [this.element, this.link, this.name])
      setAttribute(part, "display", place.visible ? null : "none");
    if (!place.visible) return;
    setAttribute(this.element, "transform", `translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`);
    setAttribute(this.link, "d", linkPath(place));
    for (const part of [this.hit, this.dot]) setAttribute(part, "display", alive ? "none" : null);
    for (const part of [this.box, this.curve]) setAttribute(part, "display", alive ? null : "none");
    if (!alive) {
      setAttribute(this.name, "display", "none");
      return;
    }
    setAttribute(this.box, "x", (-size / 2).toFixed(1));
    setAttribute(this.box, "y", (-size / 2).toFixed(1));
    setAttribute(this.box, "width", size.toFixed(1));
    setAttribute(this.box, "height", size.toFixed(1));
    // Too small for its name, a fixed edge is told by its round box.
    const named = size * zoom >= NAMED;
    setAttribute(
      this.box,
      "rx",
      this.edge.kind === "symbolic" && !named ? (size / 2).toFixed(1) : (size * 0.08).toFixed(1),
    );
    setAttribute(this.name, "display", named ? null : "none");
    setAttribute(this.name, "x", place.x.toFixed(1));
    setAttribute(this.name, "y", (place.y + size / 2 + 12 / zoom).toFixed(1));
    const arm = (size * 0.36).toFixed(1);
    setAttribute(this.strike, "d", `M-${arm} ${arm}L${arm} -${arm}`);
  }

  /** What the newest frame says of it. */
  draw(score: number, doomed: boolean, values: Float32Array, zoom: number): void {
    if (!this.place.visible) return;
    this.doomed = doomed && this.edge.kind !== "pruned";
    const shown = this.edge.kind === "pruned" ? 0 : strength(score);
    for (const part of [this.element, this.link]) {
      part.classList.toggle("kanlab-doomed", this.doomed);
      part.style.setProperty("--kanlab-strength", shown.toFixed(2));
    }
    setAttribute(this.element, "aria-description", this.doomed ? labels.wouldGo : null);
    const pixels = this.place.size * zoom;
    const legible = pixels >= LEGIBLE;
    this.element.classList.toggle("kanlab-tiny", !legible);
    if (this.place.size === 0) return;
    setAttribute(
      this.curve,
      "d",
      legible ? curvePath(values, this.place.size, strideFor(values.length, pixels)) : null,
    );
  }

  /** The point of the curve at which the input being tried arrives. */
  drawProbe(values: Float32Array, [low, high]: readonly [number, number], x: number, y: number): void {
    const at = this.place.size < NAMED ? null : pointIn(values, this.place.size, (x - low) / (high - low || 1), y);
    setAttribute(this.probe, "display", at ? null : "none");
    if (!at) return;
    setAttribute(this.probe, "cx", at.x.toFixed(1));
    setAttribute(this.probe, "cy", at.y.toFixed(1));
  }

  remove(): void {
    this.element.remove();
    this.link.remove();
    this.name.remove();
  }
}
