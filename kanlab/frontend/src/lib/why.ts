/** Why one function and not another: how far each candidate is from the curve, and where. No DOM. */

import type { Candidate, Detail } from "./protocol";

export interface Miss {
  size: number;
  x: number;
}

/** The largest distance between a candidate and the curve; null where they have no point in common. */
export function missOf({ x, y }: Pick<Detail, "x" | "y">, candidate: Pick<Candidate, "y">): Miss | null {
  let worst: Miss | null = null;
  y.forEach((value, n) => {
    const other = candidate.y[n];
    const at = x[n];
    if (value === null || other == null || at == null) return;
    const size = Math.abs(value - other);
    if (!worst || size > worst.size) worst = { size, x: at };
  });
  return worst;
}
