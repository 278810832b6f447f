r"""One more coordinate: sums and products over the inputs and ``x y``, ``x / y``, ``x + y``, ... of two of them.

So a function of one input and a function of a combination can stand side by side: ``f(x) g(x y)``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form, add, multiply, power, substitute, variable
from kanlab.discovery.menu.additive import additive_shapes
from kanlab.discovery.menu.product import product_shapes
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.shape import Shape, formulas
from kanlab.discovery.solver import Solver

_MOST_INPUTS, _DEEPEST = 4, 4
#: A shape must better what was found by this factor, and fit this well.
_BETTER, _AT_NOISE, _WORST = 0.3, 1.3, 0.1
_TRIED = 4


@dataclass(frozen=True)
class _Coordinate:
    """A combination of two inputs: its values, and its formula."""

    values: Float[Tensor, " n"]
    form: Form


def extra(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas of the inputs and one combination."""
    problem = pool.problem
    if not 2 <= problem.n_in <= _MOST_INPUTS or depth > _DEEPEST:
        return
    known = min(pool.error, search.surrogate(problem).error)
    enough = min(max(_WORST, _AT_NOISE * known), max(_BETTER * pool.error, min(_AT_NOISE * known, 0.9 * pool.error)))
    found: list[tuple[Shape, _Coordinate]] = []
    for coordinate in _coordinates(problem):
        search.clock.check()
        larger = problem.with_inputs(torch.cat([problem.x, coordinate.values[None]]))
        shapes = [*additive_shapes(larger), *product_shapes(larger)]
        found += [(shape, coordinate) for shape in shapes if shape.error < enough]
    found.sort(key=lambda item: item[0].error * (1 + 0.2 * item[0].cost))
    for shape, coordinate in found[:_TRIED]:
        search.clock.check()
        inputs = [*(variable(i) for i in range(problem.n_in)), coordinate.form]
        for form in formulas(shape, search.functions):
            yield f"{shape.text} with one more", substitute(form, inputs)


def _coordinates(problem: Problem) -> Iterator[_Coordinate]:
    for i, j in itertools.combinations(range(problem.n_in), 2):
        x, y = problem.x[i], problem.x[j]
        u, v = variable(i), variable(j)
        yield _Coordinate(x * y, multiply([u, v]))
        yield _Coordinate(x - y, add([u, v.scaled(-1.0)]))
        yield _Coordinate(x + y, add([u, v]))
        if bool((y > 0).all()) or bool((y < 0).all()):
            yield _Coordinate(x / y, multiply([u, power(v, -1.0)]))
        elif bool((x > 0).all()) or bool((x < 0).all()):
            yield _Coordinate(y / x, multiply([v, power(u, -1.0)]))
