"""The steps that are in no history entry yet."""

from __future__ import annotations

import pytest

from kanlab import Session, Step
from kanlab.widgets._live import Live


def step(index: int) -> Step:
    return Step(index, 0.1, 0.2, 0.3, 0.01, {}, "LM")


def test_steps_come_after_those_of_the_history(session: Session) -> None:
    live = Live(session)
    for index in range(3):
        live.note(step(index), 1.0 + index)
    assert live.step == 4 + 3
    assert [row[0] for row in live.rows()] == list(range(1, 8))
    assert live.rows()[-1] == (7, 0.1, 0.2, 0.3)


def test_what_the_history_has_counts_once(session: Session) -> None:
    live = Live(session)
    live.note(step(0), 1.0)
    session.fit(steps=1)
    assert live.step == 5, "the session stands elsewhere: the stretch is no longer its end"
    live.over(pause=False)
    assert len(live.rows()) == 5


def test_first_step_of_a_stretch_begins_anew(session: Session) -> None:
    live = Live(session)
    for index in (0, 1, 0):
        live.note(step(index), 1.0)
    assert live.step == 5


def test_speed_is_that_of_the_steps_and_not_of_a_pause(session: Session) -> None:
    live = Live(session)
    for index in range(200):
        live.note(step(index), 0.01 * (index + 1))
    assert live.speed == pytest.approx(100, rel=1e-3)
    live.over(pause=True)
    live.note(step(0), 1000.0)
    assert live.speed == pytest.approx(100, rel=1e-3)
