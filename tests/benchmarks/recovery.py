"""What the recovery benchmarks share: formulas with ranges, samples, the search, and the verdict.

A formula is *exact* if it equals the truth to 1e-6 on ranges 1.5 times as wide as the data's, wherever the truth is
defined there: the root mean square of ``|found - truth| / max(|truth|, spread of the data)``. If the found formula is
not defined where the truth is (``sqrt(x) sqrt(y)`` for ``sqrt(x y)``), the difference must simplify to nothing for
symbols of the signs that the data has. It has the right *form* if its numbers, all free, can be fitted so that it is
exact.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import sympy
import torch
from scipy.optimize import least_squares

import kanlab
from kanlab.discovery import Solution
from kanlab.symbolic.parser import parse

WIDER, EXACT = 1.5, 1e-6
#: Part of the rows at which the found formula may be undefined: rounding under a root.
STRAY = 0.002


@dataclass(frozen=True)
class Case:
    """A formula over a box."""

    name: str
    expr: sympy.Expr
    ranges: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, name: str, text: str, **ranges: tuple[float, float]) -> Case:
        return cls(name, parse(text, {key: sympy.Symbol(key) for key in ranges}), ranges)

    @property
    def symbols(self) -> list[sympy.Symbol]:
        return [sympy.Symbol(name) for name in self.ranges]

    def values(self, X: np.ndarray) -> np.ndarray:
        return values(self.expr, self.symbols, X)

    def sample(self, n: int, rng: np.random.Generator, widen: float = 1.0) -> np.ndarray:
        low, high = np.array(list(self.ranges.values()), dtype=float).T
        return 0.5 * (low + high) + 0.5 * widen * (high - low) * rng.uniform(-1, 1, (n, len(low)))

    def data(self, n: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return n rows on which the formula is defined, and labels with noise in units of their spread."""
        rng = np.random.default_rng(seed)
        X = self.sample(4 * n, rng)
        y = self.values(X)
        X, y = X[np.isfinite(y)][:n], y[np.isfinite(y)][:n]
        return X, y + noise * y.std() * rng.standard_normal(len(y))

    def wide(self) -> np.ndarray:
        """Return rows on wider ranges at which the formula is defined."""
        X = self.sample(4000, np.random.default_rng(99), WIDER)
        return X[np.isfinite(self.values(X))]

    def error(self, predicted: np.ndarray, X: np.ndarray, spread: float) -> float:
        """Return the relative error where the prediction is defined; infinite if that is not nearly everywhere."""
        truth, defined = self.values(X), np.isfinite(predicted)
        if np.mean(~defined) > STRAY:
            return np.inf
        relative = (predicted - truth)[defined] / np.maximum(abs(truth[defined]), spread)
        return float(np.sqrt(np.mean(relative**2)))

    def simplifies(self, found: sympy.Expr, X: np.ndarray, spread: float) -> bool:
        """Say whether the difference is nothing for symbols of the signs that the data has."""
        predicted = values(found, self.symbols, X)
        both = np.isfinite(predicted)
        if both.sum() < len(X) / 4 or not self.error(predicted[both], X[both], spread) < EXACT:
            return False
        signs = {
            sympy.Symbol(name): sympy.Symbol(name, real=True, positive=True if low >= 0 else None)
            for name, (low, _) in self.ranges.items()
        }
        difference = sympy.nsimplify(self.expr - found, rational=True)
        return sympy.simplify(difference.xreplace(signs)) == 0

    def has_form(self, found: sympy.Expr, spread: float) -> bool:
        """Say whether the numbers of a formula can be fitted so that it is exact."""
        numbers, start, free = [], [], found
        for value in sorted(found.atoms(sympy.Number, sympy.NumberSymbol), key=float):
            if value not in (-1, 1) and not any(value == power.exp for power in found.atoms(sympy.Pow)):
                numbers.append(sympy.Dummy())
                start.append(float(value))
                free = free.xreplace({value: numbers[-1]})
        X = self.wide()
        truth = self.values(X)
        if not start:
            return self.error(values(found, self.symbols, X), X, spread) < EXACT
        size = np.maximum(abs(truth), spread)
        f = sympy.lambdify([*self.symbols, *numbers], free, "numpy")

        def relative(p: np.ndarray) -> np.ndarray:
            with np.errstate(all="ignore"):
                return np.nan_to_num((f(*X.T, *p) - truth) / size, nan=1e3, posinf=1e3, neginf=1e3)

        fitted = least_squares(relative, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        return float(np.sqrt(np.mean(fitted.fun**2))) < EXACT


def values(expr: sympy.Expr, symbols: Sequence[sympy.Symbol], X: np.ndarray) -> np.ndarray:
    """Evaluate; NaN where there is no real value."""
    with np.errstate(all="ignore"):
        return np.broadcast_to(sympy.lambdify(symbols, expr, "numpy")(*X.T), (len(X),)).astype(float)


@dataclass
class Result:
    """One formula searched, and the verdict; ``kan``: how far a formula of the front is from its KAN at most."""

    case: Case
    seconds: float
    error: float
    form: bool
    kan: float
    text: str = ""
    others: dict[str, str] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        return self.error < EXACT

    @property
    def verdict(self) -> str:
        return "exact" if self.exact else "form" if self.form else "**no**"


def discover(case: Case, noise: float = 0.0, seed: int = 0, limit: float = 20.0, n: int = 1000) -> Result:
    """Search one formula and judge what is called best."""
    X, y = case.data(n, noise, seed)
    start = time.perf_counter()
    front = kanlab.discover(X, y, names=list(case.ranges), time_limit=limit, seed=seed, log=0)
    seconds, found = time.perf_counter() - start, front.best
    kan = max(_from_kan(solution, torch.tensor(X)) for solution in front.front)
    wide, spread = case.wide(), float(y.std())
    error = case.error(found.predict(wide), wide, spread)
    (expr,) = found.exprs
    if error == np.inf and case.simplifies(expr, wide, spread):
        error = 0.0
    form = error < EXACT or (noise > 0 and case.has_form(expr, spread))
    return Result(case, seconds, error, form, kan, str(expr))


@torch.no_grad()
def _from_kan(solution: Solution, X: torch.Tensor) -> float:
    """Return the largest difference between a formula and its KAN, relative to the largest value."""
    values = solution.predict(X)
    return float((solution.model(X)[:, 0] - values).abs().max() / values.abs().max().clamp(min=1e-300))


def table(results: Iterable[Result], others: Sequence[str] = ()) -> list[Result]:
    """Print a row for each result as it comes."""
    print("| formula | s | error on 1.5x | verdict |" + "".join(f" {name} |" for name in others) + " found |")
    print("|---" * (5 + len(others)) + "|")
    kept = []
    for result in results:
        kept.append(result)
        shown = result.text if len(result.text) <= 90 else result.text[:87] + "..."
        cells = [result.case.name, f"{result.seconds:.2f}", f"{result.error:.0e}", result.verdict]
        cells += [result.others.get(name, "") for name in others]
        print("| " + " | ".join([*cells, f"`{shown}`"]) + " |", flush=True)
    return kept


def summary(text: str, results: Sequence[Result]) -> str:
    """Return one row: how many were found, and the times."""
    seconds = [result.seconds for result in results]
    exact, form = (sum(kind) for kind in ((r.exact for r in results), (r.form for r in results)))
    numbers = f"{statistics.median(seconds):.2f} | {statistics.mean(seconds):.2f} | {max(seconds):.1f}"
    kan = max(result.kan for result in results)
    return f"| {text} | {exact} of {len(results)} | {form} of {len(results)} | {numbers} | {kan:.0e} |"


SUMMARY_HEAD = (
    "| set | exact | right form | median s | mean s | slowest s | formula against KAN |\n|---|---|---|---|---|---|---|"
)


def one_thread() -> None:
    """Compute on one thread, and say so."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread\n")
