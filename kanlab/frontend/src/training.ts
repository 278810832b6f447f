/** The training panel: train and pause, the status line, and what can be turned while it trains. */

import { announcer, button, linearly, logarithmic, select, slider } from "./controls";
import { Disposer, h, setAttribute, setText } from "./dom";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import type { Controls } from "./lib/protocol";
import { LAMB, RATE } from "./lib/scales";
import type { Context, Panel } from "./panel";
import { part } from "./parts";
import { createShaping } from "./shaping";

const REFINE_AFTER = 250;
/** As in `kanlab/widgets/_hub.py`. */
const RATED = ["Adam", "LBFGS"];

export function createTraining({ kernel }: Context): Panel {
  const disposer = new Disposer();

  const icon = h("span", { class: "kanlab-icon", "aria-hidden": "true" });
  const word = h("span", {}, labels.train);
  const train = button("", () => kernel.train(!kernel.running), { kind: "primary" });
  train.classList.add("kanlab-train");
  train.append(icon, word);
  const step = button(labels.step, () => kernel.command("step"), { hint: labels.stepHint });
  const reset = button(labels.reset, () => kernel.command("reset"), { hint: labels.resetHint });

  const status = createStatus();
  const voice = announcer(5000);
  disposer.add(voice.dispose);

  const say = (key: "lamb" | "lamb_entropy" | "lamb_l1") => ({
    ...labels.controls[key],
    onInput: (value: number) => kernel.set(key, value),
  });
  const lamb = slider({ ...logarithmic(LAMB), ...say("lamb") });
  const entropy = slider({ ...linearly(0, 10, 0.5), ...say("lamb_entropy") });
  const l1 = slider({ ...linearly(0, 10, 0.5), ...say("lamb_l1") });
  let refineTimer: ReturnType<typeof setTimeout> | undefined;
  let wantedGrid: number | null = null;
  disposer.add(() => clearTimeout(refineTimer));
  const grid = slider({
    ...linearly(1, 50, 1),
    ...labels.controls.grid,
    // A new grid costs more than a new number: wait until the slider rests.
    onInput: (value) => {
      clearTimeout(refineTimer);
      wantedGrid = value;
      refineTimer = setTimeout(() => {
        wantedGrid = null;
        kernel.commandPending("grid", value, "refine", { grid: value });
      }, REFINE_AFTER);
    },
  });
  const optimizer = select(labels.optimizer, (value) => kernel.set("optimizer", value));
  const steps = count(labels.steps, labels.stepsHint, (value) => kernel.set("steps", value));
  const batch = count(labels.batch, labels.batchHint, (value) => kernel.set("batch", value));
  const rate = slider({
    ...logarithmic(RATE),
    ...labels.lr,
    text: (value) => (value === 0 ? labels.auto : format.value(value)),
    onInput: (value) => kernel.set("lr", value),
  });
  const plateau = h("input", { type: "checkbox", title: labels.plateauHint, "data-lm-suppress-shortcuts": "true" });
  plateau.addEventListener("change", () => kernel.set("plateau", plateau.checked));

  const more = h(
    "div",
    { class: "kanlab-more", hidden: true },
    l1.element,
    rate.element,
    field(labels.batch, batch),
    field(labels.steps, steps),
    h("label", { class: "kanlab-field" }, plateau, h("span", { class: "kanlab-label" }, labels.plateau)),
  );
  const shaping = createShaping(kernel);
  const moreButton = button(
    labels.more,
    () => {
      more.hidden = shaping.element.hidden = !more.hidden;
      setAttribute(moreButton, "aria-expanded", String(!more.hidden));
    },
    { kind: "link" },
  );
  setAttribute(moreButton, "aria-expanded", "false");

  const element = h(
    "div",
    { class: "kanlab-training", role: "group", "aria-label": labels.training },
    h(
      "div",
      { class: "kanlab-training-top" },
      h("div", { class: "kanlab-buttons" }, part("train", train), part("step", step), part("reset", reset)),
      part("status", status.element),
    ),
    h(
      "div",
      { class: "kanlab-training-controls" },
      part("lamb", lamb.element),
      part("lamb_entropy", entropy.element),
      part("grid", grid.element),
      part("optimizer", field(labels.optimizer, optimizer.element)),
      part("more", moreButton),
      part("more", more),
      part("shape", shaping.element),
    ),
    voice.element,
  );

  function updateButtons(): void {
    const { running } = kernel;
    const busy = kernel.state === null || kernel.state.busy !== null;
    setText(word, running ? labels.pause : labels.train);
    icon.classList.toggle("kanlab-icon-pause", running);
    train.disabled = busy && !running;
    step.disabled = busy || running;
    reset.disabled = busy;
  }

  function updateControls(): void {
    const show = (target: { show(value: number): void }, key: keyof Controls) => {
      const value = kernel.control(key);
      if (typeof value === "number") target.show(value);
    };
    show(lamb, "lamb");
    show(entropy, "lamb_entropy");
    show(l1, "lamb_l1");
    if (wantedGrid === null) show(grid, "grid");
    optimizer.show(kernel.state?.optimizers ?? [], kernel.control("optimizer") ?? "");
    for (const [input, key] of [
      [steps, "steps"],
      [batch, "batch"],
    ] as const) {
      const text = String(kernel.control(key) ?? 0);
      if (document.activeElement !== input && input.value !== text) input.value = text;
    }
    show(rate, "lr");
    plateau.checked = kernel.control("plateau") === true;
    // A learning rate means something to these alone.
    rate.element.hidden = !RATED.includes(kernel.control("optimizer") ?? "");
  }

  updateButtons();
  return {
    element,
    update(changes) {
      if (changes.has("state") || changes.has("pending")) {
        updateButtons();
        updateControls();
        shaping.update();
      }
      if (changes.has("frame") || changes.has("state") || changes.has("connection")) {
        const text = status.show(kernel);
        if (text) voice.say(text);
      }
    },
    dispose: () => disposer.dispose(),
  };
}

