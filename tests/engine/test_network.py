"""Networks compose layers and nodes; grids move without moving the function; what comes in wrong is told."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from kanlab.engine.network import Network
from kanlab.engine.shape import parse_width
from kanlab.symbolic import library
from tests.engine.cases import KINDS, deep, generator, masked, named, plain, points, products, several_outputs


def by_hand(network: Network, x: torch.Tensor) -> torch.Tensor:
    """Evaluate edge by edge, sum by sum, product by product."""
    values = list(x.T)
    for l, layer in enumerate(network.kan_layers()):
        sums = []
        for j in range(layer.out_dim):
            sums.append(sum((layer.edge(i, j, values[i]) for i in range(layer.in_dim)), torch.zeros(len(x))))
        values = [torch.stack([sums[m] for m in group]).prod(0) for group in network.groups[l]]
    return torch.stack(values, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_network_is_its_edges_composed(kind):
    network = kind()
    x = points(30, network.n_in, reach=1.1)
    torch.testing.assert_close(network(x), by_hand(network, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_acts_are_what_the_forward_pass_goes_through(kind):
    network = kind()
    x = points(30, network.n_in)
    acts = network.acts(x)
    assert torch.equal(acts.nodes[0], x)
    torch.testing.assert_close(acts.nodes[-1], network(x), rtol=0, atol=1e-13)
    for l, layer in enumerate(network.kan_layers()):
        assert acts.postacts[l].shape == acts.preacts[l].shape == (30, layer.in_dim, layer.out_dim)
        assert torch.equal(acts.preacts[l], acts.nodes[l][:, :, None].expand_as(acts.preacts[l]))
        torch.testing.assert_close(acts.postacts[l].permute(1, 2, 0), layer.postacts(acts.nodes[l].T))
        nodes = network.combine(l, acts.postacts[l].sum(1).T).T
        torch.testing.assert_close(acts.nodes[l + 1], nodes, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", [plain, several_outputs, products, masked, named])
def test_model_can_be_differentiated_twice_in_x(kind):
    network = kind()
    x = points(4, network.n_in, seed=3, reach=0.9).requires_grad_()
    assert gradcheck(network, x)
    assert gradgradcheck(network, x)


def test_multiplication_nodes_multiply_and_stand_after_the_sums():
    network = Network([2, [1, 2], 1], mult_arity=2, seed=0)
    assert network.groups[0] == [(0,), (1, 2), (3, 4)]
    sums = torch.arange(1.0, 6.0)[:, None]
    assert network.combine(0, sums).flatten().tolist() == [1.0, 6.0, 20.0]
    assert network.layer(0).out_dim == 5
    assert network.layer(1).in_dim == 3


def test_width_is_read_not_kept():
    inner: list[Any] = [5, 2]
    width = [2, inner, 1]
    network = Network(width, seed=0)
    assert width == [2, [5, 2], 1]
    network.width[1][0] = 9
    assert inner == [5, 2]
    assert parse_width((2, (1, 0), 1)) == [[2, 0], [1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("width", "says"),
    [
        ([2], "at least inputs and outputs"),
        (5, "at least inputs and outputs"),
        ("21", "at least inputs and outputs"),
        ([2, 0, 1], r"width\[1\] is 0"),
        ([2, -1, 1], r"width\[1\] is -1"),
        ([2, 1.5, 1], r"width\[1\] is 1.5"),
        ([2, None, 1], r"width\[1\] is None"),
        ([True, 1], r"width\[0\] is True"),
        ([2, [1, 2, 3], 1], r"width\[1\] is \[1, 2, 3\]"),
        ([2, [0, 0], 1], r"width\[1\] is \[0, 0\]"),
        ([[1, 1], 1], "inputs cannot be multiplication nodes"),
    ],
)
def test_bad_widths_are_refused(width, says):
    with pytest.raises(ValueError, match=says):
        Network(width)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"grid": 0}, "grid is 0; allowed are whole numbers from 1 up"),
        ({"grid": 2.5}, "grid is 2.5"),
        ({"grid": [3, 3, 3]}, "one for each of the 2 layers"),
        ({"k": -1}, "k is -1; allowed are whole numbers from 0 up"),
        ({"k": True}, "k is True"),
        ({"mult_arity": 1}, "mult_arity is 1; allowed are whole numbers from 2 up"),
        ({"grid_eps": 1.5}, "0 to 1 are allowed"),
        ({"grid_eps": math.nan}, "0 to 1 are allowed"),
        ({"noise_scale": math.nan}, "noise_scale is nan"),
        ({"noise_scale": -0.1}, "noise_scale is -0.1"),
        ({"grid_range": (1.0, -1.0)}, "the lower one first"),
        ({"grid_range": (0.0, math.inf)}, "two finite numbers"),
        ({"dtype": torch.int64}, "allowed are torch.float64 and torch.float32"),
        ({"base_fun": "relu"}, "'silu', 'identity', 'zero'"),
        ({"seed": 1.5}, "seed is 1.5"),
    ],
)
def test_bad_options_are_refused_with_what_is_allowed(options, says):
    with pytest.raises(ValueError, match=says):
        Network([2, 3, 1], **options)


def test_grid_and_degree_may_differ_by_layer():
    network = Network([2, 3, 1], grid=[4, 7], k=[2, 5])
    assert network.grid == [4, 7]
    assert [layer.k for layer in network.kan_layers()] == [2, 5]
    assert network.layer(1).coef.shape == (3, 1, 12)


def test_seed_decides_and_nothing_global_is_touched():
    state = torch.get_rng_state()
    first, second, other = Network([2, 3, 1], seed=4), Network([2, 3, 1], seed=4), Network([2, 3, 1], seed=5)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.layer(0).coef, other.layer(0).coef)
    # A generator goes on from where it is, and layers do not start alike.
    drawn = Network([2, 2, 2], seed=generator(4))
    assert torch.equal(drawn.layer(0).coef, Network([2, 2, 2], seed=4).layer(0).coef)
    assert not torch.equal(drawn.layer(0).coef, drawn.layer(1).coef)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 2), ()])
def test_inputs_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"this model takes \[batch, 2\]"):
        plain()(torch.zeros(shape))


def test_inputs_are_cast_to_the_models_type():
    network = plain()
    x = torch.tensor([[1, 0], [0, 1]])
    assert network(x).dtype == torch.float64
    assert torch.equal(network(x), network(x.double()))
    assert torch.equal(network(x.numpy()), network(x.double()))
    assert network(torch.zeros(0, 2)).shape == (0, 1)


@pytest.mark.parametrize(
    ("edge", "error", "says"),
    [
        ((2, 0, 0), ValueError, r"edge \(2, 0, 0\) is out of range: there are 2 layers"),
        ((-1, 0, 0), ValueError, "there are 2 layers, counted from 0"),
        ((0, 2, 0), ValueError, "layer 0 has 2 inputs"),
        ((1, 0, 1), ValueError, "layer 1 has 1 outputs"),
        ((0, -1, 0), ValueError, "layer 0 has 2 inputs"),
        ((0, "0", 0), TypeError, "three whole numbers"),
        ((0, True, 0), TypeError, "three whole numbers"),
        ((0, 1.0, 0), TypeError, "three whole numbers"),
    ],
)
def test_edges_out_of_range_are_refused_with_the_range(edge, error, says):
    with pytest.raises(error, match=says):
        plain().check_edge(*edge)


def test_edges_goes_through_all_of_them():
    network = masked()
    edges = list(network.edges())
    assert len(edges) == len(set(edges)) == 3 * 4 + 4 * 2
    assert all(network.check_edge(*edge) == edge for edge in edges)


def test_model_without_data_says_so():
    network = plain()
    with pytest.raises(ValueError, match="has seen no data yet"):
        network.acts()
    x = points(10, 2)
    network.show(x)
    assert torch.equal(network.acts().nodes[0], x)
    assert network.targets is None


def test_shown_samples_are_the_models_own():
    network = plain()
    x, y = points(10, 2), points(10, 1)
    network.show(x, y)
    x += 1
    y += 1
    assert torch.equal(network.seen(), x - 1)
    assert network.targets is not None
    assert torch.equal(network.targets, y - 1)


def test_deepcopies_are_independent():
    network = named()
    network.show(points(20, 3))
    twin = copy.deepcopy(network)
    x = points(20, 3, seed=1)
    before = network(x)
    assert torch.equal(twin(x), before)
    with torch.no_grad():
        twin.layer(0).coef.zero_()
        twin.layer(0).affine.zero_()
    twin.layer(1).remove(0, 0)
    twin.width[1][0] = 7
    assert torch.equal(network(x), before)
    assert network.width[1] == [2, 1]
    assert (0, 0) in network.layer(1).fixed


def test_state_dict_round_trips_into_a_network_of_the_same_shape():
    network, other = plain(), Network([2, 3, 1], grid=4, seed=77)
    other.load_state_dict(network.state_dict())
    x = points(20, 2)
    assert torch.equal(other(x), network(x))


def test_single_precision_throughout():
    network = Network([2, 3, 1], seed=0, dtype=torch.float32)
    x = points(50, 2)
    assert network(x).dtype == torch.float32
    network.update_grid_from_samples(x)
    finer = network.refined(9)
    assert finer(x).dtype == torch.float32
    assert (finer(x) - network(x)).abs().max() < 1e-5
    assert network.double()(x).dtype == torch.float64


def test_edge_curves_span_the_data_once_there_is_some():
    network = named()
    (x, phi), _ = network.edge_curves(51)
    assert phi.shape == (3, 4, 51)
    assert torch.equal(x[:, 0], network.layer(0).knots[:, 3])
    assert torch.equal(x[:, -1], network.layer(0).knots[:, -4])
    data = points(100, 3)
    network.show(data)
    for l, (x, phi) in enumerate(network.edge_curves(51)):
        nodes = network.acts().nodes[l]
        torch.testing.assert_close(x[:, 0], nodes.amin(0))
        torch.testing.assert_close(x[:, -1], nodes.amax(0))
        torch.testing.assert_close(phi, network.layer(l).postacts(x))


# ---- the grid


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grid", [10, 25])
def test_refining_leaves_the_function_as_it_was(kind, grid):
    network = kind()
    x = points(100, network.n_in)
    before = network(x)
    finer = network.refined(grid)
    assert finer.grid == [grid] * network.depth
    torch.testing.assert_close(finer(x), before, rtol=0, atol=1e-10)
    assert torch.equal(network(x), before)


@given(grid=st.integers(1, 6), k=st.integers(0, 5), more=st.integers(0, 9), seed=st.integers(0, 1000))
@settings(max_examples=15)
def test_refining_is_exact_for_any_grid_and_degree(grid, k, more, seed):
    network = Network([2, 2, 1], grid=grid, k=k, seed=seed)
    x = points(60, 2, seed)
    network.update_grid_from_samples(x)
    # Not at the knots themselves: for k = 0 the function jumps there, by rounding to one side or the other.
    inside = points(60, 2, seed + 1, reach=0.9)
    torch.testing.assert_close(network.refined(grid + more)(inside), network(inside), rtol=0, atol=1e-10)


def test_refining_to_fewer_intervals_stays_near():
    network = deep()
    x = points(200, 2)
    network.update_grid_from_samples(x, grid=20)
    coarse = network.refined([6, 20, 20])
    assert coarse.grid == [6, 20, 20]
    spread = network(x).detach().std()
    assert float((coarse(x) - network(x)).detach().square().mean().sqrt() / spread) < 0.1


def test_grid_update_covers_the_data_of_every_layer_and_keeps_the_function():
    network = plain()
    x = points(300, 2, reach=0.8)
    before = network(x).detach()
    network.update_grid_from_samples(x, grid=[12, 30])
    assert network.grid == [12, 30]
    for layer, h in zip(network.kan_layers(), network.acts(x).nodes[:-1], strict=True):
        # The layer's inputs move a little when the layer before is refitted; its grid was laid after that.
        torch.testing.assert_close(layer.knots[:, 3], h.amin(0), rtol=0, atol=1e-12)
        torch.testing.assert_close(layer.knots[:, -4], h.amax(0), rtol=0, atol=1e-12)
    # The new grids are finer, so little is lost.
    assert float((network(x) - before).detach().abs().max()) < 0.05 * float(before.std())


def test_grid_update_can_be_repeated_without_drift():
    network = plain()
    x = points(300, 2)
    network.update_grid_from_samples(x)
    before = network(x).detach()
    for _ in range(20):
        network.update_grid_from_samples(x)
    torch.testing.assert_close(network(x).detach(), before, rtol=0, atol=1e-9)


def test_grid_lies_over_inputs_of_any_unit_while_silent_hidden_nodes_keep_a_unit_range():
    network = plain()
    for l, i, j in ((0, 0, 1), (0, 1, 1)):
        network.layer(l).remove(i, j)
    unit = torch.tensor([1e-15, 1e12], dtype=torch.float64)
    x = points(200, 2) * unit
    network.stretch_grid_to_samples(x)
    knots = network.layer(0).knots
    torch.testing.assert_close((knots[:, -4] - knots[:, 3]) / unit, x.amax(0) / unit - x.amin(0) / unit)
    silent = network.layer(1).knots[1]
    assert float(silent[-4] - silent[3]) == pytest.approx(1.0)


def test_no_grid_is_laid_over_values_that_are_not_finite():
    network = plain()
    network.layer(0).fix(0, 0, library.get("log"), (1.0, 0.0, 1.0, 0.0))
    for lay in (network.update_grid_from_samples, network.stretch_grid_to_samples):
        with pytest.raises(FloatingPointError, match="values that reach layer 1 are not finite"):
            lay(points(50, 2))


def test_stretching_moves_each_spline_with_its_grid():
    network = Network([1, 1], base_fun="zero", seed=0)
    low, high = -1.0, 1.0
    even = torch.linspace(low, high, 60, dtype=torch.float64)[:, None]
    before = network(even)
    far = 500 + 40 * even
    network.stretch_grid_to_samples(far)
    torch.testing.assert_close(network(far), before, rtol=0, atol=1e-12)


def test_grid_updates_leave_named_edges_alone():
    network = named()
    x = points(200, 3)
    affine = network.layer(0).affine.clone()
    network.update_grid_from_samples(x, grid=8)
    assert torch.equal(network.layer(0).affine, affine)
    assert network.layer(0).fixed[0, 0] is library.get("sin")


def test_model_goes_through_an_optimiser_as_any_module():
    network = plain()
    x = points(100, 2)
    y = x[:, [0]] * x[:, [1]]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = (network(x) - y).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
