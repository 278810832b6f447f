r"""``F(sum_i f_i(x_i))``: a KAN ``[n, 1]`` under an outer function, one linear fit each.

For every outer function the data allows, ``theta(y)`` is fitted by a sum of splines. Inputs whose curve is no larger
than the error are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from kanlab.discovery.expression import Form, add, number, variable
from kanlab.discovery.naming import Curve
from kanlab.discovery.outer import OUTERS, Outer
from kanlab.discovery.problem import Problem
from kanlab.discovery.shape import Edge, Shape
from kanlab.discovery.splines import Splines, solve

_GRIDS = (5, 10, 20)


def additive_shapes(problem: Problem) -> list[Shape]:
    """Return one shape for each outer function, on the grid that judges best."""
    grids = [Splines(problem.x, grid) for grid in _GRIDS if (grid + 2) * problem.n_in < 0.25 * problem.n]
    shapes = []
    for outer in OUTERS:
        mapped = outer.applied(problem)
        if mapped is None:
            continue
        fits = [_fitted(problem, mapped, outer, splines) for splines in grids]
        shapes += sorted(fits, key=lambda shape: shape.error)[:1]
    return shapes


def _fitted(problem: Problem, mapped: Problem, outer: Outer, splines: Splines) -> Shape:
    # Bases sum to one: without the last of each, the constant is the only one left.
    rows = torch.cat([torch.ones_like(problem.x[:1]), splines.rows[:, :-1].flatten(0, 1)])
    part = problem.fitted
    coef = solve(rows[:, part], mapped.y[part], mapped.w[part])
    error = mapped.relative(coef @ rows - mapped.y, problem.judging)
    coefs = torch.nn.functional.pad(coef[1:].reshape(problem.n_in, -1), (0, 1))
    parts = (coefs.unsqueeze(-2) @ splines.rows).squeeze(-2)
    spreads = [mapped.relative(value - value.mean()) for value in parts]
    present = [i for i, spread in enumerate(spreads) if spread > 0.5 * error]
    shift = float(coef[0])
    curves = tuple(
        Curve(splines.points(i), splines.curve(coefs[i]), max(error, problem.floor) / spreads[i]) for i in present
    )
    absent = [i for i in range(problem.n_in) if i not in present]
    shift += float(sum((parts[i].mean() for i in absent), torch.zeros(())))
    build = functools.partial(_build, present, shift, outer, problem.y)
    return Shape(f"{outer.name}(sum)" if outer.name != "x" else "sum", error, outer.cost, curves, build)


def _build(present: Sequence[int], shift: float, outer: Outer, y: Tensor, names: Sequence[Edge]) -> Form:
    terms = [name.of(variable(i)) for i, name in zip(present, names, strict=True)]
    return outer.wrap(add([*terms, number(shift)]), y)
