"""Folding changes how a formula is written, not what it is; tidying changes it only within the tolerance."""

from __future__ import annotations

import math

import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanlab.symbolic import fold
from kanlab.symbolic.evaluate import evaluate
from kanlab.symbolic.library import get, names

X, Y = sympy.symbols("x y")
GENERATOR = torch.Generator().manual_seed(0)
POINTS = {symbol: torch.rand(40, generator=GENERATOR, dtype=torch.float64) * 2 - 1 for symbol in (X, Y)}


def value(form):
    return evaluate(form.expr(), POINTS)


coefficients = st.floats(-3, 3).filter(lambda number: abs(number) > 0.05)


@pytest.mark.parametrize("name", names())
@given(a=coefficients, b=st.sampled_from([0.0, 3e-9, 0.5, -2.0, 4.0]), c=coefficients, both=st.booleans())
@settings(max_examples=30)
def test_folded_form_has_the_same_values(name, a, b, c, both):
    function = get(name)
    inner = fold.add([fold.variable(X), fold.variable(Y).scaled(1.3)] if both else [fold.variable(X)]).scaled(a, b)
    u = value(inner)
    # A margin around poles and branch points: there a last bit in the argument is many in the value.
    usable = function.domain.covers(u - 1e-3, u + 1e-3)
    expected = c * function(u) + 0.7
    got = value(fold.apply(function, inner, c, 0.7))
    scale = expected.abs() + function.derivative(u).abs() * (u.abs() + 1) * abs(c) + 1
    assert bool(((got - expected).abs() <= 1e-13 * scale)[usable].all())


@pytest.mark.parametrize(
    ("name", "inner", "c", "d", "text"),
    [
        ("x^2", fold.Linear({X: -2.0}), 0.25, 0.0, "x**2"),
        ("x^2", fold.Linear({X: 2.0, Y: 2.0}), 0.25, 0.0, "(x + y)**2"),
        ("x^2", fold.Linear({X: 2.0, Y: 3.0}), 1.0, 0.0, "(2*x + 3*y)**2"),
        ("x^2", fold.Linear({X: 0.3137, Y: 0.6274}, 0.9411), 1 / 0.3137**2, 0.0, "(x + 2*y + 3)**2"),
        ("x^3", fold.Linear({X: -2.0}), 1.0, 0.0, "-8*x**3"),
        ("sqrt", fold.Linear({X: 4.0}, 8.0), 1.0, 0.0, "2*sqrt(x + 2)"),
        ("sqrt", fold.Linear({X: -4.0}, 8.0), 1.0, 0.0, "2*sqrt(2 - x)"),
        ("sqrt", fold.Linear({X: 4.0, Y: 8.0}, 12.0), 1.0, 0.0, "2*sqrt(x + 2*y + 3)"),
        ("sqrt", fold.Linear({X: 2.0, Y: 3.0}, 4.0), 1.0, 0.0, "sqrt(2*x + 3*y + 4)"),
        ("sqrt", fold.Linear({sympy.exp(X): 4.0}), 1.0, 0.0, "2*exp(x/2)"),
        ("1/x", fold.Linear({sympy.exp(X + Y): -0.5}), 1.0, 0.0, "-2*exp(-x - y)"),
        ("1/x", fold.Linear({X: -4.0}, 4.0), 2.0, 0.0, "-0.5/(x - 1)"),
        ("abs", fold.Linear({X: -2.0}), 1.5, 0.0, "3*Abs(x)"),
        ("log", fold.Linear({X: 1.0}), 1.0, 0.5, "log(x) + 0.5"),
        ("exp", fold.Linear({X: 1.0}), 2.0, 0.0, "2*exp(x)"),
        ("exp", fold.Linear({sympy.log(X): 2.0, sympy.log(Y): 1.0}), 1.0, 0.0, "x**2*y"),
        ("gaussian", fold.Linear({X: -2.0}), 1.0, 0.0, "exp(-4*x**2)"),
        ("tanh", fold.Linear({X: -2.0}, 1.0), 3.0, 0.0, "-3*tanh(2*x - 1)"),
        ("sin", fold.Linear({X: -2.0}), -1.0, 0.0, "sin(2*x)"),
        ("sin", fold.Linear({X: 3.0}, 0.25), 1.0, 1.0, "sin(3*x + 0.25) + 1"),
        ("cos", fold.Linear({X: -3.0}), -1.0, 0.0, "-cos(3*x)"),
        ("x", fold.Linear({X: 3.0}, 1.0), 2.0, 1.0, "6*x + 3"),
        ("0", fold.Linear({X: 3.0}), 2.0, 1.0, "1"),
        ("sin", fold.Linear({}, 0.0), 2.0, 1.0, "1"),
    ],
)
def test_forms_are_those_people_write(name, inner, c, d, text):
    assert str(fold.tidy(fold.apply(get(name), inner, c, d).expr(), 1e-12)) == text


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("turns", [0, 1, -1, 2, 7])
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_half_turns_become_a_sign(name, turns, sign):
    inner = fold.Linear({X: 2.0 * sign}, turns * math.pi + 1e-10)
    expr = fold.tidy(fold.apply(get(name), inner, 1.0, 0.0).expr(), 1e-6)
    expected = (-1) ** abs(turns) * (sign if name == "sin" else 1)
    assert expr == expected * getattr(sympy, name)(2 * X)


