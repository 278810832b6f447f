"""Special functions of the KAN paper (arXiv 2404.19756, Table 1) at the paper's best shape or one within it.

``python tests/benchmarks/special.py [--seeds 5] [--rows kv,jv]`` prints a table and writes nothing. Each row is one fit
a seed; the seed decides the model's first values and the samples. The paper does not give its domains: here both
arguments are drawn evenly from [0, 1], the second of ``yv`` and ``kv``, which are infinite at 0, from [0.2, 1.2].
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.special
import torch

from kanlab import KAN

ROWS, TEST_ROWS = 3000, 1000
GRIDS = (3, 5, 8, 12, 20, 30)
Function = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Row:
    """One function: a shape within the paper's best, and the paper's root mean squared error of KAN and MLP."""

    name: str
    function: Function
    width: list
    paper: float
    mlp: float


def spherical(m: int, n: int) -> Function:
    """Return the real part of a spherical harmonic of azimuth and polar angle."""
    return lambda azimuth, polar: np.real(scipy.special.sph_harm_y(n, m, polar, azimuth))


# fmt: off
TABLE = (
    Row("ellipj", lambda u, m: scipy.special.ellipj(u, m)[0], [2, 3, 1], 1.33e-4, 6.48e-4),
    Row("ellipkinc", scipy.special.ellipkinc, [2, 2, 1], 1.24e-4, 5.52e-4),
    Row("ellipeinc", scipy.special.ellipeinc, [2, 2, 1], 8.26e-5, 3.04e-4),
    Row("jv", scipy.special.jv, [2, 2, 1, 1], 1.64e-3, 5.52e-3),
    Row("yv", lambda v, x: scipy.special.yv(v, x + 0.2), [2, 2, 2, 1], 1.49e-5, 3.45e-4),
    Row("kv", lambda v, x: scipy.special.kv(v, x + 0.2), [2, 2, 1], 2.52e-5, 1.67e-4),
    Row("iv", scipy.special.iv, [2, 3, 1], 9.28e-3, 1.07e-2),
    Row("lpmv(0)", lambda v, x: scipy.special.lpmv(0, v, x), [2, 2, 1], 5.25e-5, 1.74e-2),
    Row("lpmv(1)", lambda v, x: scipy.special.lpmv(1, v, x), [2, 4, 1], 6.90e-4, 1.50e-3),
    Row("lpmv(2)", lambda v, x: scipy.special.lpmv(2, v, x), [2, 3, 1], 2.26e-4, 9.43e-4),
    Row("sph_harm(0, 1)", spherical(0, 1), [2, 1, 1], 2.21e-7, 1.25e-6),
    Row("sph_harm(1, 1)", spherical(1, 1), [2, 2, 1], 1.22e-4, 6.70e-4),
    Row("sph_harm(0, 2)", spherical(0, 2), [2, 1, 1], 1.95e-7, 2.85e-6),
    Row("sph_harm(1, 2)", spherical(1, 2), [2, 2, 1], 1.50e-5, 1.84e-3),
    Row("sph_harm(2, 2)", spherical(2, 2), [2, 2, 1], 9.45e-5, 6.21e-4),
)
# fmt: on


def samples(row: Row, seed: int) -> dict[str, torch.Tensor]:
    """Draw the dataset."""
    x = np.random.default_rng(seed).random((ROWS + TEST_ROWS, 2))
    y = row.function(x[:, 0], x[:, 1])[:, None]
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
    return {
        "train_input": inputs[:ROWS],
        "train_label": labels[:ROWS],
        "test_input": inputs[ROWS:],
        "test_label": labels[ROWS:],
    }


def run(row: Row, seed: int) -> tuple[float, float]:
    """Return the test error and the seconds of one fit."""
    dataset = samples(row, seed)
    start = time.perf_counter()
    model = KAN(row.width, grid=GRIDS[0], grid_eps=0.5, seed=seed)
    model.fit(dataset, steps=20, grids=GRIDS, restarts=8, seed=seed, log=0)
    seconds = time.perf_counter() - start
    with torch.no_grad():
        error = (model(dataset["test_input"]) - dataset["test_label"]).square().mean().sqrt()
    return float(error), seconds


def main() -> None:
    """Print the table, in Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--rows", default="", help="names, separated by commas; all if not given")
    options = arguments.parse_args()
    chosen = options.rows.split(",") if options.rows else [row.name for row in TABLE]
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, float64, {ROWS} samples, {options.seeds} seeds\n")
    print("| function | shape | paper's KAN | paper's MLP | median | worst | met | s a seed |")
    print("|---|---|---|---|---|---|---|---|")
    for row in TABLE:
        if row.name not in chosen:
            continue
        found = [run(row, seed) for seed in range(options.seeds)]
        errors, seconds = [error for error, _ in found], [seconds for _, seconds in found]
        met = sum(error < row.paper for error in errors)
        print(
            f"| {row.name} | {row.width} | {row.paper:.2e} | {row.mlp:.2e} | {statistics.median(errors):.1e} | "
            f"{max(errors):.1e} | {met} of {len(errors)} | {statistics.median(seconds):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
