"""What a Levenberg-Marquardt step costs beside its linear algebra, and how soon errors are reached.

``python tests/benchmarks/lm_step.py`` prints two tables and writes nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from kanlab import KAN
from kanlab.engine.objective import Objective
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.problems import hello

ROWS, STEPS = 1000, 30
LEVELS = (1e-2, 1e-3, 1e-4, 1e-5)
#: Grids and steps on each: an error that small needs a fine grid, and a fine grid from the start overfits.
SCHEDULE = ((3, 10), (5, 10), (10, 10), (20, 15), (30, 15))


def best_of(work: Callable[[], object], repeats: int) -> float:
    """Return the least time in milliseconds: what else runs on the machine only ever adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return min(times)


def step_cost(grid: int) -> tuple[int, float, float, float]:
    """Return the number of parameters, median and best milliseconds of a step, and those of its BLAS floor."""
    dataset = hello.dataset(train_num=ROWS)
    model = KAN([2, 5, 1], grid=grid, seed=0)
    model.update_grid_from_samples(dataset["train_input"])
    objective = Objective(model, dataset["train_input"].T.contiguous(), dataset["train_label"].T.contiguous())
    solver = LevenbergMarquardt(objective)
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        solver.step()
        times.append(1e3 * (time.perf_counter() - start))
    jacobian = objective.linear.jacobian(solver.current.tape).flatten(1)
    ridge = torch.eye(len(jacobian), dtype=jacobian.dtype)

    def floor() -> torch.Tensor:
        return torch.linalg.cholesky_ex(jacobian @ jacobian.T + ridge)[0]

    return objective.linear.size, statistics.median(times), min(times), best_of(floor, 20)


def times_to_levels(seed: int) -> list[float]:
    """Train [2, 5, 1] on ever finer grids; return the seconds until the test error is below each level (or inf)."""
    dataset = hello.dataset(train_num=ROWS, seed=seed)
    start, reached = time.perf_counter(), [float("inf")] * len(LEVELS)
    model = KAN([2, 5, 1], grid=SCHEDULE[0][0], seed=seed)
    for grid, steps in SCHEDULE:
        if grid > model.grid[0]:
            model = model.refine(grid)
        for step in model.fit_steps(dataset, steps=steps):
            now = time.perf_counter() - start
            reached = [
                min(old, now) if step.test_loss < level else old for old, level in zip(reached, LEVELS, strict=True)
            ]
    return reached


def main() -> None:
    """Print both tables, in Markdown."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, [2, 5, 1] on the hello problem, {ROWS} rows\n")
    print("| grid | parameters | step, median ms | step, best ms | gemm + Cholesky ms |\n|---|---|---|---|---|")
    for grid in (5, 20):
        size, median, best, floor = step_cost(grid)
        print(f"| {grid} | {size} | {median:.2f} | {best:.2f} | {floor:.2f} |")
    seeds = 20
    runs = [times_to_levels(seed) for seed in range(seeds)]
    print("\n| test RMSE below | seeds | median s | slowest s |\n|---|---|---|---|")
    for column, level in enumerate(LEVELS):
        times = [run[column] for run in runs if run[column] < float("inf")]
        told = f"{statistics.median(times):.2f} | {max(times):.2f}" if times else "– | –"
        print(f"| {level:.0e} | {len(times)} of {seeds} | {told} |")


if __name__ == "__main__":
    main()