/** A field for a whole number from 0 up. */
function count(name: string, hint: string, onChange: (value: number) => void): HTMLInputElement {
  const input = h("input", {
    type: "number",
    class: "kanlab-number",
    "aria-label": name,
    title: hint,
    min: 0,
    step: 1,
    "data-lm-suppress-shortcuts": "true",
  });
  input.addEventListener("change", () => {
    const value = Math.max(0, Math.round(Number(input.value) || 0));
    input.value = String(value);
    onChange(value);
  });
  return input;
}

function field(label: string, control: HTMLElement): HTMLElement {
  return h("label", { class: "kanlab-field" }, h("span", { class: "kanlab-label" }, label), control);
}

/** The numbers, each in a place of fixed width. They change ten times a second: a slower voice speaks them instead. */
function createStatus() {
  const parts = (["step", "train", "test", "r2", "speed"] as const).map((key) => {
    const number = h("b", { class: `kanlab-number-${key}` }, format.NONE);
    const name = h("span", {}, labels.status[key]);
    return {
      key,
      number,
      element: h("span", { class: "kanlab-figure" }, ...(key === "speed" ? [number, " ", name] : [name, " ", number])),
    };
  });
  const note = h("span", { class: "kanlab-muted" });
  const element = h("div", { class: "kanlab-status", role: "status", "aria-live": "off" });
  for (const part of parts) element.append(part.element, " ");
  element.append(note);

  return {
    element,
    show({ frame, state, connected }: Context["kernel"]): string {
      const texts = {
        step: String(frame?.step ?? 0),
        train: format.loss(frame?.train),
        test: format.loss(frame?.test),
        r2: format.r2(frame?.r2),
        speed: format.speed(state?.running ? frame?.speed : null),
      };
      for (const { key, number, element: figure } of parts) {
        setText(number, texts[key]);
        // Its place stays, so that nothing moves when training starts.
        if (key === "speed") figure.classList.toggle("kanlab-vacant", !state?.running);
      }
      setText(note, connected ? "" : state ? labels.offline : labels.waiting);
      return frame ? `${labels.status.step} ${texts.step}, ${labels.status.train} ${texts.train}` : "";
    },
  };
}
