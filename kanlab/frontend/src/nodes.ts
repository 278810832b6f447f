/** The marks of one node of the graph: circle, subnodes of a product, label. */

import { s, setAttribute, setText } from "./dom";
import { heatPicture } from "./heat";
import { signed, truncate } from "./lib/format";
import { labels } from "./lib/labels";
import { NODE_RADIUS, type NodePlace } from "./lib/layout";
import { nodeName } from "./lib/names";
import { histogramPath, type Pictures, pictureOf } from "./lib/pictures";
import type { State } from "./lib/protocol";

const FONT = 13;
const MATH_FONT = 18;

export class NodeMark {
  readonly element = s("g", { class: "kanlab-node", role: "img" });
  place: NodePlace;
  private readonly title = s("title");
  private readonly spokes = s("path", { class: "kanlab-spoke" });
  private readonly subnodes = s("g");
  private readonly cross = s("path", { class: "kanlab-cross", d: "M-3.5 -3.5L3.5 3.5M-3.5 3.5L3.5 -3.5" });
  private readonly label = s("text", { class: "kanlab-node-label" });
  private readonly picture = s("image", {
    x: -NODE_RADIUS,
    y: -NODE_RADIUS,
    width: 2 * NODE_RADIUS,
    height: 2 * NODE_RADIUS,
  });
  private readonly bars = s("path", { class: "kanlab-node-bars" });
  /** How much of the output comes from an input, beside its name. */
  private readonly share = s("path", { class: "kanlab-node-share" });
  private readonly track = s("path", { class: "kanlab-node-track" });
  private readonly value = s("text", { class: "kanlab-node-label kanlab-node-value" });

  constructor(place: NodePlace) {
    this.place = place;
    const circle = s("circle", { class: "kanlab-node-circle", r: NODE_RADIUS });
    const ring = s("circle", { class: "kanlab-node-ring", r: NODE_RADIUS });
    this.element.append(this.title, this.spokes, this.subnodes, circle, this.picture, this.bars, ring, this.cross);
    this.element.append(this.label, this.track, this.share, this.value);
  }

  /** What it is called. Letters keep their size when the graph is zoomed, so that more of a long name fits. */
  describe(state: State, { layer, index, ports, room }: NodePlace, mathematical: boolean, zoom: number): void {
    const last = state.width.length - 1;
    const full = nodeName(state, layer, index);
    const product = ports.length > 1;
    setAttribute(this.element, "aria-label", labels.node(layer, index));
    setText(this.title, product ? `${full} (${labels.product} ${ports.length})` : full);
    setAttribute(this.cross, "display", product ? null : "none");

    const hidden = layer > 0 && layer < last;
    const size = hidden ? FONT - 1 : mathematical ? MATH_FONT : FONT;
    const fits = hidden ? (room * zoom > 62 ? full : "") : truncate(full, Math.max(2, (room * zoom - 6) / size));
    setText(this.label, fits);
    this.label.setAttribute(
      "class",
      `kanlab-node-label${hidden ? " kanlab-node-hidden" : ""}${mathematical && !hidden ? " kanlab-math-label" : ""}`,
    );
    setAttribute(this.label, "x", hidden ? NODE_RADIUS + 5 / zoom : 0);
    setAttribute(this.label, "y", hidden ? 4 / zoom : layer === 0 ? NODE_RADIUS + 20 / zoom : -NODE_RADIUS - 9 / zoom);
    setAttribute(this.label, "text-anchor", hidden ? "start" : "middle");
  }

  move(place: NodePlace): void {
    this.place = place;
    setAttribute(this.element, "display", place.visible ? null : "none");
    if (!place.visible) return;
    setAttribute(this.element, "transform", `translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`);
    const subnodes = place.ports.length > 1 ? place.ports : [];
    while (this.subnodes.childElementCount > subnodes.length) this.subnodes.lastElementChild?.remove();
    while (this.subnodes.childElementCount < subnodes.length)
      this.subnodes.append(s("circle", { class: "kanlab-subnode", r: 4 }));
    subnodes.forEach((port, p) => {
      setAttribute(this.subnodes.children[p] as Element, "cx", (port.x - place.x).toFixed(1));
      setAttribute(this.subnodes.children[p] as Element, "cy", (port.y - place.y).toFixed(1));
    });
    const spokes = subnodes.map(
      (port) => `M0 ${NODE_RADIUS}L${(port.x - place.x).toFixed(1)} ${(port.y - place.y - 4).toFixed(1)}`,
    );
    setAttribute(this.spokes, "d", spokes.join("") || null);
  }

  /** The value at the input being tried, beside the node. */
  drawValue(value: number | undefined, zoom: number): void {
    // The inputs' values stand beside their sliders.
    setText(this.value, this.place.layer > 0 && this.place.room * zoom > 70 ? signed(value) : "");
    const below = this.label.textContent !== "" ? 16 : 0;
    setAttribute(this.value, "x", NODE_RADIUS + 5 / zoom);
    setAttribute(this.value, "y", (4 + (this.label.getAttribute("text-anchor") === "start" ? below : 0)) / zoom);
  }

  /** Its map or histogram, in the circle. */
  drawPicture(pictures: Pictures | null, node: number, accent: [number, number, number]): void {
    const pixels = pictures && pictureOf(pictures, node);
    const heat = pixels && pictures.shape === "map" ? heatPicture(pixels, pictures.side, 66, accent, true) : null;
    setAttribute(this.picture, "href", heat);
    const bars = pixels && pictures.shape === "histogram" ? histogramPath(pixels, 14, 11) : null;
    setAttribute(this.bars, "d", bars);
  }

  draw(score: number, doomed: boolean, zoom: number): void {
    if (this.place.layer === 0) {
      const [half, y] = [18 / zoom, NODE_RADIUS + 29 / zoom];
      setAttribute(this.track, "d", `M${-half} ${y}H${half}`);
      setAttribute(this.share, "d", `M${-half} ${y}H${(2 * Math.min(1, Math.max(0, score)) - 1) * half}`);
      setAttribute(this.share, "display", score > 0 ? null : "none");
    }
    this.element.classList.toggle("kanlab-doomed", doomed);
    this.element.style.setProperty("--kanlab-strength", Number.isFinite(score) ? Math.tanh(3 * score).toFixed(2) : "1");
  }
}
