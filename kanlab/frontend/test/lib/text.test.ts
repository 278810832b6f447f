import { describe, expect, it } from "vitest";
import { curvePath } from "../../src/lib/curves";
import { DecodeError } from "../../src/lib/decode";
import * as format from "../../src/lib/format";
import { decodeArrays } from "../../src/lib/frame";
import { lossGeometry, lossPath, placeMarks } from "../../src/lib/lossChart";
import { decodeState } from "../../src/lib/protocol";
import { decades, extent, fromPosition, LAMB, THRESHOLD, ticks, toPosition } from "../../src/lib/scales";
import { parseMathML } from "../../src/mathml";
import { fixture } from "../fakeModel";

describe("numbers as text", () => {
  it.each([
    [3.1e-4, "3.1e-4"],
    [0.83, "0.83"],
    [2.5, "2.50"],
    [12345, "1.2e4"],
    [0, "0"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("writes the loss %d as %s", (x, text) => expect(format.loss(x)).toBe(text));

  it.each([
    [1e-3, "1e-3"],
    [0.0316, "0.032"],
    [5, "5"],
    [0, "0"],
  ])("writes the value %d as %s", (x, text) => expect(format.value(x)).toBe(text));

  it("writes ticks and decades", () => {
    expect(format.tick(-0.5, 0.5)).toBe("−0.5");
    expect(format.tick(-1e-17, 0.5)).toBe("0.0");
    expect(format.decade(-12)).toBe("10⁻¹²");
    expect(format.decade(0)).toBe("1");
  });

  it("shortens a long name of any script and never cuts a letter from its accent", () => {
    expect(format.truncate("blood pressure", 5)).toBe("blood p…");
    expect(format.truncate("血清浓度值", 3.5)).toBe("血清…");
    expect(format.truncate("e\u0301e\u0301e\u0301e\u0301e\u0301", 2.2)).toBe("e\u0301e\u0301…");
    expect(format.truncate("x", 2)).toBe("x");
  });
});

describe("scales", () => {
  it("goes from a slider's position to a value and back", () => {
    for (const shape of [LAMB, THRESHOLD])
      for (let position = shape.min + shape.step; position <= shape.max; position += shape.step)
        expect(Math.abs(toPosition(fromPosition(position, shape), shape) - position)).toBeLessThan(shape.step / 2);
    expect(fromPosition(LAMB.min, LAMB)).toBe(0);
    expect(toPosition(0, LAMB)).toBe(LAMB.min);
    expect(toPosition(7, LAMB)).toBe(LAMB.max);
  });

  it("chooses few round ticks", () => {
    expect(ticks(-1, 1, 4).values).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(ticks(2, 2, 4).values).toEqual([2]);
    expect(decades(-7.2, 0.3, 5)).toEqual([-8, -5, -2, 1]);
    expect(extent([Number.NaN, null, 3, -1])).toEqual([-1, 3]);
    expect(extent([Number.NaN])).toBeNull();
  });
});

describe("decoding", () => {
  it("reads the arrays in the order of the protocol", () => {
    const flat = Float32Array.from({ length: 2 * 3 + 2 * 2 + 2 + 2 + 3 + 3 }, (_, k) => k);
    const arrays = decodeArrays(new DataView(flat.buffer), { edges: 2, nodes: 3 }, 3);
    expect([...arrays.curves]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...arrays.ranges]).toEqual([6, 7, 8, 9]);
    expect([...arrays.scores]).toEqual([10, 11]);
    expect([...arrays.doomed]).toEqual([12, 13]);
    expect([...arrays.node_scores]).toEqual([14, 15, 16]);
    expect([...arrays.node_doomed]).toEqual([17, 18, 19]);
    expect(() => decodeArrays(new DataView(flat.buffer), { edges: 2, nodes: 4 }, 3)).toThrow(DecodeError);
    expect(() => decodeArrays("text", { edges: 2, nodes: 3 }, 3)).toThrow(DecodeError);
  });

  it("says where a state is wrong", () => {
    const { state } = fixture();
    expect(() => decodeState({ ...state, running: 1 }, "state")).toThrow(
      "state.running: expected a boolean, got number",
    );
    expect(() => decodeState({ ...state, subnodes: [[], [1], [1]] }, "state")).toThrow("state.subnodes[1]");
  });
});

describe("a curve in its box", () => {
  it("fills the box from corner to corner, ends included, and lifts the pen over NaN", () => {
    expect(curvePath(Float32Array.of(0, 1, 2), 100, 2)).toBe("M-37.0 37.0L37.0 -37.0");
    expect(curvePath(Float32Array.of(0, Number.NaN, 1), 100, 1)).toBe("M-37.0 37.0M37.0 -37.0");
    expect(curvePath(Float32Array.of(5, 5, 5), 100, 1)).toBe("M-37.0 0.0L0.0 0.0L37.0 0.0");
    expect(curvePath(Float32Array.of(Number.NaN), 100, 1)).toBe("");
  });
});

describe("the loss chart", () => {
  const box = { left: 40, right: 440, top: 8, bottom: 140 };
  const rows = Array.from({ length: 5000 }, (_, k) => [k, Math.exp(-k / 900), null, 0] as const);

  it("draws no more than about two points a pixel, the last one included", () => {
    const geometry = lossGeometry(rows, box);
    if (!geometry) throw new Error("nothing to draw");
    const path = lossPath(rows, 1, geometry, box);
    expect(path.match(/[ML]/g)?.length).toBeLessThan(900);
    expect(path).toContain("L440.0 ");
    expect(lossPath(rows, 2, geometry, box)).toBe("");
  });

  it("has nothing to draw without a positive loss", () => {
    expect(lossGeometry([[0, null, null, null]], box)).toBeNull();
    expect(lossGeometry([], box)).toBeNull();
  });

  it("lets no two labels of marks overlap", () => {
    const geometry = lossGeometry(rows, box);
    if (!geometry) throw new Error("nothing to draw");
    const marks = Array.from({ length: 30 }, (_, k) => ({ step: k * 160, label: `grid ${k}→${k + 5}` }));
    const spans = placeMarks(marks, geometry, box).flatMap(({ labelAt: at, label }) => {
      if (!at) return [];
      const width = format.textWidth(label) * 12;
      return [{ row: at.row, from: at.end ? at.x - width : at.x, to: at.end ? at.x : at.x + width }];
    });
    expect(spans.length).toBeGreaterThan(3);
    for (const a of spans)
      for (const b of spans) if (a !== b && a.row === b.row) expect(a.to < b.from || b.to < a.from).toBe(true);
    for (const { to } of spans) expect(to).toBeLessThanOrEqual(box.right);
  });
});

describe("MathML from the kernel", () => {
  const html = (source: string) => parseMathML(source)?.outerHTML ?? null;

  it("comes through when it is mathematics", () => {
    expect(html("<mrow><mi>x</mi><mo>&InvisibleTimes;</mo><mn>2</mn></mrow>")).toContain("<mo>\u2062</mo>");
    expect(parseMathML("<math><mfrac linethickness='1'><mi>a</mi><mi>&#960;</mi></mfrac></math>")?.textContent).toBe(
      "aπ",
    );
    expect(parseMathML("<mfenced><mi>a</mi><mi>b</mi></mfenced>")?.textContent).toBe("(a,b)");
  });

  it.each([
    "<math><script>alert(1)</script><mi>x</mi></math>",
    "<math><mtext><img src='x' onerror='alert(1)'/></mtext><mi>x</mi></math>",
    "<math><mi onclick='alert(1)' href='javascript:alert(1)' style='color:red'>x</mi></math>",
    "<math><maction actiontype='statusline'><mi>y</mi></maction><mi>x</mi></math>",
    "<math><annotation-xml encoding='text/html'><p>p</p></annotation-xml><mi>x</mi></math>",
    "<math xmlns:h='http://www.w3.org/1999/xhtml'><h:iframe src='x'/><mi>x</mi></math>",
  ])("loses what is not: %s", (source) => {
    const text = html(source) ?? "";
    expect(text).toContain("<mi>x</mi>");
    expect(text).not.toMatch(/script|img|on[a-z]+=|href|style|maction|annotation|iframe|<p>/);
  });

  it("is refused when it is not well-formed or not mathematics", () => {
    expect(parseMathML("<math><mi>x</math>")).toBeNull();
    expect(parseMathML("<math><mi>&unknown;</mi></math>")?.textContent).toBe("&unknown;");
    expect(parseMathML("<svg onload='alert(1)'/>")?.childElementCount).toBe(0);
  });
});