@pytest.mark.parametrize(("phase", "expr"), [(math.pi / 2, sympy.cos(X)), (-math.pi / 2, -sympy.cos(X))])
def test_quarter_turn_makes_a_sine_a_cosine(phase, expr):
    assert fold.tidy(fold.apply(get("sin"), fold.Linear({X: 1.0}, phase), 1.0, 0.0).expr(), 1e-9) == expr


def test_exponential_far_from_zero_neither_overflows_nor_vanishes():
    inner = fold.Linear({X: 3.0}, -3000.0)
    expr = fold.apply(get("exp"), inner, 2.0, 0.0).expr()
    far = {X: 1000 + POINTS[X], Y: POINTS[Y]}
    torch.testing.assert_close(evaluate(expr, far), 2 * torch.exp(3 * POINTS[X]), rtol=1e-11, atol=0)
    rebuilt = fold.tidy(expr, 1e-15)
    torch.testing.assert_close(evaluate(rebuilt, far), evaluate(expr, far))


def test_products_collect_factors_and_keep_sums():
    product = fold.multiply([fold.Linear({X: 2.0}), fold.Linear({Y: -3.0}), fold.Linear({X: 1.0}, 1.0)])
    assert product.expr() == -6 * X * Y * (X + 1)
    constant = fold.multiply([fold.Linear({X: 2.0}), fold.Linear({}, 4.0)])
    assert constant.expr() == 8 * X
    assert fold.multiply([fold.Linear({}, 2.0), fold.Linear({}, 4.0)]).expr() == 8


def test_products_of_exponentials_are_one():
    parts = [fold.Linear({sympy.exp(X): 2.0}), fold.Linear({X * sympy.exp(-2 * Y): 3.0}), fold.Linear({X: 1.0}, 1.0)]
    assert str(fold.multiply(parts).expr()) == "6*x*(x + 1)*exp(x - 2*y)"


def test_terms_that_cancel_are_gone():
    assert fold.add([fold.Linear({X: 2.0, Y: 1.0}), fold.Linear({X: -2.0}, 1.0)]) == fold.Linear({Y: 1.0}, 1.0)


def test_tidy_gives_the_formula_behind_fitted_constants():
    fitted = 1.0000000003 * sympy.exp(
        0.9999999 * sympy.sin(3.14159265 * X - 2e-10) + 1.0000001 * (Y + 3e-9) ** 2 + 1e-11
    ) - sympy.Float(2e-9)
    assert fold.tidy(fitted, 1e-6) == sympy.exp(sympy.sin(3.14159265 * X) + Y**2)


def test_tidy_leaves_what_is_outside_the_tolerance():
    expr = 1.001 * sympy.sin(X) + 0.01
    assert fold.tidy(expr, 1e-4) == expr
    assert fold.tidy(sympy.Float(0.25) * X, 1e-4) == sympy.Float(0.25) * X


def test_tidy_rounds_exponents_to_halves():
    assert fold.tidy(X**1.4999999 + Y**2.0000001, 1e-6) == X ** sympy.Rational(3, 2) + Y**2


def test_tidy_keeps_small_terms_among_small_terms():
    expr = 1e-7 * X + 2e-7 * Y
    assert fold.tidy(expr, 1e-3) == expr


def test_what_does_not_depend_on_its_argument_is_a_number():
    assert fold.apply(get("sin"), fold.variable(X).scaled(0.0, 1.0), 2.0, 0.5) == fold.Linear(
        {}, 2 * math.sin(1.0) + 0.5
    )


def test_a_far_sigmoid_stays_within_the_range_of_doubles():
    form = fold.apply(get("sigmoid"), fold.variable(X).scaled(1.0, -5000.0), 2.0, 1.0)
    x = torch.tensor([4998.0, 5000.0, 5003.0], dtype=torch.float64)
    torch.testing.assert_close(evaluate(form.expr(), {X: x}), 2 * torch.sigmoid(x - 5000) + 1, rtol=1e-12, atol=0)
