/**
 * The inputs a person tries on a page without a kernel, and what the network makes of them. Nothing else lives here:
 * the network itself never changes.
 */

import type { Flow, Kan } from "./kan";
import type { Scheduler } from "./scheduler";

export interface InputRange {
  low: number;
  high: number;
  start: number;
}

export class ProbeStore {
  readonly inputs: number[];
  flow: Flow;

  constructor(
    readonly kan: Kan,
    readonly ranges: readonly InputRange[],
    private readonly scheduler: Scheduler,
  ) {
    this.inputs = ranges.map(({ start }) => start);
    this.flow = kan.evaluate(this.inputs);
  }

  set(index: number, value: number): void {
    this.inputs[index] = value;
    this.flow = this.kan.evaluate(this.inputs);
    this.scheduler.touch("probe");
  }

  get outputs(): readonly number[] {
    return this.flow.nodes.at(-1) ?? [];
  }
}
