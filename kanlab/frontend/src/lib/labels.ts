/**
 * Every word a person reads or hears. English is the table that the others (`languages.ts`) fill; its accessible names
 * are fixed. One language for a view: the one it was opened with.
 */

import { languages } from "./languages";
import type { EdgeId } from "./protocol";

const english = {
  lab: "KAN Lab",
  waiting: "waiting for the kernel",
  offline: "saved picture; the kernel does not answer",
  dismiss: "Dismiss",
  copied: "copied",
  copyFailed: "could not copy",

  train: "Train",
  pause: "Pause",
  step: "Step",
  reset: "Reset",
  stepHint: "One step of the optimizer",
  resetHint: "The model as it came; Undo brings this one back",
  status: { step: "step", train: "train", test: "test", r2: "R²", speed: "steps/s" },
  controls: {
    lamb: { name: "lamb", label: "lamb", hint: "Weight of the penalty: larger is sparser" },
    lamb_entropy: { name: "lamb_entropy", label: "entropy", hint: "Weight of the entropy within the penalty" },
    lamb_l1: { name: "lamb_l1", label: "L1", hint: "Weight of the edges' size within the penalty" },
    grid: { name: "grid", label: "grid", hint: "Intervals of each spline: more is finer" },
    edge_th: { name: "edge threshold", label: "edges <", hint: "Prune removes edges with a lower score" },
    node_th: { name: "node threshold", label: "nodes <", hint: "Prune removes nodes with a lower score" },
  },
  explore: "explore",
  inputOf: (name: string) => `input ${name}`,
  inputHint: "Move it and see what the network makes of it",
  off: "off",
  optimizer: "optimizer",
  steps: "steps",
  lr: { name: "learning rate", label: "rate", hint: "Of Adam and LBFGS; the lowest stop is their own" },
  auto: "auto",
  batch: "batch",
  batchHint: "Rows that a step takes; 0: all of them",
  plateau: "stop on plateau",
  plateauHint: "Stop when the loss has not fallen for 60 steps",
  stepsHint: "How many steps Train takes; 0: until paused or converged",
  more: "more",

  graph: "network graph",
  edge: (edge: EdgeId, state: string) => `edge (${edge.join(", ")}) ${state}`,
  node: (layer: number, index: number) => `node (${layer}, ${index})`,
  spline: "spline",
  symbolic: "symbolic",
  pruned: "pruned",
  score: "score",
  wouldGo: "Prune would remove it",
  product: "multiplies",
  nodeRange: (low: string, high: string) => `values ${low} … ${high}`,
  saveSvg: "Save SVG",
  savePng: "Save PNG",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  fit: "Fit",
  prune: "Prune",
  prunePreview: (edges: number, nodes: number) =>
    [
      edges > 0 ? `−${plural(edges, "edge")}` : "",
      nodes > 0 ? `−${plural(nodes, "node")}` : "",
      edges + nodes === 0 ? "nothing to remove" : "",
    ]
      .filter((part) => part !== "")
      .join(", "),

  inspector: "edge inspector",
  inspectorEmpty: "Select an edge of the graph to see its curve and the functions that fit it.",
  inspectorHeading: (edge: EdgeId) => `edge (${edge.join(", ")})`,
  inspectorPlot: "the edge's activation",
  derivative: "Derivative",
  controlPoints: "Control points",
  controlPointsHint: "Drag a point: Shift fine, Alt coarse; Undo takes it back",
  controlPoint: (index: number) => `control point ${index}`,
  constants: "constants",
  constant: (name: string) => `constant ${name}`,
  constantsHint: "Drag sideways or type: Shift fine, Alt coarse",
  misses: (text: string, size: string, x: string) => `${text} misses the curve by at most ${size}, at ${x}`,
  why: "Why this function",
  trying: (before: string, now: string) => `trying: train ${before} → ${now}`,
  restoreEdge: "Restore edge",
  restore: "Restore",
  symbolicFunction: "symbolic function",
  fix: "Fix",
  unfix: "Unfix",
  remove: "Remove",
  removeEdge: "Remove edge",
  candidates: "candidates",
  candidate: (text: string) => `candidate ${text}`,
  columns: { function: "function", error: "1 − R²", cost: "cost", score: "score" },
  fixedAs: (text: string, error: string) => `fixed as ${text}, 1 − R² ${error}`,

  formula: "formula",
  noFormula: "The formula appears here with the first step.",
  agrees: (error: string) => `agrees with the model to ${error}`,
  disagrees: (error: string) => `does not agree with the model: off by ${error}`,
  testError: "test RMSE",
  splinesLeft: (n: number) => (n === 0 ? "no spline edges left" : `${plural(n, "spline edge")} left`),
  complexity: "complexity",
  autoSymbolic: "Auto symbolic",
  cancel: "Stop",
  snap: "Snap constants",
  copyLatex: "Copy LaTeX",
  copyPython: "Copy Python",
  copySympy: "Copy SymPy",
  latex: "LaTeX",
  python: "Python",
  sympy: "SymPy",
  snapCost: (cost: string) => `RMSE ${cost}`,

  loss: "loss",
  lossChart: "loss chart",
  lossEmpty: "no step yet",
  legend: { train: "train", test: "test", reg: "penalty" },
  history: "history",
  undo: "Undo",
  redo: "Redo",
  script: "Script",
  copyScript: "Copy script",
  advice: "advice",
  /** The kernel's words stand where there are none here. */
  advised: {} as Record<string, (names: string) => string>,
  actions: {} as Record<string, string>,
  mathematics: "mathematics",
  training: "training",
};

export type Labels = typeof english;

export let labels: Labels = english;

/** `code` is "en", "ko", "zh", "ja", or "" for the first of them that the browser asks for. */
export function useLanguage(code: unknown): string {
  const wanted = typeof code === "string" && code !== "" ? [code] : (globalThis.navigator?.languages ?? []);
  const known = wanted.map((language) => language.slice(0, 2)).find((two) => two === "en" || two in languages);
  labels = languages[known ?? ""] ?? english;
  return known ?? "en";
}

function plural(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
