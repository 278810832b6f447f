/** The few controls all panels are made of. */

import { h, setAttribute, setText } from "./dom";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import { fromPosition, type LogSlider, toPosition } from "./lib/scales";

/** JupyterLab's shortcuts leave an element with this attribute alone. */
const KEEP_KEYS = { "data-lm-suppress-shortcuts": "true" };

export function button(
  label: string,
  onClick: () => void,
  options: { name?: string; hint?: string; kind?: string } = {},
) {
  const element = h(
    "button",
    {
      type: "button",
      class: `kanlab-button${options.kind ? ` kanlab-${options.kind}` : ""}`,
      "aria-label": options.name,
      title: options.hint,
      ...KEEP_KEYS,
    },
    label,
  );
  element.addEventListener("click", onClick);
  return element;
}

/** A button that stays pressed. */
export function toggle(label: string, onChange: (pressed: boolean) => void, hint = label) {
  let pressed = false;
  const element = button(
    label,
    () => {
      pressed = !pressed;
      setAttribute(element, "aria-pressed", String(pressed));
      onChange(pressed);
    },
    { hint },
  );
  setAttribute(element, "aria-pressed", "false");
  return {
    element,
    get pressed(): boolean {
      return pressed;
    },
  };
}

export interface SliderOptions {
  name: string;
  label: string;
  hint: string;
  min: number;
  max: number;
  step: number;
  toPosition(value: number): number;
  fromPosition(position: number): number;
  text(value: number): string;
  /** Called on every move, and with `final` when the person lets go. */
  onInput(value: number, final: boolean): void;
}

export interface Slider {
  element: HTMLElement;
  /** Show the kernel's value, unless the person holds the slider. */
  show(value: number): void;
}

export function slider(options: SliderOptions): Slider {
  const input = h("input", {
    type: "range",
    class: "kanlab-range",
    "aria-label": options.name,
    min: options.min,
    max: options.max,
    step: options.step,
    ...KEEP_KEYS,
  });
  const text = h("output", { class: "kanlab-value", "aria-hidden": "true" });
  let held = false;

  function display(value: number): void {
    const share = (options.toPosition(value) - options.min) / (options.max - options.min);
    input.style.setProperty("--kanlab-share", `${(100 * share).toFixed(1)}%`);
    setText(text, options.text(value));
    setAttribute(input, "aria-valuetext", options.text(value));
  }

  input.addEventListener("pointerdown", () => {
    held = true;
  });
  for (const event of ["pointerup", "pointercancel", "blur"]) {
    input.addEventListener(event, () => {
      held = false;
    });
  }
  for (const event of ["input", "change"]) {
    input.addEventListener(event, () => {
      const value = options.fromPosition(Number(input.value));
      display(value);
      options.onInput(value, event === "change");
    });
  }
  return {
    element: h(
      "label",
      { class: "kanlab-slider", title: options.hint },
      h("span", { class: "kanlab-label" }, options.label),
      input,
      text,
    ),
    show(value) {
      if (held) return;
      const position = options.toPosition(value);
      if (Math.abs(Number(input.value) - position) > options.step / 2) input.value = String(position);
      display(value);
    },
  };
}

/** The part of a slider's options that makes it logarithmic, with zero at its lowest stop. */
export function logarithmic(shape: LogSlider) {
  return {
    ...shape,
    toPosition: (value: number) => toPosition(value, shape),
    fromPosition: (position: number) => fromPosition(position, shape),
    text: (value: number) => (value === 0 ? labels.off : format.value(value)),
  };
}

export function linearly(min: number, max: number, step: number) {
  const same = (x: number) => x;
  return { min, max, step, toPosition: same, fromPosition: same, text: format.value };
}

export interface Option {
  value: string;
  label: string;
}

export interface Select {
  element: HTMLSelectElement;
  show(options: readonly Option[], value: string): void;
}

export function select(name: string, onChange: (value: string) => void): Select {
  const element = h("select", { class: "kanlab-select", "aria-label": name, ...KEEP_KEYS });
  let shown = "";
  element.addEventListener("change", () => onChange(element.value));
  return {
    element,
    show(options, value) {
      const key = JSON.stringify(options);
      if (key !== shown) {
        shown = key;
        element.replaceChildren(...options.map((option) => h("option", { value: option.value }, option.label)));
      }
      if (element.value !== value) element.value = value;
    },
  };
}

/** A button that copies `source()` and says so in place, without changing its width. */
export function copyButton(label: string, name: string, announce: (text: string) => void, source: () => string) {
  const face = h("span", { class: "kanlab-copy-face" }, label);
  const mark = h("span", { class: "kanlab-copy-mark", "aria-hidden": "true" }, "✓");
  const element = button(
    "",
    async () => {
      const done = await copyText(source());
      announce(`${name}: ${done ? labels.copied : labels.copyFailed}`);
      setText(mark, done ? "✓" : "✗");
      element.classList.add("kanlab-copied");
      setTimeout(() => element.classList.remove("kanlab-copied"), 1200);
    },
    { name },
  );
  element.append(face, mark);
  return element;
}

/** Copy a text; false where the browser does not let us. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission, or a page without https: the old way works from a click.
    const area = h("textarea", { class: "kanlab-offscreen", "aria-hidden": "true" });
    area.value = text;
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand?.("copy") === true;
    area.remove();
    if (before instanceof HTMLElement) before.focus();
    return done;
  }
}

/** A place whose text a screen reader says; at most one text in `every` milliseconds, the last one always. */
export function announcer(every = 1000) {
  const element = h("span", { class: "kanlab-offscreen", "aria-live": "polite" });
  let waiting: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  function tick(): void {
    timer = undefined;
    if (waiting === null) return;
    setText(element, waiting);
    waiting = null;
    timer = setTimeout(tick, every);
  }
  return {
    element,
    say(text: string): void {
      waiting = text;
      if (timer === undefined) tick();
    },
    dispose: () => clearTimeout(timer),
  };
}
