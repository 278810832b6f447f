/** The inspector: one edge, large, and the functions that could stand in its place. */

import { createConstants } from "./constants";
import { button, select, toggle } from "./controls";
import { Disposer, h, setAttribute, setText } from "./dom";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import { edgeEnds, functionText } from "./lib/names";
import { resampled } from "./lib/plot";
import type { Candidate, Constants, Detail, EdgeId, State } from "./lib/protocol";
import { edgeKey, sameEdge } from "./lib/protocol";
import { Trial } from "./lib/trial";
import { missOf } from "./lib/why";
import type { Context, Panel } from "./panel";
import { part } from "./parts";
import { createPlot } from "./plot";
import { createWhy } from "./why";

export function createInspector({ kernel, view, probe, openInspector }: Context): Panel {
  const disposer = new Disposer();
  const trial = new Trial(kernel);
  const selected = () => kernel.selected;
  /** The training loss when a hand began to try something. */
  let before: number | null = null;
  function tried(name: string, args: Record<string, unknown>): void {
    before ??= kernel.frame?.train ?? null;
    trial.show(`try_${name}`, { edge: selected(), ...args });
    update();
  }
  function kept(name: string, args: Record<string, unknown>): void {
    before = null;
    trial.keep(name, { edge: selected(), ...args });
  }
  function dropped(): void {
    before = null;
    trial.drop();
    update();
  }
  const plot = createPlot({
    onTry: (index, y) => tried("bend", { index, y }),
    onKeep: (index, y) => kept("bend", { index, y }),
    onDrop: dropped,
  });
  /** Constants of one's own for a function that the edge does not have yet: shown, and made by Fix. */
  let own: { edge: EdgeId; name: string; values: Constants } | null = null;
  const spline = () => kernel.detail?.kind === "spline";
  function ownTried(values: Constants): void {
    const edge = selected();
    if (!edge) return;
    const name = dropdown.element.value;
    own = { edge, name, values };
    tried("fix", { name, constants: values });
  }
  const constants = createConstants({
    onTry: (values) => (spline() ? ownTried(values) : tried("constants", { constants: values })),
    onKeep: (values) => (spline() ? ownTried(values) : kept("constants", { constants: values })),
    onDrop: () => {
      own = null;
      dropped();
    },
  });
  disposer.add(constants.dispose);
  disposer.add(plot.dispose);

  const title = h("strong", {});
  const ends = h("span", { class: "kanlab-muted" });
  const dropdown = select(labels.symbolicFunction, (name) => {
    const edge = kernel.selected;
    if (!edge) return;
    view.choose(edge, name);
    const known = kernel.detail?.candidates.some((candidate) => candidate.name === name);
    if (spline() && !known) kernel.command("consider", { edge, name });
  });
  const onEdge = (name: string) => () => {
    const edge = kernel.selected;
    if (edge) kernel.command(name, { edge });
  };
  const fix = button(labels.fix, () => fixAs(dropdown.element.value), { kind: "primary" });
  const unfix = button(labels.unfix, onEdge("unfix"));
  const remove = button(labels.remove, onEdge("remove_edge"), { name: labels.removeEdge });
  const restore = button(labels.restore, onEdge("restore_edge"), { name: labels.restoreEdge });
  const slope = toggle(labels.derivative, () => update());
  const handles = toggle(labels.controlPoints, () => update(), labels.controlPointsHint);
  const table = createCandidates({
    overlay: (name) => {
      view.overlay = name;
    },
    choose: (name) => {
      const edge = kernel.selected;
      if (edge) view.choose(edge, name);
    },
    fix: fixAs,
  });
  const note = h("p", { class: "kanlab-tie" });
  const why = createWhy();
  const full = h(
    "div",
    { class: "kanlab-inspector-full" },
    plot.element,
    h("div", { class: "kanlab-buttons kanlab-small" }, part("plot", slope.element), part("bend", handles.element)),
    part("constants", constants.element),
    h(
      "div",
      { class: "kanlab-fix-row" },
      ...[dropdown.element, fix, unfix].map((element) => part("fix", element)),
      part("remove", remove),
      part("remove", restore),
    ),
    part("candidates", table.element),
    part("candidates", note),
    part("candidates", why.element),
  );
  const empty = h("p", { class: "kanlab-inspector-empty kanlab-muted" }, labels.inspectorEmpty);
  const element = h(
    "section",
    { class: "kanlab-inspector", role: "region", "aria-label": labels.inspector },
    h("div", { class: "kanlab-heading" }, title, ends),
    empty,
    full,
  );
  openInspector.current = () => {
    update(); // what is hidden cannot take the focus
    dropdown.element.focus({ preventScroll: true });
  };
  disposer.add(() => {
    openInspector.current = null;
  });

  function fixAs(name: string): void {
    const edge = kernel.selected;
    if (!edge || !name) return;
    if (own && own.name === name && sameEdge(own.edge, edge)) kept("fix_constants", { name, constants: own.values });
    else kernel.command("fix", { edge, name });
    own = null;
  }

  /** The dropdown's function: what the person chose, else what the edge is fixed to, else the best candidate. */
  function choiceFor(edge: EdgeId, detail: Detail | null, name: string | null): string {
    return view.choice(edge) ?? name ?? detail?.candidates[0]?.name ?? kernel.state?.library[0]?.name ?? "";
  }

  /** Another edge or function was chosen: what was being tried is no more. */
  function leaveOwn(): void {
    own = null;
    if (before === null) return;
    before = null;
    trial.drop();
  }

  /** The chosen function with one's own constants: its curve is in the newest frame, as the kernel tries it. */
  function ownCurve(detail: Detail | null, { edge, name }: { edge: EdgeId; name: string }): Candidate | null {
    const { frame, state } = kernel;
    const candidate = detail?.candidates.find((one) => one.name === name);
    const e = state?.edges.findIndex((one) => sameEdge(one.edge, edge)) ?? -1;
    if (!frame || !detail || !candidate || e < 0) return null;
    const values = frame.arrays.curves.subarray(e * frame.points, (e + 1) * frame.points);
    return { ...candidate, y: resampled(values, detail.x.length) };
  }

  let version: number | null = null;
  function update(): void {
    if (kernel.state && kernel.state.version !== version) {
      version = kernel.state.version;
      view.forgetChoices();
    }
    const edge = kernel.selected;
    const state = kernel.state?.edges.find((candidate) => sameEdge(candidate.edge, edge)) ?? null;
    if (own && !sameEdge(own.edge, edge)) leaveOwn();
    empty.hidden = edge !== null;
    full.hidden = edge === null;
    const detail = edge && sameEdge(kernel.detail?.edge ?? null, edge) ? kernel.detail : null;
    setText(title, edge ? labels.inspectorHeading(edge) : "");
    const names = detail ? [detail.source, detail.target] : edge && kernel.state ? edgeEnds(kernel.state, edge) : [];
    setText(ends, names.join(" → "));
    setAttribute(full, "aria-busy", edge && !detail ? "true" : null);
    if (!edge) return;
    const choice = choiceFor(edge, detail, state?.name ?? null);
    if (own && !(own.name === choice && sameEdge(own.edge, edge) && detail?.kind === "spline")) leaveOwn();
    const options = (kernel.state?.library ?? []).map(({ name, text }) => ({ value: name, label: text }));
    dropdown.show(options, choice);
    fix.disabled = state === null || state.kind === "pruned";
    unfix.disabled = state?.kind !== "symbolic";
    remove.disabled = state === null || state.kind === "pruned";
    remove.hidden = state?.kind === "pruned";
    restore.hidden = !remove.hidden;
    handles.element.disabled = state?.kind !== "spline" || kernel.readonly;
    const overlaid =
      (own && ownCurve(detail, own)) ?? detail?.candidates.find(({ name }) => name === view.overlay) ?? null;
    // While the new edge's numbers are on their way the old ones stay: dimmed, but nothing jumps.
    if (detail) {
      plot.show(detail, overlaid, probedPoint(probe, edge), {
        slope: slope.pressed,
        handles: handles.pressed && !handles.element.disabled,
      });
      const chosen = detail.candidates.find(({ name }) => name === choice);
      constants.show(detail.constants ?? own?.values ?? chosen?.constants ?? null);
      why.show(detail);
      table.show(detail, choice);
      setText(
        note,
        trying(before, kernel.frame?.train) ?? overlaidText(detail, overlaid) ?? noteOf(detail, kernel.state),
      );
    }
  }

  update();
  return {
    element,
    update(changes) {
      if (before !== null && changes.has("frame")) update();
      for (const topic of ["state", "detail", "view", "pending", "probe"] as const) {
        if (!changes.has(topic)) continue;
        update();
        return;
      }
    },
    dispose: () => disposer.dispose(),
  };
}

