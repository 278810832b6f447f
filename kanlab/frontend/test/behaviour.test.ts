/** What each panel does: commands, pending values, the keyboard, the words of the status line. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/index";
import { asMessage, FakeModel, fixture, nextFrame, wait } from "./fakeModel";
import { all, get, press, slide } from "./queries";
import { closing, host } from "./stage";

let model: FakeModel;

function open(panel: string): void {
  model = new FakeModel(panel, fixture());
  closing(widget.render({ model, el: host }));
}

async function change(changes: Partial<ReturnType<typeof fixture>["state"]> | Record<string, unknown>): Promise<void> {
  model.receive({ kind: "state", state: { ...fixture().state, ...changes } });
  await nextFrame();
}

function lastCommandId(): number {
  const last = model.sent.filter(({ kind }) => kind === "cmd").at(-1);
  if (!last) throw new Error("no command was sent");
  return last.id;
}

describe("training", () => {
  beforeEach(() => open("training"));

  it("trains and pauses with the same button", async () => {
    get(host, "button", "Train").click();
    await change({ running: true });
    get(host, "button", "Pause").click();
    expect(model.commands).toEqual([
      ["train", {}],
      ["pause", {}],
    ]);
    expect((get(host, "button", "Step") as HTMLButtonElement).disabled).toBe(true);
  });

  it("says step, train, test and R² in the status line", () => {
    const status = all(host, "status")[0];
    expect(status?.textContent).toMatch(/step 4 train 3\.1e-4 test 3\.4e-4 R² 0\.99999/);
  });

  it("sends one set for many moves of a slider within a frame", async () => {
    const lamb = get(host, "slider", "lamb");
    for (const position of [-4, -3.5, -2]) slide(lamb, position);
    slide(get(host, "slider", "lamb_entropy"), 4.5);
    await nextFrame();
    expect(model.commands).toEqual([["set", { lamb: 0.01, lamb_entropy: 4.5 }]]);
    expect(lamb.getAttribute("aria-valuetext")).toBe("0.01");
  });

  it("means zero by the lowest stop of lamb", async () => {
    slide(get(host, "slider", "lamb"), -6);
    await nextFrame();
    expect(model.commands).toEqual([["set", { lamb: 0 }]]);
    expect(get(host, "slider", "lamb").getAttribute("aria-valuetext")).toBe("off");
  });

  it("shows the person's value until done has come, and after it", async () => {
    const lamb = get(host, "slider", "lamb") as HTMLInputElement;
    slide(lamb, -2);
    await nextFrame();
    await change({ running: true });
    expect(Number(lamb.value)).toBe(-2);
    model.receive({ kind: "done", id: lastCommandId(), ok: true, error: null });
    await nextFrame();
    expect(Number(lamb.value)).toBe(-2);
  });

  it("falls back to the kernel's value, and says why, when a command failed", async () => {
    const lamb = get(host, "slider", "lamb") as HTMLInputElement;
    slide(lamb, -2);
    await nextFrame();
    model.receive({ kind: "done", id: lastCommandId(), ok: false, error: "lamb must be finite" });
    await nextFrame();
    expect(Number(lamb.value)).toBe(-3);
    expect(all(host, "alert")[0]?.textContent).toContain("lamb must be finite");
  });

  it("takes no notice of a done that belongs to another view", async () => {
    const lamb = get(host, "slider", "lamb") as HTMLInputElement;
    slide(lamb, -2);
    await nextFrame();
    model.receive({ kind: "done", id: 1, ok: false, error: null });
    await nextFrame();
    expect(Number(lamb.value)).toBe(-2);
  });

  it("refines once, when the grid slider rests", async () => {
    const grid = get(host, "slider", "grid");
    for (const n of [6, 8, 10]) slide(grid, n);
    await change({ running: true });
    expect(model.commands).toEqual([]);
    expect((grid as HTMLInputElement).value).toBe("10");
    await wait(320);
    expect(model.commands).toEqual([["refine", { grid: 10 }]]);
  });

  it("sets the optimizer and the steps", async () => {
    const optimizer = get(host, "combobox", "optimizer") as HTMLSelectElement;
    optimizer.value = "LBFGS";
    optimizer.dispatchEvent(new Event("change"));
    const steps = get(host, "spinbutton", "steps") as HTMLInputElement;
    steps.value = "-3.2";
    steps.dispatchEvent(new Event("change"));
    await nextFrame();
    expect(model.commands).toEqual([["set", { optimizer: "LBFGS", steps: 0 }]]);
  });

  it("tells the kernel once that the state came to rest", async () => {
    const { state } = fixture();
    const settled = () => model.sent.filter(({ kind }) => kind === "settled").length;
    model.receive({ kind: "state", state: { ...state, running: true } });
    await wait(300);
    expect(settled()).toBe(0);
    model.receive({ kind: "state", state });
    model.receive({ kind: "state", state });
    await wait(300);
    model.receive({ kind: "state", state });
    await wait(300);
    expect(settled()).toBe(1);
  });

  it("acknowledges the newest frame, at most twice a second", async () => {
    const { frame } = fixture();
    for (let seq = 0; seq < 6; seq++) {
      model.receive(...asMessage({ ...frame, seq }));
      await nextFrame();
    }
    const acks = () => model.sent.filter(({ kind }) => kind === "ack").map(({ seq }) => seq);
    expect(acks()).toHaveLength(1);
    await wait(600);
    expect(acks()).toHaveLength(2);
    expect(acks().at(-1)).toBe(5);
  });
});

describe("graph", () => {
  beforeEach(() => open("graph"));
  const edge = (name: string) => get(host, "button", name);

  it("draws a curve in every box and the name of a fixed function", () => {
    expect(edge("edge (0, 1, 0) spline").querySelector(".kanlab-curve")?.getAttribute("d")).toMatch(/^M.*L/);
    expect(host.querySelector(".kanlab-function")?.textContent).toBe("sin");
    expect(all(host, "img").map((node) => node.getAttribute("aria-label"))).toContain("node (1, 1)");
  });

  it("marks what Prune would remove, says how much, and prunes", () => {
    expect(edge("edge (0, 0, 1) spline").classList.contains("kanlab-doomed")).toBe(true);
    expect(edge("edge (0, 1, 0) spline").classList.contains("kanlab-doomed")).toBe(false);
    expect(host.textContent).toContain("−2 edges, −1 node");
    get(host, "button", "Prune").click();
    expect(model.commands).toEqual([["prune", { edge_th: 0.03, node_th: 0.01 }]]);
  });

  it("selects the edge that is clicked", async () => {
    edge("edge (1, 0, 0) spline").dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(model.commands).toEqual([["select", { edge: [1, 0, 0] }]]);
    await nextFrame();
    expect(edge("edge (1, 0, 0) spline").getAttribute("aria-pressed")).toBe("true");
    expect(edge("edge (0, 1, 0) spline").getAttribute("aria-pressed")).toBe("false");
  });

  it("has one tab stop and moves it with the arrows", () => {
    const stops = () => all(host, "button").filter((e) => e.matches('.kanlab-edge[tabindex="0"]'));
    expect(stops()).toHaveLength(1);
    edge("edge (0, 0, 0) sin").focus();
    press(document.activeElement as Element, "ArrowRight");
    expect(document.activeElement).toBe(edge("edge (0, 1, 0) spline"));
    press(document.activeElement as Element, "ArrowUp");
    expect(document.activeElement).toBe(edge("edge (1, 0, 0) spline"));
    press(document.activeElement as Element, "End");
    expect(document.activeElement).toBe(edge("edge (1, 1, 0) spline"));
    press(document.activeElement as Element, "ArrowDown");
    expect(document.activeElement?.getAttribute("aria-label")).toMatch(/^edge \(0, /);
    expect(stops()).toEqual([document.activeElement]);
  });

  it("removes with Delete, but not what is gone already", () => {
    press(edge("edge (0, 1, 1) pruned"), "Delete");
    press(edge("edge (0, 1, 0) spline"), "Delete");
    expect(model.commands).toEqual([
      ["restore_edge", { edge: [0, 1, 1] }],
      ["remove_edge", { edge: [0, 1, 0] }],
    ]);
  });

  it("shows a name as text, whatever it holds, and in full in the title", () => {
    expect(host.querySelector("b")).toBeNull();
    const node = get(host, "img", "node (0, 1)");
    expect(node.querySelector("title")?.textContent).toBe("body mass index <b>");
  });

  it("takes a smaller network and glides to its layout", async () => {
    const { state, frame } = fixture();
    const small = {
      ...state,
      version: 5,
      width: [
        [2, 0],
        [1, 0],
        [1, 0],
      ],
      subnodes: [[], [1], [1]],
      edges: [
        { edge: [0, 0, 0], kind: "symbolic", name: "sin" },
        { edge: [0, 1, 0], kind: "spline", name: null },
        { edge: [1, 0, 0], kind: "spline", name: null },
      ],
      selected: null,
    };
    model.receive(...asMessage({ ...frame, version: 5 }));
    model.receive({ kind: "state", state: small });
    await wait(400);
    expect(host.querySelectorAll(".kanlab-edge")).toHaveLength(3);
    expect(host.querySelectorAll(".kanlab-node")).toHaveLength(4);
    expect(host.querySelectorAll(".kanlab-function")).toHaveLength(3);
  });
});

describe("inspector", () => {
  beforeEach(() => open("inspector"));

  it("shows the selected edge and chooses its best candidate", () => {
    expect(host.textContent).toContain("edge (0, 1, 0)body mass index <b> → h₀");
    const dropdown = get(host, "combobox", "symbolic function") as HTMLSelectElement;
    expect(dropdown.value).toBe("x^2");
    expect([...dropdown.options].map((option) => option.value)).toEqual(["x", "x^2", "sin"]);
  });

  it("fixes the function in the dropdown", () => {
    const dropdown = get(host, "combobox", "symbolic function") as HTMLSelectElement;
    dropdown.value = "sin";
    dropdown.dispatchEvent(new Event("change"));
    get(host, "button", "Fix").click();
    expect(model.commands).toEqual([["fix", { edge: [0, 1, 0], name: "sin" }]]);
  });

  it("lays a candidate over the plot, chooses it by click, fixes it by Enter", async () => {
    const row = get(host, "button", "candidate sin");
    const overlay = () => host.querySelector(".kanlab-plot-overlay")?.getAttribute("d") ?? null;
    expect(overlay()).toBeNull();
    row.closest("tr")?.dispatchEvent(new Event("pointerenter"));
    await nextFrame();
    expect(overlay()?.match(/M/g)).toHaveLength(2); // the point that is missing lifts the pen
    row.click();
    await nextFrame();
    expect((get(host, "combobox", "symbolic function") as HTMLSelectElement).value).toBe("sin");
    press(row, "Enter");
    expect(model.commands).toEqual([["fix", { edge: [0, 1, 0], name: "sin" }]]);
  });

  it("unfixes only what is fixed, and removes", async () => {
    const unfix = get(host, "button", "Unfix") as HTMLButtonElement;
    expect(unfix.disabled).toBe(true);
    get(host, "button", "Remove edge").click();
    await change({ selected: [0, 0, 0] });
    expect(unfix.disabled).toBe(false);
    unfix.click();
    expect(model.commands).toEqual([
      ["remove_edge", { edge: [0, 1, 0] }],
      ["unfix", { edge: [0, 0, 0] }],
    ]);
  });

  it("shows no table where there are no candidates, but what the edge is fixed as", async () => {
    const detail = { ...fixture().detail, edge: [0, 0, 0], kind: "symbolic", name: "sin", r2: 0.99999, candidates: [] };
    model.receive({ kind: "detail", detail });
    await change({ selected: [0, 0, 0] });
    expect(host.querySelector("table")?.closest("[hidden]")).not.toBeNull();
    expect(host.textContent).toContain("fixed as sin, 1 − R² 1.0e-5");
  });

  it("names the ends of an edge before its detail has come", async () => {
    await change({ selected: [1, 1, 0] });
    expect(host.textContent).toContain("edge (1, 1, 0)h₁ → f");
  });

  it("invites to select an edge when none is", async () => {
    await change({ selected: null });
    expect(host.textContent).toContain("Select an edge");
    expect(get(host, "button", "Fix").closest("[hidden]")).not.toBeNull();
  });
});

describe("formula", () => {
  beforeEach(() => open("formula"));

  it("sets the mathematics as MathML and says how far it agrees", () => {
    const math = host.querySelector("math");
    expect(math?.namespaceURI).toBe("http://www.w3.org/1998/Math/MathML");
    expect(math?.querySelector("msup")).not.toBeNull();
    expect(host.textContent).toContain("✓ agrees with the model to 2e-12");
    expect(host.textContent).toContain("4 spline edges left");
    expect(host.textContent).toContain("3.1415926 → π RMSE +1.0e-9");
  });

  it("warns when the formula is not the model", async () => {
    await change({ formula: { ...fixture().state.formula, agrees: false, agreement: 0.12, message: null } });
    expect(all(host, "note")[0]?.textContent).toContain("does not agree with the model: off by 0.12");
    expect(host.textContent).not.toContain("✓ agrees");
  });

  it("shows progress with Stop while a long command runs", async () => {
    get(host, "button", "Auto symbolic").click();
    await change({ busy: { label: "auto symbolic", done: 2, total: 5 } });
    expect(host.querySelector("progress")?.value).toBe(2);
    expect((get(host, "button", "Auto symbolic") as HTMLButtonElement).hidden).toBe(true);
    get(host, "button", "Stop").click();
    get(host, "button", "Snap constants").click();
    expect(model.commands).toEqual([
      ["auto_symbolic", {}],
      ["cancel", {}],
    ]);
  });

  it("copies, and says so", async () => {
    const writeText = vi.fn(async () => undefined);
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    get(host, "button", "Copy LaTeX").click();
    await nextFrame();
    expect(writeText).toHaveBeenCalledWith("f = x^2");
    expect(host.querySelector("[aria-live]")?.textContent).toBe("Copy LaTeX: copied");
    vi.unstubAllGlobals();
  });
});

describe("history", () => {
  beforeEach(() => open("history"));

  it("lists the commands, marks the present one, and goes to another", () => {
    const entries = [...get(host, "list", "history").querySelectorAll("button")];
    expect(entries.map((entry) => entry.textContent)).toEqual([
      "1.start0.83",
      "2.fit 502.1e-2",
      "3.fix (0, 0, 0) sin3.4e-4",
    ]);
    expect(entries.map((entry) => entry.getAttribute("aria-current"))).toEqual([null, "true", null]);
    entries[0]?.click();
    get(host, "button", "Undo").click();
    get(host, "button", "Redo").click();
    expect(model.commands).toEqual([
      ["goto", { id: 0 }],
      ["undo", {}],
      ["redo", {}],
    ]);
  });

  it("gives advice that can be followed", () => {
    expect(all(host, "note")[0]?.textContent).toContain("The loss is flat at grid 5");
    get(host, "button", "refine to 10").click();
    expect(model.commands).toEqual([["refine", { grid: 10 }]]);
  });

  it("draws train and test, with a gap where test is missing, and the marks", () => {
    const chart = get(host, "img", "loss chart");
    const path = (name: string) => chart.querySelector(`path.kanlab-loss-${name}`)?.getAttribute("d") ?? "";
    expect(path("train").match(/[ML]/g)).toHaveLength(5);
    expect(path("test").match(/M/g)).toHaveLength(2);
    expect(chart.textContent).toContain("prune");
  });

  it("replaces the rows from an index on", async () => {
    const { frame } = fixture();
    const rows = [[3, 0.5, 0.5, null] as [number, number, number, null]];
    const [header, buffers] = asMessage(frame);
    model.receive({ ...header, loss: { from: 3, rows } }, buffers);
    await nextFrame();
    expect(
      get(host, "img", "loss chart").querySelector("path.kanlab-loss-train")?.getAttribute("d")?.match(/[ML]/g),
    ).toHaveLength(4);
  });
});

describe("lab", () => {
  beforeEach(() => open("lab"));

  it("trains with Space when the Lab itself has the focus, not a control in it", () => {
    const lab = get(host, "region", "KAN Lab");
    press(lab, " ");
    press(get(host, "button", "Reset"), " ");
    expect(model.commands).toEqual([["train", {}]]);
  });

  it("goes from an edge to the inspector with Enter, and leaves with Escape", () => {
    const edge = get(host, "button", "edge (1, 0, 0) spline");
    edge.focus();
    press(edge, "Enter");
    expect(model.commands).toEqual([["select", { edge: [1, 0, 0] }]]);
    expect(document.activeElement).toBe(get(host, "combobox", "symbolic function"));
    press(document.activeElement as Element, "Escape");
    expect(document.activeElement).toBe(document.body);
  });
});
