/** The constants of a fixed edge, `c f(a x + b) + d`: each is a number to drag. */

import { h } from "./dom";
import { labels } from "./lib/labels";
import { createScrub } from "./scrub";

type Four = [number, number, number, number];

export interface ConstantActions {
  onTry(values: Four): void;
  onKeep(values: Four): void;
  onDrop(): void;
}

export function createConstants({ onTry, onKeep, onDrop }: ConstantActions) {
  let own: Four = [1, 0, 1, 0];
  const withValue = (at: number, value: number) => own.map((old, n) => (n === at ? value : old)) as Four;
  const scrubs = ["a", "b", "c", "d"].map((label, at) =>
    createScrub({
      label,
      name: labels.constant(label),
      hint: labels.constantsHint,
      onTry: (value) => onTry(withValue(at, value)),
      onKeep: (value) => onKeep(withValue(at, value)),
      onDrop,
    }),
  );
  const element = h(
    "div",
    { class: "kanlab-constants", role: "group", "aria-label": labels.constants, hidden: true },
    h("span", { class: "kanlab-muted kanlab-constants-form" }, "c·f(a·x + b) + d"),
    ...scrubs.map((scrub) => scrub.element),
  );
  return {
    element,
    show(values: Four | null): void {
      element.hidden = values === null;
      if (!values) return;
      own = values;
      scrubs.forEach((scrub, at) => {
        scrub.show(values[at] as number);
      });
    },
    dispose(): void {
      for (const scrub of scrubs) scrub.dispose();
    },
  };
}
