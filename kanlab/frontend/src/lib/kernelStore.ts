/**
 * The kernel's state as this view knows it: `State`, the newest frame, the loss rows, the selected edge's detail, and
 * the values a person has set that the kernel has not confirmed yet. It never changes them on its own: it sends
 * commands and takes what comes back. Hover, zoom, the chosen candidate belong to `viewStore.ts`.
 */

import { DecodeError, record, string } from "./decode";
import { Flow } from "./flow";
import { type Arrays, decodeArrays, decodeHeader, decodeSavedArrays, type Frame, type LossRow } from "./frame";
import { PendingValues } from "./pending";
import { decodePictures, type Pictures } from "./pictures";
import type { Comparison, Controls, Detail, EdgeId, Formula, Front, State } from "./protocol";
import {
  decodeComparison,
  decodeDetail,
  decodeDone,
  decodeFormula,
  decodeFront,
  decodeState,
  edgeExists,
  nodeCount,
} from "./protocol";
import type { Scheduler, Topic } from "./scheduler";
import { Timers } from "./timers";

/** The part of an anywidget model that we use. */
export interface Model {
  get(key: string): unknown;
  send(content: unknown): void;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
}

const SETTLE_AFTER = 250;
const HELLO_AGAIN_AFTER = 5000;
const SILENT_AFTER = 4000;
const ANSWER_WITHIN = 2000;

export class KernelStore {
  state: State | null = null;
  frame: Frame | null = null;
  detail: Detail | null = null;
  formula: Formula | null = null;
  pictures: Pictures | null = null;
  front: Front | null = null;
  comparison: Comparison | null = null;
  loss: LossRow[] = [];
  /** The error of the last command that failed, until it is dismissed. */
  commandError: string | null = null;
  /** True on a page without a kernel: what only a kernel can do is not offered. */
  readonly readonly: boolean;
  /** False when nothing has answered `hello` for some seconds: a saved notebook, or a kernel that is blocked. */
  connected = true;

  private readonly timers = new Timers();
  private readonly asked = new Map<number, () => void>();
  private readonly pending: PendingValues;
  private readonly flow: Flow;
  // Several views of one model hear each other's `done`: ids of different views must differ.
  private nextId = Math.floor(Math.random() * 2 ** 30) * 2 ** 16;
  private lastHello = Number.NEGATIVE_INFINITY;
  private settled = "";
  private readonly receive = (message: unknown, buffers?: unknown) => this.onMessage(message, buffers);

  constructor(
    private readonly model: Model,
    private readonly scheduler: Scheduler,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.readonly = model.get("readonly") === true;
    this.pending = new PendingValues(now);
    this.flow = new Flow(this.timers, now, (seq) => this.send({ kind: "ack", seq }));
    this.restore(model.get("snapshot"));
    model.on("msg:custom", this.receive as (...args: never[]) => void);
    scheduler.listen(() => this.flushControls());
    this.hello();
    this.timers.start("silent", SILENT_AFTER, () => {
      this.connected = false;
      this.touch("connection");
    });
  }

  dispose(): void {
    this.model.off("msg:custom", this.receive as (...args: never[]) => void);
    this.timers.stopAll();
  }

  // ---- from the person to the kernel

  command(name: string, args: Record<string, unknown> = {}): number {
    this.flushControls();
    const id = this.nextId++;
    this.send({ kind: "cmd", id, name, args });
    return id;
  }

  /** A command, with a call when it is done (or its answer is given up). */
  ask(name: string, args: Record<string, unknown>, then: () => void): void {
    const id = this.command(name, args);
    this.asked.set(id, then);
    this.timers.start(`ask ${id}`, ANSWER_WITHIN, () => this.answered(id));
  }

  private answered(id: number): void {
    const then = this.asked.get(id);
    this.timers.stop(`ask ${id}`);
    this.asked.delete(id);
    then?.();
  }

  /** A command whose effect is shown at once, as `key` = `value`, until the kernel has answered. */
  commandPending(key: string, value: unknown, name: string, args: Record<string, unknown>): void {
    this.pending.set(key, value, this.command(name, args));
    this.touch("pending");
  }

