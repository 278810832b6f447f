/** What holds for every panel, over every fixture: those written by hand and those that the Python side dumps. */

import { describe, expect, it, vi } from "vitest";
import widget from "../src/index";
import { asMessage, FakeModel, fixture, nextFrame } from "./fakeModel";
import { all, get } from "./queries";
import { closing, host } from "./stage";

const fixtures = import.meta.glob("./fixtures/**/*.json", { eager: true, import: "default" });

const NAMES: Record<string, [role: string, name: string][]> = {
  training: [
    ["button", "Train"],
    ["button", "Step"],
    ["button", "Reset"],
    ["slider", "lamb"],
    ["slider", "lamb_entropy"],
    ["slider", "lamb_l1"],
    ["slider", "grid"],
    ["combobox", "optimizer"],
    ["spinbutton", "steps"],
  ],
  graph: [
    ["group", "network graph"],
    ["slider", "edge threshold"],
    ["slider", "node threshold"],
    ["button", "Prune"],
    ["button", "Zoom in"],
    ["button", "Zoom out"],
    ["button", "Fit"],
  ],
  inspector: [
    ["region", "edge inspector"],
    ["combobox", "symbolic function"],
    ["button", "Fix"],
    ["button", "Unfix"],
    ["button", "Remove edge"],
  ],
  formula: [
    ["region", "formula"],
    ["button", "Auto symbolic"],
    ["button", "Snap constants"],
    ["button", "Copy LaTeX"],
    ["button", "Copy Python"],
    ["button", "Copy SymPy"],
  ],
  history: [
    ["region", "history"],
    ["list", "history"],
    ["button", "Undo"],
    ["button", "Redo"],
    ["button", "Copy script"],
    ["img", "loss chart"],
  ],
};
NAMES.lab = [["region", "KAN Lab"], ...Object.values(NAMES).flat()];

function open(panel: string, snapshot: unknown = {}): { model: FakeModel; close: () => void } {
  const model = new FakeModel(panel, snapshot);
  return { model, close: closing(widget.render({ model, el: host })) };
}

