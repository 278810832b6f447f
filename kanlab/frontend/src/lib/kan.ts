/** A whole KAN, evaluated in the browser: the twin of `kanlab/widgets/_portable.py` and of the engine. No DOM. */

import * as is from "./decode";
import { BASES, functionNamed, sampled } from "./functions";
import type { EdgeId } from "./protocol";
import { splineAt } from "./spline";

const numbers = is.list(is.number);
const matrix = is.list(numbers);
const maybeNumbers = is.list(is.nullable(is.number));

const samples = is.nullable(is.object({ low: is.number, step: is.number, values: maybeNumbers, slopes: maybeNumbers }));

const fixed = is.object({
  edge: is.tuple<[number, number]>(is.index, is.index),
  name: is.string,
  affine: is.tuple<[number, number, number, number]>(is.number, is.number, is.number, is.number),
  samples,
});

const layer = is.object({
  k: is.index,
  base: is.string,
  base_samples: samples,
  knots: matrix,
  coef: is.list(matrix),
  scale_base: matrix,
  scale_sp: matrix,
  mask: matrix,
  fixed: is.list(fixed),
});

const shape = is.object({
  subnodes: is.list(is.list(is.index)),
  layers: is.list(layer),
});

export type PortableKan = is.Decoded<typeof shape>;
type Layer = PortableKan["layers"][number];
type Fn = (x: number) => number;

/** What flows through the network at one input. */
export interface Flow {
  /** The nodes' values, layer by layer, inputs first. */
  nodes: number[][];
  /** Each edge's output, `edges[l][i][j]`. */
  edges: number[][][];
}

export class Kan {
  private readonly edges: Fn[][][];

  constructor(private readonly kan: PortableKan) {
    this.edges = kan.layers.map(edgesOf);
  }

  static decode(value: unknown, path = "kan"): Kan {
    return new Kan(shape(value, path));
  }

  edge([l, i, j]: EdgeId, x: number): number {
    return this.edges[l]?.[i]?.[j]?.(x) ?? Number.NaN;
  }

  evaluate(inputs: readonly number[]): Flow {
    const flow: Flow = { nodes: [[...inputs]], edges: [] };
    this.edges.forEach((rows, l) => {
      const before = flow.nodes[l] as number[];
      const outputs = rows.map((row, i) => row.map((edge) => edge(before[i] as number)));
      const sums = (rows[0] ?? []).map((_, j) => outputs.reduce((sum, row) => sum + (row[j] as number), 0));
      flow.edges.push(outputs);
      flow.nodes.push(this.combine(l, sums));
    });
    return flow;
  }

  /** The nodes from their subnodes: the product of each node's own; a sum node has one. */
  private combine(l: number, sums: number[]): number[] {
    let at = 0;
    return (this.kan.subnodes[l + 1] ?? []).map((count) => {
      const own = sums.slice(at, at + count);
      at += count;
      return own.reduce((product, x) => product * x, 1);
    });
  }
}

function edgesOf({ k, base, base_samples, knots, coef, scale_base, scale_sp, mask, fixed: named }: Layer): Fn[][] {
  const bend = base_samples ? sampled(base_samples) : BASES[base];
  if (!bend) throw new is.DecodeError(`kan: there is no base function ${base}`);
  const functions = new Map(named.map((entry) => [entry.edge.join(), affine(entry)]));
  return mask.map((row, i) =>
    row.map((present, j) => {
      if (present === 0) return () => 0;
      const own = functions.get(`${i},${j}`);
      if (own) return own;
      const [c, b, s] = [coef[i]?.[j] ?? [], scale_base[i]?.[j] ?? 0, scale_sp[i]?.[j] ?? 0];
      return (x) => b * bend(x) + s * splineAt(x, knots[i] ?? [], k, c);
    }),
  );
}

function affine({ name, affine: [a, b, c, d], samples }: Layer["fixed"][number]): Fn {
  const f = samples ? sampled(samples) : functionNamed(name);
  if (!f) throw new is.DecodeError(`kan: the function ${name} is not known and has no samples`);
  return (x) => c * f(a * x + b) + d;
}
