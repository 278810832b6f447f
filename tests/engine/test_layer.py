"""A layer is the sum of its edges, each of them the formula in the paper; names, masks and grids do what they say."""

from __future__ import annotations

import itertools
import math

import pytest
import sympy
import torch
from scipy.interpolate import BSpline
from torch.autograd import gradcheck

from kanlab.engine import spline
from kanlab.engine.base import BASES
from kanlab.engine.layer import EdgeFunction, KANLayer, function_derivatives
from kanlab.symbolic import library
from tests.engine.cases import generator, points


def make(in_dim: int = 3, out_dim: int = 2, **options) -> KANLayer:
    layer = KANLayer(in_dim, out_dim, **{"grid": 4, "generator": generator(1), **options})
    with torch.no_grad():
        layer.scale_sp.copy_(torch.rand(in_dim, out_dim, generator=generator(2), dtype=layer.coef.dtype) + 0.5)
    return layer


def values(n: int = 40, in_dim: int = 3) -> torch.Tensor:
    return points(n, in_dim, reach=1.2).T


def by_the_paper(layer: KANLayer, i: int, j: int, x: torch.Tensor) -> torch.Tensor:
    """Evaluate scale_base silu(x) + scale_sp spline(x), with SciPy's spline."""
    coef, knots = layer.coef[i, j].detach().numpy(), layer.knots[i].numpy()
    curve = torch.from_numpy(BSpline(knots, coef, layer.k, extrapolate=True)(x.numpy()))
    base = x / (1 + torch.exp(-x))
    return layer.scale_base[i, j] * base + layer.scale_sp[i, j] * curve


