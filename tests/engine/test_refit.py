"""Short trainings end when they have shown what they are for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kanlab.engine.refit import Interrupted, below, refit


class _Falling:
    """A solver whose objective falls by a part each step."""

    done = False

    def __init__(self, part: float, start: float = 1.0, ends_after: int = 10**6):
        self.part, self.steps, self.ends_after = part, 0, ends_after
        self.current = SimpleNamespace(value=start)

    def step(self):
        self.steps += 1
        self.done = self.steps >= self.ends_after
        self.current = SimpleNamespace(value=below(self.current.value, self.part))


def falling(part: float, start: float = 1.0, ends_after: int = 10**6) -> Any:
    return _Falling(part, start, ends_after)


def never() -> bool:
    return False


@pytest.mark.parametrize("start", [1.0, -1.0])
def test_it_goes_on_while_the_objective_falls_and_no_longer(start):
    steadily, hardly = falling(0.1, start), falling(0.01, start)
    refit(steadily, never)
    refit(hardly, never)
    assert (steadily.steps, hardly.steps) == (40, 8)


def test_it_ends_where_the_goal_is_reached_or_the_solver_is_done():
    solver = falling(0.1)
    refit(solver, lambda: solver.current.value < 0.75)
    assert solver.steps == 3
    solver = falling(0.1, ends_after=5)
    refit(solver, never)
    assert solver.steps == 5


def test_a_goal_far_out_of_reach_is_given_up_after_a_fair_try():
    far, near = falling(0.1), falling(0.1)
    refit(far, never, goal=1e-3)
    refit(near, never, goal=0.15)  # 0.9^16 = 0.185: within twice the goal
    assert (far.steps, near.steps) == (16, 40)


def test_an_interrupt_comes_before_the_next_step():
    solver = falling(0.1)
    with pytest.raises(Interrupted):
        refit(solver, never, lambda: solver.steps == 2)
    assert solver.steps == 2
