/** What a panel is, and what it is given. */

import type { KernelStore } from "./lib/kernelStore";
import type { ProbeStore } from "./lib/probeStore";
import type { Changes } from "./lib/scheduler";
import type { ViewStore } from "./lib/viewStore";

export interface Context {
  kernel: KernelStore;
  view: ViewStore;
  /** The inputs being tried, on a page without a kernel. */
  probe: ProbeStore | null;
  /** Moves the focus to the inspector when this view has one. */
  openInspector: { current: (() => void) | null };
}

export interface Panel {
  element: HTMLElement;
  /** Called in an animation frame with what changed; draws no more than that. */
  update(changes: Changes): void;
  dispose(): void;
}
