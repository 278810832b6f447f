"""A spline edge written as polynomials has the engine's values and derivatives."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from kanlab.engine.layer import KANLayer
from kanlab.symbolic.edge_curve import U, curves_of
from kanlab.symbolic.evaluate import evaluate


def layer_of(k, base_fun: Any = "silu", dtype=torch.float64, even=True):
    layer = KANLayer(2, 2, grid=5, k=k, base_fun=base_fun, generator=torch.Generator().manual_seed(k), dtype=dtype)
    with torch.no_grad():
        layer.scale_sp.mul_(-1.7)
    if not even:
        layer.knots = torch.sort(layer.knots + 0.1 * torch.sin(40 * layer.knots), -1).values
    return layer


X = torch.linspace(-1.9, 1.9, 77, dtype=torch.float64)


@pytest.mark.parametrize("k", range(8))
@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("base_fun", ["silu", "identity", "zero"])
def test_curve_has_the_values_of_the_edge_beyond_the_grid_too(k, even, base_fun):
    layer = layer_of(k, base_fun, even=even)
    exact = layer.edge(1, 0, X).detach()
    torch.testing.assert_close(curves_of(layer, 3)[1, 0](X), exact, rtol=1e-12, atol=1e-12 * float(exact.abs().max()))


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_derivatives_are_those_of_the_engine(k):
    layer = layer_of(k, even=False)
    curve = curves_of(layer, 0)[1, 0]
    for order in (1, 2, 3)[: k if k < 3 else 3]:
        curve = curve.derivative()
        exact = layer.edge_derivatives(torch.stack([X, X]), order)[order][1, 0].detach()
        torch.testing.assert_close(curve(X), exact, rtol=1e-10, atol=1e-10)
        assert curve.name == f"phi_0_1_0_d{order}"


def test_a_step_has_derivative_zero():
    curve = curves_of(layer_of(0, "zero"), 0)[0, 0].derivative()
    assert bool((curve(X) == 0).all())


def test_a_float32_edge_is_taken_in_double_precision():
    layer = layer_of(3, dtype=torch.float32)
    curve = curves_of(layer, 0)[1, 1]
    assert curve.coef.dtype == torch.float64
    torch.testing.assert_close(curve(X), layer.double().edge(1, 1, X).detach(), rtol=1e-12, atol=1e-12)


def test_gradient_flows_through():
    curve = curves_of(layer_of(3), 0)[1, 1]
    x = X.clone().requires_grad_()
    curve(x).sum().backward()
    torch.testing.assert_close(x.grad, curve.derivative()(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("base", [torch.relu, torch.nn.functional.gelu, torch.nn.Softplus(), torch.tanh, torch.square])
def test_base_functions_sympy_knows_are_written_and_differentiated(base):
    curve = curves_of(layer_of(3, base), 0)[0, 0]
    x = torch.tensor([-1.2, -0.3, 0.4, 1.1], dtype=torch.float64)
    for order in range(3):
        exact = curve.scale_base * curve.base.evaluate(x, order)[order]
        value = evaluate(curve.base_expr(), {U: x})
        torch.testing.assert_close(value.expand_as(x), exact.detach(), rtol=1e-12, atol=1e-12)
        curve = curve.derivative()


def test_higher_derivatives_than_the_engines_are_those_of_the_expression():
    curve = curves_of(layer_of(3), 0)[0, 0]
    for _ in range(3):
        curve = curve.derivative()
    x = X.clone().requires_grad_()
    curve(x).sum().backward()
    torch.testing.assert_close(curve.derivative()(X), x.grad, rtol=1e-11, atol=1e-12)


def test_a_base_function_nobody_can_write_is_named_and_still_evaluated():
    def tanh(x):
        return torch.sin(x) ** 3

    layer = layer_of(3, tanh)
    curve = curves_of(layer, 0)[1, 0]
    torch.testing.assert_close(curve(X), layer.edge(1, 0, X).detach(), rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match=r"edge \(0, 1, 0\) has the base function 'tanh', which cannot be written"):
        curve.base_expr()
