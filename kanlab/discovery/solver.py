"""What the shapes of the menu may ask of the search that runs them."""

from __future__ import annotations

from typing import Protocol

from kanlab.discovery.clock import Clock
from kanlab.discovery.pool import Candidate
from kanlab.discovery.problem import Problem
from kanlab.discovery.surrogate import Surrogate
from kanlab.symbolic.library import SymbolicFunction


class Solver(Protocol):
    """A search in progress."""

    #: What an edge may be called.
    functions: tuple[SymbolicFunction, ...]
    clock: Clock

    def surrogate(self, problem: Problem) -> Surrogate:
        """Return a smooth stand-in for the problem's function; made once."""
        ...

    def solve(self, problem: Problem, depth: int, part: float = 0.5) -> list[Candidate]:
        """Return the best few formulas of a smaller problem, best first, in a part of the time that is left."""
        ...
