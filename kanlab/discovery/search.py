"""From a problem to formulas: shapes in order of their cost, until one is as good as can be told.

Each shape of `kanlab.discovery.menu` proposes formulas; all numbers of each are fitted together on the problem's own
rows. A shape that finds a part of the formula exactly hands what is left back as a smaller problem, which is solved the
same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kanlab.discovery.clock import Clock, OutOfTimeError
from kanlab.discovery.expression import Form, add, number, variable
from kanlab.discovery.menu import MENU
from kanlab.discovery.pool import Candidate, Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.surrogate import Surrogate, surrogate_of
from kanlab.symbolic.library import SymbolicFunction


@dataclass
class Search:
    """What all parts of a search share.

    Attributes
    ----------
    functions
        What an edge may be called.
    clock
        When to end.
    on_candidate
        Told of each formula found for the first question.
    """

    functions: tuple[SymbolicFunction, ...]
    clock: Clock
    on_candidate: Callable[[Candidate], None] = lambda candidate: None
    #: By the problem's identity; the problem is kept so that its identity stays its own.
    _surrogates: dict[int, tuple[Problem, Surrogate]] = field(default_factory=dict)

    def run(self, pool: Pool) -> bool:
        """Search until a formula is found or the menu is through; False if the time is over before."""
        try:
            self._fill(pool, 0)
        except OutOfTimeError:
            return False
        return True

    def surrogate(self, problem: Problem) -> Surrogate:
        """Return a smooth stand-in for the problem's function; made once."""
        known = self._surrogates.get(id(problem))
        if known is None:
            known = self._surrogates[id(problem)] = (problem, surrogate_of(problem, self.clock))
        return known[1]

    def solve(self, problem: Problem, depth: int, part: float = 0.5) -> list[Candidate]:
        """Return the best few formulas of a smaller problem, in a part of the time that is left."""
        pool = Pool(problem)
        with self.clock.share(part):
            self._fill(pool, depth)
        return pool.best(3)

    def _fill(self, pool: Pool, depth: int) -> None:
        for origin, form in self._proposals(pool, depth):
            candidate = pool.add(form, origin)
            if candidate is not None and depth == 0:
                self.on_candidate(candidate)
            if pool.done:
                return
            self.clock.check()

    def _proposals(self, pool: Pool, depth: int) -> Iterator[tuple[str, Form]]:
        problem = pool.problem
        yield "constant", number(float(problem.y.mean()))
        if depth == 0:
            yield (
                "linear",
                add([*(variable(i).scaled(1e-3) for i in range(problem.n_in)), number(float(problem.y.mean()))]),
            )
        for shape in MENU if problem.n_in else ():
            yield from shape(pool, self, depth)
