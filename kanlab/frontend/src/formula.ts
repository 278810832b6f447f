/** The formula panel: the network as mathematics, how far it can be trusted, and ways to take it along. */

import { announcer, button, copyButton } from "./controls";
import { Disposer, h, setAttribute, setText } from "./dom";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import type { Formula } from "./lib/protocol";
import { parseMathML } from "./mathml";
import type { Context, Panel } from "./panel";
import { part } from "./parts";

export function createFormula({ kernel }: Context): Panel {
  const disposer = new Disposer();
  const voice = announcer();
  disposer.add(voice.dispose);
  const sheet = h("div", { class: "kanlab-sheet", tabindex: 0, role: "group", "aria-label": labels.mathematics });
  const warning = h("div", { class: "kanlab-warning", role: "note", hidden: true });
  const facts = h("div", { class: "kanlab-facts" });
  const snaps = h("ul", { class: "kanlab-snaps", "aria-label": labels.snap, hidden: true });

  const auto = button(labels.autoSymbolic, () => kernel.command("auto_symbolic"));
  const progress = h("progress", { class: "kanlab-progress" });
  const progressText = h("span", { class: "kanlab-muted" });
  const cancel = button(labels.cancel, () => kernel.command("cancel"));
  const busy = h("div", { class: "kanlab-busy", hidden: true }, progressText, progress, cancel);
  const snap = button(labels.snap, () => kernel.command("snap"));
  const copies = [
    copyButton(labels.latex, labels.copyLatex, voice.say, () => kernel.formula?.latex ?? ""),
    copyButton(labels.python, labels.copyPython, voice.say, () => kernel.formula?.python ?? ""),
    copyButton(labels.sympy, labels.copySympy, voice.say, () => kernel.formula?.sympy ?? ""),
  ];

  const element = h(
    "section",
    { class: "kanlab-formula", role: "region", "aria-label": labels.formula },
    sheet,
    warning,
    h(
      "div",
      { class: "kanlab-formula-bar" },
      part("check", facts),
      h(
        "div",
        { class: "kanlab-buttons" },
        part("auto_symbolic", auto),
        busy,
        part("snap", snap),
        ...copies.map((copy) => part("copy", copy)),
      ),
    ),
    snaps,
    voice.element,
  );

  let drawn: string | null = null;
  function updateFormula(formula: Formula | null): void {
    const source = formula?.outputs.map((output) => output.mathml).join("\n") ?? "";
    if (source !== drawn) {
      drawn = source;
      sheet.replaceChildren(...equations(formula));
    }
    const text = warningOf(formula);
    setText(warning, text ?? "");
    warning.hidden = text === null;
    facts.replaceChildren(...factsOf(formula));
    snaps.replaceChildren(...(formula?.snaps ?? []).map((done) => h("li", {}, done.text, " ", cost(done.cost))));
    snaps.hidden = snaps.childElementCount === 0;
  }

  function updateButtons(): void {
    const state = kernel.state;
    const work = state?.busy ?? null;
    busy.hidden = work === null;
    auto.hidden = work !== null;
    const idle = state !== null && work === null;
    auto.disabled = snap.disabled = !idle;
    for (const copy of copies) copy.disabled = !kernel.formula || kernel.formula.outputs.length === 0;
    if (!work) return;
    setText(progressText, work.label);
    setAttribute(progress, "aria-label", work.label);
    setAttribute(progress, "max", work.total || 1);
    setAttribute(progress, "value", work.total ? (work.done ?? 0) : null);
  }

  updateFormula(null);
  updateButtons();
  return {
    element,
    update(changes) {
      if (changes.has("formula") || changes.has("state")) {
        updateFormula(kernel.formula);
        updateButtons();
      }
    },
    dispose: () => disposer.dispose(),
  };
}

function equations(formula: Formula | null): Node[] {
  const outputs = formula?.outputs ?? [];
  if (outputs.length === 0) return [h("p", { class: "kanlab-muted" }, formula?.message ?? labels.noFormula)];
  return outputs.map(({ mathml, python }) => {
    const math = parseMathML(mathml);
    math?.setAttribute("display", "block");
    return h("div", { class: "kanlab-equation" }, math ?? h("code", {}, python));
  });
}

function warningOf(formula: Formula | null): string | null {
  if (!formula || formula.outputs.length === 0) return null;
  if (formula.agrees) return formula.message;
  return formula.message ?? labels.disagrees(format.loss(formula.agreement));
}

function factsOf(formula: Formula | null): Node[] {
  if (!formula || formula.outputs.length === 0) return [];
  const facts: Node[] = [];
  if (formula.agrees && formula.agreement !== null)
    facts.push(h("span", { class: "kanlab-good" }, `✓ ${labels.agrees(format.value(formula.agreement))}`));
  if (formula.test_rmse !== null) facts.push(h("span", {}, `${labels.testError} ${format.loss(formula.test_rmse)}`));
  facts.push(h("span", {}, labels.splinesLeft(formula.spline_edges)));
  if (formula.complexity !== null) facts.push(h("span", {}, `${labels.complexity} ${formula.complexity}`));
  return facts;
}

function cost(change: number | null): HTMLElement {
  const sign = change !== null && change > 0 ? "+" : "";
  return h("span", { class: "kanlab-muted" }, labels.snapCost(`${sign}${format.loss(change)}`));
}
