/** What travels between kernel and browser: the twin of `PROTOCOL.md` and of `kanlab/widgets/_base.py`. */

import type { Decoded } from "./decode";
import * as is from "./decode";

export type EdgeId = readonly [number, number, number];

const edgeId = is.tuple<[number, number, number]>(is.index, is.index, is.index);
const maybeNumber = is.nullable(is.number);
const maybeString = is.nullable(is.string);

const edge = is.object({ edge: edgeId, kind: is.oneOf("spline", "symbolic", "pruned"), name: maybeString });

const controls = is.object({
  lamb: is.number,
  lamb_l1: is.number,
  lamb_entropy: is.number,
  grid: is.number,
  optimizer: is.string,
  steps: is.number,
  lr: is.number,
  batch: is.number,
  plateau: is.boolean,
  edge_th: is.number,
  node_th: is.number,
});

export const decodeFormula = is.object({
  outputs: is.list(
    is.object({
      mathml: is.string,
      latex: is.string,
      python: is.string,
      sympy: is.string,
      numbers: is.list(maybeNumber),
    }),
  ),
  latex: is.string,
  python: is.string,
  sympy: is.string,
  torch: is.string,
  c: is.string,
  agreement: maybeNumber,
  agrees: is.boolean,
  test_rmse: maybeNumber,
  spline_edges: is.index,
  complexity: maybeNumber,
  message: maybeString,
  snaps: is.list(is.object({ text: is.string, cost: maybeNumber, error: maybeNumber })),
});

const history = is.object({
  entries: is.list(is.object({ id: is.number, label: is.string, loss: maybeNumber, depth: is.number })),
  current: is.nullable(is.number),
  can_undo: is.boolean,
  can_redo: is.boolean,
  script: is.string,
});

const action = is.object({ label: is.string, name: is.string, args: is.record });

const stateShape = is.object({
  version: is.number,
  names: is.object({ inputs: is.list(is.string), outputs: is.list(is.string) }),
  width: is.list(is.tuple<[number, number]>(is.index, is.index)),
  subnodes: is.list(is.list(is.index)),
  edges: is.list(edge),
  controls,
  optimizers: is.list(is.object({ value: is.string, label: is.string })),
  running: is.boolean,
  busy: is.nullable(is.object({ label: is.string, done: maybeNumber, total: maybeNumber })),
  selected: is.nullable(edgeId),
  library: is.list(is.object({ name: is.string, text: is.string })),
  formula: is.nullable(decodeFormula),
  history,
  marks: is.list(is.object({ step: is.number, label: is.string })),
  advice: is.list(
    is.object({ key: is.string, text: is.string, names: is.list(is.string), action: is.nullable(action) }),
  ),
  error: maybeString,
});

const constants = is.tuple<[number, number, number, number]>(is.number, is.number, is.number, is.number);

const candidate = is.object({
  name: is.string,
  text: is.string,
  one_minus_r2: maybeNumber,
  complexity: maybeNumber,
  score: maybeNumber,
  formula: is.string,
  constants,
  y: is.list(maybeNumber),
});

const spline = is.object({
  k: is.index,
  knots: is.list(is.number),
  handles: is.list(is.tuple<[number | null, number | null]>(maybeNumber, maybeNumber)),
});

export const decodeDetail = is.object({
  edge: edgeId,
  kind: is.oneOf("spline", "symbolic", "pruned"),
  name: maybeString,
  r2: maybeNumber,
  source: is.string,
  target: is.string,
  x: is.list(maybeNumber),
  y: is.list(maybeNumber),
  slope: is.list(maybeNumber),
  spline: is.nullable(spline),
  constants: is.nullable(constants),
  points: is.list(is.tuple<[number | null, number | null]>(maybeNumber, maybeNumber)),
  knots: is.list(maybeNumber),
  density: is.list(maybeNumber),
  candidates: is.list(candidate),
  note: maybeString,
});

export const decodeFront = is.object({
  items: is.list(is.object({ complexity: is.number, error: maybeNumber, mathml: is.list(is.string), text: is.string })),
  best: is.nullable(is.index),
  reason: is.string,
  seconds: is.number,
});

const side = is.object({
  id: is.number,
  label: is.string,
  train: maybeNumber,
  test: maybeNumber,
  r2: maybeNumber,
  mathml: is.list(is.string),
  message: maybeString,
  complexity: maybeNumber,
  width: is.list(is.tuple<[number, number]>(is.index, is.index)),
  subnodes: is.list(is.list(is.index)),
  edges: is.list(edge),
  points: is.index,
  curves: is.list(maybeNumber),
  scores: is.list(maybeNumber),
});

export const decodeComparison = is.object({ sides: is.tuple<[Side, Side]>(side, side) });

export const decodeDone = is.object({ id: is.number, ok: is.boolean, error: maybeString });

export type Front = Decoded<typeof decodeFront>;
export type Side = Decoded<typeof side>;
export type Comparison = Decoded<typeof decodeComparison>;
export type Constants = Decoded<typeof constants>;
export type State = Decoded<typeof stateShape>;
export type EdgeState = Decoded<typeof edge>;
export type Controls = Decoded<typeof controls>;
export type Formula = Decoded<typeof decodeFormula>;
export type History = Decoded<typeof history>;
export type Detail = Decoded<typeof decodeDetail>;
export type Candidate = Decoded<typeof candidate>;
export type Advice = State["advice"][number];

/** Decode a state and check that its edges, nodes and names belong together. */
export function decodeState(value: unknown, path: string): State {
  const state = stateShape(value, path);
  const layers = state.width.length;
  if (layers < 2) throw new is.DecodeError(`${path}.width: expected at least two layers of nodes`);
  state.width.forEach(([sums, products], l) => {
    const subnodes = state.subnodes[l];
    if (l > 0 && subnodes?.length !== sums + products) throw new is.DecodeError(`${path}.subnodes[${l}]: wrong length`);
  });
  for (const { edge: id } of state.edges) {
    if (!edgeExists(state, id)) throw new is.DecodeError(`${path}.edges: there is no edge (${id.join(", ")})`);
  }
  return state;
}

export function nodeCount(state: Pick<State, "width">, layer: number): number {
  const [sums, products] = state.width[layer] ?? [0, 0];
  return sums + products;
}

/** How many targets an edge of `layer` can have: the subnodes of the next layer of nodes. */
export function targetCount(state: Pick<State, "subnodes">, layer: number): number {
  return (state.subnodes[layer + 1] ?? []).reduce((total, n) => total + n, 0);
}

export function edgeExists(state: Pick<State, "width" | "subnodes">, [l, i, j]: EdgeId): boolean {
  return l < state.width.length - 1 && i < nodeCount(state, l) && j < targetCount(state, l);
}

export const edgeKey = (edge: EdgeId): string => edge.join(",");
export const sameEdge = (a: EdgeId | null, b: EdgeId | null): boolean =>
  a === b || (a !== null && b !== null && edgeKey(a) === edgeKey(b));
