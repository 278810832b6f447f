/** The inputs of a page without a kernel: a slider each, and the outputs that follow. */

import { slider } from "./controls";
import { h, setText } from "./dom";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import type { Context, Panel } from "./panel";

const STOPS = 400;

export function createExplore({ kernel, probe }: Context): Panel {
  const names = kernel.state?.names ?? { inputs: [], outputs: [] };
  const sliders = (probe?.ranges ?? []).map(({ low, high }, i) => {
    const name = names.inputs[i] ?? "";
    const span = high - low || 1;
    return slider({
      name: labels.inputOf(name),
      label: format.truncate(name, 14),
      hint: labels.inputHint,
      min: 0,
      max: STOPS,
      step: 1,
      toPosition: (value) => Math.round(((value - low) / span) * STOPS),
      fromPosition: (position) => low + (span * position) / STOPS,
      text: (value) => format.signed(value, 3),
      onInput: (value) => probe?.set(i, value),
    });
  });
  const outputs = names.outputs.map((name) => {
    const value = h("b", {});
    return { value, element: h("span", { class: "kanlab-output" }, `${format.truncate(name, 14)} = `, value) };
  });

  function draw(): void {
    sliders.forEach((one, i) => {
      one.show(probe?.inputs[i] ?? 0);
    });
    outputs.forEach(({ value }, m) => {
      setText(value, format.signed(probe?.outputs[m], 6));
    });
  }
  draw();
  return {
    element: h(
      "section",
      { class: "kanlab-explore", role: "region", "aria-label": labels.explore },
      h("div", { class: "kanlab-explore-inputs" }, ...sliders.map(({ element }) => element)),
      h("div", { class: "kanlab-explore-outputs", role: "status" }, ...outputs.map(({ element }) => element)),
    ),
    update(changes) {
      if (changes.has("probe")) draw();
    },
    dispose: () => undefined,
  };
}
