/** What a hand does in the inspector: control points, constants, an edge switched off and on; and why a function. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/index";
import { Drag, pace } from "../src/lib/drag";
import { Trial } from "../src/lib/trial";
import { missOf } from "../src/lib/why";
import { FakeModel, fixture, nextFrame } from "./fakeModel";
import { get, press } from "./queries";
import { closing, host } from "./stage";

let model: FakeModel;
let close: () => void;

function open(detail: Record<string, unknown> = {}): void {
  const snapshot = fixture();
  model = new FakeModel("inspector", { ...snapshot, detail: { ...snapshot.detail, ...detail } });
  close = closing(widget.render({ model, el: host }));
}
const done = (): void => {
  const id = model.sent.filter(({ kind }) => kind === "cmd").at(-1)?.id;
  model.receive({ kind: "done", id, ok: true, error: null });
};
const pointer = (element: Element, kind: string, y: number, more: MouseEventInit = {}): void => {
  element.dispatchEvent(new MouseEvent(kind, { bubbles: true, button: 0, clientX: y, clientY: y, ...more }));
};

afterEach(() => {
  vi.useRealTimers();
});

describe("control points", () => {
  const EDGE = { edge: [0, 1, 0] };
  beforeEach(() => {
    open();
    get(host, "button", "Control points").click();
  });
  const point = () => get(host, "slider", "control point 3");
  const heightOf = () => Number(point().getAttribute("aria-valuenow"));

  it("are shown on request only", () => {
    expect(point()).toBeTruthy();
    get(host, "button", "Control points").click();
    expect(host.querySelector(".kanlab-handle")).toBeNull();
  });

  it("bend the curve at once, try while they move and keep when they are let go", async () => {
    const curve = () => host.querySelector(".kanlab-plot-curve")?.getAttribute("d");
    const before = curve();
    const from = heightOf();
    pointer(point(), "pointerdown", 100);
    pointer(point(), "pointermove", 80);
    expect(curve()).not.toBe(before);
    expect(heightOf()).toBeGreaterThan(from);
    pointer(point(), "pointermove", 60);
    const [first] = model.commands;
    expect(first?.[0]).toBe("try_bend");
    expect(first?.[1]).toMatchObject({ ...EDGE, index: 3 });
    expect(model.commands).toHaveLength(1); // the second waits for the answer to the first
    pointer(point(), "pointerup", 60);
    const [name, args] = model.commands.at(-1) ?? [];
    expect(name).toBe("bend");
    expect(args?.y).toBeCloseTo(heightOf(), 9);
  });

  it("move finely with Shift", () => {
    const from = heightOf();
    pointer(point(), "pointerdown", 100);
    pointer(point(), "pointermove", 80);
    const plain = heightOf() - from;
    pointer(point(), "pointermove", 60, { shiftKey: true });
    expect(heightOf() - from - plain).toBeCloseTo(plain / 10, 6);
  });

  it("move by the arrows, and are kept when the keys rest", () => {
    vi.useFakeTimers();
    press(point(), "ArrowUp");
    press(point(), "ArrowUp", { altKey: true });
    expect(model.commands.map(([name]) => name)).toEqual(["try_bend"]);
    vi.advanceTimersByTime(700);
    expect(model.commands.at(-1)?.[0]).toBe("bend");
  });

  it("go back with Escape", () => {
    const from = heightOf();
    press(point(), "ArrowDown");
    press(point(), "Escape");
    expect(model.commands.at(-1)?.[0]).toBe("untry");
    expect(heightOf()).toBe(from);
  });

  it("say what the change does to the loss", async () => {
    press(point(), "ArrowDown");
    await nextFrame();
    expect(host.textContent).toMatch(/trying: train \S+ → \S+/);
  });

  it("are not there for an edge that is no spline", async () => {
    close();
    open({ kind: "symbolic", name: "x^2", spline: null, constants: [1, 0, 2, 0.5] });
    const snapshot = fixture();
    const edges = snapshot.state.edges.map((edge) =>
      String(edge.edge) === "0,1,0" ? { ...edge, kind: "symbolic", name: "x^2" } : edge,
    );
    model.receive({ kind: "state", state: { ...snapshot.state, edges } });
    await nextFrame();
    expect((get(host, "button", "Control points") as HTMLButtonElement).disabled).toBe(true);
  });
});

describe("constants", () => {
  beforeEach(() => open({ kind: "symbolic", name: "x^2", spline: null, constants: [1, 0, 2, 0.5] }));
  const field = (name: string) => get(host, "spinbutton", `constant ${name}`) as HTMLInputElement;

  it("show the kernel's", () => {
    expect(["a", "b", "c", "d"].map((name) => field(name).value)).toEqual(["1", "0", "2", "0.5"]);
  });

  it("are tried while they are dragged, and kept at the end", () => {
    const grip = field("c").previousElementSibling as HTMLElement;
    pointer(grip, "pointerdown", 0);
    pointer(grip, "pointermove", 50);
    expect(model.commands[0]).toEqual(["try_constants", { edge: [0, 1, 0], constants: [1, 0, 3, 0.5] }]);
    pointer(grip, "pointerup", 50);
    expect(model.commands.at(-1)).toEqual(["constants", { edge: [0, 1, 0], constants: [1, 0, 3, 0.5] }]);
  });

  it("are typed; what is no number is put back", () => {
    field("d").value = "−0.25";
    press(field("d"), "Enter");
    expect(model.commands.at(-1)).toEqual(["constants", { edge: [0, 1, 0], constants: [1, 0, 2, -0.25] }]);
    field("a").value = "one";
    field("a").dispatchEvent(new Event("change"));
    expect(field("a").value).toBe("1");
    expect(model.commands).toHaveLength(1);
  });

  it("move by the arrows and go back with Escape", () => {
    vi.useFakeTimers();
    press(field("a"), "ArrowUp", { shiftKey: true });
    expect(model.commands[0]?.[1].constants).toEqual([1.001, 0, 2, 0.5]);
    press(field("a"), "Escape");
    expect(model.commands.at(-1)?.[0]).toBe("untry");
    expect(field("a").value).toBe("1");
    vi.advanceTimersByTime(2000);
    expect(model.commands.map(([name]) => name)).toEqual(["try_constants", "untry"]);
  });
});

describe("an edge", () => {
  it("that was removed is restored by the same place", async () => {
    open();
    const { state } = fixture();
    const edges = state.edges.map((edge) => (String(edge.edge) === "0,1,0" ? { ...edge, kind: "pruned" } : edge));
    model.receive({ kind: "state", state: { ...state, edges } });
    await nextFrame();
    get(host, "button", "Restore edge").click();
    expect(model.commands).toEqual([["restore_edge", { edge: [0, 1, 0] }]]);
  });

  it("shows its derivative on request, with an axis of its own", async () => {
    open();
    expect(host.querySelector(".kanlab-plot-slope")?.getAttribute("d")).toBeNull();
    get(host, "button", "Derivative").click();
    expect(host.querySelector(".kanlab-plot-slope")?.getAttribute("d")).toMatch(/^M/);
    expect(host.querySelectorAll(".kanlab-slope-tick").length).toBeGreaterThan(1);
  });

  it("says why a function fits: its largest miss and where", () => {
    open();
    const why = host.querySelector("details") as HTMLDetailsElement;
    why.open = true;
    why.dispatchEvent(new Event("toggle"));
    expect(why.querySelectorAll("li").length).toBe(fixture().detail.candidates.length);
    expect(why.textContent).toMatch(/misses the curve by at most \S+, at −?\d/);
  });
});

describe("without a panel", () => {
  it("a miss is the largest distance, gaps left out", () => {
    expect(missOf({ x: [0, 1, 2, 3], y: [0, 1, null, 9] }, { y: [0, 1.5, 7, null] })).toEqual({ size: 0.5, x: 1 });
    expect(missOf({ x: [0], y: [null] }, { y: [1] })).toBeNull();
  });

  it("a drag adds up its parts at their own pace", () => {
    const drag = new Drag(10);
    expect(drag.move(20, { shiftKey: false, altKey: false })).toBe(10);
    expect(drag.move(30, { shiftKey: true, altKey: false })).toBe(11);
    expect(drag.move(20, { shiftKey: false, altKey: true })).toBe(-39);
    expect(pace({ shiftKey: false, altKey: false })).toBe(1);
  });

  it("a trial sends only the newest, and waits for the answer", () => {
    const answers: (() => void)[] = [];
    const sent: unknown[] = [];
    const trial = new Trial({
      ask: (_name, args, then) => {
        sent.push(args.y);
        answers.push(then);
      },
      command: (name) => {
        sent.push(name);
        return 0;
      },
    });
    for (const y of [1, 2, 3]) trial.show("try_bend", { y });
    expect(sent).toEqual([1]);
    answers.shift()?.();
    expect(sent).toEqual([1, 3]);
    trial.show("try_bend", { y: 4 });
    trial.drop();
    answers.shift()?.();
    expect(sent).toEqual([1, 3, "untry"]);
  });

  it("an answer that never comes does not hold up the next try", () => {
    vi.useFakeTimers();
    open();
    get(host, "button", "Control points").click();
    const point = get(host, "slider", "control point 3");
    press(point, "ArrowUp");
    press(point, "ArrowUp");
    expect(model.commands).toHaveLength(1);
    done();
    expect(model.commands).toHaveLength(2);
    press(point, "ArrowUp");
    vi.advanceTimersByTime(550);
    press(point, "ArrowUp");
    vi.advanceTimersByTime(550);
    press(point, "ArrowUp");
    vi.advanceTimersByTime(550);
    press(point, "ArrowUp");
    vi.advanceTimersByTime(550);
    expect(model.commands).toHaveLength(3);
  });
});
