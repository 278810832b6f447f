/** The numbers of the formula: each is dragged sideways or moved by the arrows; the network follows, Escape lets go. */

import { setAttribute, setText } from "./dom";
import { Drag, pace } from "./lib/drag";
import * as format from "./lib/format";
import { labels } from "./lib/labels";

/** After the last arrow key, the change is made. */
const KEYS_REST = 700;
/** One pixel, or one arrow key, changes a number by this share of its size. */
const STEP = 0.01;
const MATHML = "http://www.w3.org/1998/Math/MathML";

export interface NumberActions {
  /** Shown while it moves. */
  onTry(output: number, index: number, value: number): void;
  onKeep(output: number, index: number, value: number): void;
  onDrop(): void;
}

/** One number on its way. */
interface Move {
  element: Element;
  output: number;
  index: number;
  from: number;
  to: number;
}

export function createNumbers(sheet: HTMLElement, actions: NumberActions) {
  let move: Move | null = null;
  let rest: ReturnType<typeof setTimeout> | undefined;
  const values = new Map<Element, Omit<Move, "element" | "to">>();

  function begin(target: EventTarget | null): Move | null {
    const element = target instanceof Element ? target.closest("[data-number]") : null;
    const number = element && values.get(element);
    if (!element || !number) return null;
    if (move?.element !== element) move = { ...number, element, to: number.from };
    return move;
  }

  function go(to: number): void {
    if (!move) return;
    move.to = to;
    // A fraction, or π, becomes the number that it now is. Its sign stands before it, as it stood.
    if (move.element.localName !== "mn") move.element = replaced(move.element, values);
    const size = move.from < 0 ? -to : to;
    setText(move.element, size < 0 ? `(${format.plain(size)})` : format.plain(size));
    describe(move.element, to);
    actions.onTry(move.output, move.index, to);
  }

  function keep(): void {
    clearTimeout(rest);
    const done = move;
    move = null;
    if (done && done.to !== done.from) actions.onKeep(done.output, done.index, done.to);
  }

  function drop(): void {
    clearTimeout(rest);
    if (!move) return;
    move = null;
    actions.onDrop();
  }

  sheet.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const started = begin(event.target);
    if (!started) return;
    event.preventDefault();
    const start = started.to;
    const unit = STEP * Math.abs(start || 1);
    const drag = new Drag(event.clientX);
    focusOn(started.element);
    // The sheet holds the pointer: the number itself may be replaced on the way.
    sheet.setPointerCapture?.(event.pointerId);
    const moved = (next: PointerEvent) => move && go(start + drag.move(next.clientX, next) * unit);
    const up = () => {
      sheet.removeEventListener("pointermove", moved);
      for (const kind of ["pointerup", "pointercancel"]) sheet.removeEventListener(kind, up);
      keep();
    };
    sheet.addEventListener("pointermove", moved);
    for (const kind of ["pointerup", "pointercancel"]) sheet.addEventListener(kind, up);
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && move) {
      event.stopPropagation();
      drop();
      return;
    }
    if (event.key === "Enter" && move) keep();
    const way = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    if (way === undefined) return;
    const started = begin(event.target);
    if (!started) return;
    event.preventDefault();
    go(started.to + way * pace(event) * STEP * Math.abs(started.from || 1));
    clearTimeout(rest);
    rest = setTimeout(keep, KEYS_REST);
  });

  return {
    /** Whether a number is held: then the formula must stay as it is. */
    get moving(): boolean {
      return move !== null;
    },
    /** Make the numbers of one output's mathematics movable. */
    attach(equation: Element, output: number, numbers: readonly (number | null)[]): void {
      for (const element of equation.querySelectorAll("[data-number]")) {
        const index = Number(element.getAttribute("data-number"));
        const from = numbers[index];
        if (from === null || from === undefined) {
          element.removeAttribute("data-number");
          continue;
        }
        values.set(element, { output, index, from });
        // What is inside "math" counts as a picture: with handles in it, it is a group.
        const math = element.closest("math");
        if (math) setAttribute(math, "role", "group");
        for (const [name, value] of Object.entries(MOVABLE)) setAttribute(element, name, value);
        setAttribute(element, "title", labels.numberHint);
        describe(element, from);
      }
    },
    /** Forget the old numbers; returns a call that gives the focus back to the one that had it. */
    forget(): () => void {
      const held = document.activeElement ? values.get(document.activeElement) : undefined;
      values.clear();
      return () => {
        const again = [...values].find(([, { output, index }]) => output === held?.output && index === held.index);
        if (again) focusOn(again[0]);
      };
    },
    dispose: () => clearTimeout(rest),
  };
}

/** Where the browser lets mathematics have the focus. */
function focusOn(element: Element): void {
  (element as Partial<MathMLElement>).focus?.({ preventScroll: true });
}

const MOVABLE = { tabindex: 0, role: "spinbutton", class: "kanlab-movable", "data-lm-suppress-shortcuts": "true" };

function describe(element: Element, value: number): void {
  setAttribute(element, "aria-label", labels.number(format.plain(value)));
  setAttribute(element, "aria-valuenow", String(value));
}

/** Put a plain number in the place of a fraction or a constant. */
function replaced(element: Element, values: Map<Element, Omit<Move, "element" | "to">>): Element {
  const number = document.createElementNS(MATHML, "mn");
  for (const { name, value } of element.attributes) number.setAttribute(name, value);
  const own = values.get(element);
  if (own) values.set(number, own);
  const focused = document.activeElement === element;
  element.replaceWith(number);
  if (focused) focusOn(number);
  return number;
}
