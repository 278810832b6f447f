"""Backward elimination leaves what a problem needs: no more, and no less."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator

import pytest
import torch
from torch import Tensor

from kanlab.engine import eliminate
from kanlab.engine.eliminate import Removal, eliminate_steps
from kanlab.engine.fit import SAMPLE_LIMIT, Data, Options, fit_steps
from kanlab.engine.network import Network, Width
from kanlab.symbolic import library
from tests.engine.cases import points


def hello(x: Tensor) -> Tensor:
    return torch.exp(torch.sin(math.pi * x[:, [0]]) + x[:, [1]] ** 2)


def product(x: Tensor) -> Tensor:
    return x[:, [0]] * x[:, [1]]


def trained(
    width: Width,
    target: Callable[[Tensor], Tensor],
    seed: int = 0,
    *,
    noise: float = 0.0,
    steps: int = 20,
    n: int = 300,
) -> tuple[Network, Tensor, Tensor]:
    network = Network(width, seed=seed)
    x = points(300, network.n_in, seed)
    y = target(x)
    y = y + noise * y.std() * torch.randn(y.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(seed))
    for _ in fit_steps(network, Data(x, y), Options(steps=steps)):
        pass
    return network, x, y


def all_of(steps: Generator[Removal, None, Network]) -> tuple[list[Removal], Network]:
    removals = []
    while True:
        try:
            removals.append(next(steps))
        except StopIteration as end:
            return removals, end.value


def shape(network: Network) -> tuple[list[int], int]:
    return [sum(nodes) for nodes in network.width], sum(int(layer.mask.sum()) for layer in network.kan_layers())


def state(network: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_one_node_can_do_is_left_to_one_node(seed):
    network, x, y = trained([2, 5, 1], hello, seed)
    removals, small = all_of(eliminate_steps(network, x, y))
    assert shape(small) == ([2, 1, 1], 3)
    # It does as well as the tolerance promised, on rows of neither training nor judging.
    fresh = points(300, 2, 1000 + seed)
    with torch.no_grad():
        assert float((small(fresh) - hello(fresh)).square().mean().sqrt()) < 2 * removals[-1].tolerance


def test_what_is_needed_stays():
    network, x, y = trained([2, 2, 1], product)
    removals, small = all_of(eliminate_steps(network, x, y))
    assert shape(small) == ([2, 2, 1], 6)
    refused = [removal for removal in removals if not removal.holds]
    assert all(removal.error > 10 * removal.tolerance for removal in refused)


def test_multiplication_nodes_stand_for_what_sums_need_two_of():
    network, x, y = trained([2, [1, 1], 1], product)
    _, small = all_of(eliminate_steps(network, x, y))
    assert small.width == [[2, 0], [0, 1], [1, 0]]
    assert shape(small)[1] == 3


def test_the_tolerance_grows_with_the_noise_and_the_skeleton_is_the_same():
    tolerances = []
    for noise in (0.0, 0.01, 0.05):
        network, x, y = trained([2, 3, 1], hello, noise=noise)
        removals, small = all_of(eliminate_steps(network, x, y))
        assert shape(small) == ([2, 1, 1], 3)
        tolerances.append(removals[0].tolerance / float(y.std()))
    assert tolerances[0] < 0.01 < tolerances[1] < 0.03 < 0.05 < tolerances[2] < 0.08


def test_an_input_that_does_nothing_loses_its_edges():
    network, x, y = trained([3, 1], lambda x: torch.sin(2 * x[:, [0]]) + x[:, [2]] ** 2)
    _, small = all_of(eliminate_steps(network, x, y))
    assert small.layer(0).mask.flatten().tolist() == [1, 0, 1]


def test_a_detour_leads_over_networks_that_fit_a_little_worse(monkeypatch):
    # Trained for long, the whole network fits better than the next smaller ones do after a few steps.
    network, x, y = trained([2, 4, 1], lambda x: (x[:, [0]] + x[:, [1]]) ** 2, seed=2, steps=120)
    limits = eliminate._Judge.limits

    def strict(judge, network):
        allowed = 1.05 * judge.loss(network)
        return allowed, limits(judge, network)[1]

    monkeypatch.setattr(eliminate._Judge, "limits", strict)
    removals, small = all_of(eliminate_steps(network, x, y))
    assert shape(small) == ([2, 1, 1], 3)
    smallest = [shape(removal.network)[1] for removal in removals]
    assert smallest == sorted(smallest, reverse=True)


def test_the_network_given_and_the_global_generator_stay_as_they_were():
    network, x, y = trained([2, 2, 1], hello)
    before, samples, seen = state(network), network.seen().clone(), torch.get_rng_state()
    all_of(eliminate_steps(network, x, y))
    assert same(state(network), before)
    assert torch.equal(network.seen(), samples)
    assert torch.equal(torch.get_rng_state(), seen)


def test_it_does_the_same_again():
    network, x, y = trained([2, 3, 1], hello)
    first, second = (all_of(eliminate_steps(network, x, y)) for _ in range(2))
    assert same(state(first[1]), state(second[1]))
    assert [removal.error for removal in first[0]] == [removal.error for removal in second[0]]


def test_the_result_knows_all_rows_and_the_records_stay_as_they_were_told():
    network, x, y = trained([2, 3, 1], hello)
    steps, told = eliminate_steps(network, x, y), []
    while True:
        try:
            removal = next(steps)
            told.append((removal.network, state(removal.network)))
        except StopIteration as end:
            small = end.value
            break
    assert torch.equal(small.seen(), x[:SAMPLE_LIMIT])
    assert all(same(state(network), before) for network, before in told)


def test_interrupted_it_ends_with_the_smallest_so_far():
    network, x, y = trained([2, 3, 1], hello)
    removals: list[Removal] = []
    steps = eliminate_steps(network, x, y, interrupted=lambda: len(removals) == 1)
    removals.append(next(steps))
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert removals[0].holds
    assert shape(end.value.value) == shape(removals[0].network) == ([2, 2, 1], 6)


def test_a_tolerance_given_decides():
    network, x, y = trained([2, 2, 1], hello)
    _, bare = all_of(eliminate_steps(network, x, y, tolerance=1e3))
    assert shape(bare) == ([2, 1, 1], 2)  # the output keeps a way to an input
    network, x, y = trained([2, 1], lambda x: torch.sin(3 * x[:, [0]]) + 1e-3 * x[:, [1]])
    for tolerance, edges in ((1e-2, 1), (1e-4, 2)):
        _, small = all_of(eliminate_steps(network, x, y, tolerance=tolerance))
        assert shape(small)[1] == edges


def test_every_output_keeps_an_edge():
    network, x, y = trained([2, 2, 2], lambda x: torch.cat([x[:, [0]] ** 2, torch.zeros_like(x[:, [1]])], 1))
    _, small = all_of(eliminate_steps(network, x, y))
    assert small.layer(1).mask.sum(0).min() >= 1


def test_named_edges_are_kept():
    network, x, y = trained([2, 2, 1], hello)
    network.layer(0).fix(0, 0, library.get("cos"), (1.0, 0.0, 0.0, 0.0))
    _, small = all_of(eliminate_steps(network, x, y, tolerance=1e3))
    assert [function.name for function in small.layer(0).fixed.values()] == ["cos"]


def test_classes_are_judged_by_their_own_loss():
    x = points(300, 3)
    labels = (x[:, 0] ** 2 + x[:, 2] > 0.3).long()
    network, loss_fn = Network([3, 2, 2], seed=0), torch.nn.CrossEntropyLoss()
    for _ in fit_steps(network, Data(x, labels), Options(steps=10, loss_fn=loss_fn)):
        pass
    removals, small = all_of(eliminate_steps(network, x, labels, loss_fn=loss_fn))
    assert shape(small)[1] < shape(network)[1]
    assert not small.layer(0).mask[1].any()
    assert float(loss_fn(small(x), labels).detach()) < 0.3
    assert all(math.isfinite(removal.tolerance) for removal in removals)


def test_what_leaves_the_finite_numbers_is_refused(monkeypatch):
    network, x, y = trained([2, 2, 1], hello)
    lay = eliminate.lay_again

    def torn(trial, x, value):
        if trial.width != network.width:
            raise FloatingPointError("values are not finite")
        return lay(trial, x, value)

    monkeypatch.setattr(eliminate.Elimination._refit, "__defaults__", (torn,))
    removals, small = all_of(eliminate_steps(network, x, y))
    assert {removal.error for removal in removals if len(removal.edges) > 1} == {math.inf}
    assert small.width == network.width


def test_it_says_what_it_cannot_take():
    network = Network([2, 1])
    x, y = points(9, 2), torch.zeros(9, 1, dtype=torch.float64)
    with pytest.raises(ValueError, match="9 labelled rows; at least 10"):
        eliminate_steps(network, x, y)
    with pytest.raises(ValueError, match="tolerance is -1"):
        eliminate_steps(network, points(10, 2), points(10, 1), tolerance=-1)
