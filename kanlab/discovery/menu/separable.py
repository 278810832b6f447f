"""Sums and products of functions of single inputs, under every outer function: the shapes that cost next to nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kanlab.discovery.expression import Form
from kanlab.discovery.menu.additive import additive_shapes
from kanlab.discovery.menu.product import product_shapes
from kanlab.discovery.pool import Pool
from kanlab.discovery.shape import Shape, formulas
from kanlab.discovery.solver import Solver

#: A shape this good is looked at before any other is fitted.
_CLEAR = 2e-3
#: Shapes worse than the best by this factor, or than this, are not looked at.
_WORSE, _WORST = 20.0, 0.1
#: Where noise lets none be better, this factor still counts as the best.
_AT_NOISE = 1.2
_MOST = 5


def separable(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas of the best shapes."""
    problem = pool.problem
    if problem.n_in < 2:
        return
    sums = additive_shapes(problem)
    clear = [shape for shape in sums if shape.error < _CLEAR]
    yield from _named(clear[:2], search)
    shapes = _ordered([*sums, *product_shapes(problem, search.clock)])
    yield from _named([shape for shape in shapes if shape not in clear[:2]], search)


def _ordered(shapes: Sequence[Shape]) -> list[Shape]:
    least = min((shape.error for shape in shapes), default=1.0)
    worth = [shape for shape in shapes if shape.error <= min(max(_WORSE * least, 3e-3), max(_WORST, _AT_NOISE * least))]
    return sorted(worth, key=lambda shape: 3 * math.log10(max(shape.error, 1e-7)) + 0.35 * shape.cost)[:_MOST]


def _named(shapes: Sequence[Shape], search: Solver) -> Iterator[tuple[str, Form]]:
    for shape in shapes:
        search.clock.check()
        for form in formulas(shape, search.functions):
            yield shape.text, form
