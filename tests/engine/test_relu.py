"""The network of linear maps and ReLUs is the KAN: on its grids, beyond them, whatever it holds."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline, PPoly
from torch import nn

from kanlab.engine.network import Network
from kanlab.engine.relu import Elementwise, PowerReLU, Units, interval_polynomials, to_mlp
from kanlab.symbolic import library
from tests.engine.cases import KINDS, points, rough


def difference(network: Network, reach: float = 1.0) -> float:
    """The largest difference of module and network, relative to the largest output."""
    x = points(200, network.n_in, 3, reach=reach)
    with torch.no_grad():
        expected, found = network(x), to_mlp(network)(x)
    return float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-300))


@torch.no_grad()
def amplified(network: Network, reach: float) -> float:
    """The largest change of the outputs, relative to the largest output, that the inputs' last digits make."""
    x = points(200, network.n_in, 3, reach=reach)
    y = network(x)
    changes = [network(x * (1 + change * 4e-16)) - y for change in (-2, -1, 1, 2)]
    return float(torch.stack(changes).abs().max() / y.abs().max().clamp_min(1e-300))


LAYERS = st.lists(
    st.tuples(
        st.integers(0, 2),  # sums and products
        st.integers(0, 2),
        st.integers(1, 40),  # grid and degree
        st.integers(1, 5),
        st.booleans(),  # whether an edge is removed, and whether one has a name
        st.booleans(),
    ).filter(lambda layer: layer[0] + layer[1] > 0),
    min_size=1,
    max_size=3,
)


@given(
    st.integers(1, 3),
    LAYERS,
    st.sampled_from(["silu", "identity", "zero"]),
    st.sampled_from([1.0, 0.02]),
    st.sampled_from([1.0, 3.0]),
    st.integers(0, 99),
)
@settings(max_examples=40)
def test_module_and_network_agree(n_in, layers, base_fun, grid_eps, reach, seed):
    width = [n_in, *([n_sum, n_mult] for n_sum, n_mult, *_ in layers)]
    grids, degrees = [layer[2] for layer in layers], [layer[3] for layer in layers]
    network = rough(Network(width, grids, degrees, base_fun=base_fun, grid_eps=grid_eps), seed)
    for layer, (*_, removed, named) in zip(network.kan_layers(), layers, strict=True):
        if removed:
            layer.remove(0, layer.out_dim - 1)
        if named:
            layer.fix(layer.in_dim - 1, 0, library.get("sin"), (1.3, 0.2, 0.7, -0.1))
    network.update_grid_from_samples(points(60, n_in, seed))
    # Polynomials of polynomials can leave the finite numbers beyond the grids.
    assume(bool(network(points(200, n_in, 3, reach=reach)).isfinite().all()))
    # Steep layers on each other make much of the last digit of their inputs, whoever computes them.
    assert difference(network, reach) < max(1e-12, 10 * amplified(network, reach))


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_networks_agree(kind):
    assert difference(kind()) < 1e-12


@pytest.mark.parametrize(("k", "grid"), [(1, 100), (2, 400), (3, 400), (5, 200)])
def test_fine_grids_lose_no_digits(k, grid):
    assert difference(Network([2, 2, 1], grid=grid, k=k, noise_scale=1.0, seed=0)) < 1e-12


def test_inputs_far_from_zero_lose_no_digits():
    network = Network([1, 1], grid=5, k=3, base_fun="zero", grid_range=(1e6, 1e6 + 1), seed=0)
    x = 1e6 + points(50, 1).abs()
    torch.testing.assert_close(to_mlp(network)(x), network(x), rtol=1e-9, atol=0)  # 1e6 eps is what x itself has


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_polynomials_are_scipys(k):
    layer = rough(Network([1, 1], grid=4, k=k, base_fun="zero", grid_eps=0.1, seed=1), 1).layer(0)
    knots, coef = layer.knots[0].numpy(), (layer.coef * layer.scale_sp.unsqueeze(-1))[0, 0].detach().numpy()
    oracle = PPoly.from_spline(BSpline(knots, coef, k)).c  # highest power first, of x - left end
    ours = interval_polynomials(layer)[0, 0].detach().numpy()
    for m in range(layer.grid):
        left, right = knots[k + m : k + m + 2]
        x = np.linspace(left, right, 7)
        expected = np.polyval(oracle[:, k + m], x - left)
        np.testing.assert_allclose(np.polyval(ours[m][::-1], (right - x) / (right - left)), expected, atol=1e-13)