describe.each(Object.keys(NAMES))("the %s panel", (panel) => {
  it.each(Object.entries(fixtures))("draws the saved picture %s at once, then says hello", (_path, snapshot) => {
    const { model } = open(panel, snapshot);
    for (const [role, name] of NAMES[panel] ?? []) expect(get(host, role, name)).toBeTruthy();
    expect(model.sent[0]).toEqual({ kind: "hello" });
    const { edges } = (snapshot as ReturnType<typeof fixture>).state;
    if (panel === "lab" || panel === "graph")
      for (const { edge, kind, name } of edges)
        expect(get(host, "button", `edge (${edge.join(", ")}) ${kind === "symbolic" ? name : kind}`)).toBeTruthy();
  });

  it("shows its controls before anything came from the kernel", () => {
    open(panel);
    for (const [role, name] of NAMES[panel] ?? []) expect(get(host, role, name)).toBeTruthy();
  });

  it("takes a state and a frame at any byte offset", async () => {
    const { model } = open(panel);
    const { state, frame, detail } = fixture();
    model.receive({ kind: "state", state });
    model.receive({ kind: "detail", detail });
    for (const offset of [0, 1, 2, 3]) model.receive(...asMessage({ ...frame, seq: offset }, offset));
    await nextFrame();
    expect(host.textContent).not.toBe("");
  });

  it("is not harmed by what is malformed, unknown or too much", async () => {
    const complaints = vi.spyOn(console, "debug").mockImplementation(() => undefined);
    const { model } = open(panel, { state: 7, frame: [], detail: "?" });
    expect(complaints).toHaveBeenCalledTimes(1);
    const { state, frame, detail } = fixture();
    const [header, buffers] = asMessage(frame);
    model.receive({ kind: "state", state });
    const junk = [
      null,
      7,
      "state",
      [],
      {},
      { kind: 3 },
      { kind: "surprise", x: 1 },
      { kind: "state" },
      { kind: "state", state: {} },
      { kind: "state", state: { ...state, width: [] } },
      { kind: "state", state: { ...state, edges: [{ edge: [9, 9, 9], kind: "spline", name: null }] } },
      { kind: "state", state: { ...state, controls: { ...state.controls, lamb: "much" } } },
      { kind: "detail", detail: { ...detail, x: "all" } },
      { kind: "formula", formula: null },
      { kind: "done" },
    ];
    for (const message of junk) model.receive(message);
    // An unknown kind is silence from a newer kernel, not a fault.
    expect(complaints).toHaveBeenCalledTimes(junk.length);
    model.receive(header, []);
    model.receive(header, [new DataView(new ArrayBuffer(10))]);
    model.receive({ ...header, points: 1e9 }, buffers);
    model.receive({ ...header, loss: { from: 99, rows: [] } }, buffers);
    model.receive({ ...header, version: 99 }, buffers);
    for (let seq = 0; seq < 2000; seq++) model.receive({ ...header, seq }, buffers);
    await nextFrame();
    for (const [role, name] of NAMES[panel] ?? []) expect(get(host, role, name)).toBeTruthy();
    expect(model.sent.filter(({ kind }) => kind === "ack")).toEqual([{ kind: "ack", seq: 1999 }]);
  });

  it("leaves no listener, timer, observer or element behind", async () => {
    vi.useFakeTimers();
    const balance = countListeners();
    const { model, close } = open(panel, fixture());
    model.receive(...asMessage(fixture().frame));
    expect(model.listening).toBe(2);
    close();
    expect(model.listening).toBe(0);
    expect(balance.left()).toEqual([]);
    expect(host.childElementCount).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    model.receive({ kind: "state", state: fixture().state });
    vi.useRealTimers();
    balance.restore();
  });

  it("keeps plain keys from the notebook and lets the notebook's own pass", () => {
    open(panel, fixture());
    const inside = all(host, "button")[0] as HTMLElement;
    const heard: string[] = [];
    const listener = (event: Event) => void heard.push((event as KeyboardEvent).key);
    document.addEventListener("keydown", listener);
    const send = (init: KeyboardEventInit) =>
      inside.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...init }));
    send({ key: "b" });
    send({ key: "ArrowDown" });
    send({ key: "s", ctrlKey: true });
    send({ key: "Enter", shiftKey: true });
    send({ key: "Escape" });
    document.removeEventListener("keydown", listener);
    expect(heard).toEqual(["s", "Enter", "Escape"]);
  });

  it("marks every focusable element so that JupyterLab's shortcuts leave it alone", () => {
    open(panel, fixture());
    const focusable = host.querySelectorAll("button, input, select, .kanlab-edge");
    for (const element of focusable) expect(element.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
  });

  it("shows an error as an alert until it is dismissed", async () => {
    const { model } = open(panel, fixture());
    model.receive({ kind: "state", state: { ...fixture().state, error: "loss is <b>NaN</b>" } });
    await nextFrame();
    const [alert] = all(host, "alert");
    expect(alert?.textContent).toContain("loss is <b>NaN</b>");
    expect(alert?.querySelector("b")).toBeNull();
    get(host, "button", "Dismiss").click();
    expect(model.commands.at(-1)).toEqual(["dismiss", {}]);
    model.receive({ kind: "state", state: fixture().state });
    await nextFrame();
    expect(all(host, "alert")).toEqual([]);
  });
});

/** Counts listeners on window and document, and observers that were not disconnected. */
function countListeners() {
  const open = new Map<string, number>();
  const change = (key: string, by: number) => open.set(key, (open.get(key) ?? 0) + by);
  const undo: (() => void)[] = [];
  for (const [name, target] of [
    ["window", window],
    ["document", document],
  ] as const) {
    const add = vi.spyOn(target, "addEventListener").mockImplementation((event) => change(`${name} ${event}`, 1));
    const remove = vi
      .spyOn(target, "removeEventListener")
      .mockImplementation((event) => change(`${name} ${event}`, -1));
    undo.push(
      () => add.mockRestore(),
      () => remove.mockRestore(),
    );
  }
  const observe = vi.spyOn(MutationObserver.prototype, "observe");
  const disconnect = vi.spyOn(MutationObserver.prototype, "disconnect");
  return {
    left: () => {
      const names = [...open].filter(([, n]) => n !== 0).map(([name]) => name);
      if (observe.mock.calls.length > 0 && disconnect.mock.calls.length === 0) names.push("MutationObserver");
      return names;
    },
    restore: () => {
      for (const restore of undo) restore();
      observe.mockRestore();
      disconnect.mockRestore();
    },
  };
}
