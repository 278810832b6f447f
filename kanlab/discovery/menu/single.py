r"""One input: ``y = x^p F(c f(a x + b) + d)``, all powers and outer functions in one batch.

With a single input nothing has to be separated first: the data itself is the curve that is named, so what is exact is
named exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form, call, multiply, power, variable
from kanlab.discovery.naming import Name
from kanlab.discovery.outer import OUTERS, Outer
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.solver import Solver
from kanlab.symbolic import library
from kanlab.symbolic.affine import fit_affine
from kanlab.symbolic.search import cost

_POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0)
#: Rows that are looked at for the names; all rows judge.
_ROWS = 400
#: Candidates proposed from each batch.
_EACH = 8


@dataclass(frozen=True)
class _Target:
    """``z = theta(y / x^p)``, to be named."""

    outer: Outer
    exponent: float
    divided: Problem
    mapped: Problem

    def wrap(self, name: Name, u: Form) -> Form:
        inner = self.outer.wrap(name.of(u), self.divided.y)
        return inner if not self.exponent else multiply([power(variable(0), self.exponent), inner])


#: Functions of the input that may stand in its place, and the powers tried with them.
_INSIDE, _POWERS_INSIDE = ("x^2", "1/x", "sqrt"), (0.0, 1.0, -1.0)


def single(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas of one input."""
    problem = pool.problem
    if problem.n_in != 1:
        return
    for exponents in ((0.0,), _POWERS):
        yield from _plain(problem, exponents, search)
    for name in _INSIDE:
        function = library.get(name)
        low, high = problem.x[0].amin(), problem.x[0].amax()
        # A square of both signs of x folds: there x itself is the better input.
        if not bool(function.domain.covers(low, high)) or (name == "x^2" and float(low) < 0 < float(high)):
            continue
        inner = call(function, variable(0))
        for target, ranked in _ranked(problem, _POWERS_INSIDE, search, function(problem.x)):
            yield f"{ranked.function.name}({name})", target.wrap(ranked, inner)


def _plain(problem: Problem, exponents: tuple[float, ...], search: Solver) -> Iterator[tuple[str, Form]]:
    for target, name in _ranked(problem, exponents, search, problem.x):
        text = f"{target.outer.name}({name.function.name}) x^{target.exponent:g}"
        yield text, target.wrap(name, variable(0))


def _ranked(
    problem: Problem, exponents: tuple[float, ...], search: Solver, u: Float[Tensor, "1 n"]
) -> list[tuple[_Target, Name]]:
    """Return the best names of ``theta(y / x^p)`` as a function of ``u``."""
    search.clock.check()
    targets = [target for p in exponents for target in _targets(problem, p)]
    ranked = sorted(_named(problem, targets, search, u), key=lambda item: -item[0])
    return [(target, name) for _, target, name in ranked[:_EACH]]


#: Outer functions tried together with a power; the others are for the plain curve.
_WITH_POWER = ("x", "exp", "sqrt", "1/x", "x^2", "1/sqrt(x)", "1/x^2")


def _targets(problem: Problem, exponent: float) -> Iterator[_Target]:
    x = problem.x[0]
    if exponent and (bool((x == 0).any()) or (not exponent.is_integer() and bool((x < 0).any()))):
        return
    factor = x**exponent
    divided = problem.mapped(problem.y / factor, 1 / factor) if exponent else problem
    for outer in OUTERS:
        mapped = outer.applied(divided) if not exponent or outer.name in _WITH_POWER else None
        if mapped is not None:
            yield _Target(outer, exponent, divided, mapped)
        if mapped is not None and outer.name == "x^2":
            yield _Target(outer, exponent, divided, _turned(mapped))


def _turned(mapped: Problem) -> Problem:
    """Return the problem for the root that changes its sign where it is smallest: ``1 - exp(-x)`` of its square."""
    lowest = mapped.x[0, mapped.y.abs().argmin()]
    return replace(mapped, y=mapped.y * torch.where(mapped.x[0] < lowest, -1.0, 1.0))


def _named(
    problem: Problem, targets: list[_Target], search: Solver, u: Float[Tensor, "1 n"]
) -> Iterator[tuple[float, _Target, Name]]:
    """Yield the names of all targets, scored by the error of ``y``."""
    if not targets:
        return
    rows = slice(0, _ROWS)
    z = torch.stack([target.mapped.y[rows] for target in targets])
    w = torch.stack([_bounded(target.mapped.w[rows]) for target in targets])
    fit = fit_affine(u[:, rows].expand(len(targets), -1), z, search.functions, w.square())
    constants = torch.stack([fit.a, fit.b, fit.c, fit.d], -1).tolist()
    rmse = fit.rmse.tolist()
    floor = max(problem.floor, 1e-9)
    for row, target in enumerate(targets):
        # Weighted, so already in units of y.
        size = float(w[row].square().mean().sqrt()) / problem.scale
        for column, function in enumerate(search.functions):
            error = rmse[row][column] * size
            if math.isfinite(error):
                price = cost(function) + target.outer.cost + abs(target.exponent)
                a, b, c, d = constants[row][column]
                value = -(3 * math.log10(math.hypot(error, floor)) + 0.35 * price)
                yield value, target, Name(function, a, b, c, d, value)


def _bounded(w: Tensor) -> Tensor:
    return w.clamp(min=0.0) + 1e-12 * w.max()
