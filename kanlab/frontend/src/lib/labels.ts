/** Every word a person reads or hears, in one table, so that it can be translated; the accessible names are fixed. */

import type { EdgeId } from "./protocol";

export const labels = {
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
  off: "off",
  optimizer: "optimizer",
  steps: "steps",
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
  cancel: "Cancel",
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
} as const;

function plural(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
