"""Grids that grow within a fit: the finest that pays is kept, without a look at the test rows."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from kanlab.engine.fit import Data, Options, Step, fit_steps
from kanlab.engine.network import Network
from kanlab.engine.penalty import Penalty
from tests.engine.cases import generator, points

GRIDS = (3, 6, 12)


def target(x: Tensor) -> Tensor:
    return torch.sin(3 * x[:, [0]]) + x[:, [1]] ** 2


def data(n: int = 200, noise: float = 0.0) -> Data:
    x, z = points(n, 2, seed=1), points(100, 2, seed=2)
    return Data(x, target(x) + noise * torch.randn(n, 1, generator=generator(0), dtype=torch.float64), z, target(z))


def train(network: Network, rows: Data, **options) -> list[Step]:
    return list(fit_steps(network, rows, Options(**{"grids": GRIDS, "steps": 15, **options})))


@torch.no_grad()
def test_error(network: Network, rows: Data) -> float:
    assert rows.test_input is not None
    assert rows.test_label is not None
    return float((network(rows.test_input) - rows.test_label).square().mean().sqrt())


test_error.__test__ = False  # pyright: ignore[reportFunctionMemberAccess]  a helper with an unlucky name


def test_each_finer_grid_lowers_the_error_of_a_smooth_function():
    errors = []
    for grids in (GRIDS[:1], GRIDS[:2], GRIDS):
        network, rows = Network([2, 1], seed=0), data()
        train(network, rows, grids=grids)
        errors.append(test_error(network, rows))
        assert network.grid == [grids[-1]]
    assert errors[1] < 0.3 * errors[0]
    assert errors[2] < 0.3 * errors[1]


def test_steps_are_counted_through_and_only_the_last_may_end_it():
    steps = train(Network([2, 1], seed=0), data())
    assert [step.index for step in steps] == list(range(len(steps)))
    assert not any(step.reason for step in steps[:-1])


def test_noise_stops_the_grid_from_growing():
    network, rows = Network([2, 1], seed=0), data(noise=0.3)
    train(network, rows, grids=(3, 10, 30, 60))
    assert network.grid[0] <= 10
    fine = Network([2, 1], grid=60, seed=0)
    list(fit_steps(fine, rows, Options(steps=15)))
    assert test_error(network, rows) < 0.7 * test_error(fine, rows)


def test_the_last_steps_are_taken_on_all_rows():
    network, rows = Network([2, 1], seed=0), data(60)
    steps = train(network, rows)
    with torch.no_grad():
        loss = float((network(rows.train_input) - rows.train_label).square().mean().sqrt())
    assert steps[-1].train_loss == pytest.approx(loss, rel=1e-6)


def test_few_rows_and_any_loss_go_through_all_grids():
    network = Network([2, 1], seed=0)
    assert train(network, data(20))
    classes = Data(points(120, 2), torch.arange(120) % 2)
    network = Network([2, 2], seed=0)
    assert train(network, classes, loss_fn=torch.nn.CrossEntropyLoss(), grids=(3, 5), steps=3)
    assert network.grid[0] in (3, 5)


def test_a_penalty_that_is_sent_in_holds_for_the_grids_that_follow():
    network, rows = Network([2, 2, 1], seed=0), data()
    training = fit_steps(network, rows, Options(grids=GRIDS, steps=6))
    assert next(training).reg == 0.0
    told = [training.send(Penalty(1e-3)), *training]
    assert all(step.reg > 0 for step in told)


def test_closing_in_the_middle_leaves_a_network_that_works():
    network, rows = Network([2, 2, 1], seed=0), data()
    training = fit_steps(network, rows, Options(grids=GRIDS, steps=6))
    losses = [next(training).train_loss for _ in range(12)]
    training.close()
    with torch.no_grad():
        assert math.isfinite(float(network(rows.train_input).sum()))
    assert test_error(network, rows) < 3 * losses[0]


@pytest.mark.parametrize("grids", [(0,), (3, -1), (3.5,), (True,)])
def test_grids_that_are_none_are_refused(grids):
    with pytest.raises(ValueError, match="whole numbers from 1 up"):
        Options(grids=grids)
