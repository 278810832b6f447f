"""What ranking the whole library on an edge costs, alone and in a batch, and beside pykan.

``python tests/benchmarks/rank_edge.py [--pykan]`` prints a table and writes nothing. With ``--pykan`` (half a minute or
more) pykan's ``suggest_symbolic`` runs on the same samples, with its own 29 functions.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch

from kanlab.symbolic.affine import fit_affine
from kanlab.symbolic.library import resolve

ROWS, EDGES, REPEATS = 1000, 100, 15


def median_of(work: Callable[[], object], repeats: int) -> float:
    """Return the median processor time in milliseconds, after one run that fills the caches."""
    work()
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        work()
        times.append(1e3 * (time.thread_time() - start))
    return statistics.median(times)


def samples(edges: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and curves of many shapes, ``[edges, ROWS]``."""
    generator = torch.Generator().manual_seed(0)
    x = 2 * torch.rand(edges, ROWS, generator=generator, dtype=torch.float64) - 1
    rate = torch.linspace(0.5, 6, edges, dtype=torch.float64)[:, None]
    return x, torch.sin(rate * x) + 0.1 * torch.exp(-rate * x)


def pykan_seconds() -> float:
    """Return what pykan takes to rank its library on one edge."""
    from kan import KAN  # pyright: ignore[reportMissingImports]

    model = KAN(width=[1, 1], grid=5, k=3, seed=0, auto_save=False)
    model(samples(1)[0].T.float())
    start = time.thread_time()
    model.suggest_symbolic(0, 0, 0, verbose=False)
    return time.thread_time() - start


def main() -> None:
    """Print the table, in Markdown."""
    torch.set_num_threads(1)
    functions = resolve("all")
    one, many = samples(1), samples(EDGES)
    print(f"torch {torch.__version__}, one thread, its processor time, {ROWS} samples an edge\n")
    print("| what | functions | ms an edge |\n|---|---|---|")
    print(f"| one edge | {len(functions)} | {median_of(lambda: fit_affine(*one, functions), REPEATS):.1f} |")
    batch = median_of(lambda: fit_affine(*many, functions), 5) / EDGES
    print(f"| {EDGES} edges together | {len(functions)} | {batch:.2f} |")
    if "--pykan" in sys.argv:
        print(f"| pykan, one edge | 29 | {1e3 * pykan_seconds():.0f} |")


if __name__ == "__main__":
    main()
