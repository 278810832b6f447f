/** The numbers of the edge under the pointer. Only for the eye: the same is in the edge's name and the inspector. */

import { h, setText } from "./dom";
import type { EdgeMark } from "./edges";
import * as format from "./lib/format";
import type { KernelStore } from "./lib/kernelStore";
import { labels } from "./lib/labels";
import { edgeEnds, functionText } from "./lib/names";
import { type State, sameEdge } from "./lib/protocol";

const LONGEST_NAME = 14;
const ROOM = 190;
/** Beyond this many edges, painting a link anew paints too many that cross it. */
const MOST_TO_LIGHT = 200;

export function createTooltip(kernel: KernelStore) {
  const element = h("div", { class: "kanlab-tooltip", "aria-hidden": "true", hidden: true });
  let lit: EdgeMark | null = null;

  function light(mark: EdgeMark | null): void {
    if (mark === lit) return;
    lit?.link.classList.remove("kanlab-lit");
    mark?.link.classList.add("kanlab-lit");
    lit = mark;
  }

  function textOf(state: State, { edge }: EdgeMark): string {
    const ends = edgeEnds(state, edge.edge).map((name) => format.truncate(name, LONGEST_NAME));
    const index = state.edges.findIndex((other) => sameEdge(other.edge, edge.edge));
    const what = edge.kind === "symbolic" ? functionText(state, edge.name) : labels[edge.kind];
    const score = format.loss(kernel.frame?.arrays.scores[index]);
    return `(${edge.edge.join(", ")})  ${ends.join(" → ")}\n${what}, ${labels.score} ${score}`;
  }

  return {
    element,
    hide(): void {
      element.hidden = true;
      light(null);
    },
    show(mark: EdgeMark | null, event: PointerEvent): void {
      const { state } = kernel;
      element.hidden = mark === null || state === null;
      light(state && state.edges.length <= MOST_TO_LIGHT ? mark : null);
      if (!mark || !state || !element.parentElement) return;
      setText(element, textOf(state, mark));
      const { left, top, width } = element.parentElement.getBoundingClientRect();
      const x = event.clientX - left;
      element.style.translate = `${x > width - ROOM ? x - ROOM : x + 14}px ${event.clientY - top + 14}px`;
    },
  };
}
