"""The Bessel functions are right to the last digits everywhere, and differentiable as often as one likes."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import special

from kanlab.symbolic import bessel

#: Small, around the seam at 64, and far out; zero and both signs.
POINTS = torch.cat(
    [
        torch.linspace(-30, 30, 1201, dtype=torch.float64),
        torch.linspace(60, 70, 401, dtype=torch.float64),
        torch.tensor([-1e3, -64.0, -1e-9, 0.0, 1e-300, 64.0, 64.0000001, 2e3], dtype=torch.float64),
    ]
)


@pytest.mark.parametrize(("ours", "theirs"), [(bessel.j0, special.j0), (bessel.j1, special.j1)])
def test_values_are_scipys(ours, theirs):
    expected = torch.from_numpy(theirs(POINTS.numpy()))
    torch.testing.assert_close(ours(POINTS), expected, rtol=0, atol=2e-15)


@pytest.mark.parametrize("order", range(5))
def test_derivatives_are_scipys(order):
    expected = torch.from_numpy(special.jvp(0, POINTS.numpy(), order))
    torch.testing.assert_close(bessel.derivative_of_j0(POINTS, order), expected, rtol=0, atol=2e-15)


@pytest.mark.parametrize("function", [bessel.j0, bessel.j1])
def test_autograd_goes_through_twice(function):
    u = torch.tensor([-3.0, 0.0, 0.4, 63.9, 64.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, u)
    assert torch.autograd.gradgradcheck(function, u)


def test_single_precision_stays_single_and_shapes_stay():
    u = torch.linspace(0, 70, 12).reshape(3, 4)
    assert bessel.j0(u).dtype == torch.float32
    assert bessel.j0(u).shape == (3, 4)
    assert bessel.j1(torch.zeros(0)).shape == (0,)


def test_what_is_no_number_has_no_value():
    u = torch.tensor([math.inf, -math.inf, math.nan], dtype=torch.float64)
    assert bool(bessel.j0(u).isnan().all())
    assert bool(bessel.j1(u).isnan().all())
