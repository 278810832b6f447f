"""How soon and how far the hello problem is learnt, without a look at the test rows; pykan beside on request.

``python tests/benchmarks/accuracy.py [--seeds 20] [--pykan 3]`` prints Markdown and writes nothing. 1000 samples of
exp(sin(pi x) + y^2), float64, one thread; a seed decides the model's first values and the samples. Times are from the
call on, the test error of every step included.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from dataclasses import dataclass

import torch

from kanlab import KAN
from kanlab.problems import hello

LEVELS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True)
class Outcome:
    """Seconds until the test error was first below each level, its end and the seconds it took to get there."""

    reached: dict[float, float]
    final: float
    seconds: float


def kanlab_run(width: list[int], seed: int, grids: tuple[int, ...], **options) -> Outcome:
    """Fit once, with the grids growing."""
    dataset = hello.dataset(train_num=1000, seed=seed)
    model = KAN(width, grid=grids[0], seed=seed, grid_eps=options.pop("grid_eps", 1.0))
    start, reached = time.perf_counter(), {}
    for step in model.fit_steps(dataset, steps=20, grids=grids, seed=seed, **options):
        now = time.perf_counter() - start
        for level in LEVELS:
            if step.test_loss < level:
                reached.setdefault(level, now)
    seconds = time.perf_counter() - start
    with torch.no_grad():
        error = (model(dataset["test_input"]) - dataset["test_label"]).square().mean().sqrt()
    return Outcome(reached, float(error), seconds)


def pykan_run(width: list[int], seed: int) -> Outcome:
    """Fit pykan's KAN as its tutorials do: grids 3, 5, 10, 20, 50, forty LBFGS steps on each."""
    from kan import KAN as PyKAN  # pyright: ignore[reportMissingImports]

    dataset = hello.dataset(train_num=1000, seed=seed)
    torch.set_default_dtype(torch.float64)
    start, reached, error = time.perf_counter(), {}, float("nan")
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            model = PyKAN(width=list(width), grid=3, k=3, seed=seed, auto_save=False, ckpt_path=folder)
            for grid in (3, 5, 10, 20, 50):
                model = model if grid == 3 else model.refine(grid)
                model.auto_save = False
                before = time.perf_counter() - start
                with contextlib.redirect_stderr(io.StringIO()):
                    losses = model.fit(dataset, opt="LBFGS", steps=40, log=1000)["test_loss"]
                spent = time.perf_counter() - start - before
                for number, loss in enumerate(losses, 1):
                    for level in LEVELS:
                        if float(loss) < level:
                            reached.setdefault(level, before + spent * number / len(losses))
                error = float(losses[-1])
    finally:
        torch.set_default_dtype(torch.float32)
    return Outcome(reached, error, time.perf_counter() - start)


def row(name: str, outcomes: list[Outcome]) -> str:
    """Return one line of the table."""
    cells = []
    for level in LEVELS:
        times = [outcome.reached[level] for outcome in outcomes if level in outcome.reached]
        cells.append(f"{statistics.median(times):.3f} ({len(times)})" if times else "–")
    finals = [outcome.final for outcome in outcomes]
    seconds = statistics.median(outcome.seconds for outcome in outcomes)
    return f"| {name} | {' | '.join(cells)} | {statistics.median(finals):.1e} | {max(finals):.1e} | {seconds:.2f} |"


def main() -> None:
    """Print the table, in Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--pykan", type=int, default=0, help="seeds of pykan beside it: about 40 s each")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, {options.seeds} seeds (pykan: {options.pykan})\n")
    print(f"| what | {' | '.join(f's to {level:.0e} (seeds)' for level in LEVELS)} | final median | worst | s |")
    print("|---" * (len(LEVELS) + 4) + "|")
    wide, narrow = (3, 5, 8, 12, 20, 30), (3, 4, 7, 12, 25, 50, 100)
    for name, width, grids, more in (
        ("[2, 5, 1]", [2, 5, 1], wide, {}),
        ("[2, 5, 1], grid_eps 0.5", [2, 5, 1], wide, {"grid_eps": 0.5}),
        ("[2, 1, 1], 8 restarts", [2, 1, 1], narrow, {"restarts": 8}),
        ("[2, 1, 1], 8 restarts, grid_eps 0.5", [2, 1, 1], narrow, {"restarts": 8, "grid_eps": 0.5}),
    ):
        print(row(name, [kanlab_run(width, seed, grids, **more) for seed in range(options.seeds)]), flush=True)
    for width in ([2, 5, 1], [2, 1, 1]):
        if options.pykan:
            print(row(f"pykan {width}", [pykan_run(width, seed) for seed in range(options.pykan)]), flush=True)


if __name__ == "__main__":
    main()