  /** Set a control; many calls within one animation frame become one message. */
  set<K extends keyof Controls>(key: K, value: Controls[K]): void {
    this.pending.set(key, value);
    this.touch("pending");
  }

  /** Start or pause training; the button turns at once. */
  train(on: boolean): void {
    this.commandPending("running", on, on ? "train" : "pause", {});
  }

  select(edge: EdgeId | null): void {
    this.commandPending("selected", edge, "select", { edge });
  }

  dismiss(): void {
    this.commandError = null;
    if (this.state?.error) this.command("dismiss");
    this.touch("state");
  }

  /** The person's value while it is under way, else the kernel's. */
  control<K extends keyof Controls>(key: K): Controls[K] | undefined {
    return this.pending.has(key) ? (this.pending.get(key) as Controls[K]) : this.state?.controls[key];
  }

  get running(): boolean {
    return this.pending.has("running") ? this.pending.get("running") === true : this.state?.running === true;
  }

  get selected(): EdgeId | null {
    const pending = this.pending.has("selected");
    const edge = pending ? (this.pending.get("selected") as EdgeId | null) : (this.state?.selected ?? null);
    return edge !== null && this.state !== null && edgeExists(this.state, edge) ? edge : null;
  }

  /** The view has drawn the newest frame: say so to the kernel, which waits for it before it sends many more. */
  drew(): void {
    this.flow.draw();
  }

  // ---- from the kernel

  private onMessage(message: unknown, buffers: unknown): void {
    let kind = "?";
    try {
      const content = record(message, "message");
      kind = string(content.kind, "message.kind");
      this.take(kind, content, buffers);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      console.debug(`kanlab: ignored a malformed "${kind}" message: ${error.message}`);
      return;
    }
    this.heard();
  }

  private take(kind: string, content: Record<string, unknown>, buffers: unknown): void {
    if (kind === "state") this.takeState(decodeState(content.state, "state"));
    else if (kind === "frame") this.takeFrame(content, buffers);
    else if (kind === "nodes") this.takePictures(content, Array.isArray(buffers) ? buffers[0] : undefined);
    else if (kind === "detail")
      this.takeDetail(content.detail === null ? null : decodeDetail(content.detail, "detail"));
    else if (kind === "formula") this.takeFormula(decodeFormula(content.formula, "formula"));
    else if (kind === "front") this.takeFront(content.front === null ? null : decodeFront(content.front, "front"));
    else if (kind === "comparison")
      this.takeComparison(content.comparison === null ? null : decodeComparison(content.comparison, "comparison"));
    else if (kind === "done") this.takeDone(decodeDone(content, "done"));
  }

  private takeState(state: State): void {
    if (this.state && state.version !== this.state.version) this.dropStale(state);
    this.state = state;
    this.formula = state.formula;
    this.pending.expire();
    this.settle(state);
    this.touch("state");
    this.touch("formula");
  }

  /** A frame of the old structure has arrays of the wrong length for the new one. */
  private dropStale(state: State): void {
    const arrays = this.frame?.arrays;
    if (arrays && (arrays.scores.length !== state.edges.length || arrays.node_scores.length !== allNodes(state)))
      this.frame = null;
    if (this.pictures && this.pictures.ranges.length !== allNodes(state)) this.pictures = null;
    if (this.detail && !edgeExists(state, this.detail.edge)) this.detail = null;
  }

  private takeFrame(content: Record<string, unknown>, buffers: unknown): void {
    const header = decodeHeader(content, "frame");
    this.takeLoss(header.loss.from, header.loss.rows);
    // A frame of another structure cannot be drawn; the `state` that explains it is on its way.
    if (this.state === null || header.version !== this.state.version) return;
    const counts = { edges: this.state.edges.length, nodes: allNodes(this.state) };
    const arrays: Arrays = decodeArrays(Array.isArray(buffers) ? buffers[0] : undefined, counts, header.points);
    this.frame = { ...header, arrays };
    this.flow.arrive(header.seq);
    this.touch("frame");
  }

  private takePictures(content: unknown, buffer: unknown): void {
    const { version } = record(content, "nodes");
    if (this.state === null || version !== this.state.version) return;
    this.pictures = decodePictures(content, buffer ?? null, allNodes(this.state), "nodes");
    this.touch("pictures");
  }

