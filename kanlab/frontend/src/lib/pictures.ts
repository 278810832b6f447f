/** The nodes' small pictures as the kernel sends them (`kanlab/widgets/_nodes.py`). No DOM. */

import * as is from "./decode";

const maybeNumber = is.nullable(is.number);

export const decodePicturesHeader = is.object({
  version: is.number,
  shape: is.oneOf("map", "histogram"),
  side: is.index,
  ranges: is.list(is.tuple<[number | null, number | null]>(maybeNumber, maybeNumber)),
});

export type Pictures = is.Decoded<typeof decodePicturesHeader> & { pixels: Uint8Array };

/** A message and its buffer, or a snapshot with its list of pixels; there must be exactly as many as `nodes` need. */
export function decodePictures(value: unknown, buffer: unknown, nodes: number, path: string): Pictures {
  const header = decodePicturesHeader(value, path);
  const pixels = buffer === undefined ? listed(is.record(value, path).pixels, `${path}.pixels`) : bytes(buffer, path);
  const each = header.shape === "map" ? header.side ** 2 : header.side;
  if (header.side > 64 || header.ranges.length !== nodes || pixels.length !== nodes * each)
    throw new is.DecodeError(`${path}: expected ${nodes} pictures of ${each} pixels`);
  return { ...header, pixels };
}

const listed = (value: unknown, path: string): Uint8Array => Uint8Array.from(is.list(is.index)(value, path));

function bytes(buffer: unknown, path: string): Uint8Array {
  if (ArrayBuffer.isView(buffer)) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  throw new is.DecodeError(`${path}: expected one buffer of bytes`);
}

/** The pixels of one node. */
export function pictureOf({ shape, side, pixels }: Pictures, node: number): Uint8Array {
  const each = shape === "map" ? side ** 2 : side;
  return pixels.subarray(node * each, (node + 1) * each);
}

/** The bars of a histogram standing in a box around (0, 0), as one path. */
export function histogramPath(bars: Uint8Array, width: number, height: number): string {
  const each = width / Math.max(1, bars.length);
  let path = "";
  bars.forEach((bar, n) => {
    if (bar === 0) return;
    const tall = (bar / 255) * height;
    path += `M${(n * each - width / 2).toFixed(1)} ${(height / 2).toFixed(1)}v${(-tall).toFixed(1)}h${each.toFixed(1)}v${tall.toFixed(1)}z`;
  });
  return path;
}
