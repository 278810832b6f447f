"""Derivatives of formulas are those of finite differences, for corners and splines too."""

from __future__ import annotations

import pytest
import sympy
import torch

from kanlab.engine.layer import KANLayer
from kanlab.symbolic.calculus import derivative_name, differentiate
from kanlab.symbolic.edge_curve import curves_of, with_derivatives
from kanlab.symbolic.evaluate import evaluate

X, Y = sympy.symbols("x y")
PHI = sympy.Function("phi_0_0_0")


@pytest.mark.parametrize(
    "expr",
    [
        sympy.exp(sympy.sin(sympy.pi * X) + Y**2),
        sympy.Abs(X) * Y + sympy.Abs(sympy.log(X + 2)) + sympy.sign(X) * X**2,
        PHI(X * Y) ** 2 + sympy.sin(PHI(X)),
        PHI(PHI(X) + Y),
        X**Y + sympy.besselj(0, X),
    ],
)
def test_derivative_is_that_of_finite_differences(expr):
    curve = curves_of(KANLayer(1, 1, grid=4, generator=torch.Generator().manual_seed(0)), 0)[0, 0]
    curves = with_derivatives({curve.name: curve})
    x = torch.tensor([0.31, 0.77, 0.93], dtype=torch.float64)
    y = torch.tensor([0.2, 0.4, -0.6], dtype=torch.float64)
    slope = evaluate(differentiate(expr, X), {X: x, Y: y}, curves)
    h = 1e-5
    up, down = (evaluate(expr, {X: x + step, Y: y}, curves) for step in (h, -h))
    torch.testing.assert_close(slope, (up - down) / (2 * h), rtol=1e-8, atol=1e-8)


def test_corners_and_steps_have_the_derivatives_people_expect():
    assert differentiate(sympy.Abs(X**3), X) == 3 * X**2 * sympy.sign(X**3)
    assert differentiate(sympy.sign(X), X) == 0
    assert differentiate(Y**2, X) == 0


def test_second_derivatives_count_on():
    assert differentiate(differentiate(PHI(X), X), X) == sympy.Function("phi_0_0_0_d2")(X)
    assert derivative_name("phi_0_12_3_d9") == "phi_0_12_3_d10"


def test_other_undetermined_functions_have_no_derivative_here():
    with pytest.raises(ValueError, match="psi is not the name"):
        differentiate(sympy.Function("psi")(X), X)
