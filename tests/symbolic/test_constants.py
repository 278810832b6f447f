"""Named values are found, cheapest first, and nothing else is."""

from __future__ import annotations

import itertools
import math

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from kanlab.symbolic.constants import _table, exactly, nearest

NAMED = [
    ("1", 1.0), ("2", 2.0), ("1/2", 0.5), ("3/2", 1.5), ("-2/3", -2 / 3), ("100", 100.0), ("1/10", 0.1),
    ("pi", math.pi), ("2*pi", 2 * math.pi), ("-pi/2", -math.pi / 2), ("3*pi/4", 3 * math.pi / 4), ("1/pi", 1 / math.pi),
    ("E", math.e), ("exp(-1)", math.exp(-1)), ("sqrt(2)", math.sqrt(2)), ("sqrt(3)", math.sqrt(3)),
    ("sqrt(2)/2", math.sqrt(0.5)), ("sqrt(2)*sqrt(pi)", math.sqrt(2 * math.pi)), ("log(2)", math.log(2)),
    ("sqrt(2)/(2*sqrt(pi))", 1 / math.sqrt(2 * math.pi)), ("pi**2", math.pi**2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), NAMED)
def test_named_value_comes_first_from_a_measured_number(text, value):
    found = nearest(value * (1 + 3e-7), 1e-6)
    assert str(found[0].expr) == text
    assert found[0].value == pytest.approx(value, rel=1e-15)


def test_simplest_comes_first_where_several_fit():
    found = [str(constant.expr) for constant in nearest(3.15, 0.05)]
    assert found[0] == "3"
    assert "pi" in found
    assert found.index("pi") == 1


def test_costs_grow_with_what_has_to_be_said():
    def cost(value):
        return nearest(value, 1e-9)[0].cost

    assert cost(1.0) == 0 < cost(2.0) < cost(3.0) < cost(17.0)
    assert cost(0.5) < cost(5 / 6)
    assert cost(100.0) < cost(48.0)
    assert cost(0.001) < cost(1 / 32) + 3
    assert cost(math.pi) < cost(3 * math.pi / 4)


def test_zero_needs_its_own_tolerance():
    assert nearest(1e-9, 1e-3) == []
    assert [constant.value for constant in nearest(1e-9, 1e-3, abs_tol=1e-8)] == [0.0]
    assert [constant.value for constant in nearest(0.0, 0.1)] == [0.0]


@given(st.floats(-200, 200).filter(lambda value: abs(value) > 1e-4), st.sampled_from([1e-9, 1e-4, 2e-2, 1.5]))
def test_exactly_the_values_within_the_tolerance_are_listed(value, rel_tol):
    expected = {c.expr for c in _table() if abs(c.value - abs(value)) <= rel_tol * c.value}
    found = nearest(value, rel_tol)
    assert {abs(constant.expr) for constant in found} == expected
    assert [c.cost for c in found] == sorted(c.cost for c in found)
    assert all(c.value * value > 0 for c in found)


def test_each_value_stands_once_and_is_what_it_says():
    table = _table()
    values = [constant.value for constant in table]
    assert all(high > low * (1 + 1e-12) for low, high in itertools.pairwise(values))
    for constant in table:
        assert constant.value == pytest.approx(float(sympy.N(constant.expr, 20)), rel=1e-15)


def test_table_is_sparse_enough_not_to_name_noise():
    # Of numbers drawn at random, few lie within a ten-thousandth of a named value.
    values = [0.1 * 1.0007**step for step in range(6000)]
    hits = sum(bool(nearest(value, 1e-4)) for value in values)
    assert hits / len(values) < 0.02


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_that_are_no_numbers_are_refused(value):
    with pytest.raises(ValueError, match="finite"):
        nearest(value, 1e-3)


def test_negative_tolerances_are_refused():
    with pytest.raises(ValueError, match="tolerances"):
        nearest(1.0, -1e-3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("32/5", 6.4), ("8/9", 8 / 9), ("-1/(32*pi**2)", -1 / (32 * math.pi**2)), ("17*pi/12", 17 * math.pi / 12),
        ("2*sqrt(6)*sqrt(pi)/3", (8 * math.pi / 3) ** 0.5), ("sqrt(6)/2", 1.5**0.5),
    ],
)  # fmt: skip
def test_exactly_known_numbers_are_fractions_of_something(text, value):
    found = exactly(value * (1 + 3e-12))
    assert found is not None
    assert str(found.expr) == text
    assert found.value == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("value", [3.1173, 0.6627417, 1.0000002, math.gamma(1 / 3), 0.0])
def test_other_numbers_are_nothing(value):
    assert exactly(value) is None
