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

  eliminate: "Eliminate",
  eliminateHint: "Remove in turn what the network can do without, weakest first; takes a while",
  shape: "network",
  addNode: (level: number) => `Add a node to layer ${level}`,
  addNodeHint: "One more hidden node; the function stays until it is trained",
  addLayer: "Add a layer",
  addLayerHint: "A layer after the outputs that passes them on",
  untangle: "Untangle",
  untangleHint: "Let hidden nodes change places until strong edges go upright",

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
  discover: "Discover",
  discoverHint: "Search for formulas of the data, whatever the network; Stop keeps what was found",
  simplify: "Simplify",
  simplifyHint: "Show the shortest equal form that is found; the network stays as it is",
  busy: {} as Record<string, string>,
  number: (text: string) => `number ${text}`,
  numberHint: "Drag sideways or press the arrows: Shift fine, Alt coarse; Escape lets go",
  front: "formulas found",
  frontChart: "test error against complexity",
  frontList: "formulas, the simplest first",
  frontReason: (reason: string, seconds: number) => `${reason}, ${seconds} s`,
  /** The kernel's words stand where there are none here. */
  reasons: {} as Record<string, string>,
  openFormula: (text: string) => `open ${text}`,
  best: "best",
  close: "Close",
  copy: "copy",
  copyTorch: "Copy torch",
  copyC: "Copy C",
  torch: "torch",
  c: "C",
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
  compare: "Compare",
  compareHint: "While pressed, a click on an entry puts it beside the current one",
  comparison: "comparison",
  current: "(current)",
  edges: "edges",
  miniature: (label: string, edges: number) => `network after ${label}: ${plural(edges, "edge")}`,
  cell: "Cell",
  toCell: "Script to a new cell",
  toCellHint: "Put the script into a new cell below; where that is not possible it is copied",
  inserted: "the script stands in a new cell",
  insertFailed: "no cell could be made; the script was copied",
  advice: "advice",
  /** The kernel's words stand where there are none here. */
  advised: {} as Record<string, (names: string) => string>,
  historyWords: {} as Record<string, string>,
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
