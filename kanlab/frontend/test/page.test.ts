/** A page without a kernel, as `kanlab/widgets/_page.py` writes it, and parts that are not shown. */

import { beforeEach, describe, expect, it } from "vitest";
import widget from "../src/index";
import { PARTS } from "../src/parts";
import { FakeModel, fixture, nextFrame } from "./fakeModel";
import page from "./page.json";
import { all, get, slide } from "./queries";
import { closing, host } from "./stage";

describe("an offline page", () => {
  beforeEach(() => {
    closing(widget.explore(host, structuredClone(page)));
  });

  it("shows the network, the formula and the outputs at the starting inputs", () => {
    expect(all(host, "button").filter((one) => one.getAttribute("aria-label")?.startsWith("edge ("))).toHaveLength(3);
    expect(get(host, "region", "formula").querySelector("math")).toBeTruthy();
    expect(get(host, "region", "explore").textContent).toMatch(/f = −?\d/);
  });

  it("evaluates the network at the inputs that are set", async () => {
    // The sliders have stops: the nearest to the input that Python evaluated, and so nearly its output.
    page.check.input.forEach((value, i) => {
      const { low, high } = page.inputs[i] as (typeof page.inputs)[number];
      slide(get(host, "slider", `input ${["x", "y"][i]}`), Math.round(((value - low) / (high - low)) * 400));
    });
    await nextFrame();
    const shown = get(host, "region", "explore").querySelector("[role=status] b")?.textContent?.replace("−", "-");
    expect(Number(shown)).toBeCloseTo(page.check.output[0] as number, 1);
    expect(host.querySelectorAll(".kanlab-probe:not([display])")).toHaveLength(3);
  });

  it("selects an edge and shows its detail without a kernel", async () => {
    const edge = all(host, "button").find((one) => one.getAttribute("aria-label") === "edge (0, 1, 0) x^2");
    edge?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    await nextFrame();
    await nextFrame();
    expect(get(host, "region", "edge inspector").textContent).toContain("edge (0, 1, 0)");
    expect(host.querySelector(".kanlab-plot-curve")?.getAttribute("d")).toBeTruthy();
    expect(host.querySelector(".kanlab-plot-probe")?.getAttribute("d")).toBeTruthy();
  });

  it("offers nothing that needs a kernel", () => {
    expect(get(host, "group", "training").classList.contains("kanlab-absent")).toBe(true);
    for (const entry of host.querySelectorAll<HTMLButtonElement>(".kanlab-entry")) expect(entry.disabled).toBe(true);
  });

  it("refuses what is no page", () => {
    expect(() => widget.explore(host, { ...page, kan: { layers: [] } })).toThrow(/kan/);
  });
});

describe("parts", () => {
  const named = Object.entries(PARTS).flat(2);

  function open(hidden: unknown): void {
    const model = new FakeModel("lab", fixture(), hidden);
    closing(widget.render({ model, el: host }));
  }
  const absent = () =>
    new Set(
      [...host.querySelectorAll(".kanlab-absent")].map((element) => element.getAttribute("data-kanlab-part") as string),
    );

  it("are all there to be hidden", () => {
    open(named);
    expect([...absent()].sort()).toEqual([...named].sort());
  });

  it("that are not named stay", () => {
    open(["prune", "history"]);
    expect(absent()).toEqual(new Set(["prune", "history"]));
  });

  it("are all shown for what is no list of names", () => {
    open({ length: 3 });
    expect(absent().size).toBe(0);
  });
});
