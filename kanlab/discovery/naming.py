r"""Names for curves: which functions ``c f(a x + b) + d`` an edge found by a shape could be.

All curves of all shapes are named in one batch (`kanlab.symbolic.affine`). Ranked is by error and cost together, where
errors below what the shape itself got wrong count as that: a spline blurs its function.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form, call
from kanlab.discovery.outer import IDENTITY, OUTERS, Outer
from kanlab.discovery.problem import Problem
from kanlab.symbolic import library
from kanlab.symbolic.affine import fit_affine
from kanlab.symbolic.library import Domain, SymbolicFunction
from kanlab.symbolic.search import cost, score

#: What an edge may be called if no library is given. sin stands for cos as well, tanh for the sigmoid.
DEFAULT_LIBRARY = (
    "x", "x^2", "x^3", "x^4", "x^5", "sqrt", "x^1.5", "1/x", "1/x^2", "1/x^3", "1/sqrt(x)", "exp", "log", "sin",
    "tan", "tanh", "arcsin", "arctan", "arctanh", "cosh", "sinh", "gaussian", "abs",
)  # fmt: skip


#: What people write without a factor or shift inside, and what each number saved is worth.
_PLAIN = {
    "x", "x^2", "x^3", "x^4", "x^5", "sqrt", "x^1.5", "1/x", "1/x^2", "1/x^3", "1/sqrt(x)", "exp", "log", "sin", "cos",
    "tan", "tanh", "arcsin", "arctan", "arctanh", "sinh", "cosh",
}  # fmt: skip
_SAVED = 0.7
#: Functions that a factor of a product may be under.
_UNDER = ("sqrt", "1/x", "1/sqrt(x)", "x^2", "1/x^2")


@dataclass(frozen=True)
class Curve:
    """Samples of one edge's function, and the relative error they may have."""

    x: Float[Tensor, " m"]
    y: Float[Tensor, " m"]
    tol: float


@dataclass(frozen=True)
class Name:
    """``c f(a x + b) + d``, perhaps under another function, and its score on the curve (more is better)."""

    function: SymbolicFunction
    a: float
    b: float
    c: float
    d: float
    score: float
    outside: Outer = IDENTITY
    sign: float = 1.0

    def of(self, inner: Form) -> Form:
        """Return the form ``c f(a inner + b) + d``."""
        argument = inner.scaled(self.a, self.b)
        parts = _PARTS.get(self.function.name)
        if parts is None:
            form = call(self.function, argument)
        else:
            outside, weight, offset = parts
            form = call(library.get(outside), call(library.get("x^2"), argument).scaled(weight, offset))
        form = form.scaled(self.c, self.d)
        return form if self.outside is IDENTITY else call(library.get(self.outside.name), form).scaled(self.sign)


def named(
    curves: Sequence[Curve], functions: tuple[SymbolicFunction, ...], count: int = 4, *, factors: bool = False
) -> list[list[Name]]:
    """Return the best names of each curve, best first.

    Plain functions, without numbers of their own, are offered besides and cost less: ``c f(x) + d``, and for the
    factors of a product ``c f(x)``.
    """
    if not curves:
        return []
    x, y = torch.stack([curve.x for curve in curves]), torch.stack([curve.y for curve in curves])
    fit = fit_affine(x, y, functions)
    constants = torch.stack([fit.a, fit.b, fit.c, fit.d], -1).tolist()
    r2 = fit.r2.tolist()
    found = []
    for row, curve in enumerate(curves):
        tol = max(curve.tol, 1e-7)
        names = _ranked(functions, r2[row], constants[row], tol) + _plain(curve, functions, tol, factors=factors)
        if factors:
            names += _under_others(curve, functions, tol, names)
        found.append(_different(sorted(names, key=lambda name: -name.score))[:count])
    return found


def _under_others(curve: Curve, functions: tuple[SymbolicFunction, ...], tol: float, names: list[Name]) -> list[Name]:
    """Return names ``F(c f(a x + b) + d)``, if none without ``F`` explains the curve.

    A factor of a product is known up to a factor, so its inverse under a power is too.
    """
    best = max((name.score for name in names), default=-math.inf)
    # What a function of cost 2 would score with an error at the tolerance.
    if best > score(tol**2, 4.0, tol):
        return []
    found = []
    problem = Problem.of(curve.x[None], curve.y)
    for outer in OUTERS:
        mapped = outer.applied(problem) if outer.name in _UNDER else None
        if mapped is None:
            continue
        w = mapped.w + 1e-9 * mapped.w.max()
        fit = fit_affine(curve.x[None], mapped.y[None], functions, w.square()[None])
        size = float(w.square().mean().sqrt()) / problem.scale
        constants = torch.stack([fit.a, fit.b, fit.c, fit.d], -1)[0].tolist()
        for function, error, (a, b, c, d) in zip(functions, fit.rmse[0].tolist(), constants, strict=True):
            if math.isfinite(error):
                value = score((error * size) ** 2, cost(function) + outer.cost, tol)
                found.append(Name(function, a, b, c, d, value, outer, outer.sign(curve.y) or 1.0))
    return found


