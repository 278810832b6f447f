"""Losses give values, slopes and curvatures that autograd, finite differences and algebra confirm."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from kanlab.engine import solvers
from kanlab.engine.losses import OwnLoss, SquaredError
from kanlab.engine.network import Network
from kanlab.engine.objective import Objective
from kanlab.engine.penalty import Penalty
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from tests.engine.cases import generator, named, plain, points, products, rough, several_outputs


def numbers(network: Network, x: Tensor) -> Tensor:
    return torch.stack([torch.sin(2 * x[:, 0] + j) for j in range(network.n_out)])


def classes(n: int, n_out: int) -> Tensor:
    return torch.randint(n_out, (n,), generator=generator(3))


def log_cosh(p: Tensor, y: Tensor) -> Tensor:
    return (p - y).cosh().log().mean()


def with_classes(network: Network, penalty: Penalty | None = None, n: int = 40) -> Objective:
    x = points(n, network.n_in, seed=2).T.contiguous()
    return Objective(network, x, classes(n, network.n_out), penalty, functional.cross_entropy)


def half_hessian(objective: Objective, step: float = 1e-5) -> Tensor:
    """The exact one, from differences of the exact gradient."""
    vector = objective.linear.read()
    rows = []
    for number in range(len(vector)):
        change = torch.zeros_like(vector)
        change[number] = step
        ahead, behind = (objective.gradient(objective.evaluate(vector + sign * change)) for sign in (1, -1))
        rows.append((ahead - behind) / (4 * step))
    return torch.stack(rows)


def test_curvature_is_the_exact_one_where_the_outputs_are_linear_in_the_parameters():
    # Of one layer of splines; a hidden layer adds what Gauss and Newton leave out.
    objective = with_classes(rough(Network([2, 3], grid=3, seed=0)))
    hessian, descent = objective.normal_equations(objective.start())
    torch.testing.assert_close(hessian, half_hessian(objective), rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(descent, -0.5 * objective.gradient(objective.start()), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", [plain, several_outputs, products, named])
@pytest.mark.parametrize("penalty", [None, Penalty(0.1)])
def test_a_squared_error_of_ones_own_is_the_squared_error(kind, penalty):
    network = kind()
    x = points(30, network.n_in, seed=2).T.contiguous()
    y = numbers(network, x.T)
    y = y / y.std(-1, correction=0).mean()  # the penalty is then in the same unit for both
    usual, own = Objective(network, x, y, penalty), Objective(network, x, y, penalty, functional.mse_loss)
    for a, b in zip(usual.normal_equations(usual.start()), own.normal_equations(own.start()), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kind", [several_outputs, named])
def test_descent_is_minus_half_the_gradient_and_held_parameters_have_none(kind):
    objective = with_classes(kind(), Penalty(0.2))
    free = (torch.arange(objective.linear.size) % 3 != 0).double()
    objective.hold(free)
    at = objective.start()
    hessian, descent = objective.normal_equations(at)
    torch.testing.assert_close(descent, -0.5 * objective.gradient(at), rtol=1e-9, atol=1e-12)
    assert not descent[free == 0].any()
    assert not hessian[free == 0].any()
    assert float(torch.linalg.eigvalsh(hessian)[0]) > -1e-12 * float(hessian.diagonal().max())


def test_slope_and_hessian_of_cross_entropy_are_those_of_the_textbook():
    y = classes(50, 4)
    loss = OwnLoss(functional.cross_entropy, y)
    output = 3 * torch.randn(4, 50, generator=generator(1), dtype=torch.float64)
    slope, hessian = loss.slope_and_hessian(output)
    p = torch.softmax(output.T, 1)
    torch.testing.assert_close(slope.T, (p - functional.one_hot(y, 4)) / 50, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(slope, loss.slope(output), rtol=1e-12, atol=1e-15)
    expected = (torch.diag_embed(p) - p[:, :, None] * p[:, None]) / 50
    torch.testing.assert_close(hessian, expected, rtol=1e-10, atol=1e-12)


def rows_of(monkeypatch, loss_fn, network: Network, y: Tensor) -> int:
    """How many columns of the Jacobian a loss asks for."""
    asked = []
    objective = Objective(network, points(y.shape[-1], network.n_in).T.contiguous(), y, None, loss_fn)
    plainly = objective.linear.jacobian

    def listening(tape, by_output):
        asked.append(len(by_output))
        return plainly(tape, by_output)

    monkeypatch.setattr(objective.linear, "jacobian", listening)
    objective.normal_equations(objective.start())
    return asked[0]


def test_cross_entropy_needs_a_column_fewer_than_classes(monkeypatch):
    assert rows_of(monkeypatch, functional.cross_entropy, several_outputs(), classes(30, 4)) == 3
    assert rows_of(monkeypatch, functional.mse_loss, several_outputs(), torch.zeros(4, 30, dtype=torch.float64)) == 4


def wavy(p: Tensor, y: Tensor) -> Tensor:
    return (1 - torch.cos(12 * (p - y))).mean()


def test_where_a_loss_curves_down_it_counts_as_flat():
    y = torch.zeros(1, 30, dtype=torch.float64)
    objective = Objective(plain(), points(30, 2).T.contiguous(), y, None, wavy)
    at = objective.start()
    _, curvature = OwnLoss(wavy, y).slope_and_hessian(at.tape.output)
    assert bool((curvature < 0).any())
    assert bool((curvature > 0).any())
    hessian, _ = objective.normal_equations(at)
    jacobian = objective.linear.jacobian(at.tape)[:, 0]
    expected = (jacobian * curvature[:, 0, 0].clamp_min(0)) @ jacobian.T / 2
    torch.testing.assert_close(hessian, expected, rtol=1e-9, atol=1e-10)


def test_a_piecewise_linear_loss_has_no_curvature_and_a_smooth_one_has():
    y = torch.zeros(1, 30, dtype=torch.float64)
    output = torch.randn(1, 30, generator=generator(0), dtype=torch.float64)
    assert not OwnLoss(functional.l1_loss, y).curved(output)
    assert OwnLoss(log_cosh, y).curved(output)
    assert SquaredError(y).curved(output)
    # Within beta for most of the samples, beyond it for most of them.
    assert OwnLoss(lambda p, y: functional.smooth_l1_loss(p, y, beta=2.0), y).curved(output)
    assert not OwnLoss(lambda p, y: functional.smooth_l1_loss(p, y, beta=1e-2), y).curved(output)


NOISY = (torch.sin(2 * points(300, 2, seed=1)) + 0.5 * torch.randn(300, 2, generator=generator(4)).double()).T


@pytest.mark.parametrize(
    ("loss_fn", "y"),
    [
        (functional.cross_entropy, NOISY.argmax(0)),
        (functional.binary_cross_entropy_with_logits, (NOISY > 0).double()),
        (functional.poisson_nll_loss, NOISY.abs().round()),
        (lambda p, y: functional.gaussian_nll_loss(p[:, :1], y[:, :1], functional.softplus(p[:, 1:])), NOISY),
        (log_cosh, NOISY),
    ],
    ids=["cross-entropy", "two classes", "counts", "spread, too", "log cosh"],
)
def test_levenberg_marquardt_lowers_any_smooth_loss_as_far_as_first_order_does(loss_fn, y):
    def run(name: str, steps: int) -> list[float]:
        x = points(300, 2, seed=1).T.contiguous()
        solver = solvers.make(name, Objective(Network([2, 2, 2], grid=2, seed=0), x, y, None, loss_fn))
        return [solver.current.value, *(solver.step().value for _ in range(steps))]

    second, first = run("LM", 40), run("LBFGS", 8)
    assert all(b <= a for a, b in itertools.pairwise(second))
    # Where a net of this size ends depends on the way; the gains of the two differ by a few percent.
    assert second[0] - second[-1] > 0.9 * (first[0] - first[-1])


@pytest.mark.parametrize("loss_fn", [functional.poisson_nll_loss, log_cosh])
def test_levenberg_marquardt_descends_with_a_penalty(loss_fn):
    x = points(300, 2, seed=1).T.contiguous()
    solver = LevenbergMarquardt(Objective(Network([2, 2, 2], seed=0), x, NOISY.abs(), Penalty(1e-2), loss_fn))
    values = [solver.current.value, *(solver.step().value for _ in range(15))]
    assert all(b <= a for a, b in itertools.pairwise(values))
    assert values[-1] < 0.97 * values[0]


def test_least_cross_entropy_is_reached_just_when_every_sample_is_told_apart():
    y = classes(50, 3)
    loss = OwnLoss(functional.cross_entropy, y)
    output = 60.0 * functional.one_hot(y, 3).double().T
    # All the loss in one sample, between its class and another.
    for margin, told_apart in ((1e-6, True), (-1e-6, False)):
        output[:, 0] = -60.0
        output[y[0], 0], output[(y[0] + 1) % 3, 0] = margin, 0.0
        assert bool((output.argmax(0) == y).all()) is told_apart
        assert (loss.value(output) <= loss.least) is told_apart
    assert OwnLoss(functional.mse_loss, points(5, 1).T).least == -math.inf


def test_levenberg_marquardt_ends_when_all_classes_are_told_apart():
    x = points(100, 2, seed=1)
    y = (x[:, 0] + x[:, 1] ** 2 > 0.3).long()
    objective = Objective(Network([2, 2], seed=0), x.T.contiguous(), y, None, functional.cross_entropy)
    solver = LevenbergMarquardt(objective)
    for _ in range(100):
        solver.step()
        if solver.done:
            break
    assert solver.done
    assert solver.current.value <= math.log(2) / 100
    output = solver.current.tape.output
    assert bool((output.argmax(0) == y).all())
    assert float(output.abs().max()) < 1e3
