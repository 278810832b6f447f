"""Nothing of complex numbers is left in expressions of real variables."""

from __future__ import annotations

import pytest
import sympy

from kanlab import KAN
from kanlab.symbolic.parser import parse
from kanlab.symbolic.real import real

X, Y = sympy.symbols("x y")


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (sympy.Abs(sympy.exp(X)), sympy.exp(X)),
        (sympy.Abs(2**X * Y), 2**X * sympy.Abs(Y)),
        (sympy.conjugate(X) * X, X**2),
        (sympy.im(X) + sympy.re(X * Y), X * Y),
        (sympy.sin(X), sympy.sin(X)),
    ],
)
def test_real_parts_are_what_they_are_parts_of(expr, expected):
    assert real(expr) == expected


def test_formulas_and_text_are_real():
    assert parse("|exp(x)|*y", ["x", "y"]) == sympy.exp(X) * Y
    model = KAN.from_formula(sympy.Abs(sympy.exp(X)), ["x"])
    model.fix_symbolic(0, 0, 0, "abs")
    assert not any(expr.has(sympy.re) for expr in model.formula(["x"]).exprs)
    model = KAN([1, 1, 1])
    model.fix_symbolic(0, 0, 0, "exp", fit_params_bool=False)
    model.fix_symbolic(1, 0, 0, "abs", fit_params_bool=False)
    assert model.formula(["x"]).exprs == (sympy.exp(X),)
