/** The error of the kernel or of the last command, with a button to dismiss it. Every view has it, panels too. */

import { button } from "./controls";
import { h, setText } from "./dom";
import { labels } from "./lib/labels";
import type { Context, Panel } from "./panel";

export function createAlerts({ kernel }: Context): Panel {
  const text = h("span", {});
  const bar = h(
    "div",
    { class: "kanlab-alert", role: "alert" },
    text,
    button(labels.dismiss, () => kernel.dismiss()),
  );
  // The bar comes and goes within a lasting element, so that screen readers notice it.
  const element = h("div", { class: "kanlab-alerts" });
  return {
    element,
    update(changes) {
      if (!changes.has("state")) return;
      const error = kernel.state?.error ?? kernel.commandError;
      if (error) {
        setText(text, error);
        if (!bar.isConnected) element.append(bar);
      } else bar.remove();
    },
    dispose: () => undefined,
  };
}
