/** A number to be dragged sideways, typed, or moved by the arrows: shown while it moves, kept when it rests. */

import { h } from "./dom";
import { Drag, pace } from "./lib/drag";

const KEYS_REST = 600;
/** One pixel, or one arrow key, changes a number by this share of its size (or of one, if it is smaller). */
const STEP = 0.01;

export interface ScrubOptions {
  label: string;
  name: string;
  hint: string;
  onTry(value: number): void;
  onKeep(value: number): void;
  onDrop(): void;
}

export interface Scrub {
  element: HTMLElement;
  /** Show the kernel's value, unless the person holds the number. */
  show(value: number): void;
  dispose(): void;
}

export function createScrub({ label, name, hint, onTry, onKeep, onDrop }: ScrubOptions): Scrub {
  const grip = h("span", { class: "kanlab-grip", title: hint }, label);
  const input = h("input", {
    type: "text",
    inputmode: "decimal",
    role: "spinbutton",
    class: "kanlab-number",
    "aria-label": name,
    title: hint,
    "data-lm-suppress-shortcuts": "true",
  });
  let own = 0;
  let moved: number | null = null;
  let rest: ReturnType<typeof setTimeout> | undefined;

  const unit = (value: number) => STEP * Math.max(1, Math.abs(value));
  function display(value: number): void {
    const text = String(Number(value.toPrecision(6)));
    if (input.value !== text) input.value = text;
    input.setAttribute("aria-valuenow", text);
  }
  function go(value: number): void {
    moved = value;
    display(value);
    onTry(value);
  }
  function keep(): void {
    clearTimeout(rest);
    if (moved === null) return;
    const value = moved;
    moved = null;
    if (value !== own) onKeep(value);
  }
  function drop(): void {
    clearTimeout(rest);
    if (moved !== null) onDrop();
    moved = null;
    display(own);
  }

  grip.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const start = moved ?? own;
    const step = unit(start);
    const drag = new Drag(event.clientX);
    grip.setPointerCapture?.(event.pointerId);
    const move = (next: PointerEvent) => go(start + drag.move(next.clientX, next) * step);
    const up = () => {
      for (const kind of ["pointerup", "pointercancel"]) grip.removeEventListener(kind, up);
      grip.removeEventListener("pointermove", move);
      keep();
    };
    grip.addEventListener("pointermove", move);
    for (const kind of ["pointerup", "pointercancel"]) grip.addEventListener(kind, up);
  });
  input.addEventListener("keydown", (event) => {
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.key === "Escape" && moved !== null) {
      event.stopPropagation();
      drop();
    } else if (event.key === "Enter") commit();
    else if (way !== undefined) {
      event.preventDefault();
      const value = moved ?? own;
      go(value + way * pace(event) * unit(value));
      clearTimeout(rest);
      rest = setTimeout(keep, KEYS_REST);
    }
  });
  function commit(): void {
    const value = Number(input.value.replace("−", "-"));
    if (input.value.trim() === "" || !Number.isFinite(value)) drop();
    else if (value !== Number((moved ?? own).toPrecision(6))) {
      moved = value;
      keep();
    } else keep();
  }
  input.addEventListener("change", commit);

  return {
    element: h("span", { class: "kanlab-scrub" }, grip, input),
    show(value) {
      own = value;
      if (moved === null) display(value);
    },
    dispose: () => clearTimeout(rest),
  };
}
