/** "Why this function": for each candidate, how far from the curve it is at most, and where. */

import { h } from "./dom";
import * as format from "./lib/format";
import { labels } from "./lib/labels";
import type { Detail } from "./lib/protocol";
import { missOf } from "./lib/why";

export function createWhy() {
  const list = h("ul", {});
  const summary = h("summary", { "data-lm-suppress-shortcuts": "true" }, labels.why);
  const element = h("details", { class: "kanlab-why" }, summary, list);
  let drawn: Detail | null = null;

  function draw(detail: Detail): void {
    drawn = detail;
    const misses = detail.candidates.flatMap((candidate) => {
      const miss = missOf(detail, candidate);
      return miss ? [labels.misses(candidate.formula, format.loss(miss.size), format.signed(miss.x, 2))] : [];
    });
    list.replaceChildren(...misses.map((text) => h("li", {}, text)));
  }
  let latest: Detail | null = null;
  element.addEventListener("toggle", () => {
    if (element.open && latest && latest !== drawn) draw(latest);
  });
  return {
    element,
    show(detail: Detail): void {
      latest = detail;
      element.hidden = detail.candidates.length === 0;
      if (element.open && latest !== drawn) draw(detail);
    },
  };
}
