"""A shape: a small KAN whose edges are still curves, how well it fits, and how it becomes a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from kanlab.discovery.expression import Form, substitute
from kanlab.discovery.naming import Curve, combinations, named
from kanlab.symbolic.library import SymbolicFunction


class Edge(Protocol):
    """What an edge does to the form that comes in."""

    def of(self, inner: Form) -> Form:
        """Return the form that goes out."""
        ...


@dataclass(frozen=True)
class Solved:
    """An edge by a formula of one input."""

    form: Form

    def of(self, inner: Form) -> Form:
        """Return the formula of the form that comes in."""
        return substitute(self.form, [inner])


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
    build: Callable[[Sequence[Edge]], Form]
    factors: bool = False


def formulas(shape: Shape, functions: tuple[SymbolicFunction, ...], count: int = 4) -> Iterator[Form]:
    """Name the edges of a shape; yield its likeliest formulas."""
    for names in combinations(named(shape.curves, functions, factors=shape.factors), count):
        yield shape.build(names)
