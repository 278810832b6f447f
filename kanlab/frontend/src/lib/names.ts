/** What nodes and edges are called on screen: the same words as `node_names` in `kanlab/widgets/_state.py`. */

import { subscript } from "./format";
import { portOf } from "./layout";
import type { EdgeId, EdgeState, State } from "./protocol";

export function nodeName({ names, width }: Pick<State, "names" | "width">, layer: number, index: number): string {
  const last = width.length - 1;
  if (layer === 0) return names.inputs[index] ?? `x${subscript(index)}`;
  if (layer === last) return names.outputs[index] ?? `y${subscript(index)}`;
  const within = last > 2 ? `${subscript(layer)},` : "";
  return `h${within}${subscript(index)}`;
}

export function edgeEnds(state: State, [l, i, j]: EdgeId): [string, string] {
  return [nodeName(state, l, i), nodeName(state, l + 1, portOf(state.subnodes[l + 1] ?? [], j).node)];
}

/** The text of a library function, `x²` for `x^2`. */
export function functionText(state: Pick<State, "library">, name: string | null): string {
  return state.library.find((entry) => entry.name === name)?.text ?? name ?? "";
}

/** `spline`, `pruned` or the fixed function's library name: what follows `edge (l, i, j)` in the accessible name. */
export function edgeStateName({ kind, name }: EdgeState): string {
  return kind === "symbolic" ? (name ?? kind) : kind;
}
