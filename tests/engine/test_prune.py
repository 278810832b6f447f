"""Pruning removes what scores low, leaves its mean behind, and never leaves an output without an edge."""

from __future__ import annotations

import contextlib
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kanlab.engine.attribution import attribute
from kanlab.engine.network import Network
from kanlab.engine.prune import apply_cut, compact, plan_cut, preview_cut, prune, prune_inputs, prune_nodes
from kanlab.symbolic import library
from tests.engine.cases import deep, named, plain, points, products, several_outputs


def shown(network: Network, n: int = 200) -> Network:
    network.show(points(n, network.n_in, seed=9))
    return network


def quieted(network: Network, edges: list[tuple[int, int, int]], level: float = 0.0) -> Network:
    """Make edges vary by `level` of what they did, about a mean of their own."""
    with torch.no_grad():
        for l, i, j in edges:
            layer = network.layer(l)
            layer.scale_base[i, j] *= level
            layer.coef[i, j] = 0.7 + level * layer.coef[i, j]
    return network


def test_low_edges_go_and_the_rest_stays():
    network = shown(quieted(plain(), [(0, 0, 1), (1, 2, 0)], level=1e-4))
    cut = plan_cut(network, attribute(network), edge_th=1e-2, node_th=0.0)
    expected = torch.zeros(2, 3, dtype=torch.bool)
    expected[0, 1] = True
    expected[:, 2] = True  # what leads to node (1, 2) alone goes with it
    assert torch.equal(cut.edges[0], expected)
    assert cut.edges[1].flatten().tolist() == [False, False, True]
    assert [nodes.tolist() for nodes in cut.nodes] == [[False] * 2, [False, False, True], [False]]
    assert (cut.n_edges, cut.n_nodes) == (4, 1)
    smaller = apply_cut(network, cut)
    assert smaller.width == [[2, 0], [2, 0], [1, 0]]
    assert [int(layer.mask.sum()) for layer in smaller.kan_layers()] == [3, 2]


def test_planning_changes_nothing_and_pruning_leaves_the_original_alone():
    network = shown(quieted(plain(), [(0, 0, 1), (1, 2, 0)]))
    x = network.seen()
    before, masks = network(x), [layer.mask.clone() for layer in network.kan_layers()]
    plan_cut(network, attribute(network), edge_th=1e-2)
    prune(network, edge_th=1e-2)
    assert torch.equal(network(x), before)
    assert all(torch.equal(layer.mask, mask) for layer, mask in zip(network.kan_layers(), masks, strict=True))


@pytest.mark.parametrize("kind", [plain, deep, several_outputs])
def test_what_is_removed_leaves_its_mean_behind(kind):
    # Constant edges carry nothing but their mean: removing them changes nothing at all.
    network = kind()
    last = network.depth - 1
    gone = [(0, 0, 0), (last, 1, 0)]
    network = shown(quieted(network, gone))
    smaller = prune(network, edge_th=1e-6, node_th=0.0)
    removed = sum(int((layer.mask == 0).sum()) for layer in smaller.kan_layers())
    assert removed >= 1
    x = points(100, network.n_in, seed=4)
    torch.testing.assert_close(smaller(x), network(x), rtol=1e-9, atol=1e-9)


def test_the_mean_goes_into_a_named_edge_too():
    network = Network([2, 1], seed=0)
    network.layer(0).fix(0, 0, library.get("sin"), (2.0, 0.0, 1.0, 0.5))
    network = shown(quieted(network, [(0, 1, 0)]))
    smaller = prune(network)
    assert smaller.layer(0).mask.flatten().tolist() == [1.0, 0.0]
    torch.testing.assert_close(smaller(network.seen()), network(network.seen()), rtol=0, atol=1e-12)
    assert float(smaller.layer(0).affine[0, 0, 3].detach()) == pytest.approx(0.5 + 0.7)


def test_cutting_an_edge_costs_its_variation_only():
    # The edge varies by a thousandth around a mean of 0.7, which stays.
    network = shown(quieted(plain(), [(1, 2, 0)], level=1e-3))
    x = network.seen()
    smaller = prune(network, edge_th=1e-2, node_th=0.0)
    assert smaller.width[1] == [2, 0]
    lost = (smaller(x) - network(x)).detach()
    variation = network.acts().postacts[1][:, 2, 0].detach()
    assert float(lost.square().mean().sqrt()) == pytest.approx(float(variation.std(correction=0)), rel=1e-6)


