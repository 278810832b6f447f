/** The numbers of the edge under the pointer. Only for the eye: the same is in the edge's name and the inspector. */

import { h, setAttribute, setText } from "./dom";
import type { EdgeMark } from "./edges";
import { accentOf, heatPicture } from "./heat";
import * as format from "./lib/format";
import type { KernelStore } from "./lib/kernelStore";
import { labels } from "./lib/labels";
import { edgeEnds, functionText } from "./lib/names";
import { pictureOf } from "./lib/pictures";
import { type State, sameEdge } from "./lib/protocol";

const LONGEST_NAME = 14;
const ROOM = 190;
const PICTURE = 132;
/** Beyond this many edges, painting a link anew paints too many that cross it. */
const MOST_TO_LIGHT = 200;

export function createTooltip(kernel: KernelStore) {
  const element = h("div", { class: "kanlab-tooltip", "aria-hidden": "true", hidden: true });
  const text = h("span", {});
  const picture = h("img", { class: "kanlab-tooltip-picture", alt: "", hidden: true });
  element.append(text, picture);
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

  function follow(event: PointerEvent): void {
    if (!element.parentElement) return;
    const { left, top, width } = element.parentElement.getBoundingClientRect();
    const x = event.clientX - left;
    element.style.translate = `${x > width - ROOM ? x - ROOM : x + 14}px ${event.clientY - top + 14}px`;
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
      setText(text, textOf(state, mark));
      picture.hidden = true;
      follow(event);
    },
    /** A node: its name, score and range, and its map large. */
    showNode(node: number, name: string, event: PointerEvent): void {
      light(null);
      const { frame, pictures } = kernel;
      element.hidden = frame === null;
      const [low, high] = pictures?.ranges[node] ?? [null, null];
      const score = `${labels.score} ${format.loss(frame?.arrays.node_scores[node])}`;
      const range = pictures ? `\n${labels.nodeRange(format.signed(low, 3), format.signed(high, 3))}` : "";
      setText(text, `${format.truncate(name, LONGEST_NAME)}, ${score}${range}`);
      const large =
        pictures?.shape === "map"
          ? heatPicture(pictureOf(pictures, node), pictures.side, PICTURE, accentOf(element), false)
          : null;
      picture.hidden = large === null;
      if (large) setAttribute(picture, "src", large);
      follow(event);
    },
  };
}
