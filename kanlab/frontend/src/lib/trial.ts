/** Changes that are tried before they are made: only the newest is sent, and none before the last was answered. */

import type { KernelStore } from "./kernelStore";

type Args = Record<string, unknown>;

export class Trial {
  private wanted: { name: string; args: Args } | null = null;
  private underway = false;

  constructor(private readonly kernel: Pick<KernelStore, "ask" | "command">) {}

  /** Show what the command would do. */
  show(name: string, args: Args): void {
    this.wanted = { name, args };
    this.next();
  }

  /** Make the change. */
  keep(name: string, args: Args): void {
    this.wanted = null;
    this.kernel.command(name, args);
  }

  /** Show the model as it is again. */
  drop(): void {
    this.keep("untry", {});
  }

  private next(): void {
    if (this.underway || !this.wanted) return;
    const { name, args } = this.wanted;
    this.wanted = null;
    this.underway = true;
    this.kernel.ask(name, args, () => {
      this.underway = false;
      this.next();
    });
  }
}
