"""Each metric is what its name says, on networks small enough to be done by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kanlab.engine.attribution import attribute
from kanlab.engine.magnitudes import METRICS, Variances
from kanlab.engine.network import Network
from tests.engine.cases import named, plain, points, unequal_products


def variances(network: Network, x: Tensor) -> list[Variances]:
    acts, layers = network.acts(x), network.kan_layers()
    return [
        Variances(
            phi.var(0, correction=0), phi.sum(1).var(0, correction=0), h.var(0, correction=0), layer.spline_mask()
        )
        for phi, h, layer in zip(acts.postacts, acts.nodes, layers, strict=False)
    ]


def magnitudes(metric: str, network: Network) -> list[Tensor]:
    return [a.detach() for a in METRICS[metric](variances(network, points(200, network.n_in)), network.groups)]


@pytest.mark.parametrize("kind", [plain, named, unequal_products])
def test_forward_metrics_are_spreads(kind):
    network = kind()
    acts = network.acts(points(200, network.n_in))
    for l, layer in enumerate(network.kan_layers()):
        spread = acts.postacts[l].std(0, correction=0).detach()
        above = acts.nodes[l].std(0, correction=0).detach()[:, None] + 0.1
        mask = layer.spline_mask()
        # The spreads are smoothed by 1e-4 at most, and divided by at least 0.1.
        for metric, expected in (
            ("edge_forward_spline_u", spread * mask),
            ("edge_forward_spline_n", spread / above * mask),
            ("edge_forward_sum", spread / above),
        ):
            torch.testing.assert_close(magnitudes(metric, network)[l], expected, rtol=0, atol=2e-3)


@pytest.mark.parametrize("kind", [plain, named, unequal_products])
def test_edge_backward_is_the_score_of_attribution(kind):
    network = kind()
    scores = attribute(network, points(200, network.n_in))
    for found, expected in zip(magnitudes("edge_backward", network), scores.edges, strict=True):
        # Floors and smoothing under spreads make 3e-4; a sum's may be as small as 2e-2, and a path has two.
        torch.testing.assert_close(found, expected, rtol=2e-2, atol=5e-3)


def test_node_backward_multiplies_the_shares_along_all_paths():
    network = plain()
    acts = network.acts(points(200, 2))
    shares = [
        (phi.std(0, correction=0) / phi.sum(1).std(0, correction=0)).detach() for phi in acts.postacts
    ]  # fmt: skip
    hidden, output = magnitudes("node_backward", network)
    torch.testing.assert_close(hidden, shares[0], rtol=2e-2, atol=1e-3)
    torch.testing.assert_close(output, shares[0] @ shares[1], rtol=2e-2, atol=1e-3)


def test_node_backward_has_a_matrix_for_each_level_of_nodes():
    network = unequal_products()
    assert [tuple(a.shape) for a in magnitudes("node_backward", network)] == [(2, 3), (2, 2)]
