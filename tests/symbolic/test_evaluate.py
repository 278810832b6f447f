"""Walking the tree gives what sympy gives."""

from __future__ import annotations

import math

import pytest
import sympy
import torch

from kanlab.symbolic.evaluate import evaluate, evaluate_all
from kanlab.symbolic.library import get, names

X, Y = sympy.symbols("x y")
POINTS = {
    X: torch.tensor([0.3, 0.9, 1.7], dtype=torch.float64),
    Y: torch.tensor([0.2, -0.4, 2.0], dtype=torch.float64),
}


def by_sympy(expr):
    rows = zip(POINTS[X].tolist(), POINTS[Y].tolist(), strict=True)
    return torch.tensor([float(expr.subs({X: x, Y: y}).evalf(20)) for x, y in rows], dtype=torch.float64)


@pytest.mark.parametrize(
    "expr",
    [
        sympy.exp(sympy.sin(sympy.pi * X) + Y**2),
        X * Y / (1 + X**2) - sympy.sqrt(X) + 1 / sympy.sqrt(X),
        X**1.5 + X**Y + 2**X + sympy.E**Y,
        sympy.Rational(1, 3) * sympy.Abs(Y) + sympy.sign(Y) * sympy.erf(X),
        sympy.atan(X) + sympy.asin(X / 2) + sympy.acos(X / 3) + sympy.atanh(X / 4) + sympy.sinh(Y) - sympy.cosh(Y),
        sympy.gamma(X) + sympy.gamma(X - 3) + sympy.loggamma(X),
        sympy.besselj(0, X) + sympy.besselj(1, X * Y),
        sympy.Max(X, Y) + sympy.floor(Y),
        sympy.log(2) * X + sympy.sqrt(2) * Y,
        sympy.cot(X) + sympy.sec(Y) + sympy.csc(X) + sympy.coth(Y) + sympy.sech(X) + sympy.csch(Y),
    ],
)
def test_values_are_those_of_sympy(expr):
    torch.testing.assert_close(evaluate(expr, POINTS), by_sympy(expr), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", names())
def test_every_library_function_is_evaluated_by_torch(name):
    function = get(name)
    u = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64) + (1 if name == "arccosh" else 0)
    torch.testing.assert_close(evaluate(function.sympy_fn(X), {X: u}), function(u), rtol=1e-14, atol=1e-15)


def test_common_parts_are_evaluated_once():
    calls = []

    def phi(u):
        calls.append(u)
        return u * 2

    edge = sympy.Function("phi_0_0_0")(X)
    first, second = evaluate_all([edge**2 + sympy.exp(edge), edge * Y], POINTS, {"phi_0_0_0": phi})
    assert len(calls) == 1
    torch.testing.assert_close(first, (2 * POINTS[X]) ** 2 + torch.exp(2 * POINTS[X]))
    torch.testing.assert_close(second, 2 * POINTS[X] * POINTS[Y])


def test_constants_take_the_shape_of_the_values():
    assert evaluate(sympy.pi, POINTS).tolist() == [math.pi] * 3
    assert evaluate(sympy.S.Zero, {}).shape == ()


def test_values_are_broadcast():
    grid = evaluate(X + Y, {X: POINTS[X][:, None], Y: POINTS[Y][None]})
    torch.testing.assert_close(grid, POINTS[X][:, None] + POINTS[Y])


@pytest.mark.parametrize("expr", [sympy.sqrt(-1 - X**2), sympy.log(-X), sympy.I * X, sympy.zoo + X])
def test_values_that_are_not_real_are_nan(expr):
    assert bool(evaluate(expr, POINTS).isnan().all())


def test_gradient_flows_through():
    x = POINTS[X].clone().requires_grad_()
    evaluate(sympy.sin(X) ** 2, {X: x}).sum().backward()
    torch.testing.assert_close(x.grad, torch.sin(2 * POINTS[X]))


def test_unknown_symbols_and_functions_are_named():
    with pytest.raises(ValueError, match="symbol z has no value; given are x, y"):
        evaluate(X + sympy.Symbol("z"), POINTS)
    with pytest.raises(ValueError, match="function psi is not known"):
        evaluate(sympy.Function("psi")(X), POINTS)
