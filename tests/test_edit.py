"""Control points, constants and removed edges, moved by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from kanlab import KAN, edit

EDGE = (0, 1, 2)


@pytest.fixture(params=[0, 1, 2, 3], ids="degree {}".format)
def model(request: pytest.FixtureRequest) -> KAN:
    model = KAN([2, 3, 1], grid=5, k=request.param, seed=3)
    model.show(torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1)
    return model


def test_points_are_scipys_control_points(model: KAN) -> None:
    layer = model.layer(0)
    with torch.no_grad():
        layer.scale_base[1, 2] = 0.0
    points = edit.control_points(model, *EDGE).numpy()
    scale = float(layer.scale_sp[1, 2].detach())
    knots = layer.knots[1].numpy()
    spline = BSpline(knots, layer.coef[1, 2].detach().numpy(), layer.k)
    if layer.k:
        assert points[:, 0] == pytest.approx([knots[b + 1 : b + layer.k + 1].mean() for b in range(len(points))])
    # A straight control polygon is a straight spline: the points stand where they belong.
    straight = BSpline(knots, points[:, 0] * 2 + 1, layer.k)
    inside = np.linspace(knots[layer.k], knots[-layer.k - 1], 9)[1:-1]
    if layer.k:
        assert straight(inside) == pytest.approx(2 * inside + 1)
    assert points[:, 1] == pytest.approx(spline.c * scale)


def test_bending_moves_the_point_and_the_curve_near_it_only(model: KAN) -> None:
    layer = model.layer(0)
    x = torch.linspace(-1, 1, 201, dtype=torch.float64)
    with torch.no_grad():
        before = layer.edge(1, 2, x)
        edit.bend_edge(model, *EDGE, 2, 7.5)
        after = layer.edge(1, 2, x)
    assert float(edit.control_points(model, *EDGE)[2, 1]) == pytest.approx(7.5)
    moved = x[(after - before).abs() > 1e-12]
    assert len(moved)
    assert float(layer.knots[1, 2]) - 1e-9 <= float(moved.min())
    assert float(moved.max()) <= float(layer.knots[1, 3 + layer.k]) + 1e-9


@pytest.mark.parametrize("index", [-1, 99, True, 1.0])
def test_index_out_of_range_is_refused(index: object) -> None:
    with pytest.raises(ValueError, match="control points 0 to 5"):
        edit.bend_edge(KAN([2, 3, 1]), *EDGE, index, 0.0)  # pyright: ignore[reportArgumentType]


def test_only_splines_are_bent_and_only_names_have_constants() -> None:
    model = KAN([2, 3, 1])
    model.remove_edge(*EDGE)
    with pytest.raises(ValueError, match="is not a spline"):
        edit.bend_edge(model, *EDGE, 0, 0.0)
    with pytest.raises(ValueError, match="has no name"):
        edit.set_constants(model, *EDGE, [1, 0, 1, 0])


def test_spline_that_counts_for_nothing_cannot_be_bent() -> None:
    model = KAN([2, 3, 1])
    with torch.no_grad():
        model.layer(0).scale_sp[1, 2] = 0.0
    with pytest.raises(ValueError, match="scale_sp 0"):
        edit.bend_edge(model, *EDGE, 0, 1.0)


@pytest.mark.parametrize("constants", [[1.0], [1, 0, 1, float("inf")], [1, 0, 1, True]])
def test_constants_are_four_finite_numbers(constants: list[float]) -> None:
    model = KAN([2, 3, 1])
    model.show(torch.zeros(2, 2, dtype=torch.float64))
    model.fix_symbolic(*EDGE, "sin", fit_params_bool=False)
    with pytest.raises(ValueError, match="constants"):
        edit.set_constants(model, *EDGE, constants)


def test_constants_are_set() -> None:
    model = KAN([2, 3, 1])
    model.show(torch.zeros(2, 2, dtype=torch.float64))
    model.fix_symbolic(*EDGE, "sin", fit_params_bool=False)
    edit.set_constants(model, *EDGE, [2, 0.5, -1, 3])
    x = torch.tensor([0.3], dtype=torch.float64)
    assert float(model.layer(0).edge(1, 2, x).detach()) == pytest.approx(-float(torch.sin(2 * x + 0.5)) + 3)


def test_edge_that_is_there_is_not_restored() -> None:
    with pytest.raises(ValueError, match="only a removed edge"):
        edit.restore_edge(KAN([2, 3, 1]), *EDGE)
