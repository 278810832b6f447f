r"""Another coordinate: sums and products with ``x y``, ``x / y``, ``x + y`` or ``x - y`` in place of ``x`` or ``y``.

So a function of one input and a function of a combination can stand side by side: ``f(x) g(x y)``. One of the two must
go: in products of powers of ``x``, ``y`` and ``x y`` a power could wander between the three.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

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
    """A combination of two inputs: which, its values, and its formula."""

    pair: tuple[int, int]
    values: Float[Tensor, " n"]
    form: Form


def extra(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas with a combination in the place of one of its inputs."""
    problem = pool.problem
    if not 2 <= problem.n_in <= _MOST_INPUTS or depth > _DEEPEST:
        return
    known = min(pool.error, search.surrogate(problem).error)
    enough = min(max(_WORST, _AT_NOISE * known), max(_BETTER * pool.error, min(_AT_NOISE * known, 0.9 * pool.error)))
    found: list[tuple[Shape, list[Form]]] = []
    for coordinate in _coordinates(problem):
        for gone in coordinate.pair:
            search.clock.check()
            x, inputs = problem.x.clone(), [variable(i) for i in range(problem.n_in)]
            x[gone], inputs[gone] = coordinate.values, coordinate.form
            other = problem.with_inputs(x)
            shapes = [*additive_shapes(other), *product_shapes(other, search.clock)]
            found += [(shape, inputs) for shape in shapes if shape.error < enough]
    found.sort(key=lambda item: item[0].error * (1 + 0.2 * item[0].cost))
    for shape, inputs in found[:_TRIED]:
        search.clock.check()
        for form in formulas(shape, search.functions):
            yield f"{shape.text} with a combination", substitute(form, inputs)


def _coordinates(problem: Problem) -> Iterator[_Coordinate]:
    for i, j in itertools.combinations(range(problem.n_in), 2):
        x, y = problem.x[i], problem.x[j]
        u, v = variable(i), variable(j)
        yield _Coordinate((i, j), x * y, multiply([u, v]))
        yield _Coordinate((i, j), x - y, add([u, v.scaled(-1.0)]))
        yield _Coordinate((i, j), x + y, add([u, v]))
        if bool((y > 0).all()) or bool((y < 0).all()):
            yield _Coordinate((i, j), x / y, multiply([u, power(v, -1.0)]))
        elif bool((x > 0).all()) or bool((x < 0).all()):
            yield _Coordinate((i, j), y / x, multiply([v, power(u, -1.0)]))
