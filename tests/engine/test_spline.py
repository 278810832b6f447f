"""Bases and curves against SciPy, least squares against what was put in, grids against their definitions."""

from __future__ import annotations

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline
from torch.autograd import gradcheck, gradgradcheck

from kanlab.engine import spline

DEGREES = range(6)


def uneven(grid: int, k: int, *, in_dim: int = 1, seed: int = 0) -> torch.Tensor:
    """Knots with intervals of random lengths, none more than five times another."""
    generator = torch.Generator().manual_seed(1000 * seed + 10 * grid + k)
    gaps = 0.2 + torch.rand(in_dim, grid, generator=generator, dtype=torch.float64)
    points = torch.cat([torch.zeros(in_dim, 1, dtype=torch.float64), gaps.cumsum(-1)], -1) - 0.7
    return spline.extend_knots(points, k)


def ends(knots: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    return knots[:, k, None], knots[:, knots.shape[-1] - k - 1, None]


def spread(knots: torch.Tensor, k: int, *, beyond: float, n: int = 60) -> torch.Tensor:
    """Points over the range of the knots and `beyond` times its width past both ends, the knots included."""
    low, high = ends(knots, k)
    part = torch.linspace(-beyond, 1 + beyond, n, dtype=knots.dtype)
    return torch.cat([low + (high - low) * part, knots[:, k : knots.shape[-1] - k]], -1)


def scipy_bases(x: np.ndarray, knots: np.ndarray, k: int, order: int) -> np.ndarray:
    size = len(knots) - k - 1
    if order > k:
        return np.zeros((size, len(x)))
    return np.array([BSpline(knots, row, k, extrapolate=True)(x, nu=order) for row in np.eye(size)])


@pytest.mark.parametrize("k", DEGREES)
@pytest.mark.parametrize("grid", [1, 2, 5, 20])
@pytest.mark.parametrize("make", ["even", "uneven"])
def test_bases_and_derivatives_are_scipys_inside_and_beyond_the_grid(k, grid, make):
    knots = uneven(grid, k) if make == "uneven" else spline.uniform_knots(-1, 2, grid, k, dtype=torch.float64)
    x = spread(knots, k, beyond=0.3)
    parts = spline.basis(x, knots, k, order=3)
    for order, part in enumerate(parts):
        expected = scipy_bases(x[0].numpy(), knots[0].numpy(), k, order)
        # Beyond the grid the end polynomials reach thousands; 1e-12 is then of their own size.
        np.testing.assert_allclose(part[0], expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("k", DEGREES)
def test_curves_of_several_inputs_are_scipys(k):
    knots = torch.cat([uneven(4, k, seed=1), uneven(4, k, seed=2) * 3 + 1])
    coef = torch.randn(2, 3, 4 + k, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
    x = spread(knots, k, beyond=0.1)
    y = spline.curve(coef, spline.basis(x, knots, k)[0])
    for i in range(2):
        for j in range(3):
            expected = BSpline(knots[i].numpy(), coef[i, j].numpy(), k, extrapolate=True)(x[i].numpy())
            np.testing.assert_allclose(y[i, j], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_bases_can_be_differentiated_twice_by_autograd(k):
    knots = uneven(3, k)
    low, high = ends(knots, k)
    # Away from knots, where a broken line has no derivative.
    x = (
        low + (high - low) * torch.tensor([[0.03, 0.24, 0.55, 0.71, 0.97, 1.04]], dtype=torch.float64)
    ).requires_grad_()
    assert gradcheck(lambda x: spline.basis(x, knots, k)[0], x)
    assert gradgradcheck(lambda x: spline.basis(x, knots, k)[0], x)


@given(grid=st.integers(1, 12), k=st.integers(0, 5), seed=st.integers(0, 10**6))
@settings(max_examples=40)
def test_bases_sum_to_one_and_at_most_k_plus_1_are_nonzero(grid, k, seed):
    knots = uneven(grid, k, seed=seed)
    x = spread(knots, k, beyond=0.0, n=25)
    value, slope, curvature = spline.basis(x, knots, k, order=2)
    assert (value.sum(1) - 1).abs().max() < 1e-12
    assert int((value != 0).sum(1).max()) <= k + 1
    assert slope.sum(1).abs().max() < 1e-10 * max(1.0, float(slope.abs().max()))
    assert curvature.sum(1).abs().max() < 1e-10 * max(1.0, float(curvature.abs().max()))


def test_local_basis_names_the_first_of_its_bases():
    knots = uneven(6, 3)
    x = spread(knots, 3, beyond=0.1)
    (local,), first = spline.local_basis(x, knots, 3)
    full = spline.basis(x, knots, 3)[0]
    for n in range(x.shape[-1]):
        at = int(first[0, n])
        assert torch.equal(full[0, at : at + 4, n], local[0, :, n])
    assert int(first.min()) == 0
    assert int(first.max()) == 5


@given(grid=st.integers(1, 15), k=st.integers(0, 5), seed=st.integers(0, 10**6))
@settings(max_examples=40)
def test_coefficients_to_curve_and_back(grid, k, seed):
    knots = uneven(grid, k, in_dim=2, seed=seed)
    coef = torch.randn(2, 3, grid + k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    # For k = 0 the right end belongs to the last interval, which has points of its own.
    x = spline.dense_points(knots, k, per_interval=k + 2)
    y = spline.curve(coef, spline.basis(x, knots, k)[0])
    torch.testing.assert_close(spline.fit_coef(x, y, knots, k), coef, rtol=0, atol=1e-8)


def test_coefficients_that_no_sample_touches_are_small_not_wild():
    knots = spline.uniform_knots(-1, 1, 20, 3, dtype=torch.float64)
    x = torch.linspace(-1, -0.5, 30, dtype=torch.float64)[None]
    coef = spline.fit_coef(x, torch.sin(x)[:, None], knots, 3)
    assert bool(coef.isfinite().all())
    assert coef.abs().max() < 10
    assert (spline.curve(coef, spline.basis(x, knots, 3)[0]) - torch.sin(x)[:, None]).abs().max() < 1e-6


def test_extended_knots_keep_the_points_and_pad_evenly():
    points = torch.tensor([[0.0, 1.0, 4.0], [-3.0, -2.0, -1.0]])
    knots = spline.extend_knots(points, 2)
    assert torch.equal(knots[:, 2:-2], points)
    assert torch.equal(knots[0], torch.tensor([-4.0, -2.0, 0.0, 1.0, 4.0, 6.0, 8.0]))
    assert torch.equal(spline.extend_knots(points, 0), points)


@pytest.mark.parametrize("grid_eps", [0.0, 0.02, 0.5, 1.0])
def test_sample_knots_span_the_data_in_order(grid_eps):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 200, generator=generator, dtype=torch.float64) * torch.tensor([[1.0], [1e-3], [1e5]])
    knots = spline.sample_knots(x, 7, 3, grid_eps)
    low, high = ends(knots, 3)
    torch.testing.assert_close(low[:, 0], x.amin(1), rtol=1e-14, atol=0)
    torch.testing.assert_close(high[:, 0], x.amax(1), rtol=1e-14, atol=0)
    assert bool((knots.diff() > 0).all())


def test_grid_eps_mixes_even_points_and_quantiles():
    x = torch.rand(1, 501, generator=torch.Generator().manual_seed(1), dtype=torch.float64) ** 3
    even = torch.linspace(float(x.min()), float(x.max()), 6, dtype=torch.float64)
    quantiles = torch.from_numpy(np.quantile(x[0].numpy(), np.linspace(0, 1, 6)))
    for grid_eps in (0.0, 0.3, 1.0):
        points = spline.sample_knots(x, 5, 2, grid_eps)[0, 2:-2]
        torch.testing.assert_close(points, grid_eps * even + (1 - grid_eps) * quantiles, rtol=0, atol=1e-12)


@pytest.mark.parametrize("grid_eps", [0.0, 0.02, 1.0])
@pytest.mark.parametrize(
    "column",
    [[7.0], [7.0] * 50, [0.0, 1.0] * 25, [0.0] * 49 + [1.0], [1e9] * 50, [1e-12, 2e-12, 3e-12]],
    ids=["one row", "constant", "binary", "rare", "large constant", "tiny"],
)
def test_repeated_values_give_usable_grids(column, grid_eps):
    x = torch.tensor([column], dtype=torch.float64)
    knots = spline.sample_knots(x, 10, 3, grid_eps)
    gaps = knots.diff()
    assert bool((gaps > 0).all())
    # An interval is never less than MIN_GAP of an even one, but for the scaling that keeps the ends.
    low, high = ends(knots, 3)
    assert bool((gaps > 0.4 * spline.MIN_GAP * (high - low) / 10).all())
    assert float(low) * (1 - 1e-14) <= min(column) <= max(column) <= float(high) * (1 + 1e-14)
    for part in spline.basis(x, knots, 3, order=2):
        assert bool(part.isfinite().all())
    coef = spline.fit_coef(x, 2 * x[:, None], knots, 3)
    curve = spline.curve(coef, spline.basis(x, knots, 3)[0])
    torch.testing.assert_close(curve, 2 * x[:, None], rtol=0, atol=1e-8 * max(column))


def test_a_column_below_the_least_spread_counts_as_constant():
    x = torch.tensor([[0.0, 1e-10, 2e-10], [1e6, 1e6 + 1e-7, 1e6]], dtype=torch.float64)
    knots = spline.sample_knots(x, 4, 3, 1.0, least=1e-9)
    low, high = ends(knots, 3)
    torch.testing.assert_close(high - low, torch.ones(2, 1, dtype=torch.float64), rtol=0, atol=1e-3)


@given(seed=st.integers(0, 10**6), grid=st.integers(1, 8), more=st.integers(0, 12))
@settings(max_examples=30)
def test_subdividing_keeps_every_point_and_halves_the_widest(seed, grid, more):
    points = uneven(grid, 0, in_dim=2, seed=seed)
    finer = spline.subdivide(points, grid + more)
    assert finer.shape == (2, grid + more + 1)
    assert bool((finer.diff() > 0).all())
    for row, old in zip(finer.tolist(), points.tolist(), strict=True):
        # A point may be computed as the end of the interval before it, and then it is rounded.
        assert all(min(abs(p - q) for q in row) < 1e-14 for p in old)
    if more:
        assert bool((finer.diff().amax(1) <= points.diff().amax(1)).all())


def test_dense_points_lie_in_the_grid_and_pin_the_spline_down():
    knots = uneven(5, 3, in_dim=2)
    points = spline.dense_points(knots, 3)
    low, high = ends(knots, 3)
    assert points.shape == (2, 21)
    assert torch.equal(points[:, :1], low)
    assert torch.equal(points[:, -1:], high)
    bases = spline.basis(points, knots, 3)[0]
    assert int(torch.linalg.matrix_rank(bases[0])) == 8


def test_wrong_shapes_are_refused():
    knots = uneven(5, 3, in_dim=2)
    # The annotations are checked at run time here, as in every test of the numeric core.
    with pytest.raises(jaxtyping.TypeCheckError, match="in_dim"):
        spline.basis(torch.zeros(3, 10, dtype=torch.float64), knots, 3)


def test_single_precision_stays_single():
    knots = spline.uniform_knots(-1, 1, 4, 3, dtype=torch.float32)
    x = torch.linspace(-1, 1, 9, dtype=torch.float32)[None]
    value, slope = spline.basis(x, knots, 3, order=1)
    assert value.dtype == slope.dtype == torch.float32
    assert (value.sum(1) - 1).abs().max() < 1e-6
    assert spline.sample_knots(x, 4, 3, 0.5).dtype == torch.float32
    assert spline.fit_coef(x, x[:, None], knots, 3).dtype == torch.float32


@pytest.mark.parametrize("x", [-1e30, -1e6, 1e6, 1e30])
def test_the_end_polynomials_go_on_however_far(x):
    knots = spline.uniform_knots(0, 1, 4, 1, dtype=torch.float64)
    coef = torch.tensor([[[0.0, 1.0, 3.0, 6.0, 10.0]]], dtype=torch.float64)
    value = spline.curve(coef, spline.basis(torch.tensor([[x]], dtype=torch.float64), knots, 1)[0])
    assert float(value) == pytest.approx(4 * x if x < 0 else 10 + 16 * (x - 1), rel=1e-12)
