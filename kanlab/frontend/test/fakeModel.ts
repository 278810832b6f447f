/** A model without a kernel: holds a snapshot, records what is sent, delivers messages, counts listeners. */

import type { Model } from "../src/lib/kernelStore";
import hello from "./fixtures/hello.json";

type Callback = (...args: never[]) => void;
export type Fixture = typeof hello;

export interface Sent {
  kind: string;
  id: number;
  name: string;
  args: Record<string, unknown>;
  seq: number;
}

export class FakeModel implements Model {
  readonly sent: Sent[] = [];
  readonly listeners = new Map<string, Set<Callback>>();

  constructor(
    private readonly panel: string,
    private readonly snapshot: unknown = {},
    private readonly hidden: unknown = [],
    private readonly language: unknown = "en",
  ) {}

  get(key: string): unknown {
    const { panel, snapshot, hidden, language } = this;
    return { panel, snapshot, hidden, language }[key];
  }
  send(content: unknown): void {
    this.sent.push(structuredClone(content) as Sent);
  }
  on(event: string, callback: Callback): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(callback));
  }
  off(event: string, callback: Callback): void {
    this.listeners.get(event)?.delete(callback);
  }

  receive(message: unknown, buffers: unknown[] = []): void {
    for (const callback of this.listeners.get("msg:custom") ?? [])
      (callback as (...args: unknown[]) => void)(message, buffers);
  }
  /** The commands sent, as [name, args]. */
  get commands(): [string, Record<string, unknown>][] {
    return this.sent.filter(({ kind }) => kind === "cmd").map(({ name, args }) => [name, args]);
  }
  get listening(): number {
    return [...this.listeners.values()].reduce((total, callbacks) => total + callbacks.size, 0);
  }
}

export const fixture = (): Fixture => structuredClone(hello);

const ORDER = ["curves", "ranges", "scores", "doomed", "node_scores", "node_doomed"] as const;

/** The frame as the kernel sends it: a message and one buffer, at a byte offset that suits nobody. */
export function asMessage(frame: Fixture["frame"], offset = 0): [Record<string, unknown>, DataView[]] {
  const { arrays, ...header } = frame;
  const flat = Float32Array.from(ORDER.flatMap((name) => arrays[name]));
  const bytes = new Uint8Array(flat.byteLength + offset);
  bytes.set(new Uint8Array(flat.buffer), offset);
  return [{ kind: "frame", ...header }, [new DataView(bytes.buffer, offset, flat.byteLength)]];
}

/** Let the animation frame that was asked for, and what it asks for, run. */
export async function nextFrame(): Promise<void> {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => requestAnimationFrame(resolve));
}
export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
