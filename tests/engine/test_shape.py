"""What may be given as width and arity, and what is said about the rest."""

from __future__ import annotations

import pytest

from kanlab.engine.shape import parse_arity, parse_width, per_layer, whole

WIDTH = [[2, 0], [5, 2], [1, 1]]


def test_one_arity_counts_for_all_multiplication_nodes():
    assert parse_arity(3, WIDTH) == [[], [3, 3], [3]]


def test_arities_may_be_given_for_each_node_of_each_level():
    given = [[], (2, 4), [3]]
    assert parse_arity(given, WIDTH) == [[], [2, 4], [3]]
    assert given == [[], (2, 4), [3]]


@pytest.mark.parametrize(
    ("arity", "says"),
    [
        (1, "mult_arity is 1; allowed are whole numbers from 2 up"),
        (True, "mult_arity is True"),
        ("2", "mult_arity is '2'"),
        (None, "mult_arity is None"),
        ([2, 2], "3 lists: one per level"),
        ([[], [2], [3]], r"mult_arity\[1\] is \[2\]; that level has 2 multiplication nodes"),
        ([[2], [2, 2], [3]], r"mult_arity\[0\] is \[2\]; that level has 0 multiplication nodes"),
        ([[], [2, 1], [3]], r"mult_arity\[1\] is 1; allowed are whole numbers from 2 up"),
        ([[], 2, [3]], r"mult_arity\[1\] is 2"),
    ],
)
def test_bad_arities_are_refused(arity, says):
    with pytest.raises(ValueError, match=says):
        parse_arity(arity, WIDTH)


def test_reading_touches_nothing():
    width = [2, [5, 2], 1]
    parse_width(width)[1][0] = 9
    assert width == [2, [5, 2], 1]


def test_numbers_may_be_given_once_or_per_layer():
    assert per_layer("grid", 3, 2) == [3, 3]
    assert per_layer("grid", (3, 4), 2) == [3, 4]
    with pytest.raises(ValueError, match="one for each of the 2 layers"):
        per_layer("grid", [3], 2)
    with pytest.raises(ValueError, match=r"k is 2\.5; allowed are whole numbers from 0 up"):
        whole("k", 2.5, 0)  # pyright: ignore[reportArgumentType]
