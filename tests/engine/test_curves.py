"""An edge's curve as data is what the edge computes on the samples."""

from __future__ import annotations

import pytest
import torch

from kanlab.engine.curves import edge_range, edge_samples
from tests.engine.cases import KINDS, plain, points


@pytest.mark.parametrize("kind", KINDS)
def test_curves_hold_what_the_edges_compute(kind):
    network = kind()
    x = points(50, network.n_in)
    acts = network.acts(x)
    for l, i, j in network.edges():
        inputs, values = edge_samples(network, l, i, j, x)
        order = acts.nodes[l][:, i].argsort(stable=True)
        assert torch.equal(inputs, acts.nodes[l][order, i].detach())
        torch.testing.assert_close(values, acts.postacts[l][order, i, j].detach(), rtol=1e-12, atol=1e-12)
        low, high, least, most = edge_range(network, l, i, j, x)
        assert (low, high, least, most) == (inputs[0], inputs[-1], values.min(), values.max())


def test_samples_are_those_of_training_if_none_are_given():
    network = plain()
    network.show(points(9, 2))
    assert len(edge_samples(network, 0, 0, 0)[0]) == 9
