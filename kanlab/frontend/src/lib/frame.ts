/** A frame: the numbers of one moment of training, and the binary buffer that comes with them. */

import * as is from "./decode";

/** step, train loss, test loss, penalty */
export type LossRow = readonly [number, number | null, number | null, number | null];

const maybeNumber = is.nullable(is.number);
const lossRow = is.tuple<[number, number | null, number | null, number | null]>(
  is.number,
  maybeNumber,
  maybeNumber,
  maybeNumber,
);

const header = is.object({
  seq: is.number,
  version: is.number,
  step: is.index,
  train: maybeNumber,
  test: maybeNumber,
  reg: maybeNumber,
  r2: maybeNumber,
  speed: maybeNumber,
  points: is.index,
  loss: is.object({ from: is.index, rows: is.list(lossRow) }),
});

export interface Arrays {
  curves: Float32Array;
  ranges: Float32Array;
  scores: Float32Array;
  doomed: Float32Array;
  node_scores: Float32Array;
  node_doomed: Float32Array;
}

export type FrameHeader = is.Decoded<typeof header>;
export type Frame = FrameHeader & { arrays: Arrays };

export interface Counts {
  edges: number;
  nodes: number;
}

function lengths({ edges, nodes }: Counts, points: number): [keyof Arrays, number][] {
  return [
    ["curves", edges * points],
    ["ranges", edges * 2],
    ["scores", edges],
    ["doomed", edges],
    ["node_scores", nodes],
    ["node_doomed", nodes],
  ];
}

export const decodeHeader = header;

/** Split the buffer into its arrays; the buffer must have exactly the length that `counts` asks for. */
export function decodeArrays(buffer: unknown, counts: Counts, points: number): Arrays {
  const flat = float32(buffer);
  const parts = lengths(counts, points);
  const total = parts.reduce((sum, [, n]) => sum + n, 0);
  if (flat.length !== total) throw new is.DecodeError(`frame: expected ${total} numbers, got ${flat.length}`);
  const arrays: Partial<Arrays> = {};
  let offset = 0;
  for (const [name, n] of parts) {
    arrays[name] = flat.subarray(offset, offset + n);
    offset += n;
  }
  return arrays as Arrays;
}

/** The arrays of a saved snapshot: lists of numbers by name. */
export function decodeSavedArrays(value: unknown, counts: Counts, points: number): Arrays {
  const source = is.record(value, "snapshot.frame.arrays");
  const arrays: Partial<Arrays> = {};
  for (const [name, n] of lengths(counts, points)) {
    const numbers = is.list(maybeNumber)(source[name], `snapshot.frame.arrays.${name}`);
    if (numbers.length !== n) throw new is.DecodeError(`snapshot.frame.arrays.${name}: expected ${n} numbers`);
    arrays[name] = Float32Array.from(numbers, (x) => x ?? Number.NaN);
  }
  return arrays as Arrays;
}

/** Jupyter hands over DataViews at any byte offset; a Float32Array must start at a multiple of four. */
function float32(buffer: unknown): Float32Array {
  const view = ArrayBuffer.isView(buffer) ? buffer : buffer instanceof ArrayBuffer ? new DataView(buffer) : null;
  if (view === null || view.byteLength % 4 !== 0) throw new is.DecodeError("frame: expected one buffer of float32");
  if (view.byteOffset % 4 === 0)
    return new Float32Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength / 4);
  const bytes = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
  return new Float32Array(bytes.slice().buffer);
}
