"""Curves in common coordinates: the units are gone, and subsets stand for all samples."""

from __future__ import annotations

import pytest
import torch

from kanlab.symbolic.curves import Curves
from tests.engine.cases import generator


def curves(n: int = 500, scale: float = 1.0, offset: float = 0.0) -> Curves:
    x = torch.rand(2, n, generator=generator(1), dtype=torch.float64).square() * 3 - 1
    y = scale * torch.sin(4 * x) + offset
    return Curves.of(x, y, torch.full_like(x, 1 / n))


def test_units_are_gone():
    plain, scaled = curves(), curves(scale=-1e-7, offset=5.0)
    # 5 holds 1e-15, which is 1e-8 of the amplitude.
    torch.testing.assert_close(scaled.v, -plain.v, rtol=0, atol=1e-7)
    assert float(plain.t.min()) == -1
    assert float(plain.t.max()) == 1
    torch.testing.assert_close(plain.centre + plain.half, plain.high[:, 0])
    torch.testing.assert_close((plain.w * plain.v.square()).sum(-1), torch.ones(2, dtype=torch.float64))


@pytest.mark.parametrize("count", [8, 64, 1000])
def test_subset_keeps_the_weights_of_all(count):
    whole = curves()
    t, v, w = whole.subset(count)
    assert t.shape[-1] == min(count, 500)
    torch.testing.assert_close(w.sum(-1), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close((w * v).sum(-1), torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-14)
    if count >= 64:
        # Moments of the data, not of an even grid: most of it lies at the left.
        torch.testing.assert_close((w * t).sum(-1), (whole.w * whole.t).sum(-1), rtol=0.05, atol=0.01)


def test_grid_values_are_interpolated():
    grid = torch.linspace(-1, 1, 40, dtype=torch.float64)
    whole = curves(4000)
    x = whole.centre[:, None] + whole.half[:, None] * grid
    expected = (torch.sin(4 * x) - whole.mean) / whole.scale
    torch.testing.assert_close(whole.on_grid(grid), expected, rtol=0, atol=1e-3)


def test_a_constant_curve_and_a_single_input_are_no_trouble():
    x = torch.tensor([[1.0, 1.0, 1.0], [0.0, 1.0, 2.0]], dtype=torch.float64)
    flat = Curves.of(x, torch.full_like(x, 7.0), torch.full_like(x, 1 / 3))
    assert flat.constant.all()
    assert bool((flat.v == 0).all())
    assert bool((flat.t[0] == 0).all())
    assert flat.half[0] == 1
    assert flat.chosen(slice(1, 2)).rows == 1
