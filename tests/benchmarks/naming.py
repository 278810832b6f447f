"""How often training, pruning and naming find a small formula again, without noise and with it.

``python tests/benchmarks/naming.py [seeds] [--only TEXT]`` prints a table and writes nothing. The shape of the KAN is
given, as pykan's tutorials give it; the names come from the default library. "Exact": after snapping the formula has
the truth's values, to 1e-6 of their spread, on a range 1.5 times wider (and where the truth is defined). "Within": all
edges have names and the values differ from the noise-free truth's by less than five times the noise, on that range.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import sympy
import torch
from torch import Tensor

from kanlab import KAN, Session, create_dataset
from kanlab.symbolic.evaluate import evaluate

X, Y, Z = VARIABLES = sympy.symbols("x y z")
NOISES = (0.0, 1e-2)


@dataclass(frozen=True)
class Case:
    """A formula and the shape it is looked for in."""

    truth: sympy.Expr
    width: tuple

    @property
    def n_in(self) -> int:
        """How many inputs it has."""
        return self.width[0]

    def values(self, x: Tensor) -> Tensor:
        """Return the truth."""
        return evaluate(self.truth, dict(zip(VARIABLES, x.unbind(-1), strict=False)))[:, None]


CASES = (
    Case(sympy.sin(sympy.pi * X) + Y**2, (2, 1)),
    Case(sympy.tanh(2 * X) + Y / 2, (2, 1)),
    Case(sympy.Abs(X) + Y**2, (2, 1)),
    Case(sympy.tan(X) + 1 / (Y + 2), (2, 1)),
    Case(sympy.cos(3 * X) + sympy.sin(2 * Y) + Z, (3, 1)),
    Case(sympy.exp(-2 * X**2), (1, 1)),
    Case(sympy.exp(sympy.sin(sympy.pi * X) + Y**2), (2, 1, 1)),
    Case(sympy.sqrt(X**2 + Y**2 + 1), (2, 1, 1)),
    Case(sympy.log(2 + X + Y / 2), (2, 1, 1)),
    Case(1 / (1 + X**2), (1, 1, 1)),
    Case((X + Y) ** 3, (2, 1, 1)),
    Case(sympy.sin(2 * X + 3 * Y), (2, 1, 1)),
    Case(sympy.tanh(X**2 + sympy.sin(2 * Y)), (2, 1, 1)),
    Case(sympy.sin(sympy.pi * X) * sympy.exp(Y), (2, (0, 1))),
    Case(X * Y, (2, (0, 1))),
)


@dataclass(frozen=True)
class Result:
    """What one run found."""

    found: sympy.Expr
    exact: bool
    within: bool
    seconds: float


def run(case: Case, noise: float, seed: int) -> Result:
    """Train, prune, name, snap and compare."""
    data = create_dataset(case.values, n_var=case.n_in, train_num=1000, test_num=200, seed=seed)
    generator = torch.Generator().manual_seed(1000 + seed)
    spread = float(data["train_label"].std(correction=0))
    for name in ("train_label", "test_label"):
        error = torch.randn(data[name].shape, generator=generator, dtype=torch.float64)
        data[name] = data[name] + noise * spread * error
    width = [list(nodes) if isinstance(nodes, tuple) else nodes for nodes in case.width]
    start = time.process_time()
    session = Session(KAN(width, grid=5, seed=seed), data, names=[symbol.name for symbol in VARIABLES[: case.n_in]])
    session.fit(steps=40, lamb=1e-3)
    session.prune()
    session.fit(steps=30)
    session.auto_symbolic()
    session.fit(steps=50)
    session.snap()
    formula = session.formula()
    seconds = time.process_time() - start
    x = 1.5 * (2 * torch.rand(1000, case.n_in, generator=generator, dtype=torch.float64) - 1)
    truth = case.values(x)
    x, truth = x[truth.isfinite()[:, 0]], truth[truth.isfinite()[:, 0]]
    error = float(((formula(x) - truth).abs() / spread).nan_to_num(nan=torch.inf).max())
    return Result(formula.shown()[0], error < 1e-6, not formula.spline_edges and error < max(5 * noise, 1e-6), seconds)


def main() -> None:
    """Run all formulas and print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="?", default=3)
    parser.add_argument("--only", default="", help="formulas that contain this text")
    parser.add_argument("--show", action="store_true", help="print each formula that is not exact")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cases = [case for case in CASES if asked.only in str(case.truth)]
    print(f"torch {torch.__version__}, one thread, its processor time, {asked.seeds} seeds\n")
    print("| formula | " + " | ".join(f"noise {noise:g}: exact | within | s" for noise in NOISES) + " |")
    print("|---" * (1 + 3 * len(NOISES)) + "|")
    sums = [[0, 0] for _ in NOISES]
    for case in cases:
        cells = []
        for noise, total in zip(NOISES, sums, strict=True):
            results = [run(case, noise, seed) for seed in range(asked.seeds)]
            counts = sum(result.exact for result in results), sum(result.within for result in results)
            total[:] = [old + new for old, new in zip(total, counts, strict=True)]
            seconds = sorted(result.seconds for result in results)[len(results) // 2]
            cells.append(f"{counts[0]} | {counts[1]} | {seconds:.1f}")
            if asked.show:
                cells += [f"<{result.found}>" for result in results if not result.exact]
        print(f"| {case.truth} | " + " | ".join(cells) + " |", flush=True)
    runs = len(cases) * asked.seeds
    print("| all | " + " | ".join(f"{exact} of {runs} | {within} of {runs} |" for exact, within in sums) + " |")


if __name__ == "__main__":
    main()
