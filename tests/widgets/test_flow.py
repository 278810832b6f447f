"""When frames are due: a window of twelve, and a share of the time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kanlab.widgets import _flow
from kanlab.widgets._flow import LOST_AFTER, WINDOW, Flow, Pace


@pytest.fixture
def flow() -> Flow:
    flow = Flow()
    flow.hello(0.0)
    return flow


def fill(flow: Flow) -> None:
    for _ in range(WINDOW):
        assert flow.keeps_up(0.1)
        flow.next()


def test_nobody_watches_before_the_first_hello(flow: Flow) -> None:
    assert not Flow().watched
    assert flow.watched


def test_a_full_window_waits_for_what_is_drawn(flow: Flow) -> None:
    fill(flow)
    assert not flow.keeps_up(0.2)
    flow.acknowledge(5, 0.3)
    assert flow.keeps_up(0.4)
    assert flow.drawn == 5


def test_what_was_never_sent_or_is_drawn_already_opens_nothing(flow: Flow) -> None:
    fill(flow)
    flow.acknowledge(10**400, 0.2)
    assert flow.drawn == WINDOW
    flow.acknowledge(-5, 0.2)
    assert flow.drawn == WINDOW


def test_unanswered_frames_count_as_lost_after_a_while(flow: Flow) -> None:
    fill(flow)
    assert not flow.keeps_up(LOST_AFTER - 0.01)
    assert flow.keeps_up(LOST_AFTER + 0.01)


def test_a_hello_opens_the_window(flow: Flow) -> None:
    fill(flow)
    flow.hello(0.2)
    assert flow.keeps_up(0.2)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Callable[[], None]]:
    """Return what makes work of so many seconds of the processor."""
    spent = [0.0]
    monkeypatch.setattr(_flow.time, "thread_time", lambda: spent[0])
    return lambda seconds: lambda: spent.__setitem__(0, spent[0] + seconds)


def test_what_is_quick_comes_as_often_as_it_may(busy) -> None:
    pace = Pace(0.1, share=0.04)
    assert pace.due(0.0)
    pace.carry_out(busy(0.001), 5.0)
    assert not pace.due(5.09)
    assert pace.due(5.1)


def test_what_takes_long_keeps_to_its_share(busy) -> None:
    pace = Pace(0.1, share=0.04)
    pace.carry_out(busy(0.02), 5.0)
    assert not pace.due(5.49)
    assert pace.due(5.5)