  private takeLoss(from: number, rows: LossRow[]): void {
    if (from > this.loss.length) {
      if (this.now() - this.lastHello > HELLO_AGAIN_AFTER) this.hello();
      return;
    }
    this.loss.length = from;
    for (const row of rows) this.loss.push(row);
  }

  private takeDetail(detail: Detail | null): void {
    this.detail = detail;
    this.touch("detail");
  }

  private takeFormula(formula: Formula): void {
    this.formula = formula;
    this.touch("formula");
  }

  private takeFront(front: Front | null): void {
    this.front = front;
    this.touch("front");
  }

  private takeComparison(comparison: Comparison | null): void {
    this.comparison = comparison;
    this.touch("comparison");
  }

  private takeDone(done: { id: number; ok: boolean; error: string | null }): void {
    for (const [key, value] of this.pending.settle(done.id)) {
      // `done` may come before the `state` that confirms it: keep the value, so that the slider does not jump back.
      if (done.ok && this.state) this.state = withValue(this.state, key, value);
      this.touch("pending");
    }
    if (!done.ok && done.error) {
      this.commandError = done.error;
      this.touch("state");
    }
    this.answered(done.id);
  }

  /** Draw the saved picture; the kernel's answer to `hello` replaces it. */
  private restore(snapshot: unknown): void {
    try {
      const saved = record(snapshot, "snapshot");
      if (saved.state === undefined) return;
      this.takeState(decodeState(saved.state, "snapshot.state"));
      const state = this.state as State | null;
      if (state && saved.frame) {
        const header = decodeHeader(saved.frame, "snapshot.frame");
        const counts = { edges: state.edges.length, nodes: allNodes(state) };
        const saves = record(saved.frame, "snapshot.frame").arrays;
        this.takeLoss(header.loss.from, header.loss.rows);
        this.frame = { ...header, arrays: decodeSavedArrays(saves, counts, header.points) };
      }
      if (state && saved.nodes)
        this.pictures = decodePictures(saved.nodes, undefined, allNodes(state), "snapshot.nodes");
      if (saved.front) this.front = decodeFront(saved.front, "snapshot.front");
      if (saved.detail) this.detail = decodeDetail(saved.detail, "snapshot.detail");
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      console.debug(`kanlab: ignored a malformed snapshot: ${error.message}`);
    }
    for (const topic of ["state", "frame", "detail", "formula"] as const) this.touch(topic);
    this.timers.stop("settled");
  }

  // ---- housekeeping

  private hello(): void {
    this.lastHello = this.now();
    this.flow.reset();
    this.send({ kind: "hello" });
  }

  private heard(): void {
    this.timers.stop("silent");
    if (this.connected) return;
    this.connected = true;
    this.touch("connection");
  }

  private flushControls(): void {
    const args = this.pending.unsent();
    if (Object.keys(args).length === 0) return;
    const id = this.nextId++;
    this.pending.sent(id);
    this.send({ kind: "cmd", id, name: "set", args });
  }

  /** Tell the kernel, once for each state in which it rests, that it may save the picture. */
  private settle(state: State): void {
    this.timers.stop("settled");
    if (state.running || state.busy !== null) return;
    this.timers.start("settled", SETTLE_AFTER, () => {
      const text = JSON.stringify(state);
      if (text === this.settled) return;
      this.settled = text;
      this.send({ kind: "settled", version: state.version });
    });
  }

  private send(message: unknown): void {
    try {
      this.model.send(message);
    } catch (error) {
      // Without a kernel (a saved notebook) there is nobody to send to; the picture stays.
      console.debug("kanlab: the message could not be sent", error);
    }
  }

  private touch(topic: Topic): void {
    this.scheduler.touch(topic);
  }
}

const allNodes = (state: State): number => state.width.reduce((total, _, l) => total + nodeCount(state, l), 0);

function withValue(state: State, key: string, value: unknown): State {
  if (key === "selected") return { ...state, selected: value as State["selected"] };
  if (key === "running") return { ...state, running: value === true };
  return key in state.controls ? { ...state, controls: { ...state.controls, [key]: value } } : state;
}