def _plain(curve: Curve, functions: tuple[SymbolicFunction, ...], tol: float, *, factors: bool) -> list[Name]:
    """Return the functions that fit without a factor or shift inside, and for factors of products none added."""
    low, high = curve.x.amin(), curve.x.amax()
    allowed = [f for f in functions if f.name in _PLAIN and bool(f.domain.covers(low, high))]
    if not allowed:
        return []
    values = torch.stack([function(curve.x) for function in allowed])
    usable = values.isfinite().all(-1)
    centre = curve.y.mean()
    y = curve.y if factors else curve.y - centre
    means = torch.zeros_like(values[:, :1]) if factors else values.mean(-1, keepdim=True)
    rows = values - means
    c = (rows * y).sum(-1) / rows.square().sum(-1).clamp(min=1e-300)
    d = torch.zeros_like(c) if factors else centre - c * means[:, 0]
    spread = (curve.y - centre).square().sum()
    lost = (y - c[:, None] * rows).square().sum(-1) / spread.clamp(min=1e-300)
    return [
        Name(f, 1.0, 0.0, c, d, score(missing, cost(f) - _SAVED * (1 + factors), tol))
        for f, c, d, missing, ok in zip(allowed, c.tolist(), d.tolist(), lost.tolist(), usable.tolist(), strict=True)
        if ok
    ]


def _different(names: list[Name]) -> list[Name]:
    """Leave out names that say the same as one before them."""
    kept: list[Name] = []
    for name in names:
        same = (other for other in kept if other.function is name.function and other.outside is name.outside)
        if not any(math.isclose(other.a, name.a, rel_tol=1e-3) and abs(other.b - name.b) < 1e-3 for other in same):
            kept.append(name)
    return kept


def _ranked(
    functions: tuple[SymbolicFunction, ...], r2: list[float], constants: list[list[float]], tol: float
) -> list[Name]:
    names = [
        Name(function, a, b, c, d, score(1 - r2[column], cost(function), tol))
        for column, function in enumerate(functions)
        for a, b, c, d in [constants[column]]
        if math.isfinite(r2[column])
    ]
    return sorted(names, key=lambda name: -name.score)


def combinations(ranked: Sequence[Sequence[Name]], count: int) -> Iterator[tuple[Name, ...]]:
    """Yield one name for each edge, the likeliest combinations first, at most ``count``."""
    if not all(ranked):
        return
    loss = [[names[0].score - name.score for name in names] for names in ranked]
    places = product(*(range(len(names)) for names in ranked)) if len(ranked) < 8 else iter([(0,) * len(ranked)])
    order = sorted(places, key=lambda chosen: sum(loss[edge][m] for edge, m in enumerate(chosen)))
    for chosen in order[:count]:
        yield tuple(ranked[edge][m] for edge, m in enumerate(chosen))


@functools.lru_cache(maxsize=16)
def edge_functions(lib: tuple[str, ...] | None) -> tuple[SymbolicFunction, ...]:
    """Return the functions an edge may be called: the library's, and those of a square under another function."""
    names = DEFAULT_LIBRARY if lib is None else lib
    extra = [name for name, (outside, *_) in _PARTS.items() if {outside, "x^2"} <= set(names)]
    return (*library.resolve(names), *(_composed(name) for name in extra))


#: ``f(u) = outside(weight u^2 + offset)`` under names of this module's own.
_PARTS = {
    "1/(1+x^2)": ("1/x", 1.0, 1.0),
    "log(1-x^2)": ("log", -1.0, 1.0),
    "log(1+x^2)": ("log", 1.0, 1.0),
    "sqrt(1+x^2)": ("sqrt", 1.0, 1.0),
    "sqrt(1-x^2)": ("sqrt", -1.0, 1.0),
    "1/sqrt(1-x^2)": ("1/sqrt(x)", -1.0, 1.0),
    "1/sqrt(1+x^2)": ("1/sqrt(x)", 1.0, 1.0),
    "1/(1-x^2)": ("1/x", -1.0, 1.0),
}


@functools.lru_cache(maxsize=32)
def _composed(name: str) -> SymbolicFunction:
    outside, weight, offset = _PARTS[name]
    f = library.get(outside)

    def value(u: Tensor) -> Tensor:
        return f(weight * u * u + offset)

    def slope(u: Tensor) -> Tensor:
        return 2 * weight * u * f.derivative(weight * u * u + offset)

    def sympy_fn(u: sympy.Expr) -> sympy.Expr:
        return f.sympy_fn(weight * u**2 + offset)

    domain = Domain() if weight > 0 else Domain(low=-1.0, high=1.0, closed=outside == "sqrt")
    return SymbolicFunction(name, name, value, slope, sympy_fn, f.complexity + 2, domain=domain, parity=1)


def as_names(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """Check a library given by name."""
    return None if names is None else tuple(function.name for function in library.resolve(names))
