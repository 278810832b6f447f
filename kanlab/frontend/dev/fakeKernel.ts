/** A kernel that lives in the page: enough of the protocol to look at the Lab without Jupyter. Not in the bundle. */

import type { Model } from "../src/lib/kernelStore";
import type { Detail, EdgeState, Formula, State } from "../src/lib/protocol";

const POINTS = 48;
const LIBRARY = ["x", "x^2", "x^3", "x^4", "sqrt", "1/x", "exp", "log", "sin", "cos", "tan", "tanh", "abs", "gaussian"];
const TEXT: Record<string, string> = { "x^2": "x²", "x^3": "x³", "x^4": "x⁴", sqrt: "√x", abs: "|x|" };
const text = (name: string): string => TEXT[name] ?? name;

export interface Setup {
  inputs: string[];
  outputs: string[];
  width: [number, number][];
  subnodes: number[][];
  fixed?: Record<string, string>;
  pruned?: string[];
  selected?: [number, number, number] | null;
  running?: boolean;
  busy?: State["busy"];
  error?: string | null;
  edge_th?: number;
  warning?: string | null;
  long?: boolean;
  fresh?: boolean;
}

/** A reproducible number in 0 … 1 from an integer. */
function noise(n: number): number {
  const x = Math.sin(n * 127.1 + 311.7) * 43758.5453;
  return x - Math.floor(x);
}

const KNOTS = Array.from({ length: 12 }, (_, n) => -2.2 + 0.4 * n);

export class FakeKernel implements Model {
  state: State;
  private step = 148;
  private seq = 0;
  private rows: [number, number, number, number][] = [];
  private readonly listeners = new Set<(message: unknown, buffers?: unknown) => void>();
  readonly sent: unknown[] = [];

  constructor(
    private readonly setup: Setup,
    private readonly panel = "lab",
  ) {
    const edges: EdgeState[] = [];
    for (let l = 0; l + 1 < setup.width.length; l++) {
      const targets = setup.subnodes[l + 1]?.reduce((a, b) => a + b, 0) ?? 0;
      const [sums, products] = setup.width[l] ?? [0, 0];
      for (let i = 0; i < sums + products; i++)
        for (let j = 0; j < targets; j++) {
          const name = setup.fixed?.[`${l},${i},${j}`] ?? null;
          const pruned = setup.pruned?.includes(`${l},${i},${j}`) === true;
          edges.push({ edge: [l, i, j], kind: pruned ? "pruned" : name ? "symbolic" : "spline", name });
        }
    }
    for (let k = 0; k <= this.step && !setup.fresh; k++) this.rows.push(this.row(k));
    this.state = {
      version: 1,
      names: { inputs: setup.inputs, outputs: setup.outputs },
      width: setup.width,
      subnodes: setup.subnodes,
      edges,
      controls: {
        lamb: 1e-3,
        lamb_l1: 1,
        lamb_entropy: 2,
        grid: 5,
        optimizer: "auto",
        steps: 0,
        lr: 0,
        batch: 0,
        plateau: false,
        edge_th: setup.edge_th ?? 0.03,
        node_th: 0.01,
      },
      optimizers: [
        { value: "auto", label: "auto (LM)" },
        { value: "LM", label: "LM" },
        { value: "LBFGS", label: "LBFGS" },
        { value: "Adam", label: "Adam" },
      ],
      running: setup.running ?? false,
      busy: setup.busy ?? null,
      selected: setup.selected ?? null,
      library: LIBRARY.map((name) => ({ name, text: text(name) })),
      formula: this.formula(),
      history: {
        entries: setup.fresh
          ? [{ id: 0, label: "start", loss: null, depth: 0 }]
          : [
              { id: 0, label: "start", loss: 0.83, depth: 0 },
              { id: 1, label: "fit 50, lamb 1e-3", loss: 2.1e-2, depth: 0 },
              { id: 2, label: "refine 10", loss: 2.1e-2, depth: 0 },
              { id: 3, label: "fit 50", loss: 8.4e-4, depth: 0 },
              { id: 4, label: "prune 0.1", loss: 9.0e-4, depth: 0 },
              { id: 5, label: "fix (0, 0, 2) sin", loss: 3.4e-4, depth: 0 },
              { id: 6, label: "snap constants", loss: 3.4e-4, depth: 0 },
            ],
        current: setup.fresh ? 0 : 5,
        can_undo: !setup.fresh,
        can_redo: !setup.fresh,
        script: "import kanlab\n",
      },
      marks: setup.fresh
        ? []
        : [
            { step: 50, label: "grid 5→10" },
            { step: 58, label: "fix (0, 0, 2) sin" },
            { step: 100, label: "prune" },
            { step: 145, label: "snap" },
          ],
      advice: setup.fresh
        ? []
        : [
            {
              key: "flat",
              names: [],
              text: "Train and test agree: not overfitting. The loss is flat at grid 5.",
              action: { label: "refine to 10", name: "refine", args: { grid: 10 } },
            },
          ],
      error: setup.error ?? null,
    };
  }

