/** Acknowledging frames, so that the kernel sends no more than can be drawn; and rarely, for each costs it a message. */

import type { Timers } from "./timers";

const EVERY = 500;

export class Flow {
  /** `seq` of the newest frame that came, was drawn, was acknowledged. */
  private arrived: number | null = null;
  private drawn: number | null = null;
  private acknowledged: number | null = null;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly timers: Timers,
    private readonly now: () => number,
    private readonly send: (seq: number) => void,
  ) {}

  arrive(seq: number): void {
    this.arrived = seq;
  }

  draw(): void {
    if (this.arrived === null) return;
    this.drawn = this.arrived;
    this.acknowledge();
  }

  reset(): void {
    this.arrived = this.drawn = this.acknowledged = null;
  }

  private acknowledge(): void {
    const wait = this.last + EVERY - this.now();
    if (wait > 0) {
      if (!this.timers.has("ack")) this.timers.start("ack", wait, () => this.acknowledge());
      return;
    }
    if (this.drawn === null || this.drawn === this.acknowledged) return;
    this.acknowledged = this.drawn;
    this.last = this.now();
    this.send(this.drawn);
  }
}
