"""LBFGS as a torch optimiser: as good as torch's, and where torch's gives up or goes astray, better."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from kanlab import KAN, LBFGS
from tests.engine.cases import points

TIGHT: dict[str, Any] = {
    "history_size": 10,
    "line_search_fn": "strong_wolfe",
    "tolerance_grad": 1e-32,
    "tolerance_change": 1e-32,
}


def rosenbrock(x: Tensor) -> Tensor:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def start() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.full((20,), -1.0, dtype=torch.float64))


def minimise(optimiser: LBFGS | torch.optim.LBFGS, x: Tensor, loss_fn: Callable[[Tensor], Tensor], steps: int) -> int:
    """Take steps; return how often the loss was evaluated."""
    count = 0

    def closure() -> Tensor:
        nonlocal count
        count += 1
        optimiser.zero_grad()
        loss = loss_fn(x)
        loss.backward()
        return loss

    for _ in range(steps):
        optimiser.step(closure)
    return count


def test_it_needs_no_more_evaluations_than_torchs_for_the_same_loss():
    ours, theirs = start(), start()
    spent = minimise(LBFGS([ours], tolerance_ys=1e-32, **TIGHT), ours, rosenbrock, 7)
    assert spent <= 1.2 * minimise(torch.optim.LBFGS([theirs], **TIGHT), theirs, rosenbrock, 7)
    assert float(rosenbrock(ours.detach())) < 1e-8


def test_step_returns_the_loss_before_it_and_ends_where_it_is_lower():
    x = start()
    optimiser = LBFGS([x], line_search_fn="strong_wolfe")
    losses = []
    for _ in range(5):
        before = float(rosenbrock(x.detach()))
        losses.append(before)
        assert float(optimiser.step(lambda: backward(optimiser, x, rosenbrock)).detach()) == before
    assert losses == sorted(losses, reverse=True)


def backward(optimiser: LBFGS, x: Tensor, loss_fn: Callable[[Tensor], Tensor]) -> Tensor:
    optimiser.zero_grad()
    loss = loss_fn(x)
    loss.backward()
    return loss


def test_small_curvatures_are_remembered_as_tolerance_ys_says():
    # Scaled by 1e-14, every y's is below torch's fixed limit of 1e-10: all history is refused.
    ours, refusing = start(), start()
    small: Callable[[Tensor], Tensor] = lambda x: 1e-14 * rosenbrock(x)  # noqa: E731
    minimise(LBFGS([ours], tolerance_ys=1e-32, **TIGHT), ours, small, 10)
    minimise(LBFGS([refusing], tolerance_ys=1e-10, **TIGHT), refusing, small, 10)
    assert float(rosenbrock(ours.detach())) < 1e-6
    assert float(rosenbrock(refusing.detach())) > 1e-2


def test_values_that_are_no_numbers_turn_the_search_back():
    x = torch.nn.Parameter(torch.tensor([4.0], dtype=torch.float64))
    # Beyond 0 the logarithm is nan; the first full steps lead there.
    minimise(LBFGS([x], lr=50.0, **TIGHT), x, lambda x: (x - x.log()).sum() + (x - 1).square().sum() * 3, 4)
    assert float(x.detach()) == pytest.approx(1.0, abs=1e-6)


def test_parameters_that_are_frozen_or_unused_stay():
    x, frozen, unused = (
        start(),
        torch.nn.Parameter(torch.ones(3), requires_grad=False),
        torch.nn.Parameter(torch.ones(2)),
    )
    minimise(LBFGS([x, frozen, unused], **TIGHT), x, rosenbrock, 3)
    assert torch.equal(frozen, torch.ones(3))
    assert torch.equal(unused, torch.ones(2))


def test_history_is_forgotten_when_a_grid_is_laid_anew():
    model, x = KAN([2, 2, 1], seed=0), points(60, 2)
    y = (x[:, :1] * 3).sin() + x[:, 1:] ** 2
    optimiser = LBFGS(model.parameters(), **TIGHT)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        return loss

    before = [float(optimiser.step(closure).detach()) for _ in range(3)]
    memory = next(iter(optimiser.state.values()))["memory"]
    assert len(memory) == 10
    model.update_grid_from_samples(x)
    assert next(iter(optimiser.state.values()))["memory"] is memory
    laid = float(closure().detach())
    optimiser.step(closure)
    assert next(iter(optimiser.state.values()))["memory"] is not memory
    assert float(closure().detach()) < laid, "the parameters of the new grid are the ones trained"
    assert before == sorted(before, reverse=True)


def test_state_can_be_saved_and_loaded():
    x = start()
    optimiser = LBFGS([x], **TIGHT)
    minimise(optimiser, x, rosenbrock, 2)
    other = torch.nn.Parameter(x.detach().clone())
    again = LBFGS([other], **TIGHT)
    again.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    minimise(optimiser, x, rosenbrock, 1)
    minimise(again, other, rosenbrock, 1)
    assert torch.equal(x, other)


def test_without_a_line_search_steps_have_a_fixed_length():
    x = torch.nn.Parameter(torch.tensor([3.0, -2.0], dtype=torch.float64))
    minimise(LBFGS([x], lr=0.5, max_iter=1), x, lambda x: 0.5 * x.square().sum(), 1)
    torch.testing.assert_close(x.detach(), torch.tensor([3.0, -2.0], dtype=torch.float64) * (1 - 0.5 / 5))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"line_search_fn": "armijo"}, "line_search_fn is 'armijo'; allowed are 'strong_wolfe' and None"),
        ({"lr": 0}, "lr is 0"),
        ({"history_size": 0}, "history_size is 0"),
        ({"max_iter": -1}, "max_iter is -1"),
    ],
)
def test_bad_options_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        LBFGS([start()], **options)


def test_groups_and_nothing_to_train_are_refused():
    with pytest.raises(ValueError, match="one group of parameters, not 2"):
        LBFGS([{"params": [start()]}, {"params": [start()]}])
    with pytest.raises(ValueError, match="nothing to train"):
        LBFGS([torch.nn.Parameter(torch.ones(1), requires_grad=False)])