  get(key: string): unknown {
    return key === "panel" ? this.panel : {};
  }
  on(_event: string, callback: (...args: never[]) => void): void {
    this.listeners.add(callback as (message: unknown) => void);
  }
  off(_event: string, callback: (...args: never[]) => void): void {
    this.listeners.delete(callback as (message: unknown) => void);
  }

  send(content: unknown): void {
    this.sent.push(content);
    const message = content as { kind: string; id: number; name: string; args: Record<string, unknown> };
    setTimeout(() => {
      if (message.kind === "hello") this.everything();
      if (message.kind !== "cmd") return;
      this.run(message.name, message.args);
      this.emit({ kind: "done", id: message.id, ok: true, error: null });
      this.everything();
    }, 20);
  }

  tick(): void {
    if (!this.state.running) return;
    this.step += 4;
    this.rows.push(this.row(this.step));
    this.frame();
  }

  everything(): void {
    this.emit({ kind: "state", state: structuredClone(this.state) });
    this.frame();
    this.emit({ kind: "detail", detail: this.detail() });
  }

  private emit(message: unknown, buffers?: unknown[]): void {
    for (const listener of this.listeners) listener(message, buffers);
  }

  private run(name: string, args: Record<string, unknown>): void {
    const { state } = this;
    const find = (edge: unknown) => state.edges.find((entry) => String(entry.edge) === String(edge));
    if (name === "train" || name === "pause") state.running = name === "train";
    if (name === "select") state.selected = args.edge as State["selected"];
    if (name === "set") Object.assign(state.controls, args);
    if (name === "refine") state.controls.grid = Number(args.grid);
    const edge = find(args.edge);
    if (edge && name === "fix") Object.assign(edge, { kind: "symbolic", name: args.name });
    if (edge && name === "unfix") Object.assign(edge, { kind: "spline", name: null });
    if (edge && name === "remove_edge") edge.kind = "pruned";
    if (name === "prune")
      state.edges.forEach((entry, e) => {
        if (this.score(e) < state.controls.edge_th) entry.kind = "pruned";
      });
  }

  private score(e: number): number {
    const edge = this.state.edges[e];
    const hello = this.setup.inputs.length === 2 && this.state.width.length === 3;
    if (hello && edge) {
      const key = edge.edge.join();
      return { "0,0,2": 0.9, "0,1,2": 0.55, "1,2,0": 1.1 }[key] ?? 0.09 * noise(e);
    }
    return noise(e + 7) ** 3;
  }

  private row(k: number): [number, number, number, number] {
    const loss = 0.8 * Math.exp(-k / 16) + 0.02 * Math.exp(-Math.max(0, k - 50) / 12) + 2e-4 * (1 + 0.2 * noise(k));
    return [k, loss, loss * (1.05 + 0.1 * noise(k + 1)), 0.01 + 0.05 * Math.exp(-k / 40)];
  }

