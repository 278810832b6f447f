"""Snapshots bring back what training changes, on whatever grid it was."""

from __future__ import annotations

import torch

from kanlab.engine.snapshot import restore, snapshot
from tests.engine.cases import named, points


def test_restoring_gives_the_function_back_to_the_last_bit():
    network = named()
    x = points(40, 3)
    before, state = network(x), snapshot(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    network.update_grid_from_samples(x, grid=9)
    assert not torch.equal(network(x), before)
    restore(network, state)
    assert torch.equal(network(x), before)
    assert network.grid == [3, 3]


def test_snapshots_can_be_restored_again_and_keep_what_is_frozen_frozen():
    network = named()
    network.layer(0).coef.requires_grad_(False)
    x, state = points(40, 3), snapshot(network)
    before = network(x)
    for _ in range(2):
        restore(network, state)
        assert torch.equal(network(x), before)
        assert not network.layer(0).coef.requires_grad
        assert network.layer(1).coef.requires_grad
        with torch.no_grad():
            network.layer(0).coef.zero_()
            network.layer(1).coef.zero_()


def test_parameters_stay_the_same_objects():
    network = named()
    held, state = list(network.parameters()), snapshot(network)
    network.update_grid_from_samples(points(40, 3), grid=9)
    assert all(a is b for a, b in zip(held, network.parameters(), strict=True))
    restore(network, state)
    assert all(a is b for a, b in zip(held, network.parameters(), strict=True))
