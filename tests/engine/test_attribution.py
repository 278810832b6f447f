"""Scores are the formula of KAN 2.0, independent of units, and finite whatever the network holds."""

from __future__ import annotations

import copy

import pytest
import torch

from kanlab.engine.attribution import attribute, feature_interaction, node_attribution
from kanlab.engine.network import Network
from kanlab.symbolic import library
from tests.engine.cases import KINDS, deep, named, plain, points, products, several_outputs, unequal_products


def by_loops(network: Network, x: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Carry scores back edge by edge."""
    acts = network.acts(x)
    score = [1.0 / network.n_out] * network.n_out
    edges, nodes = [], [torch.tensor(score)]
    for l in reversed(range(network.depth)):
        phi = acts.postacts[l].detach()
        _, n_in, n_sub = phi.shape
        node_of = {sub: node for node, group in enumerate(network.groups[l]) for sub in group}
        edge = torch.zeros(n_in, n_sub, dtype=torch.float64)
        for j in range(n_sub):
            total = phi[:, :, j].sum(1).std(correction=0)
            for i in range(n_in):
                edge[i, j] = score[node_of[j]] * min(float(phi[:, i, j].std(correction=0) / total), 10.0)
        score = [float(row.sum()) for row in edge]
        edges.insert(0, edge)
        nodes.insert(0, torch.tensor(score))
    return edges, nodes


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_the_papers_formula(kind):
    network = kind()
    x = points(60, network.n_in)
    scores = attribute(network, x)
    edges, nodes = by_loops(network, x)
    for found, expected in zip(scores.edges + scores.nodes, edges + nodes, strict=True):
        torch.testing.assert_close(found.double(), expected.double(), rtol=1e-6, atol=1e-12)
    assert torch.equal(scores.features, scores.nodes[0])


def test_an_edge_that_carries_all_scores_one():
    network = plain()
    for i, j in ((0, 1), (0, 2), (1, 1), (1, 2), (1, 0)):
        network.layer(0).remove(i, j)
    for i in (1, 2):
        network.layer(1).remove(i, 0)
    scores = attribute(network, points(50, 2))
    assert float(scores.edges[0][0, 0]) == pytest.approx(1.0)
    assert float(scores.edges[1][0, 0]) == pytest.approx(1.0)
    assert scores.nodes[1].tolist() == pytest.approx([1.0, 0.0, 0.0])
    assert scores.features.tolist() == pytest.approx([1.0, 0.0])


def test_scores_do_not_depend_on_the_unit_of_the_output():
    network, scaled = plain(), plain()
    with torch.no_grad():
        scaled.layer(1).coef.mul_(1e6)
        scaled.layer(1).scale_base.mul_(1e6)
    x = points(50, 2)
    for a, b in zip(attribute(network, x).edges, attribute(scaled, x).edges, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_inputs_that_do_nothing_score_zero_and_the_strong_one_leads():
    network = Network([3, 1], seed=0)
    for i, factor in enumerate((2.0, 0.0, 0.5)):
        network.layer(0).fix(i, 0, library.get("x"), (1.0, 0.0, factor, 0.3))
    features = attribute(network, points(2000, 3)).features
    assert float(features[1]) == 0.0
    assert float(features[0] / features[2]) == pytest.approx(4.0, rel=0.05)


def test_every_factor_of_a_product_bears_the_products_score():
    network = products()
    scores = attribute(network, points(50, 2))
    # Node 1 of level 1 is a product of subnodes 1, 2, 3; each sum's shares are relative to itself.
    acts = network.acts(points(50, 2)).postacts[0].detach()
    for sub in (1, 2, 3):
        share = acts[:, 0, sub].std(correction=0) / acts[:, :, sub].sum(1).std(correction=0)
        assert float(scores.edges[0][0, sub]) == pytest.approx(float(scores.nodes[1][1] * share), rel=1e-9)


@pytest.mark.parametrize("n", [1, 2])
def test_few_samples_and_constant_outputs_give_finite_scores(n):
    network = plain()
    scores = attribute(network, points(n, 2))
    assert all(bool(part.isfinite().all()) for part in scores.edges + scores.nodes)
    with torch.no_grad():
        for layer in network.kan_layers():
            layer.coef.zero_()
            layer.scale_base.zero_()
    scores = attribute(network, points(50, 2))
    assert all(not part.any() for part in scores.edges)


def test_edges_that_cancel_each_other_have_bounded_scores():
    network = Network([1, 2, 1], seed=0)
    for j, sign in enumerate((1.0, -1.0)):
        network.layer(0).fix(0, j, library.get("x"), (1.0, 0.0, 1.0, 0.0))
        network.layer(1).fix(j, 0, library.get("x"), (1.0, 0.0, sign * 1e6, 0.0))
    with torch.no_grad():
        network.layer(1).affine[0, 0, 2] += 1.0
    scores = attribute(network, points(50, 1))
    assert float(scores.edges[1].max()) == 10.0


def test_scoring_leaves_no_graph_and_changes_nothing():
    network = plain()
    x = points(50, 2)
    before = network(x).detach()
    scores = attribute(network, x)
    assert not any(part.requires_grad for part in scores.edges + scores.nodes)
    assert torch.equal(network(x), before)


def test_without_samples_it_says_what_to_do():
    with pytest.raises(ValueError, match="call fit"):
        attribute(plain())


# ---- from any node


@pytest.mark.parametrize("kind", [plain, several_outputs, deep, unequal_products, named])
def test_scores_of_the_outputs_average_to_those_of_the_features(kind):
    network = kind()
    x = points(80, network.n_in)
    of_outputs = node_attribution(network, network.depth, x)
    torch.testing.assert_close(of_outputs.mean(0), attribute(network, x).features, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", [deep, unequal_products])
def test_scores_of_a_hidden_node_are_those_of_a_network_that_ends_there(kind):
    network = kind()
    x = points(80, network.n_in)
    shorter = copy.deepcopy(network)
    del shorter.layers[1:], shorter.width[2:], shorter.mult_arity[2:]
    torch.testing.assert_close(node_attribution(network, 1, x), node_attribution(shorter, 1, x), rtol=1e-12, atol=1e-14)
    averaged = node_attribution(network, 1, x).mean(0)
    torch.testing.assert_close(attribute(shorter, x).features, averaged, rtol=1e-12, atol=1e-14)


def test_interactions_count_nodes_by_the_inputs_that_matter_to_them():
    network = Network([3, 3, 1], seed=0)
    for i, j in ((0, 0), (1, 1), (2, 1), (0, 2)):
        network.layer(0).remove(i, j)
    x = points(80, 3)
    assert feature_interaction(network, 1, x=x) == {(1, 2): 2, (0,): 1}
    assert feature_interaction(network, 1, neuron_th=1e6, x=x) == {}
    assert set(feature_interaction(network, 1, feature_th=0.999999, x=x)) <= {(0,), (1,), (2,)}


@pytest.mark.parametrize("l", [0, 3, -1, True, "1"])
def test_levels_without_scores_of_inputs_are_refused(l):
    with pytest.raises(ValueError, match="levels 1 to 2 have"):
        node_attribution(plain(), l, points(9, 2))
