/** The geometry of the loss chart: which decades, which points, which labels have room. No DOM. */

import { textWidth } from "./format";
import type { LossRow } from "./frame";
import { decades, extent, linear, type Scale } from "./scales";

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Mark {
  step: number;
  label: string;
}

export interface PlacedMark extends Mark {
  x: number;
  /** Null when its label would run into another. */
  labelAt: { x: number; row: number; end: boolean } | null;
}

export interface LossGeometry {
  x: Scale;
  /** From log10 of the loss. */
  y: Scale;
  exponents: number[];
  lastStep: number;
}

/** Null while there is nothing positive to draw. */
export function lossGeometry(rows: readonly LossRow[], box: Box): LossGeometry | null {
  const logs = extent(logsOf(rows));
  if (logs === null) return null;
  const labelled = decades(Math.floor(logs[0]), Math.max(Math.ceil(logs[1]), Math.floor(logs[0]) + 1), 5);
  const low = labelled[0] ?? 0;
  const high = labelled.at(-1) ?? 1;
  const first = rows[0]?.[0] ?? 0;
  const lastStep = Math.max(rows.at(-1)?.[0] ?? 1, first + 1);
  return {
    x: linear([first, lastStep], [box.left, box.right]),
    y: linear([low, high], [box.bottom, box.top]),
    exponents: labelled,
    lastStep,
  };
}

function* logsOf(rows: readonly LossRow[]): Generator<number> {
  for (const row of rows) {
    // The penalty is drawn where it fits but does not set the scale: at lamb 0 it is far below the losses.
    for (const value of [row[1], row[2]]) if (value !== null && value > 0) yield Math.log10(value);
  }
}

/** The path of one column (1 train, 2 test, 3 penalty): at most about two points a pixel, gaps where there is none. */
export function lossPath(rows: readonly LossRow[], column: 1 | 2 | 3, { x, y }: LossGeometry, box: Box): string {
  const stride = Math.max(1, Math.floor(rows.length / Math.max(1, 2 * (box.right - box.left))));
  let path = "";
  let pen = "M";
  for (
    let n = 0;
    n < rows.length;
    n += n + stride >= rows.length && n < rows.length - 1 ? rows.length - 1 - n : stride
  ) {
    const row = rows[n] as LossRow;
    const value = row[column];
    const at = value !== null && value > 0 ? y(Math.log10(value)) : Number.NaN;
    if (Number.isNaN(at) || at > box.bottom + 40 || at < box.top - 40) {
      pen = "M";
      continue;
    }
    path += `${pen}${x(row[0]).toFixed(1)} ${Math.min(box.bottom, Math.max(box.top, at)).toFixed(1)}`;
    pen = "L";
  }
  return path;
}

const LETTER = 12;

/** Where marks and their labels stand: right of the line, else left of it, in two rows, else without a label. */
export function placeMarks(marks: readonly Mark[], { x, lastStep }: LossGeometry, box: Box): PlacedMark[] {
  const ends = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return marks
    .filter((mark) => mark.step <= lastStep && x(mark.step) >= box.left - 0.5)
    .sort((a, b) => a.step - b.step)
    .map((mark) => {
      const at = x(mark.step);
      const width = textWidth(mark.label) * LETTER;
      const end = at + 5 + width > box.right;
      const start = end ? at - 5 - width : at + 5;
      const row = ends.findIndex((taken) => taken + 8 < start);
      if (row < 0 || start < box.left) return { ...mark, x: at, labelAt: null };
      ends[row] = start + width;
      return { ...mark, x: at, labelAt: { x: end ? at - 5 : at + 5, row, end } };
    });
}
