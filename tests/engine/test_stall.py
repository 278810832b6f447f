"""A descent that has come to rest is told from one that goes on."""

from __future__ import annotations

import pytest

from kanlab.engine.stall import Stall


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_fall_by_too_little_over_the_steps_is_seen_and_a_larger_one_is_not(sign):
    slow, fast = Stall(3, 0.1), Stall(3, 0.1)
    assert [slow.seen(sign * 10.0 - 0.1 * step) for step in range(4)] == [False, False, False, True]
    assert [fast.seen(sign * 10.0 - 0.5 * step) for step in range(4)] == [False] * 4


def test_each_look_starts_a_new_count():
    stall = Stall(1, 0.1)
    assert [stall.seen(1.0) for _ in range(6)] == [False, True] * 3


def test_what_is_not_a_number_is_never_at_rest():
    stall = Stall(1, 0.1)
    assert [stall.seen(value) for value in (1.0, float("nan"))] == [False, False]
