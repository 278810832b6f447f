/** A network as a small still picture: boxes with their curves, names of fixed edges, links; nothing to click. */

import { h, s } from "./dom";
import { curvePath, linkPath, strideFor } from "./lib/curves";
import { labels } from "./lib/labels";
import { type Layout, layoutNetwork, NODE_RADIUS } from "./lib/layout";
import type { Side } from "./lib/protocol";
import { strength } from "./lib/scales";

/** Drawn at this size and scaled down, so that boxes and letters keep their proportions. */
const HEIGHT = 330;
const NAMED = 22;
const LEGIBLE = 9;

export function createMiniature(side: Side, width: number, textOf: (name: string) => string): HTMLElement {
  const alive = side.edges.filter(({ kind }) => kind !== "pruned").length;
  const layout = layoutNetwork({
    width,
    height: HEIGHT,
    layers: side.width.map(([sums, products]) => sums + products),
    subnodes: side.subnodes,
    edges: side.edges.map(({ edge, kind }) => ({ edge, alive: kind !== "pruned" })),
  });
  const picture = s(
    "svg",
    {
      class: "kanlab-miniature",
      role: "img",
      "aria-label": labels.miniature(side.label, alive),
      viewBox: `0 0 ${width} ${layout.height.toFixed(0)}`,
    },
    ...side.edges.flatMap((_, e) => edgeMarks(side, layout, e, textOf)),
    ...layout.nodes
      .filter(({ visible }) => visible)
      .map(({ x, y }) =>
        s("circle", { class: "kanlab-node-circle", cx: x.toFixed(1), cy: y.toFixed(1), r: NODE_RADIUS }),
      ),
  );
  return h("div", { class: "kanlab-miniature-holder" }, picture);
}

function edgeMarks(side: Side, layout: Layout, e: number, textOf: (name: string) => string): SVGElement[] {
  const place = layout.edges[e];
  const edge = side.edges[e];
  if (!place?.visible || !edge || edge.kind === "pruned") return [];
  const fixed = edge.kind === "symbolic" ? " kanlab-symbolic" : "";
  const half = place.size / 2;
  const link = s("path", { class: `kanlab-wire${fixed}`, d: linkPath(place) });
  link.style.setProperty("--kanlab-strength", strength(side.scores[e] ?? 0).toFixed(2));
  const values = Float32Array.from(side.curves.slice(e * side.points, (e + 1) * side.points), (y) => y ?? Number.NaN);
  const box = s(
    "g",
    { class: `kanlab-edge${fixed}`, transform: `translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})` },
    s("rect", { class: "kanlab-box", x: -half, y: -half, width: place.size, height: place.size, rx: 4 }),
  );
  if (place.size >= LEGIBLE)
    box.append(
      s("path", {
        class: "kanlab-curve",
        d: curvePath(values, place.size, strideFor(values.length, place.size)),
      }),
    );
  const name = edge.name && place.size >= NAMED ? [nameMark(textOf(edge.name), place.x, place.y + half + 12)] : [];
  return [link, box, ...name];
}

function nameMark(name: string, x: number, y: number): SVGElement {
  return s("text", { class: "kanlab-function", x: x.toFixed(1), y: y.toFixed(1), "text-anchor": "middle" }, name);
}
