/** The page to look at: ?net=hello|narrow|ten|big|deep|product|one|wide&theme=dark&panel=lab&width=900&state=… */

import widget from "../src/index";
import { FakeKernel, type Setup } from "./fakeKernel";

const sums = (...counts: number[]): Pick<Setup, "width" | "subnodes"> => ({
  width: counts.map((n) => [n, 0]),
  subnodes: counts.map((n, l) => (l === 0 ? [] : Array.from({ length: n }, () => 1))),
});
const xs = (n: number): string[] => Array.from({ length: n }, (_, i) => `x${"₀₁₂₃₄₅₆₇₈₉"[i % 10]}`);
const table = ["age", "sex", "body mass index", "blood pressure", "s1", "s2", "s3 (血清)", "s4", "s5", "température"];

const NETS: Record<string, Setup> = {
  hello: { inputs: ["x", "y"], outputs: ["f"], ...sums(2, 5, 1), fixed: { "0,0,2": "sin" }, edge_th: 0.1 },
  fresh: { inputs: ["x", "y"], outputs: ["f"], ...sums(2, 5, 1), edge_th: 0.003, fresh: true },
  pruned: {
    inputs: ["x", "y"],
    outputs: ["f"],
    ...sums(2, 5, 1),
    fixed: { "0,0,2": "sin" },
    pruned: ["0,0,0", "0,0,1", "0,0,3", "0,0,4", "0,1,0", "0,1,1", "0,1,3", "1,0,0", "1,1,0", "1,3,0"],
  },
  exact: {
    inputs: ["x", "y"],
    outputs: ["f"],
    ...sums(2, 1, 1),
    fixed: { "0,0,0": "sin", "0,1,0": "x^2", "1,0,0": "exp" },
  },
  one: { inputs: ["x"], outputs: ["f"], ...sums(1, 1) },
  deep: { inputs: ["a", "b", "c", "d"], outputs: ["f"], ...sums(4, 2, 1, 1), fixed: { "0,0,0": "x^2" } },
  ten: {
    inputs: table,
    outputs: ["disease progression"],
    ...sums(10, 10, 1),
    fixed: { "0,2,3": "sin" },
    edge_th: 0.02,
  },
  big: { inputs: xs(20), outputs: ["f", "g"], ...sums(20, 20, 2), edge_th: 0.001 },
  product: {
    inputs: ["m", "v"],
    outputs: ["E"],
    width: [
      [2, 0],
      [2, 2],
      [1, 0],
    ],
    subnodes: [[], [1, 1, 2, 2], [1]],
    edge_th: 0.01,
  },
};

const query = new URLSearchParams(location.search);
const theme = query.get("theme");
document.body.classList.toggle("dark", theme === "dark");
const page = document.getElementById("page") as HTMLElement;
const width = query.get("width");
if (width) page.style.width = `${width}px`;

const setup = { ...(NETS[query.get("net") ?? "hello"] as Setup) };
const select = query.get("select");
if (select) setup.selected = select.split(",").map(Number) as [number, number, number];
if (query.has("running")) setup.running = true;
if (query.has("busy")) setup.busy = { label: "auto symbolic", done: 2, total: 5 };
if (query.has("error")) setup.error = "NaN in column 3 of the data: 2 rows. Drop or fill them.";
if (query.has("warning"))
  setup.warning = "The formula is off by 12 % of the output's spread: a spline edge was rounded.";
if (query.has("long")) setup.long = true;
const kernel = new FakeKernel(setup, query.get("panel") ?? "lab");
Object.assign(window, { kernel });
const views = Number(query.get("views") ?? 1);
for (let n = 0; n < views; n++) widget.render({ model: kernel, el: page });
setInterval(() => kernel.tick(), 100);
