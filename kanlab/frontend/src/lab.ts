/** The Lab: all panels as one instrument. */

import { h } from "./dom";
import { createExplore } from "./explore";
import { createFormula } from "./formula";
import { createGraph } from "./graph";
import { createHistory } from "./history";
import { createInspector } from "./inspector";
import { labels } from "./lib/labels";
import type { Context, Panel } from "./panel";
import { part } from "./parts";
import { createTraining } from "./training";

export function createLab(context: Context): Panel {
  const training = createTraining(context);
  const graph = createGraph(context);
  const inspector = createInspector(context);
  const formula = createFormula(context);
  const history = createHistory(context);
  const explore = context.probe ? [createExplore(context)] : [];
  const panels = [training, ...explore, graph, inspector, formula, history];

  const element = h(
    "div",
    {
      class: "kanlab-lab",
      role: "region",
      "aria-label": labels.lab,
      tabindex: 0,
      "data-lm-suppress-shortcuts": "true",
    },
    part("training", training.element),
    ...explore.map((panel) => panel.element),
    h("div", { class: "kanlab-bench" }, part("graph", graph.element), part("inspector", inspector.element)),
    part("formula", formula.element),
    part("history", history.element),
  );
  element.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target !== element || event.repeat) return;
    event.preventDefault();
    if (context.kernel.state && !context.kernel.readonly) context.kernel.train(!context.kernel.running);
  });
  return {
    element,
    update(changes) {
      for (const panel of panels) panel.update(changes);
    },
    dispose() {
      for (const panel of panels) panel.dispose();
    },
  };
}
