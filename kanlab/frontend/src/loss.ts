/** The loss chart: train, test and penalty over the steps, logarithmic, with the events marked. */

import { Disposer, h, s, setAttribute, setText } from "./dom";
import * as format from "./lib/format";
import { historyLabel } from "./lib/historyLabel";
import { labels } from "./lib/labels";
import { type Box, lossGeometry, lossPath, placeMarks } from "./lib/lossChart";
import type { Context, Panel } from "./panel";

const HEIGHT = 168;
const ROW = 15;

export function createLoss({ kernel }: Context): Panel {
  const disposer = new Disposer();
  const grid = s("g", { class: "kanlab-loss-grid" });
  const marks = s("g", { class: "kanlab-loss-marks" });
  const paths = {
    reg: s("path", { class: "kanlab-loss-reg" }),
    train: s("path", { class: "kanlab-loss-train" }),
    test: s("path", { class: "kanlab-loss-test" }),
  };
  const lastLabel = s("text", { class: "kanlab-tick", "text-anchor": "end" });
  const empty = s("text", { class: "kanlab-tick", "text-anchor": "middle" }, labels.lossEmpty);
  const chart = s(
    "svg",
    { class: "kanlab-loss-chart", role: "img", "aria-label": labels.lossChart, height: HEIGHT },
    grid,
    marks,
    paths.reg,
    paths.train,
    paths.test,
    lastLabel,
    empty,
  );
  const holder = h("div", { class: "kanlab-loss-holder" });
  holder.append(chart);
  const element = h(
    "div",
    { class: "kanlab-loss" },
    h("div", { class: "kanlab-heading" }, h("strong", {}, labels.loss), legend()),
    holder,
  );

  let width = 480;
  disposer.size(holder, (w) => {
    if (w < 40 || w === width) return;
    width = w;
    draw();
  });

  function draw(): void {
    const box: Box = { left: 40, right: width - 8, top: 8, bottom: HEIGHT - 24 };
    setAttribute(chart, "width", width);
    setAttribute(chart, "viewBox", `0 0 ${width} ${HEIGHT}`);
    const geometry = lossGeometry(kernel.loss, box);
    setAttribute(empty, "x", width / 2);
    setAttribute(empty, "y", HEIGHT / 2);
    setAttribute(empty, "visibility", geometry ? "hidden" : null);
    if (!geometry) {
      for (const path of Object.values(paths)) path.removeAttribute("d");
      grid.replaceChildren();
      marks.replaceChildren();
      setText(lastLabel, "");
      return;
    }
    setAttribute(paths.train, "d", lossPath(kernel.loss, 1, geometry, box));
    setAttribute(paths.test, "d", lossPath(kernel.loss, 2, geometry, box));
    setAttribute(paths.reg, "d", lossPath(kernel.loss, 3, geometry, box));
    grid.replaceChildren(...geometry.exponents.flatMap((n) => gridLine(n, geometry.y(n), box)));
    const placed = placeMarks(translated(kernel.state?.marks ?? []), geometry, box);
    marks.replaceChildren(
      ...placed.map(({ x, label }) => s("line", { x1: x, x2: x, y1: box.top, y2: box.bottom }, s("title", {}, label))),
      ...placed.flatMap(({ label, labelAt: at }) =>
        at
          ? [s("text", { x: at.x, y: box.top + 10 + ROW * at.row, "text-anchor": at.end ? "end" : "start" }, label)]
          : [],
      ),
    );
    setText(lastLabel, `${labels.step.toLowerCase()} ${geometry.lastStep}`);
    setAttribute(lastLabel, "x", box.right);
    setAttribute(lastLabel, "y", HEIGHT - 7);
  }

  draw();
  return {
    element,
    update(changes) {
      if (changes.has("frame") || changes.has("state")) draw();
    },
    dispose: () => disposer.dispose(),
  };
}

function translated<T extends { label: string }>(marks: readonly T[]): T[] {
  return marks.map((mark) => ({ ...mark, label: historyLabel(mark.label) }));
}

function gridLine(exponent: number, y: number, box: Box): SVGElement[] {
  return [
    s("line", { x1: box.left, x2: box.right, y1: y, y2: y }),
    s("text", { class: "kanlab-tick", x: box.left - 6, y: y + 4, "text-anchor": "end" }, format.decade(exponent)),
  ];
}

function legend(): HTMLElement {
  const items = (["train", "test", "reg"] as const).map((key) =>
    h(
      "span",
      { class: "kanlab-legend-item" },
      s(
        "svg",
        { width: 18, height: 8, "aria-hidden": "true" },
        s("path", { d: "M0 4H18", class: `kanlab-loss-${key}` }),
      ),
      labels.legend[key],
    ),
  );
  return h("span", { class: "kanlab-legend" }, ...items);
}
