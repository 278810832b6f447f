"""Short trainings that show what a changed network is worth, for those who try many changes."""

from __future__ import annotations

import math
from collections.abc import Callable

from kanlab.engine.solvers import Solver

#: Steps at most, and when they are cut short: after this many that lower the objective by less than this part.
_STEPS, _LOOK, _SLOW = 40, 8, 0.1
#: After this many, an objective that is still so many times the goal's size above it will not come down to it.
_FAIR_TRY, _HOPELESS = 16, 1.0


class Interrupted(Exception):
    """The person wants something else: what is being tried is given up, and nothing was changed."""


def below(value: float, part: float) -> float:
    """Return what is lower by a part; a loss of one's own may be negative.

    >>> below(10.0, 0.1), below(-10.0, 0.1)
    (9.0, -11.0)
    """
    return value - part * abs(value)


def refit(
    solver: Solver,
    reached: Callable[[], bool],
    interrupted: Callable[[], bool] = lambda: False,
    *,
    goal: float = math.inf,
) -> None:
    """Take steps until they have shown enough: the goal is reached or out of reach, the objective hardly falls.

    Parameters
    ----------
    solver
        What takes the steps.
    reached
        Asked after each step; True ends it.
    interrupted
        Asked before each step.
    goal
        The objective hoped for, if that is what is asked: an objective that stays far above it is given up.

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
        if step >= _FAIR_TRY and solver.current.value > goal + _HOPELESS * abs(goal):
            return
        if step % _LOOK == 0:
            if solver.current.value > below(before, _SLOW):
                return
            before = solver.current.value
