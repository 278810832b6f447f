"""Short trainings that show what a changed network is worth, for those who try many changes."""

from __future__ import annotations

from collections.abc import Callable

from kanlab.engine.solvers import Solver

#: Steps at most, and when they are cut short: after this many that lower the objective by less than this part.
_STEPS, _LOOK, _SLOW = 40, 8, 0.1


class Interrupted(Exception):
    """The person wants something else: what is being tried is given up, and nothing was changed."""


def below(value: float, part: float) -> float:
    """Return what is lower by a part; a loss of one's own may be negative.

    >>> below(10.0, 0.1), below(-10.0, 0.1)
    (9.0, -11.0)
    """
    return value - part * abs(value)


def refit(solver: Solver, reached: Callable[[], bool], interrupted: Callable[[], bool] = lambda: False) -> None:
    """Take steps until the goal is reached, the objective hardly falls, or that was enough of them.

    Raises
    ------
    Interrupted
        As soon as ``interrupted()`` is true.
    """
    before = solver.current.value
    for step in range(1, _STEPS + 1):
        if interrupted():
            raise Interrupted
        solver.step()
        if solver.done or reached():
            return
        if step % _LOOK == 0:
            if solver.current.value > below(before, _SLOW):
                return
            before = solver.current.value
