r"""``F(c + prod_i f_i(x_i))``: one multiplication node under an outer function, by alternating least squares.

While all factors but one stand, the product is linear in that one's spline, so the factors are fitted in turn. All
outer functions, with and without the constant ``c``, and two starts each go through the same steps in one batch.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.clock import Clock
from kanlab.discovery.expression import Form, multiply, number, variable
from kanlab.discovery.naming import Curve
from kanlab.discovery.outer import IDENTITY, OUTERS, Outer
from kanlab.discovery.problem import Problem, scaled
from kanlab.discovery.shape import Edge, Shape
from kanlab.discovery.splines import Splines, solve

#: Intervals of the splines, where there are rows enough for the finer ones.
_GRIDS = (10, 6)
_SWEEPS = 24
#: A sweep that leaves more than this part of the error, for all in the batch, ends it.
_SLOW = 0.98
#: Outer functions that are tried without a constant; a power of a product is a product, so powers need one.
_PLAIN = ("x", "exp", "log", "tanh", "sin", "arctan", "arcsin", "arccos", "arctanh")
_WITH_CONSTANT = ("x", "exp", "sqrt", "1/x", "x^2", "log", "tanh")


@dataclass(frozen=True)
class _Case:
    outer: Outer
    mapped: Problem
    constant: bool


def product_shapes(problem: Problem, clock: Clock, *, plain: bool = False) -> list[Shape]:
    """Return one shape for each outer function with and one without a constant; ``plain``: just the product itself."""
    cases = [_Case(IDENTITY, problem, False)] if plain else _cases(problem)
    if problem.n_in < 2 or not cases or problem.n < 4 * (_GRIDS[1] + 4):
        return []
    splines = Splines(problem.x, _GRIDS[0] if problem.n > 20 * problem.n_in * _GRIDS[0] else _GRIDS[1])
    targets = torch.stack([case.mapped.y for case in cases])
    weights = torch.stack([case.mapped.w for case in cases])
    constants = torch.tensor([case.constant for case in cases])
    coefs, shifts, errors = [], [], []
    for start in _starts(problem):
        clock.check()
        coef, shift = _alternate(problem, splines, targets, weights, constants, start)
        values = (coef.unsqueeze(-2) @ splines.rows).squeeze(-2)
        residual = values.prod(1) + shift[:, None] - targets
        coefs.append(coef)
        shifts.append(shift)
        errors.append([case.mapped.relative(r, problem.judging) for case, r in zip(cases, residual, strict=True)])
    shapes = []
    for m, case in enumerate(cases):
        best = min(range(len(errors)), key=lambda start: errors[start][m])
        if errors[best][m] < 1:
            shapes.append(_shape(problem, case, splines, coefs[best][m], float(shifts[best][m]), errors[best][m]))
    return shapes


def _cases(problem: Problem) -> list[_Case]:
    found = []
    for outer in OUTERS:
        mapped = outer.applied(problem) if outer.name in {*_PLAIN, *_WITH_CONSTANT} else None
        if mapped is not None:
            found += [_Case(outer, mapped, False)] if outer.name in _PLAIN else []
            found += [_Case(outer, mapped, True)] if outer.name in _WITH_CONSTANT else []
    return found


def _starts(problem: Problem) -> list[Float[Tensor, "n_in n"]]:
    """Factors to begin with: lines through the middle, and lines that do not change sign."""
    t = scaled(problem.x)
    return [t, 1 + 0.5 * t]


def _alternate(
    problem: Problem, splines: Splines, targets: Tensor, weights: Tensor, constants: Tensor, start: Tensor
) -> tuple[Float[Tensor, "case n_in k"], Float[Tensor, " case"]]:
    """Fit the factors in turn; all but the last keep unit size."""
    part, n_in, k = problem.fitted, problem.n_in, splines.rows.shape[1]
    rows, z, w = splines.rows[..., part], targets[:, part], weights[:, part]
    one = constants[:, None, None].to(z.dtype).expand(-1, 1, z.shape[-1])
    factors = start[:, part].expand(len(z), -1, -1).clone()
    coefs = z.new_zeros(len(z), n_in, k)
    shift = z.new_zeros(len(z))
    size = (z * w).square().mean(-1)
    before = torch.full_like(size, torch.inf)
    for _ in range(_SWEEPS):
        for i in range(n_in):
            others = factors[:, [j for j in range(n_in) if j != i]].prod(1)
            design = torch.cat([others.unsqueeze(1) * rows[i], one], 1)
            coef = solve(design, z, w)
            shift, coef = coef[:, -1] * constants, coef[:, :-1]
            if i < n_in - 1:
                coef = coef / (coef @ rows[i]).square().mean(-1, keepdim=True).sqrt().clamp(min=1e-300)
            coefs[:, i], factors[:, i] = coef, coef @ rows[i]
        error = ((factors.prod(1) + shift[:, None] - z) * w).square().mean(-1)
        if bool(((error > _SLOW**2 * before) | (error < 1e-20 * size)).all()):
            break
        before = error
    return coefs, shift


def _shape(problem: Problem, case: _Case, splines: Splines, coefs: Tensor, shift: float, error: float) -> Shape:
    error = max(error, problem.floor)
    tol = error / max(case.mapped.spread, 1e-300)
    lines = [splines.curve(coef) for coef in coefs]
    varying = [i for i, line in enumerate(lines) if float(line.std() / line.square().mean().sqrt()) > 3 * tol + 1e-7]
    constants = [float(line.mean()) for i, line in enumerate(lines) if i not in varying]
    curves = tuple(Curve(splines.points(i), lines[i], tol) for i in varying)
    text = f"{case.outer.name}(product{' + c' if case.constant else ''})"
    cost = case.outer.cost + 0.5 * len(varying) + case.constant
    build = functools.partial(_build, varying, math.prod(constants), case.outer, shift, problem.y)
    return Shape(text, error, cost, curves, build, factors=True)


def _build(varying: Sequence[int], scale: float, outer: Outer, shift: float, y: Tensor, names: Sequence[Edge]) -> Form:
    factors = [name.of(variable(i)) for i, name in zip(varying, names, strict=True)]
    inner = multiply([number(scale), *factors])
    return outer.wrap(inner.scaled(1.0, shift) if shift else inner, y)
