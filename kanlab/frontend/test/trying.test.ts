/** Numbers of the formula in the hand, a front to pick from, own constants, two states side by side. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/index";
import { frontGeometry } from "../src/lib/frontChart";
import { resampled } from "../src/lib/plot";
import { FakeModel, fixture, nextFrame } from "./fakeModel";
import { all, get, press } from "./queries";
import { closing, host } from "./stage";

let model: FakeModel;

afterEach(() => {
  vi.useRealTimers();
});

function open(panel: string, snapshot: unknown): void {
  model = new FakeModel(panel, snapshot);
  closing(widget.render({ model, el: host }));
}
const pointer = (element: Element, kind: string, x: number, more: MouseEventInit = {}): void => {
  element.dispatchEvent(new MouseEvent(kind, { bubbles: true, button: 0, clientX: x, clientY: 0, ...more }));
};

describe("numbers of the formula", () => {
  const math = (inside: string) => `<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>${inside}</mrow></math>`;
  const OUTPUT = {
    mathml: math(
      '<mn data-number="0">2.5</mn><mi>x</mi><mo>−</mo><mfrac data-number="1"><mn>1</mn><mn>2</mn></mfrac><mi>y</mi><msup><mi>x</mi><mn>2</mn></msup>',
    ),
    latex: "",
    python: "",
    sympy: "",
    numbers: [2.5, -0.5],
  };
  beforeEach(() => {
    const snapshot = fixture();
    open("formula", {
      ...snapshot,
      state: { ...snapshot.state, formula: { ...snapshot.state.formula, outputs: [OUTPUT] } },
    });
  });
  const number = (n: number) => all(host, "spinbutton")[n] as HTMLElement;

  it("are those that the kernel marked, with their signs", () => {
    expect(all(host, "spinbutton").map((one) => one.getAttribute("aria-valuenow"))).toEqual(["2.5", "-0.5"]);
    expect(get(host, "spinbutton", "number −0.5")).toBeTruthy();
  });

  it("are tried while they are dragged and kept when let go; the formula stays in the hand", async () => {
    pointer(number(0), "pointerdown", 100);
    pointer(number(0), "pointermove", 110);
    expect(model.commands).toEqual([["try_number", { output: 0, index: 0, value: 2.75 }]]);
    expect(number(0).textContent).toBe("2.75");
    const told = { ...fixture().state.formula, outputs: [] };
    model.receive({ kind: "formula", formula: told });
    await nextFrame();
    expect(number(0).textContent).toBe("2.75");
    pointer(number(0), "pointerup", 110);
    expect(model.commands.at(-1)).toEqual(["number", { output: 0, index: 0, value: 2.75 }]);
  });

  it("become plain numbers where they were fractions, and may change their sign", () => {
    press(number(1), "ArrowUp", { altKey: true });
    expect(number(1).localName).toBe("mn");
    expect(number(1).textContent).toBe("0.475"); // −0.5 + 5 % of its size; the minus stands before it
    for (let n = 0; n < 20; n++) press(number(1), "ArrowUp", { altKey: true });
    expect(number(1).textContent).toBe("(−0.025)");
  });

  it("are kept a moment after the last arrow", () => {
    vi.useFakeTimers();
    press(number(0), "ArrowRight");
    press(number(0), "ArrowRight", { shiftKey: true });
    vi.advanceTimersByTime(600);
    expect(model.commands.map(([name]) => name)).not.toContain("number");
    vi.advanceTimersByTime(200);
    expect(model.commands.at(-1)).toEqual(["number", { output: 0, index: 0, value: 2.5275 }]);
  });

  it("go back at Escape, which does not leave the panel then", () => {
    press(number(0), "ArrowUp");
    press(number(0), "Escape");
    expect(model.commands.at(-1)).toEqual(["untry", {}]);
    expect(number(0).textContent).toBe("2.5");
  });
});

const FRONT = {
  items: [
    { complexity: 1, error: 0.8, mathml: ["<mn>1</mn>"], text: "1" },
    { complexity: 5, error: 1e-3, mathml: ["<mi>x</mi>"], text: "x" },
    { complexity: 9, error: 0, mathml: ["not <xml"], text: "<b>x</b>" },
  ],
  best: 1,
  reason: "exact",
  seconds: 1.5,
};

describe("the front", () => {
  it("is hidden until a search found something, then each formula can be opened", async () => {
    open("formula", fixture());
    const region = get(host, "region", "formulas found");
    expect(region.hidden).toBe(true);
    get(host, "button", "Discover").click();
    expect(model.commands.at(-1)).toEqual(["discover", {}]);
    model.receive({ kind: "front", front: FRONT });
    await nextFrame();
    expect(region.hidden).toBe(false);
    expect(region.textContent).toContain("exact, 1.5 s");
    expect(region.querySelectorAll("circle")).toHaveLength(3);
    get(region, "button", "open <b>x</b>").click();
    expect(model.commands.at(-1)).toEqual(["pick", { index: 2 }]);
    expect(region.querySelector("b")).toBeNull();
    get(region, "button", "Close").click();
    expect(region.hidden).toBe(true);
  });

  it("stands in a saved picture, and a malformed one is ignored", async () => {
    open("formula", { ...fixture(), front: FRONT });
    expect(get(host, "region", "formulas found").hidden).toBe(false);
    model.receive({ kind: "front", front: { items: "none" } });
    await nextFrame();
    expect(all(get(host, "list", "formulas, the simplest first"), "button")).toHaveLength(3);
  });

  it("cannot be picked from while something else is done", async () => {
    open("formula", { ...fixture(), front: FRONT });
    model.receive({ kind: "state", state: { ...fixture().state, busy: { label: "discover", done: 1, total: 9 } } });
    await nextFrame();
    expect((get(host, "button", "open x") as HTMLButtonElement).disabled).toBe(true);
    expect(get(host, "button", "Stop")).toBeTruthy();
  });

  const box = { left: 40, right: 240, top: 10, bottom: 140 };
  it("is drawn falling from left to right, within its box", () => {
    const geometry = frontGeometry(FRONT, box);
    const points = geometry?.points ?? [];
    expect(points.map(({ x }) => x)).toEqual([...points.map(({ x }) => x)].sort((a, b) => a - b));
    expect(points.map(({ y }) => y)).toEqual([...points.map(({ y }) => y)].sort((a, b) => a - b));
    for (const { x, y } of points) {
      expect(x).toBeGreaterThanOrEqual(box.left);
      expect(x).toBeLessThanOrEqual(box.right);
      expect(y).toBeGreaterThanOrEqual(box.top);
      expect(y).toBeLessThanOrEqual(box.bottom);
    }
  });

  it("is not drawn where nothing has an error", () => {
    expect(frontGeometry({ ...FRONT, items: [] }, box)).toBeNull();
    expect(frontGeometry({ ...FRONT, items: [{ ...FRONT.items[2], error: 0 } as never] }, box)).toBeNull();
  });
});

describe("own constants", () => {
  const EDGE = [0, 1, 0];
  beforeEach(() => open("inspector", fixture()));
  const best = () => fixture().detail.candidates[0] as { name: string; constants: number[] };

  it("begin at the best candidate's and are shown before Fix makes them", async () => {
    const c = get(host, "spinbutton", "constant c") as HTMLInputElement;
    expect(Number(c.value)).toBe(best().constants[2]);
    c.value = "2.5";
    c.dispatchEvent(new Event("change", { bubbles: true }));
    const args = { edge: EDGE, name: best().name, constants: [1, 0, 2.5, 0] };
    expect(model.commands.at(-1)).toEqual(["try_fix", args]);
    await nextFrame();
    expect(Number(c.value)).toBe(2.5);
    get(host, "button", "Fix").click();
    expect(model.commands.at(-1)).toEqual(["fix_constants", args]);
  });

  it("are forgotten when another function is chosen", async () => {
    const c = get(host, "spinbutton", "constant c") as HTMLInputElement;
    c.value = "2.5";
    c.dispatchEvent(new Event("change", { bubbles: true }));
    const dropdown = get(host, "combobox", "symbolic function") as HTMLSelectElement;
    const known = fixture().detail.candidates.map(({ name }) => name);
    const other = [...dropdown.options].find(({ value }) => !known.includes(value))?.value ?? "";
    dropdown.value = other;
    dropdown.dispatchEvent(new Event("change"));
    expect(model.commands.at(-1)).toEqual(["consider", { edge: EDGE, name: other }]);
    await nextFrame();
    expect(model.commands.at(-1)).toEqual(["untry", {}]);
    get(host, "button", "Fix").click();
    expect(model.commands.at(-1)).toEqual(["fix", { edge: EDGE, name: other }]);
  });
});

it("values between samples lie on the lines between them", () => {
  expect(resampled([0, 2, 4], 5)).toEqual([0, 1, 2, 3, 4]);
});

describe("the comparison", () => {
  const side = (id: number, test: number) => {
    const { state, frame } = fixture();
    return {
      id,
      label: `fit <${id}>`,
      train: 0.1,
      test,
      r2: 0.9,
      mathml: ["<mi>x</mi>"],
      message: null,
      complexity: 3,
      width: state.width,
      subnodes: state.subnodes,
      edges: state.edges,
      points: frame.points,
      curves: frame.arrays.curves,
      scores: frame.arrays.scores,
    };
  };

  it("is begun by Compare and a click on an entry, shown, and ended", async () => {
    open("history", fixture());
    const entry = () => all(get(host, "list", "history"), "button")[0] as HTMLButtonElement;
    get(host, "button", "Compare").click();
    entry().click();
    expect(model.commands.at(-1)).toEqual(["compare", { id: fixture().state.history.entries[0]?.id }]);
    model.receive({ kind: "comparison", comparison: { sides: [side(0, 0.5), side(1, 0.2)] } });
    await nextFrame();
    const region = get(host, "region", "comparison");
    expect(region.hidden).toBe(false);
    expect(all(region, "img")).toHaveLength(2);
    expect(region.querySelectorAll("math")).toHaveLength(2);
    expect([...region.querySelectorAll(".kanlab-better")].map((one) => one.textContent)).toEqual(["0.20"]);
    get(host, "button", "Compare").click();
    expect(model.commands.at(-1)).toEqual(["compare", { id: null }]);
    model.receive({ kind: "comparison", comparison: null });
    await nextFrame();
    expect(region.hidden).toBe(true);
    entry().click();
    expect(model.commands.at(-1)?.[0]).toBe("goto");
  });
});