def test_edges_are_the_papers_formula():
    layer, x = make(), values()
    phi = layer.postacts(x)
    for i in range(3):
        for j in range(2):
            torch.testing.assert_close(phi[i, j], by_the_paper(layer, i, j, x[i]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("named", [False, True])
def test_layer_is_the_sum_of_its_edges_and_an_edge_alone_is_the_same(named):
    layer, x = make(), values()
    layer.remove(0, 1)
    if named:
        layer.fix(1, 1, library.get("sin"), (2.0, 0.3, -1.5, 0.4))
    phi = layer.postacts(x)
    torch.testing.assert_close(layer(x), phi.sum(0), rtol=0, atol=1e-14)
    for i in range(3):
        for j in range(2):
            torch.testing.assert_close(layer.edge(i, j, x[i]), phi[i, j], rtol=0, atol=1e-14)
    assert torch.equal(phi[0, 1], torch.zeros(40, dtype=torch.float64))


def test_named_edges_are_c_f_of_a_x_plus_b_plus_d():
    layer, x = make(), values()
    layer.fix(0, 0, library.get("sin"), (2.0, 0.3, -1.5, 0.4))
    layer.fix(2, 1, library.get("sin"), (-1.0, 0.1, 0.5, 0.0))
    layer.fix(1, 0, library.get("x^2"), (1.0, 0.2, 3.0, -1.0))
    phi = layer.postacts(x)
    torch.testing.assert_close(phi[0, 0], -1.5 * torch.sin(2 * x[0] + 0.3) + 0.4)
    torch.testing.assert_close(phi[2, 1], 0.5 * torch.sin(-x[2] + 0.1))
    torch.testing.assert_close(phi[1, 0], 3 * (x[1] + 0.2) ** 2 - 1)
    torch.testing.assert_close(phi[1, 1], by_the_paper(layer, 1, 1, x[1]))
    assert {group.function.name: len(group.inputs) for group in layer.fixed_groups()} == {"sin": 2, "x^2": 1}


def test_unfixing_gives_back_the_spline_to_the_last_bit():
    layer, x = make(), values()
    before = layer.postacts(x)
    layer.fix(0, 1, library.get("exp"), (1.0, 0.0, 2.0, 0.0))
    assert not torch.equal(layer.postacts(x), before)
    layer.unfix(0, 1)
    assert torch.equal(layer.postacts(x), before)


def test_removing_a_named_edge_takes_its_name_and_fixing_brings_an_edge_back():
    layer, x = make(), values()
    layer.fix(0, 0, library.get("sin"), (1.0, 0.0, 1.0, 0.0))
    layer.remove(0, 0)
    assert layer.fixed == {}
    assert not layer.postacts(x)[0, 0].any()
    assert layer.spline_mask()[0, 0] == 0
    layer.fix(0, 0, library.get("x"), (1.0, 0.0, 1.0, 0.0))
    torch.testing.assert_close(layer.postacts(x)[0, 0], x[0])


def test_spline_mask_counts_present_edges_without_names():
    layer = make()
    layer.remove(0, 0)
    layer.fix(2, 1, library.get("x"), (1.0, 0.0, 1.0, 0.0))
    expected = torch.ones(3, 2, dtype=torch.float64)
    expected[0, 0] = expected[2, 1] = 0
    assert torch.equal(layer.spline_mask(), expected)
    assert not layer.weights()[0, 0].any()
    assert not layer.weights()[2, 1].any()


@pytest.mark.parametrize("base_fun", BASES)
def test_derivatives_of_bases_match_autograd(base_fun):
    layer, x = make(base_fun=base_fun), values().requires_grad_()
    parts = layer.bases(x, order=3)
    for part, slope in itertools.pairwise(parts):
        # Each basis has a number of its own, so that none hides behind another.
        rows = torch.arange(1.0, part.shape[1] + 1, dtype=part.dtype)[:, None]
        (by_autograd,) = torch.autograd.grad((part * rows).sum(), x, create_graph=True, materialize_grads=True)
        torch.testing.assert_close((slope * rows).sum(1), by_autograd, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", library.names())
def test_higher_derivatives_of_every_function_are_those_of_its_formula(name):
    function = library.get(name)
    inside = (0.1, 0.35, 0.62, 0.83) if function.domain.high == 1.0 else (0.4, 0.9, 1.3, 2.1)
    if function.domain.low == 1.0:
        inside = tuple(1.0 + value for value in inside)
    u = torch.tensor(inside, dtype=torch.float64)
    symbol = sympy.Symbol("u", positive=True)
    parts = function_derivatives(function, u, 3)
    assert not any(part.requires_grad for part in parts)
    for order, part in enumerate(parts):
        formula = function.sympy_fn(symbol).diff(symbol, order)
        expected = [float(formula.subs(symbol, sympy.Float(value, 30))) for value in inside]
        torch.testing.assert_close(part, torch.tensor(expected, dtype=torch.float64), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_derivatives_of_edges_match_autograd(k):
    layer, x = make(k=k), values().requires_grad_()
    layer.remove(0, 1)
    layer.fix(1, 0, library.get("sin"), (1.3, 0.2, 0.7, -0.1))
    layer.fix(1, 1, library.get("x"), (-0.6, 0.2, 0.7, -0.1))
    parts = layer.edge_derivatives(x, 3)
    torch.testing.assert_close(parts[0], layer.postacts(x), rtol=0, atol=1e-13)
    for part, slope in itertools.pairwise(parts):
        for j in range(2):
            (by_autograd,) = torch.autograd.grad(part[:, j].sum(), x, create_graph=True)
            torch.testing.assert_close(slope[:, j], by_autograd, rtol=1e-9, atol=1e-9)


def test_layer_is_differentiable_by_inputs_and_parameters():
    layer = make()
    layer.fix(0, 0, library.get("sin"), (2.0, 0.3, -1.5, 0.4))
    x = values(6).contiguous().requires_grad_()
    assert gradcheck(layer, x)
    layer(x).sum().backward()
    for name in ("coef", "scale_base", "scale_sp", "affine"):
        gradient = getattr(layer, name).grad
        assert gradient is not None
        assert bool(gradient.any()), name
    assert layer.coef.grad is not None
    assert not layer.coef.grad[0, 0].any()


@pytest.mark.parametrize("grid", [4, 9, 30])
def test_regrid_on_knots_that_hold_the_old_ones_changes_nothing(grid):
    layer, x = make(), values()
    layer.fix(1, 1, library.get("sin"), (1.0, 0.0, 1.0, 0.0))
    before = layer.postacts(x)
    points = spline.subdivide(layer.knots[:, 3:-3], grid)
    layer.regrid(spline.extend_knots(points, 3))
    assert layer.grid == grid
    assert layer.coef.shape == (3, 2, grid + 3)
    # x reaches beyond the grid: there too the end polynomials are the same ones.
    torch.testing.assert_close(layer.postacts(x), before, rtol=0, atol=1e-10)


def test_regrid_keeps_what_is_frozen_frozen():
    layer = make()
    layer.coef.requires_grad_(False)
    layer.regrid(spline.uniform_knots(-1, 1, 8, 3, in_dim=3, dtype=torch.float64))
    assert not layer.coef.requires_grad
    assert isinstance(layer.coef, torch.nn.Parameter)


def test_regrid_to_another_range_keeps_the_curve_where_both_reach():
    layer = KANLayer(1, 1, grid=5, generator=generator(0))
    with torch.no_grad():
        x = torch.linspace(-1, 1, 200, dtype=torch.float64)[None]
        layer.coef.copy_(spline.fit_coef(x, torch.sin(2 * x)[:, None], layer.knots, 3))
        layer.scale_base.zero_()
    layer.regrid(spline.uniform_knots(-0.6, 0.8, 12, 3, dtype=torch.float64))
    inside = torch.linspace(-0.6, 0.8, 50, dtype=torch.float64)[None]
    # What the old, coarser grid held of sin(2x), and what the new one cannot hold of that.
    assert (layer.postacts(inside)[0, 0] - torch.sin(2 * inside[0])).abs().max() < 2e-3


def test_select_keeps_the_chosen_edges_with_their_names():
    layer, x = make(), values()
    layer.fix(2, 1, library.get("sin"), (2.0, 0.1, 1.0, 0.5))
    layer.fix(1, 0, library.get("exp"), (1.0, 0.0, 1.0, 0.0))
    layer.remove(0, 1)
    phi = layer.postacts(x)
    layer.select(torch.tensor([0, 2]), torch.tensor([1]))
    assert (layer.in_dim, layer.out_dim) == (2, 1)
    assert {edge: function.name for edge, function in layer.fixed.items()} == {(1, 0): "sin"}
    assert torch.equal(layer.postacts(x[[0, 2]]), phi[[0, 2]][:, [1]])


def test_initial_values_come_from_the_generator_and_leave_the_global_one_alone():
    state = torch.get_rng_state()
    first, second, other = (KANLayer(3, 2, generator=generator(seed)) for seed in (5, 5, 6))
    assert torch.equal(first.coef, second.coef)
    assert torch.equal(first.scale_base, second.scale_base)
    assert not torch.equal(first.coef, other.coef)
    assert torch.equal(state, torch.get_rng_state())


def test_initial_values_have_the_scales_asked_for():
    layer = KANLayer(16, 400, grid=3, noise_scale=0.25, generator=generator(0))
    # 38,400 and 6,400 draws: their spread is right to a percent or two.
    assert abs(float(layer.coef.detach().std()) / 0.25 - 1) < 0.02
    assert abs(float(layer.scale_base.detach().std()) / (1 / math.sqrt(16) / math.sqrt(3)) - 1) < 0.04
    assert bool((layer.scale_sp == 1).all())


def test_library_functions_are_edge_functions():
    assert all(isinstance(library.get(name), EdgeFunction) for name in library.names())


def test_unknown_base_function_is_refused_with_the_allowed_ones():
    with pytest.raises(ValueError, match=r"'gelu'.*'silu', 'identity', 'zero'"):
        KANLayer(1, 1, base_fun="gelu")


def test_repr_says_what_it_is():
    layer = make()
    layer.fix(0, 0, library.get("x"), (1.0, 0.0, 1.0, 0.0))
    assert repr(layer) == "KANLayer(3, 2, grid=4, k=3, fixed=1)"
