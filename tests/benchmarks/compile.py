"""How many formulas become KANs that equal them, and how fast; pykan's compiler on the same beside it.

``python tests/benchmarks/compile.py`` prints a table and writes nothing. The 120 formulas are pykan's own list, with
its ranges, read from the installed pykan; those of `TYPED` are what people type besides.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy
import torch
from torch import Tensor

from kanlab import KAN
from kanlab.problems import feynman
from kanlab.symbolic.parser import parse

ROWS = 1000
EXACT = 1e-12
#: In x, y, z on [0.2, 1.5].
TYPED = (
    "x", "3", "x**y", "2**x", "|x - y|", "cosh(x)", "x**6", "x**(1/3)", "x**2.7", "1/x**3", "sgn(x - y)", "x*y*z",
    "sqrt(x) + sqrt(y)", "tanh(x)/(1 + |y|)", "sin(x) + x**2", "x**(y*z)", "log(x, 2)", "1/(1 + exp(-x*y))",
    "arctan(x/y)", "exp(-(x - y)**2)*cos(z)", "(x + y)**4/(x + y + z)", "sin(sin(sin(x)))", "erf(x*y)", "max(x, y)",
)  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """A formula with its own function and samples of its inputs."""

    name: str
    expr: sympy.Expr
    variables: list[sympy.Symbol]
    x: Tensor
    y: Tensor


def of_the_paper() -> Iterator[Formula]:
    """Yield the 27 equations of the KAN paper."""
    for row in feynman.ROWS.values():
        data = feynman.dataset(row.name, train_num=ROWS, test_num=1)
        symbols = [sympy.Symbol(name) for name in row.variables]
        yield Formula(row.name, parse(row.text, row.variables), symbols, data["train_input"], data["train_label"])


def of_pykan() -> Iterator[Formula]:
    """Yield pykan's 120 formulas; numpy evaluates them, since some of the functions beside them fail or differ."""
    from kan.feynman import get_feynman_dataset  # pyright: ignore[reportMissingImports]

    generator = torch.Generator().manual_seed(0)
    for number in range(1, 121):
        symbols, expr, _, ranges = get_feynman_dataset(number)
        symbols = list(symbols) if isinstance(symbols, list | tuple) else [symbols]
        box = torch.tensor(ranges if isinstance(ranges[0], list) else [ranges] * len(symbols), dtype=torch.float64)
        x = box[:, 0] + (box[:, 1] - box[:, 0]) * torch.rand(ROWS, len(symbols), generator=generator)
        y = torch.from_numpy(sympy.lambdify(symbols, expr, "numpy")(*x.numpy().T))[:, None]
        real = y.isfinite()[:, 0]
        yield Formula(str(number), expr, symbols, x[real], y[real])


def typed() -> Iterator[Formula]:
    """Yield the formulas of `TYPED`."""
    names = ("x", "y", "z")
    symbols = list(sympy.symbols(names))
    x = 0.2 + 1.3 * torch.rand(ROWS, 3, generator=torch.Generator().manual_seed(0))
    for text in TYPED:
        expr = parse(text, names)
        values = sympy.lambdify(symbols, expr, "scipy")(*x.numpy().T)
        yield Formula(text, expr, symbols, x, torch.as_tensor(values, dtype=x.dtype).broadcast_to(ROWS)[:, None])


def error(y: Tensor, truth: Tensor) -> float:
    """Return the root mean squared error relative to the truth's."""
    return float((y - truth).square().mean().sqrt() / truth.square().mean().sqrt())


def by_kanlab(formula: Formula) -> Tensor:
    """Compile with kanlab and evaluate."""
    return KAN.from_formula(formula.expr, formula.variables, formula.x)(formula.x).detach()


def by_pykan(formula: Formula) -> Tensor:
    """Compile with pykan and evaluate."""
    from kan.compiler import kanpiler  # pyright: ignore[reportMissingImports]

    return kanpiler(formula.variables, formula.expr, grid=3)(formula.x).detach()


def measure(formulas: list[Formula], compiler: Callable[[Formula], Tensor]) -> str:
    """Return a row of the table: how many are equal, the worst of them, failures, seconds."""
    errors, seconds, failed, unequal = [], [], [], []
    for formula in formulas:
        start = time.perf_counter()
        try:
            found = error(compiler(formula), formula.y)
        except Exception as fault:
            failed.append(f"{formula.name} ({type(fault).__name__})")
            continue
        seconds.append(time.perf_counter() - start)
        (errors if found < EXACT else unequal).append(found)
    worst = f"{max(errors):.1e}" if errors else ""
    return (
        f"{len(errors)} of {len(formulas)} | {worst} | {len(unequal)} | {len(failed)} | "
        f"{1e3 * statistics.median(seconds):.0f} | {1e3 * max(seconds):.0f} |"
    )


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # pykan computes in the default precision
    print("| formulas | compiler | equal to 1e-12 | worst of these | not equal | failed | median ms | slowest ms |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)  # pykan writes where it stands
        sets = {"KAN paper, table 2": of_the_paper(), "pykan's list": of_pykan(), "typed": typed()}
        for name, formulas in {name: list(part) for name, part in sets.items()}.items():
            for title, compiler in (("kanlab", by_kanlab), ("pykan", by_pykan)):
                print(f"| {name} | {title} | {measure(formulas, compiler)}", flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