def test_weak_nodes_go_with_all_their_edges():
    network = shown(quieted(plain(), [(1, 1, 0)], level=1e-3))
    smaller = prune(network, edge_th=0.0, node_th=1e-2)
    assert smaller.width == [[2, 0], [2, 0], [1, 0]]
    assert all(bool((layer.mask == 1).all()) for layer in smaller.kan_layers())


def test_inputs_and_outputs_always_stay():
    network = quieted(plain(), [(0, 1, 0), (0, 1, 1), (0, 1, 2)])
    smaller = prune(shown(network))
    assert smaller.n_in == 2
    assert not smaller.layer(0).mask[1].any()
    assert smaller(points(5, 2)).shape == (5, 1)


def test_pruned_model_keeps_its_samples_and_can_be_pruned_again():
    network = shown(quieted(plain(), [(1, 2, 0)]))
    network.show(network.seen(), points(200, 1))
    once = prune(network)
    assert torch.equal(once.seen(), network.seen())
    assert once.targets is not None
    twice = prune(once)
    assert twice.width == once.width
    assert torch.equal(twice(network.seen()), once(network.seen()))


def test_names_move_with_their_edges():
    network = named()
    for subnode in range(4):
        if subnode != 1:
            assert any((i, subnode) in network.layer(0).fixed for i in range(3))
    # Node (1, 1), the sum without names, carries almost nothing on.
    network = shown(quieted(network, [(1, 1, 1)], level=1e-6))
    smaller = prune(network, edge_th=1e-3, node_th=0.0)
    assert smaller.width[1] == [1, 1]
    assert smaller.layer(0).fixed[0, 0] is library.get("sin")
    assert smaller.layer(0).fixed[1, 1] is library.get("sin")
    assert smaller.layer(0).fixed[2, 2] is library.get("x^2")
    assert smaller.layer(1).fixed[1, 1] is library.get("x")
    x = network.seen()
    torch.testing.assert_close(smaller(x), network(x), rtol=0, atol=1e-4)


def test_factors_of_a_product_that_stays_keep_their_strongest_edge():
    network = shown(products())
    scores, threshold = attribute(network), 0.45
    cut = plan_cut(network, scores, edge_th=threshold, node_th=0.0)
    kept = [~gone for gone in cut.edges]
    rescued = [keep & (score < threshold) for keep, score in zip(kept, scores.edges, strict=True)]
    assert any(bool(edges.any()) for edges in rescued)
    for l in range(network.depth):
        for node, group in enumerate(network.groups[l]):
            if not bool(cut.nodes[l + 1][node]):
                for subnode in group:
                    column = kept[l][:, subnode]
                    assert bool(column.any())
    smaller = apply_cut(network, cut)
    assert bool(smaller(network.seen()).isfinite().all())


def test_pruning_everything_is_refused_with_the_strongest_score_and_leaves_the_model():
    network = shown(plain())
    before = network(network.seen())
    best = float(attribute(network).edges[1].max())
    with pytest.raises(ValueError, match=rf"output 0 without any edge; its strongest edge scores {best:.3g}"):
        prune(network, edge_th=1e6)
    with pytest.raises(ValueError, match="without any edge"):
        prune(network, edge_th=0.0, node_th=1e6)
    assert torch.equal(network(network.seen()), before)


def test_preview_shows_even_what_cannot_be_done():
    network = shown(plain())
    cut = preview_cut(network, attribute(network), edge_th=1e6)
    assert (cut.n_edges, cut.n_nodes) == (9, 3)


@pytest.mark.parametrize("name", ["edge_th", "node_th"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "0.1", None, True])
def test_thresholds_that_make_no_sense_are_refused(name, value):
    network = shown(plain())
    with pytest.raises(ValueError, match=f"{name} is .*finite numbers from 0 up"):
        prune(network, **{name: value})


def test_thresholds_of_zero_remove_nothing():
    network = shown(deep())
    cut = plan_cut(network, attribute(network), edge_th=0.0, node_th=0.0)
    assert (cut.n_edges, cut.n_nodes) == (0, 0)
    smaller = apply_cut(network, cut)
    assert smaller.width == network.width
    assert torch.equal(smaller(network.seen()), network(network.seen()))


