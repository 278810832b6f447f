"""What a Levenberg-Marquardt step costs beside its linear algebra.

``python tests/benchmarks/lm_step.py`` prints a table and writes nothing. The floor is what no implementation can do
without: the Jacobian's Gram matrix, by BLAS's own routine for it (dsyrk), and its Cholesky factorisation.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from scipy.linalg.blas import dsyrk  # pyright: ignore[reportAttributeAccessIssue]

from kanlab import KAN
from kanlab.engine.objective import Objective
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.problems import hello

ROWS, STEPS = 1000, 60


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
        solver.done = False
    jacobian = objective.linear.jacobian(solver.current.tape).flatten(1)
    columns, ridge = jacobian.numpy().T, torch.eye(len(jacobian), dtype=jacobian.dtype)
    matrix = jacobian @ jacobian.T + ridge
    product = best_of(lambda: dsyrk(1.0, columns, trans=1, lower=1), 50)
    factor = best_of(lambda: torch.linalg.cholesky_ex(matrix), 50)
    return objective.linear.size, statistics.median(times), min(times), product + factor


def main() -> None:
    """Print the table, in Markdown."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, [2, 5, 1] on the hello problem, {ROWS} rows\n")
    print("| grid | parameters | step, median ms | step, best ms | dsyrk + Cholesky ms | best / floor |")
    print("|---|---|---|---|---|---|")
    for grid in (5, 20):
        size, median, best, floor = step_cost(grid)
        print(f"| {grid} | {size} | {median:.2f} | {best:.2f} | {floor:.2f} | {best / floor:.1f} |")


if __name__ == "__main__":
    main()
