"""The loss curve as frames tell it: whatever frames are lost, the browser ends up with the curve."""

from __future__ import annotations

import random

from kanlab.widgets._rows import MOST, REPEATED, LossRows, thinned

ROWS = [(n, 1.0 / n, 2.0 / n, 0.0) for n in range(1, 5001)]


def test_long_curve_is_thinned_and_keeps_its_ends() -> None:
    rows = [(n, 1.0 / n, 1.0 / n, 0.0) for n in range(1, 100_001)]
    thin = thinned(rows)
    assert len(thin) <= MOST + 1
    assert (thin[0], thin[-1]) == (rows[0], rows[-1])
    assert thin == sorted(thin)
    assert thinned([]) == []
    assert thinned(rows[:MOST]) == rows[:MOST]


def test_browser_has_the_curve_though_frames_are_lost() -> None:
    """The browser replaces its rows from an index on, and cannot where it has fewer."""
    chance, teller, seen = random.Random(0), LossRows(), []
    steps, lost = 0, 0
    while steps < len(ROWS):
        steps = min(len(ROWS), steps + chance.randint(1, 40))
        told = teller.end(ROWS[:steps])
        if lost < REPEATED - 2 and chance.random() < 0.6 and steps < len(ROWS):
            lost += 1
            continue
        lost = 0
        assert told["from"] <= len(seen)
        seen[told["from"] :] = told["rows"]
        assert seen == [list(row) for row in thinned(ROWS[:steps])]


def test_spacing_changes_seldom() -> None:
    """Each change of it has all rows told anew."""
    told = LossRows()
    starts = [told.end(ROWS[:n])["from"] for n in range(1, 4000, 10)]
    anew = sum(start == 0 for start in starts)
    assert anew <= REPEATED * 5


def test_growing_curve_costs_its_end_only() -> None:
    teller = LossRows()
    sizes = [len(teller.end(ROWS[: 10 * n])["rows"]) for n in range(1, 90)]
    assert max(sizes[REPEATED + 1 : MOST // 10]) <= 10 * REPEATED + 1


def test_another_curve_is_told_whole() -> None:
    teller = LossRows()
    for n in range(1, 60):
        teller.end(ROWS[:n])
    assert teller.end(ROWS[:3])["from"] == 0
    assert teller.whole(ROWS[:100]) == {"from": 0, "rows": [list(row) for row in ROWS[:100]]}


def test_what_is_not_finite_is_none() -> None:
    assert LossRows().whole([(1, float("nan"), float("inf"), 0.0)])["rows"] == [[1, None, None, 0.0]]
