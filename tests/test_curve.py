"""The loss curve in bounded memory."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kanlab.curve import LossCurve


def grown(steps: int) -> LossCurve:
    curve = LossCurve()
    for step in range(1, steps + 1):
        curve.append((step, 1.0 / step, 2.0 / step, 0.0))
    return curve


def test_a_short_curve_is_kept_whole() -> None:
    assert [row[0] for row in grown(LossCurve.MOST - 1).rows()] == list(range(1, LossCurve.MOST))
    assert LossCurve().rows() == []


@pytest.mark.parametrize("steps", [1, LossCurve.MOST, LossCurve.MOST + 1, 3 * LossCurve.MOST + 7, 100_003])
def test_a_long_one_is_thinned_evenly_between_its_ends(steps: int) -> None:
    curve = grown(steps)
    numbers = [row[0] for row in curve.rows()]
    assert curve.steps == steps
    assert len(numbers) <= LossCurve.MOST
    assert (numbers[0], numbers[-1]) == (1, steps)
    gaps = {after - before for before, after in pairwise(numbers[:-1])}
    assert len(gaps) <= 1, "evenly, but for the last"
    assert len(set(numbers)) == len(numbers)


def test_rows_are_a_copy() -> None:
    curve = grown(3)
    curve.rows().clear()
    assert len(curve.rows()) == 3
