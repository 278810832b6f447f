/** Two states of the history side by side: what each loses, its formula, its network. */

import { button } from "./controls";
import { h } from "./dom";
import * as format from "./lib/format";
import { historyLabel } from "./lib/historyLabel";
import { labels } from "./lib/labels";
import { functionText } from "./lib/names";
import type { Comparison, Side } from "./lib/protocol";
import { mathOf } from "./mathml";
import { createMiniature } from "./miniature";
import type { Context, Panel } from "./panel";

/** The width a miniature is laid out for; it is scaled to its column. */
const WIDTH = 440;

export function createComparison({ kernel }: Context): Panel {
  const nameOf = (name: string) => (kernel.state ? functionText(kernel.state, name) : name);
  const body = h("div", { class: "kanlab-comparison-body" });
  const close = button(labels.close, () => kernel.command("compare", { id: null }));
  const element = h(
    "section",
    { class: "kanlab-comparison", role: "region", "aria-label": labels.comparison, hidden: true },
    h(
      "div",
      { class: "kanlab-heading" },
      h("strong", {}, labels.comparison),
      h("div", { class: "kanlab-buttons kanlab-small kanlab-end" }, close),
    ),
    body,
  );
  let drawn: Comparison | null = null;
  return {
    element,
    update(changes) {
      if (!changes.has("comparison") || kernel.comparison === drawn) return;
      drawn = kernel.comparison;
      element.hidden = drawn === null;
      if (!drawn) return;
      const [one, other] = drawn.sides;
      body.replaceChildren(column(one, other, nameOf), column(other, one, nameOf, labels.current));
    },
    dispose: () => undefined,
  };
}

/** One state; what it has less of than the other one is set in bold. */
function column(side: Side, other: Side, nameOf: (name: string) => string, remark = ""): HTMLElement {
  const count = ({ edges }: Side) => edges.filter(({ kind }) => kind !== "pruned").length;
  const rows: [string, string, number | null, number | null][] = [
    [labels.status.train, format.loss(side.train), side.train, other.train],
    [labels.status.test, format.loss(side.test), side.test, other.test],
    [labels.status.r2, format.r2(side.r2), negative(side.r2), negative(other.r2)],
    [labels.edges, String(count(side)), count(side), count(other)],
    [
      labels.complexity,
      side.complexity === null ? format.NONE : String(side.complexity),
      side.complexity,
      other.complexity,
    ],
  ];
  return h(
    "article",
    { class: "kanlab-side" },
    h(
      "div",
      { class: "kanlab-side-title" },
      `${side.id + 1}. ${historyLabel(side.label)}`,
      h("span", { class: "kanlab-muted" }, ` ${remark}`),
    ),
    createMiniature(side, WIDTH, nameOf),
    h(
      "div",
      { class: "kanlab-figures" },
      ...rows.map(([name, text, own, others]) =>
        h(
          "span",
          {},
          h("span", { class: "kanlab-muted" }, name, " "),
          h("span", { class: own !== null && others !== null && own < others ? "kanlab-better" : "" }, text),
        ),
      ),
    ),
    h(
      "div",
      { class: "kanlab-side-formula", tabindex: 0, role: "group", "aria-label": `${labels.formula} ${side.id + 1}` },
      ...(side.mathml.length > 0
        ? side.mathml.map((math) => mathOf(math, side.label))
        : [h("p", { class: "kanlab-muted" }, side.message ?? labels.noFormula)]),
    ),
  );
}

const negative = (value: number | null): number | null => (value === null ? null : -value);
