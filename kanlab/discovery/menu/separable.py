"""Sums and products of functions of single inputs, under every outer function: the shapes that cost next to nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from kanlab.discovery.expression import Form
from kanlab.discovery.menu.additive import additive_shapes
from kanlab.discovery.menu.product import product_shapes
from kanlab.discovery.naming import Curve, named
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.shape import Edge, Shape, Solved, formulas
from kanlab.discovery.solver import Solver
from kanlab.symbolic.search import score

#: A shape this good is looked at before any other is fitted.
_CLEAR = 2e-3
#: Shapes worse than the best by this factor, or than this, are not looked at.
_WORSE, _WORST = 20.0, 0.1
#: Where noise lets none be better, this factor still counts as the best.
_AT_NOISE = 1.2
_MOST = 5
#: A curve has a name if it fits as well as a function of this cost at the curve's own error.
_NAMED = 5.0
#: Of the time that is left, for an edge without a name; and a step through its points that is prime to their number.
_TIME, _DEEPEST, _STRIDE = 0.15, 2, 37
#: Edges of shapes better than this are looked at closer.
_SOLVABLE = 0.01


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
    if depth <= _DEEPEST:
        yield from _solved([shape for shape in shapes if shape.error < _SOLVABLE][:2], search, depth)


def _ordered(shapes: Sequence[Shape]) -> list[Shape]:
    least = min((shape.error for shape in shapes), default=1.0)
    worth = [shape for shape in shapes if shape.error <= min(max(_WORSE * least, 3e-3), max(_WORST, _AT_NOISE * least))]
    return sorted(worth, key=lambda shape: 3 * math.log10(max(shape.error, 1e-7)) + 0.35 * shape.cost)[:_MOST]


def _solved(shapes: Sequence[Shape], search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas of shapes with edges that have no name: each is a problem of one input."""
    for shape in shapes:
        edges: list[Edge] = []
        for curve in shape.curves:
            (best,) = named([curve], search.functions, 1, factors=shape.factors)[0] or [None]
            if best is None or best.score < score(curve.tol**2, _NAMED, curve.tol):
                search.clock.check()
                candidates = search.solve(_problem(curve), depth + 1, _TIME)
                edges.append(Solved(candidates[0].form))
            else:
                edges.append(best)
        if any(isinstance(edge, Solved) for edge in edges):
            yield f"{shape.text} of formulas", shape.build(edges)


def _problem(curve: Curve) -> Problem:
    # Rows come in any order: the last ones judge.
    order = torch.arange(len(curve.x)) * _STRIDE % len(curve.x)
    return Problem.of(curve.x[order][None], curve.y[order], max(3 * curve.tol, 1e-6))


def _named(shapes: Sequence[Shape], search: Solver) -> Iterator[tuple[str, Form]]:
    for shape in shapes:
        search.clock.check()
        for form in formulas(shape, search.functions):
            yield shape.text, form
