"""Jumps lower the penalised objective or change nothing."""

from __future__ import annotations

import pytest
import torch

from kanlab.engine.attribution import attribute
from kanlab.engine.network import Network
from kanlab.engine.objective import Objective
from kanlab.engine.penalty import Penalty
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.engine.thin import Interrupted, Thinner
from kanlab.symbolic import library
from tests.engine.cases import named, points


def trained(network: Network, lamb: float, steps: int = 25) -> LevenbergMarquardt:
    """Train on exp(sin 2x + y²), which one hidden node holds, until small steps stall."""
    x = points(150, 2, seed=1)
    y = torch.exp(torch.sin(2 * x[:, [0]]) + x[:, [1]] ** 2)
    network.show(x, y)
    network.update_grid_from_samples(x)
    solver = LevenbergMarquardt(Objective(network, x.T.contiguous(), y.T.contiguous(), Penalty(lamb)))
    for _ in range(steps):
        solver.step()
    return solver


def loud_nodes(network: Network) -> int:
    return int((attribute(network).nodes[1] > 1e-3).sum())


def state(network: Network) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(network: Network, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_jumps_lower_the_objective_and_thin_the_network(seed):
    network = Network([2, 5, 1], seed=seed)
    solver = trained(network, lamb=1e-3, steps=15)
    before, nodes = solver.current.value, loud_nodes(network)
    thinner = Thinner(network)
    while thinner.jump(solver):
        assert solver.current.value < 0.99 * before
        before = solver.current.value
        # The solver and the network stand at the same place.
        assert solver.objective.start().value == pytest.approx(before, rel=1e-9)
    assert loud_nodes(network) < nodes


def test_where_no_jump_is_worth_it_nothing_changes():
    # One layer and both inputs needed: it is a linear problem, and solved.
    network = Network([2, 1], seed=0)
    solver = trained(network, lamb=1e-6, steps=60)
    thinner = Thinner(network)
    before, value = state(network), solver.current.value
    assert not thinner.jump(solver)
    assert solver.current.value == value
    for name, tensor in network.state_dict().items():
        # Coefficients pass through a product with scale_sp and back.
        torch.testing.assert_close(tensor, before[name], rtol=1e-14, atol=1e-15)


def test_refused_candidates_are_not_tried_again_until_a_jump_succeeds(monkeypatch):
    network = Network([2, 1], seed=0)
    solver = trained(network, lamb=1e-6, steps=60)
    thinner, tried = Thinner(network), []
    whole = Thinner._without

    def recorded(self, objective, edges, goal):
        tried.append(edges)
        return whole(self, objective, edges, goal)

    monkeypatch.setattr(Thinner, "_without", recorded)
    for _ in range(6):
        assert not thinner.jump(solver)
    assert sorted(tried) == [((0, 0, 0),), ((0, 1, 0),)]


def test_named_edges_are_never_silenced():
    network = Network([2, 2, 1], seed=0)
    network.layer(0).fix(0, 0, library.get("sin"), (2.0, 0.0, 1.0, 0.0))
    network.layer(1).fix(0, 0, library.get("exp"), (1.0, 0.0, 1.0, 0.0))
    solver = trained(network, lamb=0.3, steps=10)
    Thinner(network).jump_on(solver)
    assert set(network.layer(0).fixed) == {(0, 0)}
    assert set(network.layer(1).fixed) == {(0, 0)}
    assert bool(network.layer(0).affine[0, 0].detach().abs().sum() > 0.1)


def test_an_interrupt_gives_the_jump_up_and_changes_nothing():
    network = Network([2, 5, 1], seed=0)
    solver = trained(network, lamb=1e-2)
    before, current, looks = state(network), solver.current, []

    def interrupted() -> bool:
        looks.append(1)
        return len(looks) > 3

    with pytest.raises(Interrupted):
        Thinner(network, interrupted).jump(solver)
    assert same(network, before)
    assert solver.current is current


def test_networks_with_products_and_names_are_thinned_without_harm():
    network = named()
    x = points(80, 3)
    y = torch.stack([x[:, 0] * x[:, 1], x[:, 2]], 1)
    network.show(x, y)
    solver = LevenbergMarquardt(Objective(network, x.T.contiguous(), y.T.contiguous(), Penalty(5e-2)))
    for _ in range(5):
        solver.step()
    before = solver.current.value
    Thinner(network).jump_on(solver)
    assert solver.current.value <= before
    assert bool(network(x).isfinite().all())
