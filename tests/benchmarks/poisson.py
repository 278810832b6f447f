"""Poisson's equation as in pykan's tutorial, by kanlab and by pykan: how far from the solution, and how long?

``python tests/benchmarks/poisson.py [--seeds N] [--pykan N] [--steps N]`` prints a table and writes nothing.

The equation is u_xx + u_yy = f on [-1, 1]² with the solution sin(πx) sin(πy), at 21 × 21 points inside and 4 × 21 on
the edge; the loss is 0.1 times the mean squared residual plus that of the boundary values; the network is [2, 2, 1], in
float64, on one thread. Beside it stands the KAN paper's own example, for which the paper has 1e-7. pykan
(``pip install pykan``) takes ``--steps`` LBFGS steps on its grid of 5 from ``--pykan`` seeds; 0 leaves it out.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kanlab import KAN
from kanlab.problems.poisson import PAPER, TUTORIAL, Poisson, border, mesh, scattered

ALPHA, POINTS = 0.1, 21
INSIDE, EDGE, FINE = mesh(POINTS), border(POINTS), mesh(101)
SOURCE = TUTORIAL.source(INSIDE)


@dataclass(frozen=True)
class Result:
    """Mean squared errors on the 21 × 21 points and on 101 × 101, and seconds of the clock and of the processor."""

    coarse: float
    fine: float
    seconds: float
    cpu: float


@torch.no_grad()
def judged(model: Callable[[Tensor], Tensor], started: tuple[float, float], equation: Poisson = TUTORIAL) -> Result:
    """Measure a model that has been trained since ``started``."""
    seconds, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    coarse, fine = (float((model(x) - equation.solution(x)).square().mean()) for x in (INSIDE, FINE))
    return Result(coarse, fine, seconds, cpu)


def now() -> tuple[float, float]:
    """Return the clock's and the processor's time."""
    return time.perf_counter(), time.process_time()


# ---- kanlab


def residuals(u: Any) -> list[Tensor]:
    """Return the two terms of the loss."""
    return [ALPHA**0.5 * (u(INSIDE).laplacian - SOURCE), u(EDGE, order=0).value]


def kanlab(seed: int, restarts: int, grids: Sequence[int], **options: Any) -> tuple[KAN, Result]:
    """Train from several random starts, then on finer grids of the second layer."""
    started = now()
    model = KAN([2, 2, 1], grid=[2, 6], seed=seed, **options)
    model.fit(residual_fn=residuals, steps=15, restarts=restarts, seed=seed, log=0)
    for grid in grids:
        model = model.refine([2, grid])
        model.fit(residual_fn=residuals, steps=15, log=0)
    return model, judged(model, started)


def named(model: KAN) -> Result:
    """Let the edges be named from the default library, and train the names' constants on the equation."""
    started = now()
    model.auto_symbolic(log=0)
    model.fit(residual_fn=residuals, steps=30, log=0)
    return judged(model, started)


# ---- pykan


def pykan_loss(model: Any) -> Tensor:
    """Return the same loss, the second derivatives by autograd."""
    x = INSIDE.clone().requires_grad_()
    (first,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    second = [torch.autograd.grad(column.sum(), x, create_graph=True)[0][:, a] for a, column in enumerate(first.T)]
    residual = torch.stack(second).sum(0)[:, None] - SOURCE
    return ALPHA * residual.square().mean() + model(EDGE).square().mean()


def pykan_steps(model: Any, steps: int, *, lay: bool) -> None:
    """Take LBFGS steps as the tutorial does, the grids laid anew before every fifth of them."""
    from kan.LBFGS import LBFGS  # pyright: ignore[reportMissingImports]

    optimiser = LBFGS(
        model.parameters(),
        lr=1,
        history_size=10,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-32,
        tolerance_change=1e-32,
        tolerance_ys=1e-32,
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = pykan_loss(model)
        loss.backward()
        return loss

    for step in range(steps):
        if lay and step % 5 == 0:
            model.update_grid_from_samples(INSIDE)
        optimiser.step(closure)


def pykan(seed: int, steps: int) -> tuple[Result, Result]:
    """Train pykan's network; then name its edges x and sin, as its tutorial does, and train on."""
    from kan import KAN as PyKAN  # pyright: ignore[reportMissingImports]

    torch.set_default_dtype(torch.float64)
    model = PyKAN(width=[2, 2, 1], grid=5, k=3, seed=seed, auto_save=False, ckpt_path=tempfile.mkdtemp())
    started = now()
    pykan_steps(model, steps, lay=True)
    first = judged(model, started)
    for i in range(2):
        for j in range(2):
            model.fix_symbolic(0, i, j, "x", verbose=False)
        model.fix_symbolic(1, i, 0, "sin", verbose=False)
    pykan_steps(model, steps, lay=False)
    return first, judged(model, started)


# ---- the KAN paper's own


def paper(seed: int) -> Result:
    """Train [2, 10, 1] on u = sin(πx) sin(πy²), 10000 points inside, 800 on the edge (arXiv 2404.19756, sec. 3.4)."""
    inside, edge = scattered(10_000, 200, seed)
    source, clamped = PAPER.source(inside), PAPER.solution(edge)

    def terms(u: Any) -> list[Tensor]:
        return [0.1 * (u(inside).laplacian - source), u(edge, order=0).value - clamped]

    started = now()
    model = KAN([2, 10, 1], grid=5, k=5, seed=seed)
    model.fit(residual_fn=terms, steps=40, log=0)
    return judged(model, started, PAPER)


# ---- the table


def row(name: str, results: list[Result]) -> str:
    """Return a line of the table."""

    def both(part: str) -> str:
        values = [getattr(result, part) for result in results]
        return f"{statistics.median(values):.1e} | {max(values):.1e}"

    seconds, cpu = ([getattr(result, part) for result in results] for part in ("seconds", "cpu"))
    times = f"{statistics.median(seconds):.2f} | {statistics.median(cpu):.2f}"
    return f"| {name} | {len(results)} | {both('coarse')} | {both('fine')} | {times} |"


def main(seeds: int, pykan_seeds: int, steps: int) -> None:
    """Run all seeds and print the table, in Markdown."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread\n")
    print("| | seeds | 21² points: median | worst | 101² points: median | worst | s | CPU s |")
    print("|---" * 8 + "|")
    cubic = [kanlab(seed, 16, (12, 24, 48))[1] for seed in range(seeds)]
    print(row("kanlab, cubic, silu", cubic), flush=True)
    runs = [kanlab(seed, 8, (12, 24), k=5, base_fun="identity", noise_scale=0.02) for seed in range(seeds)]
    print(row("kanlab, quintic, identity", [result for _, result in runs]), flush=True)
    ends = [named(model) for model, _ in runs]
    print(row("… then named by itself (time of this alone)", ends), flush=True)
    print(row("kanlab, the paper's equation, [2, 10, 1]", [paper(seed) for seed in range(min(seeds, 3))]), flush=True)
    if pykan_seeds:
        both = [pykan(seed, steps) for seed in range(pykan_seeds)]
        print(row(f"pykan, {steps} steps", [first for first, _ in both]), flush=True)
        print(row(f"… then named x and sin, {steps} more", [last for _, last in both]), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--pykan", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    main(arguments.seeds, arguments.pykan, arguments.steps)