  private curve(e: number, x: number): number {
    const key = this.state.edges[e]?.edge.join();
    const moving = this.state.running ? 0.06 * Math.sin(this.step / 6 + e) : 0;
    if (key === "0,0,2") return Math.sin(Math.PI * x) + moving * x;
    if (key === "0,1,2") return x * x + moving * x;
    if (key === "1,2,0") return Math.exp(x);
    const a = noise(e) * 6;
    return Math.sin(a * x + noise(e + 3) * 6) + 0.6 * noise(e + 5) * Math.cos(9 * noise(e + 9) * x) + moving;
  }

  private pictures(nodes: number): void {
    const map = this.state.width[0]?.[0] === 2;
    const each = map ? 256 : 16;
    const value = (v: number, p: number) => {
      const [x, y] = [(p % 16) / 8 - 1, 1 - Math.floor(p / 16) / 8];
      return map ? 0.5 + 0.5 * Math.sin(3 * x * ((v % 3) + 0.3) + y * y * v) : Math.exp(-((p - 8) ** 2) / (4 + v));
    };
    const pixels = Uint8Array.from({ length: nodes * each }, (_, n) => 255 * value(Math.floor(n / each), n % each));
    const ranges = Array.from({ length: nodes }, () => [-1, 1]);
    const shape = map ? "map" : "histogram";
    this.emit({ kind: "nodes", version: this.state.version, shape, side: 16, ranges }, [new DataView(pixels.buffer)]);
  }

  private frame(): void {
    const { edges, width } = this.state;
    const nodes = width.reduce((total, [a, b]) => total + a + b, 0);
    const n = edges.length;
    this.pictures(nodes);
    const flat = new Float32Array(n * POINTS + 4 * n + 2 * nodes);
    const scores = edges.map((_, e) => this.score(e));
    edges.forEach((_, e) => {
      for (let p = 0; p < POINTS; p++) flat[e * POINTS + p] = this.curve(e, -1 + (2 * p) / (POINTS - 1));
      flat.set([-1, 1], n * POINTS + 2 * e);
    });
    flat.set(scores, n * POINTS + 2 * n);
    flat.set(
      scores.map((score) => (score < this.state.controls.edge_th ? 1 : 0)),
      n * POINTS + 3 * n,
    );
    const used = (l: number, i: number) =>
      l === 0 ||
      l === width.length - 1 ||
      edges.some(
        (entry, e) =>
          entry.kind !== "pruned" &&
          entry.edge[0] === l &&
          entry.edge[1] === i &&
          (scores[e] ?? 0) >= this.state.controls.edge_th,
      );
    const gone = width.flatMap(([a, b], l) => Array.from({ length: a + b }, (_, i) => (used(l, i) ? 0 : 1)));
    flat.set(
      gone.map((x) => 1 - x),
      n * POINTS + 4 * n,
    );
    flat.set(gone, n * POINTS + 4 * n + nodes);
    const row = this.rows.at(-1);
    this.seq += 1;
    this.emit(
      {
        kind: "frame",
        seq: this.seq,
        version: this.state.version,
        step: this.setup.fresh ? 0 : this.step,
        train: row?.[1] ?? null,
        test: row?.[2] ?? null,
        reg: row?.[3] ?? null,
        r2: row ? 0.99999 : null,
        speed: this.state.running ? 142.3 : null,
        points: POINTS,
        loss: { from: 0, rows: this.rows },
      },
      [new DataView(flat.buffer)],
    );
  }

