/** The network graph: every edge's curve, live; edges are buttons; below it, what Prune would remove. */

import { button } from "./controls";
import { Disposer, h, s, setAttribute } from "./dom";
import { EdgeMark } from "./edges";
import { accentOf } from "./heat";
import { ease, mixEdge, mixNode } from "./lib/curves";
import { textWidth } from "./lib/format";
import type { Frame } from "./lib/frame";
import { labels } from "./lib/labels";
import { type Layout, layoutNetwork } from "./lib/layout";
import { edgeKey, nodeCount, type State, sameEdge } from "./lib/protocol";
import { NodeMark } from "./nodes";
import type { Context, Panel } from "./panel";
import { part } from "./parts";
import { createPruneRow } from "./prune";
import { createRoving } from "./roving";
import { savePng, saveSvg } from "./save";
import { createTooltip } from "./tooltip";
import { createZoom } from "./zoom";

const GLIDE = 250;
const LEAST_HEIGHT = 380;
/** From this many edges on, a wide view is given more height, up to this. */
const CROWD = 60;
const MOST_HEIGHT = 620;

export function createGraph(context: Context): Panel {
  const { kernel } = context;
  const disposer = new Disposer();
  const links = s("g", { "aria-hidden": "true" });
  const boxes = s("g");
  const nodes = s("g");
  const names = s("g", { "aria-hidden": "true" });
  const content = s("g", {}, links, boxes, names, nodes);
  const surface = s("svg", { class: "kanlab-network", role: "group", "aria-label": labels.graph }, content);
  const tooltip = createTooltip(kernel);
  const holder = h("div", { class: "kanlab-network-holder" });
  const zoom = createZoom(surface, content, () => redraw(), disposer);
  const save = h(
    "div",
    { class: "kanlab-save kanlab-buttons" },
    button("SVG", () => saveSvg(surface), { name: labels.saveSvg, hint: labels.saveSvg }),
    button("PNG", () => void savePng(surface), { name: labels.savePng, hint: labels.savePng }),
  );
  const tools = h("div", { class: "kanlab-tools" }, part("save", save), part("zoom", zoom.element));
  holder.append(surface, tools, tooltip.element);
  const prune = createPruneRow(kernel);
  const element = h("div", { class: "kanlab-graph" }, holder, part("prune", prune.element));

  /** Switch an edge off, or on again as it was. */
  function toggle(mark: EdgeMark): void {
    if (kernel.readonly) return;
    const { edge, kind } = mark.edge;
    kernel.command(kind === "pruned" ? "restore_edge" : "remove_edge", { edge });
  }

  const edgeMarks = new Map<string, EdgeMark>();
  let nodeMarks: NodeMark[] = [];
  const marks = () => [...edgeMarks.values()];
  const roving = createRoving(boxes, marks, {
    select: (mark) => kernel.select(mark.edge.edge),
    open(mark) {
      kernel.select(mark.edge.edge);
      context.openInspector.current?.();
    },
    remove: toggle,
  });

  // ---- where things are

  let size = { width: 560, height: LEAST_HEIGHT };
  let structure = "";
  let glide: number | null = null;
  disposer.add(() => glide !== null && cancelAnimationFrame(glide));
  disposer.size(holder, (width, height) => {
    if (width < 40 || (Math.abs(width - size.width) < 1 && Math.abs(height - size.height) < 1)) return;
    size = { width, height };
    place(false);
  });

  function place(smoothly: boolean): void {
    const { state } = kernel;
    if (!state) return;
    const edges = state.edges.map(({ edge, kind }) => ({ edge, alive: kind !== "pruned" }));
    const crowded = edges.filter(({ alive }) => alive).length > CROWD;
    const input = {
      width: size.width,
      height: crowded ? Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, 0.55 * size.width)) : LEAST_HEIGHT,
      layers: state.width.map((_, l) => nodeCount(state, l)),
      subnodes: state.subnodes,
      edges,
    };
    // What it needs of itself; in the Lab its neighbour may be taller and give it more.
    const { height: needed } = layoutNetwork(input);
    const layout = layoutNetwork({ ...input, height: Math.max(needed, size.height) });
    setAttribute(surface, "width", layout.width);
    setAttribute(surface, "height", layout.height);
    holder.style.minHeight = `${Math.ceil(needed)}px`;
    build(state, layout);
    const calm = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches === true;
    moveTo(layout, smoothly && !calm);
    roving.refresh();
  }

  /** Make a mark for every edge and node that has none, drop those that are gone, keep the others where they are. */
  function build(state: State, layout: Layout): void {
    const present = new Set(state.edges.map(({ edge }) => edgeKey(edge)));
    for (const [key, mark] of edgeMarks) {
      if (present.has(key)) continue;
      mark.remove();
      edgeMarks.delete(key);
    }
    state.edges.forEach((edge, e) => {
      const key = edgeKey(edge.edge);
      if (edgeMarks.has(key)) return;
      const mark = new EdgeMark(edge, layout.edges[e] as Layout["edges"][number]);
      edgeMarks.set(key, mark);
    });
    const ordered = state.edges.map(({ edge }) => edgeMarks.get(edgeKey(edge)) as EdgeMark);
    edgeMarks.clear();
    state.edges.forEach(({ edge }, e) => {
      edgeMarks.set(edgeKey(edge), ordered[e] as EdgeMark);
    });
    for (const mark of ordered) {
      if (mark.link.parentNode !== links) links.append(mark.link);
      if (mark.element.parentNode !== boxes) boxes.append(mark.element);
      if (mark.name.parentNode !== names) names.append(mark.name);
    }
    if (nodeMarks.length !== layout.nodes.length) {
      nodeMarks = layout.nodes.map((node, n) => nodeMarks[n] ?? new NodeMark(node));
      nodes.replaceChildren(...nodeMarks.map((mark) => mark.element));
    }
    placed = layout;
    describeNodes(state);
    state.width.forEach((_, l) => {
      const row = ordered.filter(({ edge }) => edge.edge[0] === l);
      const alive = state.edges.filter(({ edge, kind }) => edge[0] === l && kind !== "pruned").length;
      const thin = Math.min(1, Math.sqrt(24 / Math.max(1, alive))).toFixed(2);
      for (const { link } of row) link.style.setProperty("--kanlab-thin", thin);
    });
  }

  let placed: Layout | null = null;
  function describeNodes(state: State): void {
    // One style for a layer: `x`, `y` are set as mathematics, a table's column names as words.
    const [inputs, outputs] = [state.names.inputs, state.names.outputs].map((all) =>
      all.every((name) => textWidth(name) < 1.3),
    );
    placed?.nodes.forEach((node, n) => {
      const mathematical = node.layer === 0 ? inputs : node.layer === state.width.length - 1 && outputs;
      nodeMarks[n]?.describe(state, node, mathematical === true, zoom.scale);
    });
  }

  function moveTo(layout: Layout, smoothly: boolean): void {
    if (glide !== null) cancelAnimationFrame(glide);
    glide = null;
    const all = marks();
    const fromEdges = all.map((mark) => mark.place);
    const fromNodes = nodeMarks.map((mark) => mark.place);
    const show = (t: number) => {
      all.forEach((mark, e) => {
        const to = layout.edges[e];
        const from = fromEdges[e];
        if (to && from) mark.move(t < 1 ? mixEdge(from, to, t) : to, zoom.scale);
      });
      nodeMarks.forEach((mark, n) => {
        const to = layout.nodes[n];
        const from = fromNodes[n];
        if (to && from) mark.move(t < 1 ? mixNode(from, to, t) : to);
      });
      draw();
    };
    if (!smoothly) {
      show(1);
      return;
    }
    const start = performance.now();
    const tick = (now: number) => {
      const t = Math.min(1, Math.max(0, (now - start) / GLIDE));
      show(ease(t));
      glide = t < 1 ? requestAnimationFrame(tick) : null;
    };
    glide = requestAnimationFrame(tick);
  }

  // ---- what they show

  function describe(): void {
    const { state, selected } = kernel;
    if (!state) return;
    for (const edge of state.edges)
      edgeMarks.get(edgeKey(edge.edge))?.describe(state, edge, sameEdge(edge.edge, selected));
  }

  function draw(): void {
    const { frame } = kernel;
    if (!frame) return;
    const { curves, scores, doomed, node_scores, node_doomed } = frame.arrays;
    if (scores.length !== edgeMarks.size || node_scores.length !== nodeMarks.length) return;
    marks().forEach((mark, e) => {
      const values = curves.subarray(e * frame.points, (e + 1) * frame.points);
      mark.draw(scores[e] as number, doomed[e] === 1, values, zoom.scale);
    });
    nodeMarks.forEach((mark, n) => {
      mark.draw(node_scores[n] as number, node_doomed[n] === 1, zoom.scale);
    });
    drawProbe(frame);
  }

  function drawProbe({ arrays: { curves, ranges }, points }: Frame): void {
    const flow = context.probe?.flow;
    if (!flow) return;
    marks().forEach((mark, e) => {
      const [l, i, j] = mark.edge.edge;
      const values = curves.subarray(e * points, (e + 1) * points);
      const range = [ranges[2 * e] as number, ranges[2 * e + 1] as number] as const;
      mark.drawProbe(values, range, flow.nodes[l]?.[i] ?? Number.NaN, flow.edges[l]?.[i]?.[j] ?? Number.NaN);
    });
    for (const mark of nodeMarks) mark.drawValue(flow.nodes[mark.place.layer]?.[mark.place.index], zoom.scale);
  }

  function drawPictures(): void {
    const accent = accentOf(element);
    nodeMarks.forEach((mark, n) => {
      mark.drawPicture(kernel.pictures, n, accent);
    });
  }
  // The pictures are of the theme's colour: drawn anew when it changes.
  const theme = new MutationObserver(() => drawPictures());
  disposer.add(() => theme.disconnect());

  function redraw(): void {
    content.style.setProperty("--kanlab-zoom", zoom.scale.toFixed(3));
    if (kernel.state) describeNodes(kernel.state);
    for (const mark of edgeMarks.values()) mark.move(mark.place, zoom.scale);
    draw();
  }

  // ---- pointer

  const markOf = (event: Event) => roving.markOf(event.target);
  surface.addEventListener("click", (event) => {
    const mark = markOf(event);
    if (!mark) return;
    roving.setCurrent(mark);
    kernel.select(mark.edge.edge);
  });
  surface.addEventListener("dblclick", (event) => {
    const mark = markOf(event);
    if (mark) toggle(mark);
  });
  const nodeOf = (event: Event) => {
    const group = event.target instanceof Element ? event.target.closest(".kanlab-node") : null;
    return nodeMarks.findIndex((mark) => mark.element === group);
  };
  surface.addEventListener("pointermove", (event) => {
    const node = nodeOf(event);
    if (node >= 0) tooltip.showNode(node, nodeMarks[node]?.element.querySelector("title")?.textContent ?? "", event);
    else tooltip.show(markOf(event), event);
  });
  surface.addEventListener("pointerleave", tooltip.hide);

  return {
    element,
    update(changes) {
      const { state } = kernel;
      if (state && changes.has("state")) {
        const next = JSON.stringify([state.names, state.width, state.subnodes, state.edges.map(({ kind }) => kind)]);
        if (structure === "") {
          const root = element.closest(".kanlab-root");
          if (root) theme.observe(root, { attributeFilter: ["class"] });
        }
        if (next !== structure) {
          const first = structure === "";
          structure = next;
          place(!first);
        }
      }
      if (changes.has("state") || changes.has("pending")) describe();
      if (changes.has("frame") || changes.has("state")) draw();
      else if (changes.has("probe") && kernel.frame) drawProbe(kernel.frame);
      if (changes.has("pictures") || changes.has("state")) drawPictures();
      prune.update(changes);
    },
    dispose: () => disposer.dispose(),
  };
}
