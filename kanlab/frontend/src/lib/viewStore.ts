/**
 * What never leaves this browser view: the candidate under the pointer, the function chosen in the dropdown, what is
 * unfolded. Nothing here is known to the kernel or saved; whatever the kernel owns is in `kernelStore.ts`.
 */

import type { EdgeId } from "./protocol";
import { edgeKey } from "./protocol";
import type { Scheduler } from "./scheduler";

export class ViewStore {
  /** The candidate whose curve is laid over the plot, by library name. */
  private overlaid: string | null = null;
  /** The function chosen in the dropdown, for each edge that the person has looked at. */
  private readonly chosen = new Map<string, string>();

  constructor(private readonly scheduler: Scheduler) {}

  get overlay(): string | null {
    return this.overlaid;
  }

  set overlay(name: string | null) {
    if (name === this.overlaid) return;
    this.overlaid = name;
    this.scheduler.touch("view");
  }

  choice(edge: EdgeId): string | undefined {
    return this.chosen.get(edgeKey(edge));
  }

  choose(edge: EdgeId, name: string): void {
    this.chosen.set(edgeKey(edge), name);
    this.scheduler.touch("view");
  }

  /** Choices belong to a structure: another one has other edges of the same name. */
  forgetChoices(): void {
    this.chosen.clear();
  }
}