  private detail(): Detail | null {
    const { selected, edges } = this.state;
    const e = edges.findIndex((entry) => String(entry.edge) === String(selected));
    const edge = edges[e];
    if (!edge || !selected) return null;
    const x = Array.from({ length: 101 }, (_, k) => -1 + k / 50);
    const y = x.map((at) => 0.5 * this.curve(e, at) - 0.3);
    const nearly = (wobble: number) => y.map((value, k) => value + wobble * Math.sin(k / 9));
    const rank: [string, number, number, number, number][] = [
      ["x^2", 1.1e-6, 2, 1, 0.002],
      ["cos", 2.0e-6, 2, 0.99, 0.01],
      ["cosh", 2.3e-6, 3, 0.97, 0.02],
      ["gaussian", 3.1e-5, 3, 0.9, 0.04],
      ["x^4", 8.2e-2, 3, 0.2, 0.12],
      ["exp", 0.31, 2, 0.08, 0.3],
      ["tanh", 0.62, 3, 0.01, 0.5],
    ];
    return {
      edge: [...selected],
      kind: edge.kind,
      name: edge.name,
      r2: edge.name ? 0.999999 : null,
      source: this.setup.inputs[selected[1]] ?? "x",
      target: `h${"₀₁₂₃₄₅₆₇₈₉"[selected[2] % 10]}`,
      x,
      y,
      points: Array.from({ length: 160 }, (_, k) => {
        const at = 2 * noise(k) - 1;
        return [at, 0.5 * this.curve(e, at) - 0.3 + 0.004 * (noise(k + 0.5) - 0.5)] as [number, number];
      }),
      knots: [-1, -0.6, -0.2, 0.2, 0.6, 1],
      slope: x.map((at) => (0.5 * (this.curve(e, at + 1e-4) - this.curve(e, at - 1e-4))) / 2e-4),
      spline:
        edge.kind === "spline"
          ? { k: 3, knots: KNOTS, handles: KNOTS.slice(2, -2).map((at) => [at, 0.5 * this.curve(e, at) - 0.3]) }
          : null,
      constants: edge.kind === "symbolic" ? [3.2, 0.0001, 0.82, -0.3] : null,
      density: Array.from({ length: 24 }, (_, k) => Math.round(30 + 25 * noise(k + 40))),
      candidates: rank.map(([name, error, complexity, score, wobble]) => ({
        name,
        text: text(name),
        one_minus_r2: error,
        complexity,
        score,
        formula: `0.50·${text(name)} − 0.3`,
        constants: [1, 0, 0.5, -0.3] as [number, number, number, number],
        y: nearly(wobble),
      })),
      note: "x² and the next two nearly tie on this range; x² is the simplest",
    };
  }

  private formula(): Formula {
    if (this.setup.fresh)
      return {
        outputs: [],
        latex: "",
        python: "",
        sympy: "",
        torch: "",
        c: "",
        agreement: null,
        agrees: true,
        test_rmse: null,
        spline_edges: 15,
        complexity: null,
        message: null,
        snaps: [],
      };
    const short =
      "<mrow><mi>f</mi><mrow><mo>(</mo><mi>x</mi><mo>,</mo><mi>y</mi><mo>)</mo></mrow><mo>=</mo><msub><mi>φ</mi><mrow><mn>1,2,0</mn></mrow></msub><mrow><mo>(</mo><mi>sin</mi><mrow><mo>(</mo><mn data-number='0'>3.1416</mn><mo>&InvisibleTimes;</mo><mi>x</mi><mo>)</mo></mrow><mo>+</mo><msub><mi>φ</mi><mrow><mn>0,1,2</mn></mrow></msub><mrow><mo>(</mo><mi>y</mi><mo>)</mo></mrow><mo>)</mo></mrow></mrow>";
    const term = (i: number, j: number) =>
      `<mo>+</mo><msub><mi>φ</mi><mrow><mn>0,${i},${j}</mn></mrow></msub><mo>(</mo><msub><mi>x</mi><mn>${i}</mn></msub><mo>)</mo>`;
    const long = `<mrow><mi>f</mi><mo>=</mo>${Array.from({ length: 24 }, (_, k) => term(k % 10, k % 7)).join("")}</mrow>`;
    const mathml = this.setup.long ? long : short;
    const whole = `<math xmlns="http://www.w3.org/1998/Math/MathML">${mathml}</math>`;
    return {
      outputs: [{ mathml: whole, latex: "f", python: "f", sympy: "f", numbers: [3.14] }],
      latex: "f(x,y)=\\ldots",
      python: "f = …",
      sympy: "f",
      torch: "f",
      c: "f",
      agreement: this.setup.warning ? 0.12 : 2e-12,
      agrees: !this.setup.warning,
      test_rmse: 3.4e-4,
      spline_edges: 2,
      complexity: 9,
      message: this.setup.warning ?? null,
      snaps: this.setup.warning ? [] : [{ text: "3.1415926 → π", cost: 1e-9, error: 2e-4 }],
    };
  }
}
