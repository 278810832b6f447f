/** The anywidget entry: connects one view to the model, and takes it down again. */

import { createAlerts } from "./alerts";
import { Disposer, h } from "./dom";
import { createFormula } from "./formula";
import { createGraph } from "./graph";
import { createHistory } from "./history";
import { createInspector } from "./inspector";
import { createLab } from "./lab";
import { KernelStore, type Model } from "./lib/kernelStore";
import { useLanguage } from "./lib/labels";
import { ProbeStore } from "./lib/probeStore";
import { createScheduler, type Scheduler } from "./lib/scheduler";
import { ViewStore } from "./lib/viewStore";
import type { Context, Panel } from "./panel";
import { hideParts } from "./parts";
import { decodePage, SavedModel } from "./saved";
import { followTheme } from "./theme";
import { createTraining } from "./training";

const PANELS: Record<string, (context: Context) => Panel> = {
  lab: createLab,
  graph: createGraph,
  training: createTraining,
  inspector: createInspector,
  formula: createFormula,
  history: createHistory,
};

interface View {
  model: Model;
  el: HTMLElement;
}

function render({ model, el }: View): () => void {
  return open({ model, el }, () => null);
}

/** Draw a page that a Lab was written to (`kanlab/widgets/_page.py`). */
function explore(el: HTMLElement, content: unknown): () => void {
  const page = decodePage(content, "page");
  const model = new SavedModel(page);
  return open({ model, el }, (scheduler) => new ProbeStore(page.kan, page.inputs, scheduler));
}

function open({ model, el }: View, probeOf: (scheduler: Scheduler) => ProbeStore | null): () => void {
  const language = useLanguage(model.get("language"));
  const scheduler = createScheduler(
    (callback) => requestAnimationFrame(callback),
    (handle) => cancelAnimationFrame(handle),
  );
  const kernel = new KernelStore(model, scheduler);
  const context: Context = {
    kernel,
    view: new ViewStore(scheduler),
    probe: probeOf(scheduler),
    openInspector: { current: null },
  };
  const name = String(model.get("panel"));
  const panel = (PANELS[name] ?? createLab)(context);
  const alerts = createAlerts(context);

  const disposer = new Disposer();
  const root = h("div", { class: `kanlab-root kanlab-root-${name in PANELS ? name : "lab"}`, lang: language });
  root.append(h("div", { class: "kanlab-frame" }, alerts.element, panel.element));
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave(root);
    else keepFromNotebook(event);
  });
  el.append(root);
  followTheme(root, disposer);
  const choose = () => hideParts(root, model.get("hidden"));
  choose();
  model.on("change:hidden", choose);
  disposer.add(() => model.off("change:hidden", choose));
  scheduler.listen((changes) => {
    alerts.update(changes);
    panel.update(changes);
    if (changes.has("frame")) kernel.drew();
  });
  // The saved picture is there before the next animation frame.
  const everything = new Set(["state", "frame", "detail", "formula", "probe", "pictures", "front"] as const);
  alerts.update(everything);
  panel.update(everything);

  return () => {
    panel.dispose();
    alerts.dispose();
    kernel.dispose();
    scheduler.stop();
    disposer.dispose();
    root.remove();
  };
}

/**
 * JupyterLab acts on plain keys even while a slider or a dropdown of ours has the focus ("b" would insert a cell).
 * Keys with Ctrl, Meta or Alt, and Shift+Enter, remain the notebook's.
 */
function keepFromNotebook(event: KeyboardEvent): void {
  const notebooks = event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key === "Enter");
  if (!notebooks) event.stopPropagation();
}

function leave(root: HTMLElement): void {
  const active = document.activeElement;
  if (active instanceof HTMLElement || active instanceof SVGElement) if (root.contains(active)) active.blur();
}

export default { render, explore };
