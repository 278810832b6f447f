"""Backward elimination over seeds: how often is exactly what a problem needs left, and how long does it take?

``python tests/benchmarks/elimination.py [seeds]`` prints a table and writes nothing.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from kanlab import KAN, create_dataset

Shape = tuple[tuple[int, ...], int]
Width = list[int | list[int]]


def hello(x: Tensor) -> Tensor:
    return torch.exp(torch.sin(math.pi * x[:, 0]) + x[:, 1] ** 2)


def square(x: Tensor) -> Tensor:
    return (x[:, 0] + x[:, 1]) ** 2


def product(x: Tensor) -> Tensor:
    return x[:, 0] * x[:, 1]


def velocities(x: Tensor) -> Tensor:
    return (x[:, 0] + x[:, 1]) / (1 + x[:, 0] * x[:, 1])


def distance(x: Tensor) -> Tensor:
    return ((x[:, 0] - x[:, 1]) ** 2 + (x[:, 2] - x[:, 3]) ** 2).sqrt()


def four(x: Tensor) -> Tensor:
    pairs = torch.sin(math.pi * (x[:, 0] ** 2 + x[:, 1] ** 2)) + torch.sin(math.pi * (x[:, 2] ** 2 + x[:, 3] ** 2))
    return torch.exp(0.5 * pairs)


@dataclass(frozen=True)
class Case:
    """A problem, the network to begin with, and what it needs: the nodes of each level, and how many edges."""

    name: str
    function: Callable[[Tensor], Tensor]
    width: Width
    needed: Shape
    grid: int = 3
    steps: int = 50
    noise: float = 0.0
    reach: float = 1.0


LINE, PAIR = ((2, 1, 1), 3), ((2, 2, 1), 6)
CASES = (
    Case("exp(sin πx + y²)", hello, [2, 5, 1], LINE),
    Case("exp(sin πx + y²), trained for long", hello, [2, 5, 1], LINE, steps=200),
    Case("exp(sin πx + y²)", hello, [2, 5, 1], LINE, grid=10),
    Case("exp(sin πx + y²), 1 % noise", hello, [2, 5, 1], LINE, noise=0.01),
    Case("exp(sin πx + y²), 5 % noise", hello, [2, 5, 1], LINE, noise=0.05),
    Case("(x + y)²", square, [2, 5, 1], LINE),
    Case("(u + v) / (1 + uv) on ±0.9", velocities, [2, 5, 1], LINE, reach=0.9),
    Case("(u + v) / (1 + uv), 5 % noise", velocities, [2, 5, 1], LINE, reach=0.9, noise=0.05),
    Case("xy", product, [2, 5, 1], PAIR),
    Case("xy, 1 % noise", product, [2, 5, 1], PAIR, noise=0.01),
    Case("xy, multiplication nodes", product, [2, [2, 2], 1], LINE),
    Case("exp(½ Σ sin π(xᵢ² + xⱼ²))", four, [4, 4, 2, 1], ((4, 2, 1, 1), 7)),
    Case("distance in the plane", distance, [4, 4, 3, 1], ((4, 2, 1, 1), 7)),
)


def run(case: Case, seed: int) -> tuple[Shape, float, float]:
    """Train, eliminate; return what is left, the seconds of the elimination, and the error against the truth."""
    n_in = case.width[0]
    assert isinstance(n_in, int)
    dataset = create_dataset(
        case.function, n_in, ranges=(-case.reach, case.reach), train_num=1000, test_num=1000, seed=seed
    )
    spread = float(dataset["train_label"].std())
    noise = torch.randn(1000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    noisy = {**dataset, "train_label": dataset["train_label"] + case.noise * spread * noise}
    model = KAN(case.width, grid=case.grid, seed=seed)
    model.fit(noisy, steps=case.steps, log=0)
    start = time.perf_counter()
    small = model.prune(method="eliminate", log=0)
    seconds = time.perf_counter() - start
    with torch.no_grad():
        error = (small(dataset["test_input"]) - dataset["test_label"]).square().mean().sqrt()
    edges = sum(int(layer.mask.sum()) for layer in small.kan_layers())
    return (tuple(sum(nodes) for nodes in small.width), edges), seconds, float(error) / spread


def main(seeds: int, names: str) -> None:
    """Run the cases and print the table, in Markdown."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, 1000 rows, {seeds} seeds\n")
    print("| problem | from | grid | needed | found | median s | slowest s | median test RMSE / spread | else |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in CASES:
        if names not in case.name:
            continue
        runs = [run(case, seed) for seed in range(seeds)]
        shapes = Counter(shape for shape, _, _ in runs)
        exact = shapes.pop(case.needed, 0)
        others = ", ".join(f"{list(nodes)} with {edges} edges: {n}" for (nodes, edges), n in shapes.most_common(4))
        times, errors = [s for _, s, _ in runs], statistics.median(e for _, _, e in runs)
        needed = f"{list(case.needed[0])}, {case.needed[1]} edges"
        print(
            f"| {case.name} | {case.width} | {case.grid} | {needed} | {exact} of {seeds} "
            f"| {statistics.median(times):.2f} | {max(times):.2f} | {errors:.1e} | {others} |",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, sys.argv[2] if len(sys.argv) > 2 else "")
