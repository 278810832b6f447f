"""Editing a network changes what it says and nothing else: the function, splines, names and gaps stay."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from kanlab.engine.edit import (
    connection_cost,
    deepened,
    perturbed,
    remove_node,
    reordered,
    swapped,
    untangled,
    widened,
)
from kanlab.engine.network import Network
from tests.engine.cases import KINDS, deep, generator, masked, named, plain, points, products, unequal_products

HIDDEN = [kind for kind in KINDS if kind().depth > 1]


def seen(kind) -> tuple[Network, Tensor, Tensor]:
    """A network that knows its samples, those, and its outputs there."""
    network = kind()
    x = points(60, network.n_in, seed=3)
    network.show(x, network(x).detach())
    return network, x, network(x).detach()


def state(network: Network) -> list[Tensor]:
    return [tensor.clone() for tensor in network.state_dict().values()]


# ---- more nodes


@pytest.mark.parametrize("kind", HIDDEN)
@pytest.mark.parametrize("sum_bool", [True, False])
def test_more_hidden_nodes_leave_the_function_as_it_was(kind, sum_bool):
    network, x, y = seen(kind)
    before = state(network)
    for l in range(1, network.depth):
        wider = widened(network, l, 2, sum_bool=sum_bool, mult_arity=3)
        assert wider.width[l][0 if sum_bool else 1] == network.width[l][0 if sum_bool else 1] + 2
        torch.testing.assert_close(wider(x).detach(), y, rtol=0, atol=1e-12)
    assert all(torch.equal(a, b) for a, b in zip(before, network.state_dict().values(), strict=True))


def test_new_nodes_can_be_trained():
    network, x, _ = seen(products)
    wider = widened(network, 1, 2)
    (wider(x) - 1).square().mean().backward()
    gradient = wider.layer(1).coef.grad
    assert gradient is not None
    assert bool((gradient[1:3].abs().amax(-1) > 0).all())


def test_names_move_with_their_edges():
    network, _, _ = seen(named)
    wider = widened(network, 1, 3)
    # The multiplication node's factors were subnodes 2 and 3, its node 2.
    assert {edge: f.name for edge, f in wider.layer(0).fixed.items()}[2, 6] == "x^2"
    assert wider.layer(1).fixed[5, 1].name == "x"


def test_new_inputs_count_for_nothing_yet():
    network, x, y = seen(plain)
    wider = widened(network, 0, 2)
    assert (wider.n_in, wider.n_columns, wider.input_id) == (4, 4, [0, 1, 2, 3])
    assert wider.samples is None
    torch.testing.assert_close(wider(torch.cat([x, points(60, 2, seed=9)], 1)).detach(), y, rtol=0, atol=1e-12)


def test_new_outputs_stand_beside_the_old_ones():
    network, x, y = seen(plain)
    wider = widened(network, 2, 2)
    assert wider.n_out == 3
    torch.testing.assert_close(wider(x)[:, :1].detach(), y, rtol=0, atol=1e-12)
    assert wider.targets is None
    assert bool(wider(x)[:, 1:].detach().std(0).gt(0).all())


def test_frozen_parts_stay_frozen():
    network, _, _ = seen(plain)
    network.layer(0).coef.requires_grad_(False)
    network.layer(1).scale_base.requires_grad_(False)
    for other in (widened(network, 1, 1), deepened(network), perturbed(network), swapped(network, 1, 0, 1)):
        assert not other.layer(0).coef.requires_grad
        assert not other.layer(1).scale_base.requires_grad
        assert other.layer(1).coef.requires_grad


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda n: widened(n, 3, 1), "level 3 is out of range: 0 are the inputs, 2 the outputs"),
        (lambda n: widened(n, -1, 1), "level -1 is out of range"),
        (lambda n: widened(n, 1, 0), "n is 0; allowed are whole numbers from 1 up"),
        (lambda n: widened(n, 0, 1, sum_bool=False), "inputs cannot be multiplication nodes"),
        (lambda n: widened(n, 1, 1, sum_bool=False, mult_arity=1), "mult_arity is 1"),
        (lambda n: swapped(n, 0, 0, 1), "level 0 is not hidden; levels 1 to 1 are"),
        (lambda n: swapped(n, 1, 0, 3), r"node \(1, 3\) is out of range: level 1 has 3 nodes"),
        (lambda n: reordered(n, 1, [0, 0, 1]), r"order is \[0, 0, 1\]; level 1 has 3 sum nodes"),
        (lambda n: perturbed(n, 1.0, "some"), "mode is 'some'; allowed are 'non-intrusive', 'minimal', 'all'"),
        (lambda n: perturbed(n, math.nan), "mag is nan; allowed are finite numbers from 0 up"),
        (lambda n: remove_node(n, 1, 0, "left"), "mode is 'left'"),
        (lambda n: remove_node(n, 2, 0), r"node \(2, 0\) is not a hidden node"),
    ],
)
def test_what_cannot_be_done_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call(plain())


# ---- a layer more


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("known", [True, False])
def test_a_layer_more_passes_the_outputs_on(kind, known):
    network, x, _y = seen(kind)
    if not known:
        network.samples = None
    deeper = deepened(network)
    assert deeper.depth == network.depth + 1
    assert deeper.width[-1] == [network.n_out, 0]
    torch.testing.assert_close(deeper(x), network(x), rtol=1e-10, atol=1e-11)
    # Beyond the grid, too, the end polynomials of the identity are the identity.
    values = 5 * points(20, network.n_out, seed=7).T
    torch.testing.assert_close(deeper.layer(network.depth)(values), values, rtol=1e-9, atol=1e-9)


def test_a_layer_more_is_registered_trains_and_can_be_refined():
    network, x, y = seen(plain)
    deeper = deepened(network)
    assert any(name.startswith("layers.2.") for name, _ in deeper.named_parameters())
    torch.testing.assert_close(deeper.refined(9)(x).detach(), y, rtol=0, atol=1e-9)
    deeper(x).sum().backward()
    gradient = deeper.layer(2).coef.grad
    assert gradient is not None
    assert bool((gradient != 0).any())


def test_degree_zero_cannot_be_the_identity_and_gets_degree_one():
    network = Network([1, 1], k=0, seed=0)
    assert deepened(network).layer(1).k == 1
    x = points(9, 1)
    torch.testing.assert_close(deepened(network)(x), network(x), rtol=0, atol=1e-12)


# ---- noise


@pytest.mark.parametrize("kind", [plain, masked, products, deep])
def test_noise_that_does_not_intrude_leaves_the_function(kind):
    network, x, _y = seen(kind)
    remove_node(network, 1, 0)
    before = network(x).detach()
    noisy = perturbed(network, 2.0, seed=4)
    assert torch.equal(noisy(x).detach(), before)
    entering = noisy.layer(0).mask[:, list(network.groups[0][0])]
    assert bool(entering.all()), "edges into the idle node are there again"
    assert not noisy.layer(1).mask[0].any()


def test_noise_on_all_edges_brings_removed_ones_back_and_that_on_some_does_not():
    network, x, y = seen(masked)
    for mode, full in (("all", True), ("minimal", False)):
        noisy = perturbed(network, 0.5, mode)
        assert float((noisy(x) - y).abs().max().detach()) > 1e-3
        assert all(bool(layer.mask.all()) for layer in noisy.kan_layers()) == full
        assert torch.equal(perturbed(network, 0.5, mode)(x), noisy(x)), "the same seed, the same noise"
        assert not torch.equal(perturbed(network, 0.5, mode, seed=1)(x), noisy(x))
    assert torch.equal(perturbed(network, 0.0, "minimal")(x).detach(), y)


# ---- another order


@pytest.mark.parametrize("kind", HIDDEN)
def test_nodes_change_places_and_the_function_stays(kind):
    network, x, y = seen(kind)
    for l in range(1, network.depth):
        n_sum, n_mult = network.width[l]
        sums = torch.randperm(n_sum, generator=generator(l)).tolist()
        multiplied = [n_sum + m for m in torch.randperm(n_mult, generator=generator(l)).tolist()]
        other = reordered(network, l, sums + multiplied)
        torch.testing.assert_close(other(x).detach(), y, rtol=1e-12, atol=1e-12)


def test_swapping_takes_names_arities_and_grids_along():
    network, x, y = seen(unequal_products)
    other = swapped(network, 1, 1, 2)
    assert other.mult_arity[1] == [4, 2]
    assert torch.equal(other.layer(1).knots[[0, 2, 1]], network.layer(1).knots)
    torch.testing.assert_close(other(x).detach(), y, rtol=1e-12, atol=1e-12)
    back = swapped(other, 1, 1, 2)
    assert all(torch.equal(a, b) for a, b in zip(state(back), state(network), strict=True))
    fixed = swapped(seen(named)[0], 1, 0, 1)
    assert fixed.layer(1).fixed[1, 0].name == "tanh"
    assert {edge for edge in fixed.layer(0).fixed if edge[1] < 2} == {(0, 1), (1, 1)}


def test_sums_and_products_do_not_change_places():
    with pytest.raises(ValueError, match="1 sum nodes and then 2 multiplication nodes"):
        swapped(unequal_products(), 1, 0, 1)


def test_untangling_lowers_the_cost_to_the_least_there_is():
    network = Network([3, 3, 1], seed=0)
    x = points(80, 3)
    with torch.no_grad():  # input i goes to node 2 - i, all else is a whisper
        network.layer(0).coef.mul_(1e-3)
        network.layer(0).scale_base.mul_(1e-3)
        for i in range(3):
            network.layer(0).scale_base[i, 2 - i] = 1.0
    best = untangled(network, x)
    torch.testing.assert_close(best(x), network(x), rtol=0, atol=1e-12)
    assert connection_cost(best, x) < 0.7 * connection_cost(network, x)
    orders = [[a, b, 3 - a - b] for a in range(3) for b in range(3) if a != b]
    least = min(connection_cost(reordered(network, 1, order), x) for order in orders)
    assert connection_cost(best, x) == pytest.approx(least)
    assert connection_cost(untangled(best, x), x) == pytest.approx(least)


@pytest.mark.parametrize("kind", HIDDEN)
def test_untangling_never_raises_the_cost(kind):
    network, x, y = seen(kind)
    best = untangled(network)
    assert connection_cost(best) <= connection_cost(network) + 1e-12
    torch.testing.assert_close(best(x).detach(), y, rtol=1e-12, atol=1e-12)


# ---- less


@pytest.mark.parametrize(("mode", "below", "above"), [("all", 0, 0), ("up", 2, 0), ("down", 0, 1)])
def test_nodes_lose_the_edges_of_the_side_asked_for(mode, below, above):
    network = plain()
    remove_node(network, 1, 2, mode)
    assert int(network.layer(0).mask[:, 2].sum()) == below
    assert int(network.layer(1).mask[2].sum()) == above
    assert bool(network.layer(0).mask[:, :2].all())
