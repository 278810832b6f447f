"""A number of the formula is moved, and the network's own formula is the moved one."""

from __future__ import annotations

import re

import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from kanlab import KAN
from kanlab.symbolic.printing import mathml_row
from kanlab.symbolic.tune import Handles, follow

X, Y = sympy.symbols("x y")


@pytest.mark.parametrize(
    ("expr", "values"),
    [
        (2.5 * X + 1, [1, 2.5]),
        (X * Y, []),
        (-X, []),
        (X**2 + Y ** sympy.Rational(1, 2), []),
        (sympy.sin(sympy.pi * X), [3.141592653589793]),
        (sympy.sin(sympy.pi * X) + sympy.pi, []),
        (-0.5 * sympy.exp(-0.5 * X), [-0.5, -0.5]),
        (X / 3 + sympy.sqrt(2) * Y, [1 / 3]),
        (sympy.Function("phi_0_0_0")(2 * X), [2]),
    ],
    ids=str,
)
def test_movable_numbers_are_coefficients_and_summands(expr, values):
    assert list(Handles.of(expr).values) == pytest.approx(values, rel=1e-11)


def test_equal_numbers_are_told_apart():
    handles = Handles.of(2 * X + 2 * Y)
    moved = sorted(float(handles.moved(k, 5.0).subs({X: 1, Y: 0})) for k in range(2))
    assert moved == pytest.approx([2, 5])


@given(st.floats(-1e6, 1e6), st.integers(0, 1))
def test_moving_changes_that_number_alone(value, index):
    handles = Handles.of(0.7 * sympy.sin(X) + 3.25)
    at_zero, at_half_pi = (float(handles.moved(index, value).evalf(subs={X: x})) for x in (0.0, float(sympy.pi / 2)))
    numbers = list(handles.values)
    numbers[index] = value
    summand = min(range(2), key=lambda k: abs(handles.values[k] - 3.25))
    assert at_zero == pytest.approx(numbers[summand], abs=1e-9)
    assert at_half_pi == pytest.approx(sum(numbers), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("index", "value"), [(2, 1.0), (-1, 1.0), (0, float("nan")), (0, float("inf"))])
def test_what_cannot_be_moved_is_refused(index, value):
    with pytest.raises(ValueError, match="number"):
        Handles.of(2.5 * X + 1).moved(index, value)


def test_every_movable_number_is_marked_where_it_is_written():
    handles = Handles.of(-2.5 * sympy.sin(sympy.pi * X) + 4 * Y**2 - 1.5e-7)
    marked = dict(re.findall(r'<m[ni] data-number="(\d)">([^<]*)<', mathml_row(handles.expr, places=handles.places)))
    texts = {round(abs(value), 9): marked[str(place)] for place, value in enumerate(handles.values)}
    assert texts == {2.5: "2.5", 3.141592654: "π", 4.0: "4", 1.5e-7: "1.5"}


def test_fraction_stays_one_and_is_marked_as_a_whole():
    handles = Handles.of(-X / 2)
    text = mathml_row(handles.expr, places=handles.places)
    assert '<mfrac data-number="0"><mn>1</mn><mn>2</mn></mfrac>' in text
    assert text.count("−") == 1


def test_without_places_nothing_is_marked():
    assert "data-number" not in mathml_row(2.5 * X)


def follow_one(model: KAN, index: int, value: float):
    formula = model.formula(["x", "y"])
    shown = formula.shown(4)
    handles = Handles.of(shown[0])
    moved = handles.moved(index, value)
    follow(model, shown, (moved,), formula.variables, formula.curves)
    return moved


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_network_follows_each_number(index):
    model = KAN.from_formula("1.7*exp(sin(3*x) + 0.5*y**2) + 0.25", ["x", "y"])
    value = Handles.of(model.formula(["x", "y"]).shown(4)[0]).values[index] * 1.2 + 0.1
    moved = follow_one(model, index, value)
    x = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    expected = sympy.lambdify((X, Y), moved, "numpy")(x[:, 0].numpy(), x[:, 1].numpy())
    torch.testing.assert_close(model(x)[:, 0].detach(), torch.as_tensor(expected), rtol=1e-7, atol=1e-7)


def test_network_follows_beside_a_spline():
    model = KAN.from_formula("2*sin(3*x) + y**2", ["x", "y"])
    layer = model.layer(0)
    (square,) = [(i, j) for (i, j) in layer.fixed if i == 1]
    model.unfix_symbolic(0, *square)
    shown = model.formula(["x", "y"]).shown(4)[0]
    index = [round(value, 6) for value in Handles.of(shown).values].index(2)
    x = torch.rand(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 0.5
    before = model(x)
    follow_one(model, index, 2.5)
    torch.testing.assert_close((model(x) - before)[:, 0], 0.5 * torch.sin(3 * x[:, 0]), rtol=1e-7, atol=1e-7)


def test_formula_that_no_constants_give_is_refused():
    model = KAN.from_formula("(x + 2)**2 + y", ["x", "y"])
    formula = model.formula(["x", "y"])
    shown = formula.shown(4)
    with pytest.raises(ValueError, match="cannot be moved alone"):
        follow(model, shown, (shown[0] + 0.3 * sympy.sin(7 * X),), formula.variables, formula.curves)


def test_formula_that_is_not_finite_on_the_data_is_refused():
    model = KAN.from_formula("log(x + 2) + y", ["x", "y"])
    index = [round(value) for value in Handles.of(model.formula(["x", "y"]).shown(4)[0]).values].index(2)
    with pytest.raises(ValueError, match="not finite"):
        follow_one(model, index, -2.0)
