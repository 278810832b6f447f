"""Twelve formulas from nothing but data (KAN papers and Feynman's lectures), with and without noise.

``python tests/benchmarks/twelve.py [--noise 0 0.01] [--seeds 1] [--operon SECONDS] [--pykan]``

pyoperon is given its time and a general set of symbols, pykan its right shape.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.recovery import SUMMARY_HEAD, Case, Result, discover, one_thread, summary, table

UNIT, PLUS = (-1.0, 1.0), (0.5, 2.0)
CASES = [
    Case.of("x y", "x*y", x=UNIT, y=UNIT),
    Case.of("(x + y)^2", "(x + y)**2", x=UNIT, y=UNIT),
    Case.of("sqrt(x^2 + y^2)", "sqrt(x**2 + y**2)", x=UNIT, y=UNIT),
    Case.of("exp(-x^2)", "exp(-x**2)", x=(-2, 2)),
    Case.of("sin x + cos y", "sin(x) + cos(y)", x=(-3, 3), y=(-3, 3)),
    Case.of("x / y", "x/y", x=UNIT, y=PLUS),
    Case.of("exp(x) sin(y)", "exp(x)*sin(y)", x=UNIT, y=(-3, 3)),
    Case.of("I.6.2a", "exp(-t**2/2)/sqrt(2*pi)", t=(-3, 3)),
    Case.of("q / sqrt(1 - v^2)", "q/sqrt(1 - v**2)", q=PLUS, v=(0, 0.9)),
    Case.of("I.29.16", "sqrt(a**2 + b**2 + 2*a*b*cos(t))", a=PLUS, b=PLUS, t=(0, 2.8)),
    Case.of("I.16.6", "(u + v)/(1 + u*v)", u=(-0.9, 0.9), v=(-0.9, 0.9)),
    Case.of("I.8.14", "sqrt((a - b)**2 + (c - d)**2)", a=UNIT, b=UNIT, c=UNIT, d=UNIT),
]
#: The right shape of each, for pykan.
WIDTHS = [
    [2, 2, 1], [2, 1, 1], [2, 1, 1], [1, 1], [2, 1], [2, 1, 1], [2, [0, 1]], [1, 1, 1], [2, 2, [0, 1]],
    [3, [1, 1], 1, 1], [2, 1, 1], [4, 2, 1, 1],
]  # fmt: skip


def operon(case: Case, noise: float, seed: int, seconds: float) -> str:
    """Return pyoperon's error on wider ranges."""
    from pyoperon.sklearn import SymbolicRegressor  # pyright: ignore[reportMissingImports]

    X, y = case.data(1000, noise, seed)
    symbols = "add,sub,mul,div,constant,variable,sin,cos,exp,log,sqrt,square,tanh"
    model = SymbolicRegressor(
        allowed_symbols=symbols, max_time=int(seconds), generations=10**6, max_evaluations=10**9,
        optimizer_iterations=5, n_threads=1, random_state=seed,
    )  # fmt: skip
    model.fit(X[:800], y[:800])
    wide = case.wide()
    with np.errstate(all="ignore"):
        predicted = np.asarray(model.predict(wide), dtype=float)
        return f"{case.error(predicted, wide, float(y.std())):.0e}"


def pykan(case: Case, width: list, noise: float, seed: int) -> str:
    """Return the error of pykan's formula on wider ranges: its notebook's steps, the right shape given."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _pykan(case, width, noise, seed, folder)
    except Exception as problem:  # whatever it dies of is its result
        return type(problem).__name__
    finally:
        torch.set_default_dtype(usual)


def _pykan(case: Case, width: list, noise: float, seed: int, folder: str) -> str:
    import sympy
    from kan import KAN  # pyright: ignore[reportMissingImports]

    X, y = (torch.tensor(part) for part in case.data(1000, noise, seed))
    dataset = dict(zip(("train_input", "train_label"), (X[:800], y[:800, None]), strict=True))
    dataset |= {"test_input": X[800:], "test_label": y[800:, None]}
    model = KAN(width=width, grid=5, k=3, seed=seed, ckpt_path=folder)
    model.fit(dataset, opt="LBFGS", steps=30, lamb=1e-3)
    model = model.prune()
    model.fit(dataset, opt="LBFGS", steps=30)
    model.auto_symbolic(lib=["x", "x^2", "x^3", "sqrt", "1/x", "1/sqrt(x)", "exp", "log", "sin", "tanh"])
    model.fit(dataset, opt="LBFGS", steps=50)
    exprs, variables = model.symbolic_formula()  # pyright: ignore
    wide = case.wide()
    found = np.asarray(sympy.lambdify(variables, exprs[0], "numpy")(*wide.T), dtype=float)
    return f"{case.error(np.broadcast_to(found, (len(wide),)), wide, float(y.std())):.0e}"


def run(noise: float, seed: int, options: argparse.Namespace) -> Iterator[Result]:
    for number, case in enumerate(CASES):
        result = discover(case, noise, 1000 * seed + number)
        if options.operon:
            result.others["pyoperon"] = operon(case, noise, 1000 * seed + number, options.operon)
        if options.pykan:
            result.others["pykan"] = pykan(case, WIDTHS[number], noise, seed)
        yield result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.01])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--operon", type=float, default=0.0)
    parser.add_argument("--pykan", action="store_true")
    options = parser.parse_args()
    others = [name for name, wanted in (("pyoperon", options.operon), ("pykan", options.pykan)) if wanted]
    one_thread()
    lines = [SUMMARY_HEAD]
    for noise in options.noise:
        for seed in range(options.seeds):
            print(f"\nnoise {noise:g}, seed {seed}\n")
            results = table(run(noise, seed, options), others)
            lines.append(summary(f"twelve, noise {noise:g}, seed {seed}", results))
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
