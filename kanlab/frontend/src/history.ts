/** The history panel: the loss so far, every command with undo and redo, and what to try next. */

import { insertCell } from "./cell";
import { createComparison } from "./comparison";
import { announcer, button, copyButton, copyText, toggle } from "./controls";
import { Disposer, h, setAttribute } from "./dom";
import * as format from "./lib/format";
import { historyLabel } from "./lib/historyLabel";
import { labels } from "./lib/labels";
import type { Advice, History } from "./lib/protocol";
import { createLoss } from "./loss";
import type { Context, Panel } from "./panel";
import { part } from "./parts";

export function createHistory(context: Context): Panel {
  const { kernel } = context;
  const disposer = new Disposer();
  const voice = announcer();
  disposer.add(voice.dispose);
  const loss = createLoss(context);
  disposer.add(loss.dispose);

  const undo = button("↶", () => kernel.command("undo"), { name: labels.undo, hint: labels.undo });
  const redo = button("↷", () => kernel.command("redo"), { name: labels.redo, hint: labels.redo });
  const script = copyButton(labels.script, labels.copyScript, voice.say, () => kernel.state?.history.script ?? "");
  const compare = toggle(labels.compare, () => redraw(), labels.compareHint);
  const comparison = createComparison(context);
  const cell = button(labels.cell, () => void toCell(), { name: labels.toCell, hint: labels.toCellHint });
  async function toCell(): Promise<void> {
    const text = kernel.state?.history.script ?? "";
    const done = (await insertCell(element, text))
      ? labels.inserted
      : (await copyText(text))
        ? labels.insertFailed
        : labels.copyFailed;
    voice.say(done);
    setAttribute(cell, "title", done);
  }
  const list = h("ol", { class: "kanlab-entries", "aria-label": labels.history });
  const history = h(
    "section",
    { class: "kanlab-history", role: "region", "aria-label": labels.history },
    h(
      "div",
      { class: "kanlab-heading" },
      h("strong", {}, labels.history),
      h(
        "div",
        { class: "kanlab-buttons kanlab-small" },
        part("undo", undo),
        part("undo", redo),
        part("compare", compare.element),
        part("script", script),
        part("cell", cell),
      ),
    ),
    list,
    voice.element,
  );
  const advice = h("div", { class: "kanlab-advice" });
  const element = h(
    "div",
    { class: "kanlab-past" },
    part("loss", loss.element),
    part("timeline", history),
    part("advice", advice),
    part("compare", comparison.element),
  );

  /** What a click on an entry does: go there, or put it beside the current one. */
  const choose = (id: number) => kernel.command(compare.pressed ? "compare" : "goto", { id });
  function redraw(): void {
    drawn = "";
    if (!compare.pressed && kernel.comparison) kernel.command("compare", { id: null });
    if (kernel.state) updateHistory(kernel.state.history);
  }

  let drawn = "";
  function updateHistory(state: History): void {
    undo.disabled = !state.can_undo;
    redo.disabled = !state.can_redo;
    const key = JSON.stringify([state.entries, state.current]);
    if (key === drawn) return;
    drawn = key;
    const focused = list.contains(document.activeElement);
    list.replaceChildren(...entries(state, kernel.readonly ? null : choose, compare.pressed));
    const current = list.querySelector<HTMLElement>("[aria-current]");
    if (!current) return;
    // Not scrollIntoView: that would scroll the notebook too.
    list.scrollTop = Math.max(0, current.offsetTop - list.offsetTop - list.clientHeight + 2 * current.offsetHeight);
    if (focused) current.focus({ preventScroll: true });
  }

  let advised = "";
  function updateAdvice(items: readonly Advice[]): void {
    const key = JSON.stringify(items);
    if (key === advised) return;
    advised = key;
    advice.replaceChildren(
      ...(items.length > 0 ? [h("div", { class: "kanlab-heading" }, h("strong", {}, labels.advice))] : []),
      ...items.map((item) => note(item, (name, args) => kernel.command(name, args))),
    );
    setAttribute(advice, "hidden", items.length === 0);
  }

  undo.disabled = redo.disabled = true;
  updateAdvice([]);
  setAttribute(advice, "hidden", true);
  return {
    element,
    update(changes) {
      loss.update(changes);
      comparison.update(changes);
      if (!changes.has("state") || !kernel.state) return;
      updateHistory(kernel.state.history);
      updateAdvice(kernel.state.advice);
    },
    dispose: () => disposer.dispose(),
  };
}

/** Branches of the history are indented, but never so far that no label is left. */
const DEEPEST = 6;

function entries(
  { entries: items, current }: History,
  choose: ((id: number) => void) | null,
  compares: boolean,
): HTMLElement[] {
  const at = items.findIndex((entry) => entry.id === current);
  return items.map((entry, n) => {
    const item = button("", () => choose?.(entry.id), { kind: "entry" });
    item.disabled = choose === null || (compares && entry.id === current);
    item.append(
      h("span", { class: "kanlab-entry-number" }, `${n + 1}.`),
      h("span", { class: "kanlab-entry-label", title: entry.label }, historyLabel(entry.label)),
      h("span", { class: "kanlab-entry-loss" }, format.loss(entry.loss)),
    );
    setAttribute(item, "aria-current", entry.id === current ? "true" : null);
    item.classList.toggle("kanlab-undone", at >= 0 && n > at);
    item.style.setProperty("--kanlab-depth", String(Math.min(entry.depth, DEEPEST)));
    return h("li", {}, item);
  });
}

/** In the person's language where the front end has it, else in the kernel's words. */
function note({ key, text, names, action }: Advice, run: (name: string, args: Record<string, unknown>) => void) {
  const own = labels.advised[key]?.(names.join(", "));
  const element = h("div", { class: "kanlab-note", role: "note" }, h("p", {}, own ?? text));
  const verb = action && labels.actions[action.name];
  const face = verb && action?.name === "refine" ? `${verb} ${String(action.args.grid)}` : verb;
  if (action) element.append(button(face || action.label, () => run(action.name, action.args), { kind: "link" }));
  return element;
}
