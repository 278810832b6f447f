"""A shape: a small KAN whose edges are still curves, how well it fits, and how it becomes a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kanlab.discovery.expression import Form
from kanlab.discovery.naming import Curve, Name, combinations, named
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
    factors
        Whether the edges are factors of a product.
    """

    text: str
    error: float
    cost: float
    curves: tuple[Curve, ...]
    build: Callable[[Sequence[Name]], Form]
    factors: bool = False


def formulas(shape: Shape, functions: tuple[SymbolicFunction, ...], count: int = 4) -> Iterator[Form]:
    """Name the edges of a shape; yield its likeliest formulas."""
    for names in combinations(named(shape.curves, functions, factors=shape.factors), count):
        yield shape.build(names)
