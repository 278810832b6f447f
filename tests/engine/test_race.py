"""Restarts: many starts as one program give what each would give alone, and the best of them goes on."""

from __future__ import annotations

import pytest
import torch

from kanlab.engine.fit import Data, Options, fit_steps
from kanlab.engine.linearise import Linearisation
from kanlab.engine.network import Network
from kanlab.engine.race import race, stack
from kanlab.engine.snapshot import restore, snapshot
from tests.engine.cases import KINDS, points


def hard(n: int = 150) -> Data:
    """A target whose narrow network is caught from many starts."""
    x = points(n, 2, seed=1)
    return Data(x, torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2))


@torch.no_grad()
def loss(network: Network, rows: Data) -> float:
    return float((network(rows.train_input) - rows.train_label).square().mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_is_evaluated_and_linearised_as_its_networks_are(kind):
    network = kind()
    other = snapshot(network)
    for layer in other:
        layer["coef"] = 0.7 * layer["coef"] + 0.1
        layer["knots"] = 1.1 * layer["knots"]
    states = [snapshot(network), other]
    x = points(9, network.n_in, seed=3).T.contiguous()
    stacked = stack(network, states)
    linear = Linearisation(stacked, x.expand(2, -1, -1).contiguous())
    tape = linear.evaluate(linear.read())
    jacobian = linear.jacobian(tape)
    for number, state in enumerate(states):
        restore(network, state)
        alone = Linearisation(network, x)
        at = alone.evaluate(alone.read())
        torch.testing.assert_close(tape.output[number], at.output, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(jacobian[number], alone.jacobian(at), rtol=1e-10, atol=1e-12)


def test_laying_the_grids_of_a_stack_is_laying_each():
    network = Network([2, 3, 1], seed=0)
    other = Network([2, 3, 1], seed=1)
    stacked = stack(network, [snapshot(network), snapshot(other)])
    x = points(50, 2, seed=4)
    stacked.update_grid_from_samples(x)
    for number, single in enumerate((network, other)):
        single.update_grid_from_samples(x)
        for layer, own in zip(stacked.kan_layers(), single.kan_layers(), strict=True):
            torch.testing.assert_close(layer.knots[number], own.knots, rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(layer.coef[number], own.coef, rtol=1e-8, atol=1e-8)


def test_restarts_find_the_good_valley_that_single_starts_miss():
    rows = hard()
    single, raced = [], []
    for seed in range(6):
        for restarts, found in ((1, single), (8, raced)):
            network = Network([2, 1, 1], seed=seed)
            list(fit_steps(network, rows, Options(steps=12, restarts=restarts)))
            found.append(loss(network, rows))
    assert max(raced) < 0.02
    assert max(raced) < max(single)


def test_a_trained_network_is_not_made_worse():
    rows = hard()
    network = Network([2, 1, 1], seed=0)
    list(fit_steps(network, rows, Options(steps=40, restarts=8)))
    before = loss(network, rows)
    race(network, rows, Options(restarts=4))
    assert loss(network, rows) <= 1.5 * before


def test_restarts_are_reproducible_by_seed():
    rows, found = hard(), []
    for _ in range(2):
        network = Network([2, 2, 1], seed=3)
        race(network, rows, Options(restarts=3, seed=5))
        found.append(network(rows.train_input))
    assert torch.equal(*found)


def test_what_is_frozen_is_the_same_in_every_start():
    network = Network([2, 2, 1], seed=0, sb_trainable=False)
    before = [layer.scale_base.clone() for layer in network.kan_layers()]
    race(network, hard(), Options(restarts=4))
    for layer, value in zip(network.kan_layers(), before, strict=True):
        assert torch.equal(layer.scale_base, value)


def test_any_loss_can_be_raced():
    x = points(80, 2)
    rows = Data(x, (x[:, 0] * x[:, 1] > 0).long())
    network = Network([2, 2, 2], seed=0)
    options = Options(steps=3, restarts=3, loss_fn=torch.nn.CrossEntropyLoss(), opt="LBFGS")
    steps = list(fit_steps(network, rows, options))
    assert steps[-1].train_loss < 0.7


@pytest.mark.parametrize("restarts", [0, -1, 2.0, True])
def test_restarts_that_are_none_are_refused(restarts):
    with pytest.raises(ValueError, match="restarts is"):
        Options(restarts=restarts)
