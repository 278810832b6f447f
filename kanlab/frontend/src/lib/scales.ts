/** From data to pixels, and from a slider's position to a value. */

export type Scale = (x: number) => number;

export function linear([d0, d1]: readonly [number, number], [r0, r1]: readonly [number, number]): Scale {
  const slope = d1 === d0 ? 0 : (r1 - r0) / (d1 - d0);
  const start = d1 === d0 ? (r0 + r1) / 2 : r0;
  return (x) => start + (x - d0) * slope;
}

/** The least and greatest finite number, or null when there is none. */
export function extent(values: Iterable<number | null | undefined>): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const x of values) {
    if (typeof x !== "number" || !Number.isFinite(x)) continue;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return low <= high ? [low, high] : null;
}

/** At most about `count` round numbers within [low, high], and the step between them. */
export function ticks(low: number, high: number, count: number): { step: number; values: number[] } {
  const span = high - low;
  if (!(span > 0) || count < 1) return { step: 1, values: [low] };
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((m) => m * power >= rough - 1e-12 * power) ?? 10) * power;
  const values: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) values.push(n * step);
  return { step, values };
}

/** The exponents to label on a logarithmic axis: at most `count` of them. */
export function decades(low: number, high: number, count: number): number[] {
  const first = Math.floor(low);
  const last = Math.ceil(high);
  const step = Math.max(1, Math.ceil((last - first) / Math.max(1, count - 1)));
  const values: number[] = [];
  for (let n = first; n <= last; n += step) values.push(n);
  return values;
}

/** A slider whose position is log10 of the value and whose lowest stop means zero. */
export interface LogSlider {
  min: number;
  max: number;
  step: number;
}

export const LAMB: LogSlider = { min: -6, max: 0, step: 0.25 };
export const RATE: LogSlider = { min: -5, max: 0.5, step: 0.25 };
export const THRESHOLD: LogSlider = { min: -4, max: 0, step: 0.05 };

export function toPosition(value: number, { min, max }: LogSlider): number {
  return value <= 0 ? min : Math.min(max, Math.max(min, Math.log10(value)));
}

export function fromPosition(position: number, { min, step }: LogSlider): number {
  return position < min + step / 2 ? 0 : Number((10 ** position).toPrecision(2));
}

/** How strongly a score shows, 0 … 1. */
export const strength = (score: number): number => (Number.isFinite(score) ? Math.tanh(3 * Math.max(0, score)) : 0);
