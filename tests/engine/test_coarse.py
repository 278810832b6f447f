"""A network on a fine grid that knows nothing comes to its grid by coarser ones; one that knows something does not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kanlab.engine.coarse import starts_coarse
from kanlab.engine.fit import Data, Options, fit_steps
from kanlab.engine.network import Network
from tests.engine.cases import points


def target(x: Tensor) -> Tensor:
    return torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2)


def data(n: int = 400) -> Data:
    x, z = points(n, 2, seed=1), points(200, 2, seed=2)
    return Data(x, target(x), z, target(z))


def test_a_fine_grid_is_reached_and_its_accuracy_with_it():
    network, rows = Network([2, 1, 1], grid=40, seed=0), data()
    steps = list(fit_steps(network, rows, Options(steps=60)))
    assert network.grid == [40, 40]
    assert [step.index for step in steps] == list(range(len(steps)))
    assert len(steps) <= 60
    assert not any(step.reason for step in steps[:-1])
    assert steps[-1].test_loss < 1e-4


def test_each_layer_comes_to_its_own_grid():
    network = Network([2, 2, 1], grid=[4, 20], seed=0)
    list(fit_steps(network, data(), Options(steps=30)))
    assert network.grid == [4, 20]


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_few_steps_end_on_the_networks_own_grid(steps):
    network = Network([2, 2, 1], grid=20, seed=0)
    assert len(list(fit_steps(network, data(), Options(steps=steps)))) == steps
    assert network.grid == [20, 20]


def test_only_ignorant_networks_on_fine_grids_start_coarse():
    rows = data()
    fine, coarse = Network([2, 2, 1], grid=20, seed=0), Network([2, 2, 1], grid=5, seed=0)
    assert starts_coarse(fine, rows, Options())
    assert not starts_coarse(coarse, rows, Options())
    assert not starts_coarse(fine, rows, Options(update_grid=False))
    assert not starts_coarse(fine, rows, Options(opt="Adam"))
    list(fit_steps(fine, rows, Options(steps=40)))
    assert not starts_coarse(fine, rows, Options())


def test_training_that_is_closed_early_leaves_a_network_that_can_be_trained_on():
    network, rows = Network([2, 2, 1], grid=20, seed=0), data()
    training = fit_steps(network, rows, Options(steps=40))
    first = next(training).train_loss
    next(training)
    training.close()
    assert list(fit_steps(network, rows, Options(steps=20)))[-1].train_loss < first