@pytest.mark.parametrize("base_fun", ["zero", "identity"])
def test_broken_lines_need_nothing_but_linear_maps_and_relus(base_fun):
    module = to_mlp(Network([2, 3, 1], grid=5, k=1, base_fun=base_fun))
    assert {type(part) for part in module.modules()} == {nn.Sequential, nn.Linear, nn.ReLU}


def test_a_silu_base_is_one_more_unit_an_input():
    units = to_mlp(Network([2, 1], grid=5, k=1))[0].get_submodule("relu")
    assert isinstance(units, Units)
    assert (units.sizes, [type(part) for part in units.activations]) == ([10, 2], [nn.ReLU, nn.SiLU])


def test_base_functions_of_ones_own_and_named_edges_are_units_too():
    network = Network([2, 1], grid=3, k=2, base_fun=torch.sin, seed=0)
    network.layer(0).fix(1, 0, library.get("exp"), (0.5, 0.1, 2.0, -1.0))
    assert difference(network) < 1e-13
    units = to_mlp(network)[0].get_submodule("power")
    assert isinstance(units, Units)
    assert [part.name for part in units.activations if isinstance(part, Elementwise)] == ["sin", "exp"]


@pytest.mark.parametrize(("k", "grid"), [(1, 1), (1, 6), (3, 1), (3, 5)])
def test_there_are_as_many_parameters_as_the_docstring_says(k, grid):
    n, m = 3, 4
    module = to_mlp(Network([n, m], grid=grid, k=k, base_fun="zero"))
    u, v = n * max(grid, 2), n * (grid + 1)
    said = (n + 1) * u + (u + 1) * m if k == 1 else (n + 1) * v + (v + 1) * k * v + (k * v + 1) * m
    assert sum(parameter.numel() for parameter in module.parameters()) == said


@pytest.mark.parametrize("k", [1, 3])
def test_grid_points_can_be_read_from_the_biases(k):
    network = Network([1, 1], grid=4, k=k, base_fun="zero")
    repeat = to_mlp(network)[0].get_submodule("repeat")
    assert isinstance(repeat, nn.Linear)
    found = (-repeat.bias * repeat.weight[:, 0]).unique().tolist()
    assert found == pytest.approx([-0.5, 0.0, 0.5] if k == 1 else [-1.0, -0.5, 0.0, 0.5])


@pytest.mark.parametrize("k", [1, 2])
def test_the_module_trains_as_any_other(k):
    network = Network([2, 2, 1], grid=3, k=k, seed=0)
    module, x = to_mlp(network), points(100, 2)
    optimiser, losses = torch.optim.Adam(module.parameters(), lr=1e-2), []
    for _ in range(20):
        optimiser.zero_grad()
        loss = (module(x) - torch.sin(2 * x[:, :1])).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_slopes_by_the_inputs_agree():
    network, x = rough(Network([2, 2, 1], grid=4, k=3, seed=0)), points(30, 2).requires_grad_()
    found, expected = (torch.autograd.grad(model(x).sum(), x)[0] for model in (to_mlp(network), network))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_the_network_and_the_global_generator_stay_as_they_were():
    network = Network([2, 2, 1], k=1, seed=0)
    before, state = copy.deepcopy(network.state_dict()), torch.get_rng_state()
    module = to_mlp(network)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 1
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_single_precision_stays_single():
    network = Network([2, 1], grid=3, k=3, dtype=torch.float32)
    x = points(20, 2, dtype=torch.float32)
    module = to_mlp(network)
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}
    torch.testing.assert_close(module(x), network(x), rtol=0, atol=1e-5)


def test_steps_are_refused():
    with pytest.raises(ValueError, match="layer 1 has k=0"):
        to_mlp(Network([1, 1, 1], k=[1, 0]))


def test_power_relu_is_zero_below_zero_and_a_power_above():
    assert PowerReLU(3)(torch.tensor([-2.0, 0.0, 2.0])).tolist() == [0, 0, 8]
