/** A page without a kernel: the last state of a Lab, every edge's detail, and the network itself to evaluate. */

import * as is from "./lib/decode";
import { Kan } from "./lib/kan";
import type { Model } from "./lib/kernelStore";
import { edgeKey } from "./lib/protocol";

const range = is.object({ low: is.number, high: is.number, start: is.number });

export const decodePage = is.object({
  snapshot: is.record,
  details: is.list(is.record),
  kan: (value: unknown, path: string) => Kan.decode(value, path),
  inputs: is.list(range),
  hidden: is.list(is.string),
  language: is.string,
});

export type Page = is.Decoded<typeof decodePage>;
type Callback = (...args: never[]) => void;

/** Stands for the kernel: it knows how to select an edge, and nothing else changes. */
export class SavedModel implements Model {
  private readonly listeners = new Set<Callback>();

  constructor(private readonly page: Page) {}

  get(key: string): unknown {
    const { snapshot, hidden, language } = this.page;
    return { panel: "lab", snapshot, hidden, language, readonly: true }[key];
  }

  on(event: string, callback: Callback): void {
    if (event === "msg:custom") this.listeners.add(callback);
  }

  off(_event: string, callback: Callback): void {
    this.listeners.delete(callback);
  }

  send(content: unknown): void {
    const { kind, id, name, args } = content as Record<string, unknown>;
    if (kind === "hello") this.answer({ kind: "state", state: this.page.snapshot.state });
    if (kind !== "cmd") return;
    if (name === "select") this.select((args as { edge: [number, number, number] | null }).edge);
    this.answer({ kind: "done", id, ok: true, error: null });
  }

  private select(edge: [number, number, number] | null): void {
    const key = edge ? edgeKey(edge) : "";
    const detail = this.page.details.find(({ edge: other }) => String(other) === key) ?? null;
    this.page.snapshot.state = { ...(this.page.snapshot.state as object), selected: edge };
    this.answer({ kind: "state", state: this.page.snapshot.state });
    this.answer({ kind: "detail", detail });
  }

  /** Never at once: a kernel does not answer within the call either. */
  private answer(message: unknown): void {
    queueMicrotask(() => {
      for (const listener of this.listeners) (listener as (message: unknown) => void)(message);
    });
  }
}
