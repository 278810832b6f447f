import { describe, expect, it } from "vitest";
import { type LayoutInput, layoutNetwork, portOf } from "../../src/lib/layout";

function network(layers: number[], width: number, height = 420, pruned = new Set<string>()): LayoutInput {
  return product(
    layers,
    layers.map((n, l) => (l === 0 ? [] : Array.from({ length: n }, () => 1))),
    width,
    height,
    pruned,
  );
}

function product(
  layers: number[],
  subnodes: number[][],
  width: number,
  height = 420,
  pruned = new Set<string>(),
): LayoutInput {
  const edges: LayoutInput["edges"][number][] = [];
  for (let l = 0; l + 1 < layers.length; l++)
    for (let i = 0; i < (layers[l] ?? 0); i++)
      for (let j = 0; j < (subnodes[l + 1] ?? []).reduce((a, b) => a + b, 0); j++)
        edges.push({ edge: [l, i, j], alive: !pruned.has(`${l},${i},${j}`) });
  return { width, height, layers, subnodes, edges };
}

const NETWORKS: [number[], number][] = [
  [[1, 1], 452],
  [[2, 1, 1], 452],
  [[2, 5, 1], 452],
  [[2, 5, 1], 574],
  [[2, 5, 1], 1240],
  [[4, 2, 1, 1], 574],
  [[10, 10, 1], 452],
  [[10, 10, 1], 574],
  [[20, 20, 2], 574],
  [[50, 10], 574],
  [[6, 6, 6, 6, 1], 574],
];

describe.each(NETWORKS)("the layout of %j at %d px", (layers, width) => {
  const layout = layoutNetwork(network(layers, width));

  it("keeps boxes apart and inside", () => {
    const boxes = layout.edges;
    // Gathered first: an expectation for each of 150,000 pairs would take seconds.
    const outside = boxes.filter(({ x, size }) => x - size / 2 < 0 || x + size / 2 > width);
    const touching = boxes.flatMap((a, n) =>
      boxes.slice(n + 1).filter((b) => Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) < (a.size + b.size) / 2),
    );
    expect(Math.min(...boxes.map(({ size }) => size))).toBeGreaterThanOrEqual(4);
    expect(outside).toEqual([]);
    expect(touching).toEqual([]);
  });

  it("keeps nodes apart from each other and from boxes, inputs below outputs", () => {
    for (const node of layout.nodes) {
      expect(node.x).toBeGreaterThanOrEqual(0);
      expect(node.x).toBeLessThanOrEqual(width);
      expect(node.y).toBeGreaterThan(18);
      expect(node.y).toBeLessThan(layout.height - 30);
      for (const box of layout.edges)
        expect(Math.abs(node.y - box.y) > box.size / 2 + 9 || Math.abs(node.x - box.x) > box.size / 2 + 9).toBe(true);
    }
    const [first, last] = [layout.nodes[0], layout.nodes.at(-1)];
    expect(first?.y).toBeGreaterThan(last?.y ?? 0);
  });

  it("starts every link at its source and ends it at its target", () => {
    for (const { source, target, y, size } of layout.edges) {
      expect(source.y).toBeGreaterThan(y + size / 2);
      expect(target.y).toBeLessThan(y - size / 2);
    }
  });
});

it("gives the boxes of a small network one row and a comfortable size", () => {
  const { edges } = layoutNetwork(network([2, 5, 1], 574));
  expect(new Set(edges.slice(0, 10).map(({ y }) => y)).size).toBe(1);
  expect(Math.min(...edges.map(({ size }) => size))).toBeGreaterThanOrEqual(40);
});

it("drops a hidden node without edges, keeps inputs and outputs, and leaves a dot for a pruned edge", () => {
  const gone = new Set(["0,0,0", "0,1,0", "1,0,0", "0,0,1"]);
  const layout = layoutNetwork(network([2, 2, 1], 574, 420, gone));
  expect(layout.nodes.map(({ visible }) => visible)).toEqual([true, true, false, true, true]);
  const dot = layout.edges[1];
  expect(dot?.size).toBe(0);
  expect(dot?.visible).toBe(true);
  const boxes = layout.edges.filter(({ size }) => size > 0);
  for (const box of boxes)
    expect(Math.hypot(box.x - (dot?.x ?? 0), box.y - (dot?.y ?? 0))).toBeGreaterThan(box.size / 2);
  expect(layout.edges[0]?.visible).toBe(false);
});

it("brings edges to the subnodes of a product", () => {
  const layout = layoutNetwork(product([2, 2, 1], [[], [1, 2], [1]], 574));
  const node = layout.nodes[3];
  expect(node?.ports).toHaveLength(2);
  const [, first, second] = layout.edges;
  expect(first?.target.x).toBe(node?.ports[0]?.x);
  expect(second?.target.x).toBe(node?.ports[1]?.x);
});

it("tells which node a subnode belongs to", () => {
  expect([0, 1, 2, 3].map((j) => portOf([1, 2, 1], j))).toEqual([
    { node: 0, port: 0 },
    { node: 1, port: 0 },
    { node: 1, port: 1 },
    { node: 2, port: 0 },
  ]);
});

it("lays 500 edges out fast enough to follow a dragged window", () => {
  const input = network([50, 10], 574);
  const times = Array.from({ length: 9 }, () => {
    const start = performance.now();
    layoutNetwork(input);
    return performance.now() - start;
  });
  // The best of nine: what the machine does besides is not what is tested.
  expect(Math.min(...times)).toBeLessThan(16);
});