@given(seed=st.integers(0, 10**6), edge_th=st.floats(0.0, 0.5), node_th=st.floats(0.0, 0.3))
@settings(max_examples=30)
def test_every_edge_that_stays_leads_from_an_input_to_an_output(seed, edge_th, node_th):
    network = shown(Network([3, [3, 1], 3, 2], grid=2, seed=seed), n=40)
    with contextlib.suppress(ValueError):  # refused: nothing would reach an output
        network = prune(network, edge_th=edge_th, node_th=node_th)
    masks = [layer.mask != 0 for layer in network.kan_layers()]
    for l in range(1, network.depth):
        for node, group in enumerate(network.groups[l - 1]):
            assert all(bool(masks[l - 1][:, subnode].any()) for subnode in group)
            assert bool(masks[l][node].any())
    assert all(bool(column.any()) for column in masks[-1].T)
    assert bool(network(network.seen()).isfinite().all())


def test_compacting_is_exact():
    network = plain()
    for edge in ((0, 0, 1), (0, 1, 1)):
        network.layer(edge[0]).remove(*edge[1:])
    network.layer(1).remove(1, 0)
    smaller = compact(network)
    assert smaller.width == [[2, 0], [2, 0], [1, 0]]
    x = points(50, 2)
    torch.testing.assert_close(smaller(x), network(x), rtol=0, atol=1e-14)


# ---- inputs, and nodes chosen by hand


def four_inputs(seed: int = 0) -> tuple[Network, Tensor]:
    """A network that hardly looks at inputs 0 and 2, and its samples."""
    network = Network([4, 3, 1], grid=4, seed=seed)
    with torch.no_grad():
        for i in (0, 2):
            network.layer(0).coef[i] *= 1e-4
            network.layer(0).scale_base[i] *= 1e-4
    x = points(100, 4)
    network.show(x)
    return network, x


def test_pruned_inputs_are_gone_and_all_columns_are_still_taken():
    network, x = four_inputs()
    smaller = prune_inputs(network, 1e-2)
    assert (smaller.width[0], smaller.input_id, smaller.n_columns) == ([2, 0], [1, 3], 4)
    assert network.width[0] == [4, 0]
    torch.testing.assert_close(smaller(x), network(x), rtol=0, atol=1e-3)
    assert torch.equal(smaller(x), smaller(x[:, [1, 3]]))
    assert torch.equal(smaller.seen(), x[:, [1, 3]])
    with pytest.raises(ValueError, match=r"takes \[batch, 2\], or all 4 columns of the data"):
        smaller(x[:, :3])


def test_inputs_can_be_pruned_again_and_count_columns_of_the_data():
    network, x = four_inputs()
    once = prune_inputs(network, active=[1, 2, 3])
    twice = prune_inputs(once, active=[0, 2])
    assert twice.input_id == [1, 3]
    torch.testing.assert_close(twice(x), prune_inputs(network, active=[1, 3])(x), rtol=0, atol=1e-10)


def test_pruning_inputs_leaves_their_mean_behind():
    network = Network([2, 1], seed=0)
    x = points(100, 2)
    network.show(x)
    smaller = prune_inputs(network, active=[1])
    assert float((smaller(x) - network(x)).mean().abs().detach()) < 1e-12


def test_an_input_that_a_product_cannot_do_without_stays():
    network = Network([2, [0, 1], 1], seed=0)
    network.layer(0).remove(0, 0)
    network.layer(0).remove(1, 1)
    network.show(points(50, 2))
    assert prune_inputs(network, active=[0]).input_id == [0, 1]


def test_nodes_to_keep_can_be_named():
    network, _ = four_inputs()
    assert prune_nodes(network, active=[[0, 2]]).width[1] == [2, 0]
    assert prune_nodes(network, 0.0).width == network.width


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda n: prune_inputs(n, active=[]), "active_inputs is empty"),
        (lambda n: prune_inputs(n, active=[4]), "active_inputs holds 4; allowed are whole numbers from 0 to 3"),
        (lambda n: prune_inputs(n, -1.0), "threshold is -1.0"),
        (lambda n: prune_inputs(n, 1e6), "would leave output 0 without any edge"),
        (lambda n: prune_nodes(n, active=[]), "one list of nodes for each of the 1 hidden levels"),
        (lambda n: prune_nodes(n, active=[[3]]), r"active\[0\] holds 3; allowed are whole numbers from 0 to 2"),
    ],
)
def test_what_cannot_be_pruned_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call(four_inputs()[0])
