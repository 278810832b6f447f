/** B-splines as `kanlab/engine/spline.py` evaluates them: the twin of its `local_basis`. No DOM. */

/** The `k + 1` bases that are nonzero at `x`, and the index of the first; the end polynomials continue outside. */
export function localBasis(x: number, knots: readonly number[], k: number): { first: number; values: number[] } {
  let first = 0;
  // The inner knots up to x; the last interval keeps everything to its right.
  while (first < knots.length - 2 * k - 2 && (knots[k + 1 + first] as number) <= x) first++;
  let values = [1];
  for (let degree = 1; degree <= k; degree++) {
    const next = new Array<number>(degree + 1).fill(0);
    for (let m = 0; m < degree; m++) {
      const right = knots[first + k + 1 + m] as number;
      const left = knots[first + k + 1 + m - degree] as number;
      const quotient = (values[m] as number) / (right - left);
      next[m] = (next[m] as number) + (right - x) * quotient;
      next[m + 1] = (x - left) * quotient;
    }
    values = next;
  }
  return { first, values };
}

/** One basis alone: what moving its control point by one does to the curve. */
export function basisAt(x: number, knots: readonly number[], k: number, index: number): number {
  const { first, values } = localBasis(x, knots, k);
  return values[index - first] ?? 0;
}

export function splineAt(x: number, knots: readonly number[], k: number, coef: readonly number[]): number {
  const { first, values } = localBasis(x, knots, k);
  return values.reduce((sum, value, m) => sum + value * (coef[first + m] as number), 0);
}
