"""Inputs come in any unit: solvers see the base function in a unit of its own, the formula stays the formula."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kanlab.engine import spline
from kanlab.engine.base import BASES, base_function
from kanlab.engine.fit import Data, Options, fit_steps
from kanlab.engine.frame import PLAIN, frame_of
from kanlab.engine.layer import KANLayer
from kanlab.engine.linearise import Linearisation
from kanlab.engine.network import Network
from tests.engine.cases import points, rough

#: Middle and half of a range in which silu is huge or tiny against its spread; and where it is nothing at all.
SEEN = ((1e6, 0.5), (0.0, 1e5), (0.0, 1e-5), (1e9, 10.0))
ODD = (*SEEN, (-100.0, 1.0))


def odd_layer(middle: float, half: float, *, inputs: int = 2) -> KANLayer:
    """A layer whose first input is in unusual units and whose others are not."""
    layer = rough(Network([inputs, 3], grid=4, seed=1), 1).layer(0)
    layer.knots[0] = spline.uniform_knots(middle - half, middle + half, 4, 3, dtype=torch.float64)[0]
    return layer


def in_range(middle: float, half: float, n: int = 40) -> Tensor:
    x = points(n, 2).T.contiguous()
    x[0] = middle + half * x[0]
    return x


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (-2, 3), (0, 1), (-0.3, 0.2), (5, 9)])
@pytest.mark.parametrize("name", sorted(BASES))
def test_on_usual_ranges_nothing_changes(name, low, high):
    assert frame_of(BASES[name], torch.tensor([float(low)]), torch.tensor([float(high)])) is PLAIN


@pytest.mark.parametrize(("middle", "half"), SEEN)
def test_features_have_the_mean_and_spread_that_the_base_has_on_the_unit_range(middle, half):
    low, high = (torch.tensor([middle + sign * half], dtype=torch.float64) for sign in (-1, 1))
    frame, even = frame_of(BASES["silu"], low, high), torch.linspace(-1, 1, 33, dtype=torch.float64)
    (feature,) = frame.features(BASES["silu"].evaluate((middle + half * even)[None], 0))
    expected = BASES["silu"].evaluate(even, 0)[0]
    assert float(feature.mean()) == pytest.approx(float(expected.mean()), abs=1e-6)
    assert float(feature.std()) == pytest.approx(float(expected.std()), rel=1e-6)


@pytest.mark.parametrize(("middle", "half"), ODD)
def test_edges_stay_what_the_formula_says(middle, half):
    layer, x = odd_layer(middle, half), in_range(middle, half)
    assert layer.frame is not PLAIN or middle == -100
    bases = spline.basis(x, layer.knots, layer.k)[0]
    base = torch.nn.functional.silu(x)
    expected = (layer.scale_sp.unsqueeze(-1) * layer.coef) @ bases + layer.scale_base.unsqueeze(-1) * base[:, None]
    size = float(base.abs().max()) + 1
    torch.testing.assert_close(layer.postacts(x), expected, rtol=0, atol=1e-13 * size)


@pytest.mark.parametrize(("middle", "half"), ODD)
def test_weights_can_be_put_back(middle, half):
    layer = odd_layer(middle, half)
    before = [parameter.detach().clone() for parameter in (layer.coef, layer.scale_base)]
    weights = layer.weights().detach()
    with torch.no_grad():
        layer.coef.zero_()
        layer.scale_base.zero_()
    inputs, outputs = layer.mask.nonzero(as_tuple=True)
    layer.keep_weights(weights[inputs, outputs], inputs, outputs)
    for parameter, value in zip((layer.coef, layer.scale_base), before, strict=True):
        torch.testing.assert_close(parameter.detach(), value, rtol=1e-9, atol=1e-9 * (1 + abs(middle)))


@pytest.mark.parametrize("removed", [False, True])
def test_a_solvers_vector_goes_in_and_out_and_has_the_slopes_that_autograd_finds(removed):
    network = rough(Network([2, 2, 1], grid=3, seed=2), 2)
    network.layer(0).knots[0] = spline.uniform_knots(200, 202, 3, 3, dtype=torch.float64)[0]
    if removed:
        network.layer(0).remove(1, 1)
    x = in_range(201.0, 1.0, 12)
    network.layer(1).knots = network._knots(1, network.layer(0)(x).detach(), 3)
    assert PLAIN not in (network.layer(0).frame, network.layer(1).frame)
    linear = Linearisation(network, x)
    vector, output = linear.read(), network(x.T)
    linear.write(vector)
    torch.testing.assert_close(network(x.T), output, rtol=0, atol=1e-9)
    expected = torch.autograd.functional.jacobian(lambda v: linear.evaluate(v).output, vector)
    assert isinstance(expected, Tensor)
    jacobian = linear.jacobian(linear.evaluate(vector))
    torch.testing.assert_close(jacobian, expected.permute(2, 0, 1), rtol=1e-9, atol=1e-9)


def test_frozen_or_absent_splines_cannot_make_up_for_an_offset():
    layer = odd_layer(1e6, 0.5)
    layer.coef.requires_grad_(False)
    assert layer.frame is PLAIN
    layer.coef.requires_grad_(True)
    with torch.no_grad():
        layer.scale_sp[1, 1] = 0
    assert layer.frame is PLAIN


def test_stretching_carries_curves_over_as_they_are_on_the_usual_range():
    usual = rough(Network([1, 2], grid=4, base_fun="identity", seed=3), 3).layer(0)
    x = torch.linspace(-1, 1, 20, dtype=torch.float64)[None]
    before = usual.postacts(x)
    usual.stretch(spline.uniform_knots(1e4, 1e4 + 2, 4, 3, dtype=torch.float64))
    torch.testing.assert_close(usual.postacts(x + 1 + 1e4), before, rtol=0, atol=1e-8)


def test_ranges_on_which_a_base_function_is_no_number_are_left_alone():
    low, high = torch.tensor([-200.0]), torch.tensor([200.0])
    assert frame_of(base_function(torch.log), low, high) is PLAIN
    assert frame_of(BASES["zero"], low, high) is PLAIN


@pytest.mark.parametrize("opt", ["LM", "LBFGS"])
@pytest.mark.parametrize(("middle", "half"), [(0.0, 1.0), *ODD])
def test_training_does_as_well_in_any_unit(middle, half, opt):
    x = points(300, 2)
    y = torch.sin(3 * x[:, :1]) + x[:, 1:] ** 2
    network = Network([2, 2, 1], grid=5, seed=0)
    for _ in fit_steps(network, Data(middle + half * x, y), Options(opt=opt, steps=15)):
        pass
    error = (network(middle + half * x) - y).square().mean().sqrt()
    assert float(error.detach()) < (0.01 if opt == "LM" else 0.05)
