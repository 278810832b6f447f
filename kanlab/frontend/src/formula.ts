/** The formula panel: the network as mathematics, how far it can be trusted, and ways to take it along. */

import { announcer, button, copyButton } from "./controls";
import { Disposer, h, setAttribute, setText } from "./dom";
import { createFront } from "./front";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import type { Formula } from "./lib/protocol";
import { Trial } from "./lib/trial";
import { mathOf } from "./mathml";
import { createNumbers } from "./numbers";
import type { Context, Panel } from "./panel";
import { part } from "./parts";

export function createFormula(context: Context): Panel {
  const { kernel } = context;
  const disposer = new Disposer();
  const voice = announcer();
  disposer.add(voice.dispose);
  const sheet = h("div", { class: "kanlab-sheet", tabindex: 0, role: "group", "aria-label": labels.mathematics });
  const warning = h("div", { class: "kanlab-warning", role: "note", hidden: true });
  const facts = h("div", { class: "kanlab-facts" });
  const snaps = h("ul", { class: "kanlab-snaps", "aria-label": labels.snap, hidden: true });

  const front = createFront(context);
  const trial = new Trial(kernel);
  /** The training loss when a hand took a number. */
  let before: number | null = null;
  const numbers = createNumbers(sheet, {
    onTry(output, index, value) {
      before ??= kernel.frame?.train ?? null;
      trial.show("try_number", { output, index, value });
    },
    onKeep(output, index, value) {
      before = null;
      trial.keep("number", { output, index, value });
    },
    onDrop() {
      before = null;
      drawn = null;
      trial.drop();
      updateFormula(kernel.formula);
    },
  });
  disposer.add(numbers.dispose);

  const auto = button(labels.autoSymbolic, () => kernel.command("auto_symbolic"));
  const progress = h("progress", { class: "kanlab-progress" });
  const progressText = h("span", { class: "kanlab-muted" });
  const cancel = button(labels.cancel, () => kernel.command("cancel"));
  const busy = h("div", { class: "kanlab-busy", hidden: true }, progressText, progress, cancel);
  const discover = button(labels.discover, () => kernel.command("discover"), { hint: labels.discoverHint });
  const snap = button(labels.snap, () => kernel.command("snap"));
  const simplify = button(labels.simplify, () => kernel.command("simplify"), { hint: labels.simplifyHint });
  const copies = [
    copyButton(labels.latex, labels.copyLatex, voice.say, () => kernel.formula?.latex ?? ""),
    copyButton(labels.python, labels.copyPython, voice.say, () => kernel.formula?.python ?? ""),
    copyButton(labels.sympy, labels.copySympy, voice.say, () => kernel.formula?.sympy ?? ""),
    copyButton(labels.torch, labels.copyTorch, voice.say, () => kernel.formula?.torch ?? ""),
    copyButton(labels.c, labels.copyC, voice.say, () => kernel.formula?.c ?? ""),
  ];

  const element = h(
    "section",
    { class: "kanlab-formula", role: "region", "aria-label": labels.formula },
    sheet,
    warning,
    h("div", { class: "kanlab-formula-facts" }, part("check", facts)),
    h(
      "div",
      { class: "kanlab-formula-bar" },
      h(
        "div",
        { class: "kanlab-buttons" },
        part("auto_symbolic", auto),
        part("discover", discover),
        busy,
        part("snap", snap),
        part("simplify", simplify),
      ),
      h(
        "div",
        { class: "kanlab-buttons kanlab-joined", role: "group", "aria-label": labels.copy },
        part("copy", h("span", { class: "kanlab-muted", "aria-hidden": "true" }, labels.copy)),
        ...copies.map((copy) => part("copy", copy)),
      ),
    ),
    snaps,
    part("discover", front.element),
    voice.element,
  );

  let drawn: string | null = null;
  function updateFormula(formula: Formula | null): void {
    const source = formula?.outputs.map((output) => output.mathml).join("\n") ?? "";
    // While a number is held the mathematics stays: it would be taken out of the hand.
    if (source !== drawn && !numbers.moving) {
      drawn = source;
      const focus = numbers.forget();
      sheet.replaceChildren(...equations(formula));
      if (!kernel.readonly) attachNumbers(formula);
      focus();
    }
    const text = warningOf(formula);
    setText(warning, text ?? "");
    warning.hidden = text === null;
    const effect = before === null ? [] : [labels.trying(format.loss(before), format.loss(kernel.frame?.train))];
    facts.replaceChildren(...effect.map((text) => h("b", {}, text)), ...factsOf(formula));
    snaps.replaceChildren(
      ...(formula?.snaps ?? []).map((done) => h("li", {}, done.text, " ", cost(done.cost, done.error))),
    );
    snaps.hidden = snaps.childElementCount === 0;
  }

  function updateButtons(): void {
    const state = kernel.state;
    const work = state?.busy ?? null;
    busy.hidden = work === null;
    auto.hidden = discover.hidden = work !== null;
    const idle = state !== null && work === null;
    const none = !kernel.formula || kernel.formula.outputs.length === 0;
    auto.disabled = discover.disabled = snap.disabled = !idle;
    simplify.disabled = !idle || none;
    for (const copy of copies) copy.disabled = none;
    const [c] = copies.slice(-1);
    if (c) c.disabled = !kernel.formula?.c;
    if (!work) return;
    const name = labels.busy[work.label] ?? work.label;
    setText(progressText, name);
    setAttribute(progress, "aria-label", name);
    setAttribute(progress, "max", work.total || 1);
    setAttribute(progress, "value", work.total ? (work.done ?? 0) : null);
  }

  function attachNumbers(formula: Formula | null): void {
    formula?.outputs.forEach((output, n) => {
      const equation = sheet.children[n];
      if (equation) numbers.attach(equation, n, output.numbers);
    });
  }

  updateFormula(null);
  updateButtons();
  return {
    element,
    update(changes) {
      front.update(changes);
      if (changes.has("formula") || changes.has("state") || (before !== null && changes.has("frame"))) {
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
  return outputs.map(({ mathml, python }) => h("div", { class: "kanlab-equation" }, mathOf(mathml, python)));
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

/** What snapping cost, and how well the data knew the number. */
function cost(change: number | null, error: number | null): HTMLElement {
  const sign = change !== null && change > 0 ? "+" : "";
  const known = error === null ? "" : `± ${format.loss(error)}, `;
  return h("span", { class: "kanlab-muted" }, `${known}${labels.snapCost(`${sign}${format.loss(change)}`)}`);
}
