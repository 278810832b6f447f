/** The library's functions, as far as the browser has them; others come with samples (`kanlab/widgets/_portable.py`). */

type Fn = (u: number) => number;

const NAMED: Record<string, Fn> = {
  "0": () => 0,
  "1": () => 1,
  x: (u) => u,
  sqrt: Math.sqrt,
  "x^1.5": (u) => u * Math.sqrt(u),
  "1/x": (u) => 1 / u,
  "1/sqrt(x)": (u) => 1 / Math.sqrt(u),
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  arctanh: Math.atanh,
  arcsinh: Math.asinh,
  arccosh: Math.acosh,
  cbrt: Math.cbrt,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  gaussian: (u) => Math.exp(-u * u),
  abs: Math.abs,
  sgn: Math.sign,
  sigmoid: (u) => 1 / (1 + Math.exp(-u)),
};

export const BASES: Record<string, Fn> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  identity: (x) => x,
  zero: () => 0,
};

/** The function of this name, or null: it must bring samples then. */
export function functionNamed(name: string): Fn | null {
  if (Object.hasOwn(NAMED, name)) return NAMED[name] ?? null;
  const power = /^(1\/)?x\^(\d{1,2}(?:\.5)?)$/.exec(name);
  if (!power) return null;
  const exponent = Number(power[2]) * (power[1] ? -1 : 1);
  return (u) => u ** exponent;
}

export interface Samples {
  low: number;
  step: number;
  values: (number | null)[];
  slopes: (number | null)[];
}

/** Cubic Hermite interpolation; NaN outside of the samples. */
export function sampled({ low, step, values, slopes }: Samples): Fn {
  return (u) => {
    const at = (u - low) / step;
    const n = Math.min(values.length - 2, Math.floor(at));
    const [y0, y1, s0, s1] = [values[n], values[n + 1], slopes[n], slopes[n + 1]];
    if (at < 0 || at > values.length - 1 || y0 == null || y1 == null || s0 == null || s1 == null) return Number.NaN;
    const t = at - n;
    const r = 1 - t;
    return r * r * (y0 * (1 + 2 * t) + s0 * step * t) + t * t * (y1 * (3 - 2 * t) - s1 * step * r);
  };
}
