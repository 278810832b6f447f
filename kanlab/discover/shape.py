"""A shape: a small KAN whose edges are still curves, how well it fits, and how it becomes a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kanlab.discover.expression import Form
from kanlab.discover.naming import Curve, Name, combinations, named
from kanlab.symbolic.library import SymbolicFunction


@dataclass(frozen=True)
class Shape:
    """A fitted shape.

    Attributes
    ----------
    text
        What it is, for progress and reports.
    error
        Relative root mean squared error on rows it was not fitted on.
    cost
        Of what it has besides its edges.
    curves
        Its edges.
    build
        The formula with these names on the edges, in their order.
    """

    text: str
    error: float
    cost: float
    curves: tuple[Curve, ...]
    build: Callable[[Sequence[Name]], Form]


def formulas(
    shapes: Sequence[Shape], functions: tuple[SymbolicFunction, ...], each: int = 4
) -> Iterator[tuple[Shape, Form]]:
    """Name the edges of all shapes in one batch; yield the likeliest formulas of each shape in turn."""
    ranked = iter(named([curve for shape in shapes for curve in shape.curves], functions))
    for shape in shapes:
        edges = [next(ranked) for _ in shape.curves]
        for names in combinations(edges, each):
            yield shape, shape.build(names)