function probedPoint(probe: Context["probe"], [l, i, j]: EdgeId): { x: number; y: number } | null {
  const x = probe?.flow.nodes[l]?.[i];
  const y = probe?.flow.edges[l]?.[i]?.[j];
  return x === undefined || y === undefined ? null : { x, y };
}

/** What a change that is being tried does to the loss. */
function trying(before: number | null, now: number | null | undefined): string | null {
  return before === null ? null : labels.trying(format.loss(before), format.loss(now));
}

function overlaidText(detail: Detail, candidate: Candidate | null): string | null {
  const miss = candidate && missOf(detail, candidate);
  if (!candidate || !miss) return null;
  return labels.misses(candidate.formula, format.loss(miss.size), format.signed(miss.x, 2));
}

function noteOf(detail: Detail, state: State | null): string {
  if (detail.kind === "symbolic" && detail.name && detail.r2 !== null)
    return labels.fixedAs(state ? functionText(state, detail.name) : detail.name, format.loss(1 - detail.r2));
  return detail.note ?? "";
}

interface CandidateActions {
  overlay(name: string | null): void;
  choose(name: string): void;
  fix(name: string): void;
}

/** The table of candidates. Rows are kept while the ranking stays, so that hovering survives the next message. */
function createCandidates(actions: CandidateActions) {
  const body = h("tbody");
  const { function: name, error, cost, score } = labels.columns;
  const table = h(
    "table",
    { class: "kanlab-candidates", "aria-label": labels.candidates },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ...[name, error, cost].map((text) => h("th", { scope: "col" }, text)),
        h("th", { scope: "col" }, h("span", { class: "kanlab-offscreen" }, score)),
      ),
    ),
    body,
  );
  const holder = h("div", { class: "kanlab-candidates-holder" }, table);
  let drawn = "";

  function row(candidate: Candidate): HTMLTableRowElement {
    const face = button(candidate.text, () => actions.choose(candidate.name), {
      name: labels.candidate(candidate.text),
      hint: candidate.formula,
      kind: "candidate",
    });
    face.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      actions.fix(candidate.name);
    });
    face.addEventListener("focus", () => actions.overlay(candidate.name));
    face.addEventListener("blur", () => actions.overlay(null));
    const element = h(
      "tr",
      { "data-name": candidate.name },
      h("td", {}, face),
      h("td", { class: "kanlab-cell-error" }),
      h("td", {}, candidate.complexity === null ? format.NONE : String(candidate.complexity)),
      h("td", {}, h("span", { class: "kanlab-bar" })),
    );
    element.addEventListener("pointerenter", () => actions.overlay(candidate.name));
    element.addEventListener("pointerleave", () => actions.overlay(null));
    element.addEventListener("click", () => actions.choose(candidate.name));
    element.addEventListener("dblclick", () => actions.fix(candidate.name));
    return element;
  }

  return {
    element: holder,
    show(detail: Detail, choice: string): void {
      // A fixed edge has no candidates: its curve and the note say it all.
      holder.hidden = detail.candidates.length === 0;
      const key = [edgeKey(detail.edge), ...detail.candidates.map((candidate) => candidate.name)].join("\n");
      if (key !== drawn) {
        drawn = key;
        body.replaceChildren(...detail.candidates.map(row));
      }
      detail.candidates.forEach((candidate, n) => {
        const element = body.children[n];
        if (!element) return;
        setAttribute(element, "aria-current", candidate.name === choice ? "true" : null);
        const [, error, , bar] = element.children;
        if (error) setText(error, format.loss(candidate.one_minus_r2));
        const share = Math.min(1, Math.max(0, candidate.score ?? 0));
        (bar?.firstElementChild as HTMLElement | null)?.style.setProperty(
          "--kanlab-share",
          `${Math.round(100 * share)}%`,
        );
      });
    },
  };
}
