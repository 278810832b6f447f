/** What a search found: error against complexity in a small picture, and the formulas, each to be opened. */

import { button } from "./controls";
import { h, s, setAttribute, setText } from "./dom";
import * as format from "./lib/format";
import { type FrontGeometry, frontGeometry } from "./lib/frontChart";
import { labels } from "./lib/labels";
import type { Front } from "./lib/protocol";
import { mathOf } from "./mathml";
import type { Context, Panel } from "./panel";

const WIDTH = 250;
const HEIGHT = 172;
const BOX = { left: 42, right: WIDTH - 10, top: 10, bottom: HEIGHT - 34 };

export function createFront({ kernel }: Context): Panel {
  const chart = s("svg", {
    class: "kanlab-front-chart",
    role: "img",
    "aria-label": labels.frontChart,
    width: WIDTH,
    height: HEIGHT,
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
  });
  const list = h("ol", { class: "kanlab-front-list", "aria-label": labels.frontList });
  const reason = h("span", { class: "kanlab-muted" });
  const close = button(labels.close, () => {
    element.hidden = true;
  });
  const element = h(
    "section",
    { class: "kanlab-front", role: "region", "aria-label": labels.front, hidden: true },
    h(
      "div",
      { class: "kanlab-heading" },
      h("strong", {}, labels.front),
      reason,
      h("div", { class: "kanlab-buttons kanlab-small kanlab-end" }, close),
    ),
    h("div", { class: "kanlab-front-body" }, chart, list),
  );
  const open = (index: number) => kernel.command("pick", { index });

  function point(index: number, on: boolean): void {
    for (const dot of chart.querySelectorAll(".kanlab-front-dot"))
      dot.classList.toggle("kanlab-lit", on && dot.getAttribute("data-index") === String(index));
  }

  function row(front: Front, index: number): HTMLElement {
    const item = front.items[index] as Front["items"][number];
    const face = button("", () => open(index), { name: labels.openFormula(item.text), kind: "formula-row" });
    face.disabled = kernel.readonly;
    face.append(
      h("span", { class: "kanlab-front-size" }, String(item.complexity)),
      h("span", { class: "kanlab-front-error" }, format.loss(item.error)),
      h("span", { class: "kanlab-front-math" }, ...item.mathml.map((math) => mathOf(math, item.text))),
    );
    if (index === front.best) face.append(h("span", { class: "kanlab-front-best" }, labels.best));
    for (const [event, on] of [
      ["pointerenter", true],
      ["focus", true],
      ["pointerleave", false],
      ["blur", false],
    ] as const)
      face.addEventListener(event, () => point(index, on));
    return h("li", { class: index === front.best ? "kanlab-best" : "" }, face);
  }

  let drawn: Front | null = null;
  function update(): void {
    const { front } = kernel;
    const busy = kernel.state?.busy != null;
    for (const face of list.querySelectorAll("button")) face.disabled = busy || kernel.readonly;
    if (front === drawn) return;
    drawn = front;
    element.hidden = front === null;
    if (!front) return;
    setText(reason, labels.frontReason(labels.reasons[front.reason] ?? front.reason, front.seconds));
    list.replaceChildren(
      h(
        "li",
        { class: "kanlab-front-head kanlab-muted", "aria-hidden": "true" },
        h("span", { class: "kanlab-front-size" }, labels.complexity),
        h("span", { class: "kanlab-front-error" }, labels.testError),
      ),
      ...front.items.map((_, index) => row(front, index)),
    );
    const geometry = frontGeometry(front, BOX);
    chart.replaceChildren(...(geometry ? drawing(geometry, front.best) : []));
    setAttribute(chart, "display", geometry ? null : "none");
  }
  chart.addEventListener("click", (event) => {
    const dot = event.target instanceof Element ? event.target.closest("[data-index]") : null;
    if (dot && !kernel.readonly && kernel.state?.busy == null) open(Number(dot.getAttribute("data-index")));
  });

  update();
  return {
    element,
    update(changes) {
      if (changes.has("front") || changes.has("state")) update();
    },
    dispose: () => undefined,
  };
}

function drawing({ points, path, complexities, exponents }: FrontGeometry, best: number | null): SVGElement[] {
  const tick = (text: string, at: Record<string, number | string>) => s("text", { class: "kanlab-tick", ...at }, text);
  return [
    ...exponents.flatMap(({ y, value }) => [
      s("path", { class: "kanlab-front-line", d: `M${BOX.left} ${y.toFixed(1)}H${BOX.right}` }),
      tick(format.decade(value), { x: BOX.left - 6, y: y + 4, "text-anchor": "end" }),
    ]),
    ...complexities.map(({ x, value }) => tick(String(value), { x, y: BOX.bottom + 16, "text-anchor": "middle" })),
    tick(labels.complexity, { x: (BOX.left + BOX.right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }),
    s("path", { class: "kanlab-front-path", d: path }),
    ...points.map(({ x, y }, index) =>
      s("circle", {
        class: `kanlab-front-dot${index === best ? " kanlab-best" : ""}`,
        "data-index": index,
        cx: x.toFixed(1),
        cy: y.toFixed(1),
        r: 4.5,
      }),
    ),
  ];
}
