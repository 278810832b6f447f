/** The row under the graph: two thresholds, what would go, and the button that does it. */

import { button, logarithmic, slider } from "./controls";
import { h, setText } from "./dom";
import { labels } from "./lib/labels";
import { portOf } from "./lib/layout";
import { nodeCount, type State } from "./lib/protocol";
import { THRESHOLD } from "./lib/scales";
import type { Context, Panel } from "./panel";

export function createPruneRow(kernel: Context["kernel"]): Pick<Panel, "element" | "update"> {
  const threshold = (key: "edge_th" | "node_th") =>
    slider({
      ...logarithmic(THRESHOLD),
      ...labels.controls[key],
      onInput: (value) => kernel.set(key, value),
    });
  const edges = threshold("edge_th");
  const nodes = threshold("node_th");
  const preview = h("span", { class: "kanlab-preview" });
  const prune = button(labels.prune, () =>
    kernel.command("prune", { edge_th: kernel.control("edge_th") ?? 0, node_th: kernel.control("node_th") ?? 0 }),
  );
  prune.disabled = true;
  const eliminate = button(labels.eliminate, () => kernel.command("eliminate"), { hint: labels.eliminateHint });

  function updatePreview(): void {
    const { state, frame } = kernel;
    if (!state || !frame) return;
    const gone = state.edges.filter(({ kind }, e) => kind !== "pruned" && frame.arrays.doomed[e] === 1).length;
    const present = connectedNodes(state);
    const goneNodes = frame.arrays.node_doomed.filter((doomed, n) => doomed === 1 && present.has(n)).length;
    setText(preview, labels.prunePreview(gone, goneNodes));
    preview.classList.toggle("kanlab-nothing", gone + goneNodes === 0);
    eliminate.disabled = state.busy !== null;
    prune.disabled = state.busy !== null || gone + goneNodes === 0;
  }

  return {
    element: h(
      "div",
      { class: "kanlab-prune" },
      edges.element,
      nodes.element,
      h("div", { class: "kanlab-prune-end" }, preview, prune, eliminate),
    ),
    update(changes) {
      if (changes.has("state") || changes.has("pending")) {
        edges.show(kernel.control("edge_th") ?? 0);
        nodes.show(kernel.control("node_th") ?? 0);
      }
      if (changes.has("state") || changes.has("frame")) updatePreview();
    },
  };
}

/** The nodes, counted layer by layer, that still have an edge: the others are gone already. */
function connectedNodes(state: State): Set<number> {
  const starts = state.width.map((_, l) => state.width.slice(0, l).reduce((n, _w, k) => n + nodeCount(state, k), 0));
  const nodes = new Set<number>();
  for (const {
    edge: [l, i, j],
    kind,
  } of state.edges) {
    if (kind === "pruned") continue;
    nodes.add((starts[l] ?? 0) + i);
    nodes.add((starts[l + 1] ?? 0) + portOf(state.subnodes[l + 1] ?? [], j).node);
  }
  return nodes;
}
