"""The hello path over seeds: does it find exp(sin(π x) + y²), and where does the time go?

``python tests/benchmarks/hello_path.py [seeds]`` prints a table and writes nothing.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sympy
import torch

from kanlab import KAN
from kanlab.problems import hello

#: How far a number in the formula may be from the truth's.
TOLERANCE = 1e-6
STAGES = ("fit", "prune", "fit again", "auto symbolic", "refit", "formula")


@dataclass
class Result:
    """One seed's way."""

    seed: int
    seconds: dict[str, float] = field(default_factory=dict)
    width: list[int] = field(default_factory=list)
    expr: sympy.Expr = sympy.S.Zero
    test_rmse: float = float("nan")

    @property
    def total(self) -> float:
        """All stages together."""
        return sum(self.seconds.values())

    @property
    def exact(self) -> bool:
        """Whether the formula is the truth, every number within `TOLERANCE`."""
        return is_truth(self.expr)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time inside to a stage."""
        start = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - start


def is_truth(expr: sympy.Expr) -> bool:
    """Whether an expression in x and y is exp(sin(π x) + y²), every number within `TOLERANCE`.

    >>> x, y = hello.X, hello.Y
    >>> is_truth(sympy.exp(1.0000001 * y**2 + sympy.sin(3.1415926 * x)))
    True
    >>> is_truth(sympy.exp(y**2 + sympy.cos(3.1415926 * x - 1.5707963)))
    True
    >>> is_truth(sympy.exp(1.00001 * y**2 + sympy.sin(3.1415926 * x)))
    False
    """
    meant = [sympy.Integer(n) for n in range(-2, 3)] + [sympy.pi * n / 2 for n in (-4, -3, -2, -1, 1, 2, 3, 4)]
    numbers = {}
    for number in expr.atoms(sympy.Float):
        near = [value for value in meant if abs(float(number) - float(value)) < TOLERANCE]
        if not near:
            return False
        numbers[number] = near[0]
    return sympy.simplify(expr.xreplace(numbers) - hello.TRUTH) == 0


def run(seed: int) -> Result:
    """Go the README's way from one seed: of the model's first values and of the samples."""
    result = Result(seed)
    dataset = hello.dataset(seed=seed)
    model = KAN(width=[2, 5, 1], grid=3, seed=seed)
    with result.timed("fit"):
        model.fit(dataset, steps=50, lamb=1e-3, log=0)
    with result.timed("prune"):
        model = model.prune()
    with result.timed("fit again"):
        model.fit(dataset, steps=50, log=0)
    with result.timed("auto symbolic"):
        model.auto_symbolic(log=0)
    with result.timed("refit"):
        model.fit(dataset, steps=50, log=0)
    with result.timed("formula"):
        exprs, variables = model.symbolic_formula(var=list(hello.NAMES))
    result.expr = exprs[0].xreplace(dict(zip(variables, (hello.X, hello.Y), strict=True)))
    result.width = [sum(nodes) for nodes in model.width]
    with torch.no_grad():
        error = model(dataset["test_input"]) - dataset["test_label"]
    result.test_rmse = float(error.square().mean().sqrt())
    return result


def main(seeds: int) -> None:
    """Run the seeds and print the table, in Markdown."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread\n")
    print("| seed | " + " | ".join(STAGES) + " | total s | skeleton | test RMSE | exact |")
    print("|---" * (len(STAGES) + 5) + "|")
    results = []
    for seed in range(seeds):
        result = run(seed)
        results.append(result)
        times = " | ".join(f"{result.seconds[stage]:.2f}" for stage in STAGES)
        last = f"{result.width} | {result.test_rmse:.1e} | {'yes' if result.exact else 'no'}"
        print(f"| {seed} | {times} | {result.total:.2f} | {last} |", flush=True)
    medians = " | ".join(f"{statistics.median(r.seconds[stage] for r in results):.2f}" for stage in STAGES)
    total = statistics.median(r.total for r in results)
    exact = sum(r.exact for r in results)
    print(f"| median | {medians} | {total:.2f} | | | {exact} of {seeds} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
