/** Another network in the place of this one: a node or a layer more, hidden nodes in another order. */

import { button } from "./controls";
import { h } from "./dom";
import type { KernelStore } from "./lib/kernelStore";
import { labels } from "./lib/labels";

export function createShaping(kernel: KernelStore) {
  const add = [1, 2, 3, 4].map((level) =>
    button(labels.addNode(level), () => kernel.command("expand_width", { l: level }), { hint: labels.addNodeHint }),
  );
  const deeper = button(labels.addLayer, () => kernel.command("expand_depth"), { hint: labels.addLayerHint });
  const untangle = button(labels.untangle, () => kernel.command("auto_swap"), { hint: labels.untangleHint });
  const element = h(
    "div",
    { class: "kanlab-more kanlab-buttons kanlab-small", role: "group", "aria-label": labels.shape, hidden: true },
    h("span", { class: "kanlab-label", "aria-hidden": "true" }, labels.shape),
    ...add,
    deeper,
    untangle,
  );
  return {
    element,
    update(): void {
      const depth = (kernel.state?.width.length ?? 2) - 1;
      add.forEach((one, n) => {
        one.hidden = n + 1 >= depth;
      });
      for (const one of [...add, deeper, untangle]) one.disabled = kernel.state === null || kernel.state.busy !== null;
    },
  };
}
