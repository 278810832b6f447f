/** The network evaluated in the browser gives what Python gives: the files are dumped by `tests/widgets/test_portable.py`. */

import { describe, expect, it } from "vitest";
import { DecodeError } from "../../src/lib/decode";
import { functionNamed, sampled } from "../../src/lib/functions";
import { Kan } from "../../src/lib/kan";
import { basisAt, localBasis, splineAt } from "../../src/lib/spline";

interface Case {
  kan: { layers: { fixed: { name: string; samples: unknown }[] }[] };
  inputs: number[][];
  outputs: number[][];
}

const files = import.meta.glob("../portable/*.json", { eager: true, import: "default" });
const cases = Object.entries(files) as [string, Case][];

it("has cases", () => {
  expect(cases.length).toBeGreaterThanOrEqual(4);
});

describe.each(cases)("%s", (_path, { kan, inputs, outputs }) => {
  it("is evaluated as Python does, to 1e-9", () => {
    const network = Kan.decode(kan);
    inputs.forEach((x, row) => {
      const y = network.evaluate(x).nodes.at(-1) ?? [];
      expect(y).toHaveLength(outputs[row]?.length ?? -1);
      y.forEach((value, m) => {
        const wanted = outputs[row]?.[m] ?? Number.NaN;
        expect(Math.abs(value - wanted)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(wanted)));
      });
    });
  });

  it("sums its edges into its nodes", () => {
    const { nodes, edges } = Kan.decode(kan).evaluate(inputs[0] ?? []);
    const sum = edges[0]?.reduce((total, row) => total + (row[0] ?? 0), 0);
    expect(nodes[1]?.[0]).toBeCloseTo(sum ?? Number.NaN, 12);
  });
});

describe("a spline", () => {
  const knots = [-3, -2, -1, 0, 1, 2, 3, 4];

  it("has bases that sum to one, inside and beyond its grid", () => {
    for (const x of [-1.7, 0, 0.3, 1, 2.5]) {
      const { values } = localBasis(x, knots, 3);
      expect(values.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    }
  });

  it("moves by the basis where a control point is moved by one", () => {
    const coef = [0.2, -1, 0.5, 2];
    const moved = coef.map((c, m) => (m === 2 ? c + 1 : c));
    for (const x of [0.1, 0.5, 0.9])
      expect(splineAt(x, knots, 3, moved) - splineAt(x, knots, 3, coef)).toBeCloseTo(basisAt(x, knots, 3, 2), 12);
  });
});

describe("functions", () => {
  it("are found by name only", () => {
    expect(functionNamed("x^3")?.(2)).toBe(8);
    expect(functionNamed("1/x^2")?.(2)).toBe(0.25);
    for (const name of ["constructor", "x^", "x^333", "x^2.7", "erf", ""]) expect(functionNamed(name)).toBeNull();
  });

  it("are NaN outside of their samples", () => {
    const f = sampled({ low: 0, step: 1, values: [0, 1, 4, null], slopes: [0, 2, 4, 6] });
    expect(f(1.5)).toBeCloseTo(2.25, 12);
    expect(f(2)).toBe(Number.NaN);
    expect([f(-0.1), f(3.1), f(2.5)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});

it("refuses a network it cannot evaluate", () => {
  const [, { kan }] = cases.find(([path]) => path.includes("trained")) as [string, Case];
  const other = structuredClone(kan);
  const [layer] = other.layers;
  if (layer?.fixed[0]) layer.fixed[0] = { ...layer.fixed[0], name: "erf", samples: null };
  expect(() => Kan.decode(other)).toThrow(DecodeError);
  expect(() => Kan.decode({ ...kan, layers: 7 })).toThrow(DecodeError);
});
