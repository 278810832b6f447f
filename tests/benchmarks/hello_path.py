"""The hello path over seeds: does it find exp(sin(π x) + y²), and where does the time go?

``python tests/benchmarks/hello_path.py [seeds] [--pykan N]`` prints a table and writes nothing. The times are the
processor's, so that other programs count for less. With ``--pykan`` (a minute or so a seed) pykan goes the same way,
by its own calls, from N seeds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sympy
import torch

from kanlab import KAN
from kanlab.problems import hello
from kanlab.symbolic.evaluate import evaluate

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
        """Whether the formula is the truth: by its numbers, or by its values on a wider range."""
        return is_truth(self.expr) or has_its_values(self.expr)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time inside to a stage."""
        start = time.process_time()
        yield
        self.seconds[stage] = time.process_time() - start

    @torch.no_grad()
    def look_at(self, model: Any, dataset: Mapping[str, torch.Tensor]) -> None:
        """Note a model's shape and error."""
        self.width = [sum(nodes) for nodes in model.width]
        self.test_rmse = float((model(dataset["test_input"]) - dataset["test_label"]).square().mean().sqrt())


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
    result.look_at(model, dataset)
    return result


def has_its_values(expr: sympy.Expr) -> bool:
    """Whether an expression has the truth's values, to `TOLERANCE` of them, on a range 1.5 times that of the data.

    >>> x, y = hello.X, hello.Y
    >>> has_its_values(2 * sympy.exp(sympy.sin(sympy.pi * x) + y**2 - sympy.log(2))), has_its_values(hello.TRUTH + 1e-3)
    (True, False)
    """
    x, y = 3 * torch.rand(2, 1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1.5
    values, truth = (evaluate(each, {hello.X: x, hello.Y: y}) for each in (expr, hello.TRUTH))
    return bool(((values - truth).abs() <= TOLERANCE * truth.abs()).all())


@contextmanager
def elsewhere() -> Iterator[None]:
    """Work in a folder that is thrown away: pykan's pruning writes files."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)


def run_pykan(seed: int) -> Result:
    """Go the same way with pykan, by the calls of its own introduction."""
    from kan import KAN as PyKAN  # pyright: ignore[reportMissingImports]

    result = Result(seed)
    dataset = hello.dataset(seed=seed)
    torch.set_default_dtype(torch.float64)  # as in pykan's introduction; it makes tensors of the default type
    with elsewhere(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        model: Any = PyKAN(width=[2, 5, 1], grid=3, k=3, seed=seed)
        with result.timed("fit"):
            model.fit(dataset, opt="LBFGS", steps=50, lamb=1e-3, log=51)
        with result.timed("prune"):
            model = model.prune()
        with result.timed("fit again"):
            model.fit(dataset, opt="LBFGS", steps=50, log=51)
        with result.timed("auto symbolic"):
            model.auto_symbolic(lib=["x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs"], verbose=0)
        with result.timed("refit"):
            model.fit(dataset, opt="LBFGS", steps=50, log=51)
        with result.timed("formula"):
            exprs, variables = model.symbolic_formula()
    result.expr = exprs[0].xreplace(dict(zip(variables, (hello.X, hello.Y), strict=True)))
    result.look_at(model, dataset)
    return result


def show(name: str, results: Iterable[Result]) -> None:
    """Print a table in Markdown, row by row."""
    print(f"\n| {name}, seed | " + " | ".join(STAGES) + " | total s | skeleton | test RMSE | exact |")
    print("|---" * (len(STAGES) + 5) + "|")
    done = []
    for result in results:
        done.append(result)
        times = " | ".join(f"{result.seconds[stage]:.2f}" for stage in STAGES)
        last = f"{result.width} | {result.test_rmse:.1e} | {'yes' if result.exact else 'no'}"
        print(f"| {result.seed} | {times} | {result.total:.2f} | {last} |", flush=True)
    medians = " | ".join(f"{statistics.median(r.seconds[stage] for r in done):.2f}" for stage in STAGES)
    total = statistics.median(r.total for r in done)
    print(f"| median | {medians} | {total:.2f} | | | {sum(r.exact for r in done)} of {len(done)} |")


def main() -> None:
    """Run the seeds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="?", default=20)
    parser.add_argument("--pykan", type=int, default=0, metavar="N", help="how many seeds pykan runs")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, its processor time")
    show("kanlab", map(run, range(asked.seeds)))
    if asked.pykan:
        show("pykan", map(run_pykan, range(asked.pykan)))


if __name__ == "__main__":
    main()
