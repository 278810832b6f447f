r"""One input: ``y = x^p F(c f(a x + b) + d)``, all powers and outer functions in one batch.

With a single input nothing has to be separated first: the data itself is the curve that is named, so what is exact is
named exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from kanlab.discovery.expression import Form, multiply, power, variable
from kanlab.discovery.naming import Name
from kanlab.discovery.outer import OUTERS, Outer
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.solver import Solver
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

    def wrap(self, name: Name) -> Form:
        inner = self.outer.wrap(name.of(variable(0)), self.divided.y)
        return inner if not self.exponent else multiply([power(variable(0), self.exponent), inner])


def single(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas of one input."""
    problem = pool.problem
    if problem.n_in != 1:
        return
    for exponents in ((0.0,), _POWERS):
        targets = [target for p in exponents for target in _targets(problem, p)]
        search.clock.check()
        ranked = sorted(_named(problem, targets, search), key=lambda item: -item[0])
        for _, target, name in ranked[:_EACH]:
            yield f"{target.outer.name}({name.function.name}) x^{target.exponent:g}", target.wrap(name)


#: Outer functions tried together with a power; the others are for the plain curve.
_WITH_POWER = ("x", "exp", "sqrt", "1/x", "x^2", "1/sqrt(x)")


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


def _named(problem: Problem, targets: list[_Target], search: Solver) -> Iterator[tuple[float, _Target, Name]]:
    """Yield the names of all targets, scored by the error of ``y``."""
    if not targets:
        return
    rows = slice(0, _ROWS)
    z = torch.stack([target.mapped.y[rows] for target in targets])
    w = torch.stack([_bounded(target.mapped.w[rows]) for target in targets])
    fit = fit_affine(problem.x[:, rows].expand(len(targets), -1), z, search.functions, w.square())
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
