/** What a real kernel tells (`tests/widgets/test_fixtures.py` writes it): decoded without a complaint, drawn as it is. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/index";
import { decodeArrays } from "../src/lib/frame";
import { FakeModel, type Fixture, nextFrame } from "./fakeModel";
import { all, get, nameOf } from "./queries";
import { closing, host } from "./stage";

type Generated = Fixture & { live: { frame: Record<string, unknown> & { points: number }; buffer: string } };

const files = import.meta.glob("./fixtures/generated/*.json", { eager: true, import: "default" });
const generated = Object.entries(files as Record<string, Generated>);
const PANELS = ["lab", "graph", "training", "inspector", "formula", "history"];

let close: () => void;
let complaints: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  complaints = vi.spyOn(console, "debug").mockImplementation(() => undefined);
});

function open(panel: string, snapshot: unknown = {}): FakeModel {
  const model = new FakeModel(panel, snapshot);
  close = closing(widget.render({ model, el: host }));
  return model;
}

/** The buffer, at a byte offset that suits nobody. */
function bufferOf({ live }: Generated): DataView {
  const bytes = Uint8Array.from(atob(live.buffer), (character) => character.charCodeAt(0));
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  return new DataView(shifted.buffer, 1, bytes.length);
}

/** What the kernel answers to `hello`. */
function answer(model: FakeModel, fixture: Generated): void {
  model.receive({ kind: "state", state: fixture.state });
  model.receive(fixture.live.frame, [bufferOf(fixture)]);
  model.receive({ kind: "detail", detail: fixture.detail });
  model.receive({ kind: "formula", formula: fixture.state.formula });
}

it("has fixtures to work on", () => {
  expect(generated.length).toBeGreaterThanOrEqual(3);
});

describe.each(generated)("%s", (_path, fixture) => {
  const { state } = fixture;

  it("has a buffer that holds the numbers of the saved picture", () => {
    const nodes = state.width.flat().reduce((total, n) => total + n, 0);
    const counts = { edges: state.edges.length, nodes };
    const arrays = decodeArrays(bufferOf(fixture), counts, fixture.live.frame.points);
    for (const [name, numbers] of Object.entries(fixture.frame.arrays)) {
      const sent = [...arrays[name as keyof typeof arrays]];
      expect(sent.length).toBe(numbers.length);
      for (const [at, number] of numbers.entries())
        expect(Math.abs((sent[at] ?? Number.NaN) - number)).toBeLessThan(1e-6 + 1e-3 * Math.abs(number));
    }
  });

  describe.each(PANELS)("in the %s panel", (panel) => {
    it("is taken from the saved picture and from messages without a complaint, and alike", async () => {
      open(panel, fixture);
      await nextFrame();
      const saved = all(host, "button").map(nameOf);
      close();
      const model = open(panel);
      answer(model, fixture);
      await nextFrame();
      expect(all(host, "button").map(nameOf)).toEqual(saved);
      expect(complaints).not.toHaveBeenCalled();
    });
  });

  describe("in the lab", () => {
    beforeEach(async () => {
      answer(open("lab"), fixture);
      await nextFrame();
    });

    it("draws every edge and node under its name", () => {
      for (const { edge, kind, name } of state.edges) {
        const shown = kind === "symbolic" ? name : kind;
        expect(get(host, "button", `edge (${edge.join(", ")}) ${shown}`)).toBeTruthy();
      }
      for (const [layer, [sums = 0, products = 0]] of state.width.entries())
        for (let i = 0; i < sums + products; i++)
          expect(host.querySelectorAll(`[aria-label^="node (${layer}, ${i})"]`)).toHaveLength(1);
    });

    it("shows the formula as mathematics, and no text as markup", () => {
      const formula = get(host, "region", "formula");
      expect(formula.querySelectorAll("math").length).toBe(state.formula.outputs.length);
      expect(host.querySelectorAll("b:not([class]), script, img:not([class])")).toHaveLength(0);
      for (const name of [...state.names.inputs, ...state.names.outputs]) expect(host.textContent).toContain(name);
    });

    it("shows where the training stands, the history and the error", () => {
      expect(all(host, "status").map((status) => status.textContent)).toEqual(
        expect.arrayContaining([expect.stringContaining(`step ${fixture.frame.step}`)]),
      );
      const history = get(host, "list", "history");
      for (const { label } of state.history.entries) expect(history.textContent).toContain(label);
      const alerts = all(host, "alert").map((alert) => alert.textContent ?? "");
      expect(alerts.length > 0).toBe(state.error !== null);
      if (state.error !== null) expect(alerts.join()).toContain(state.error);
    });

    it("offers every function of the library for the selected edge, the best candidate chosen", () => {
      const dropdown = get(host, "combobox", "symbolic function") as HTMLSelectElement;
      const offered = [...dropdown.options].map((option) => option.value);
      const library = state.selected === null ? [] : state.library.map(({ name }) => name);
      expect(offered).toEqual(library);
      const best = fixture.detail?.candidates[0];
      if (best) expect(dropdown.value).toBe(best.name);
    });
  });
});
