"""The objective is loss plus penalty, its gradient that of finite differences, its units those of the data."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from kanlab.engine.magnitudes import METRICS
from kanlab.engine.network import Network
from kanlab.engine.objective import Objective
from kanlab.engine.penalty import Penalty
from tests.engine.cases import (
    KINDS,
    all_named,
    broken_lines,
    generator,
    masked,
    named,
    plain,
    points,
    products,
    several_outputs,
    unequal_products,
)

PENALTY = Penalty(lamb=0.3, lamb_l1=0.8, lamb_entropy=1.7)


def labels(x: Tensor, n_out: int) -> Tensor:
    """Something to learn, another for each output, in units of about three."""
    return torch.stack([3 * torch.sin(2 * x[:, 0] + j) + j * x[:, -1] for j in range(n_out)], 1)


def make(network: Network, penalty: Penalty | None = None, n: int = 40, loss_fn=None) -> Objective:
    x = points(n, network.n_in, seed=2)
    return Objective(network, x.T.contiguous(), labels(x, network.n_out).T.contiguous(), penalty, loss_fn)


def regularisation_by_hand(network: Network, x: Tensor, y: Tensor, penalty: Penalty) -> float:
    """Sum the layers' penalties on std(phi) in units of the node's spread, and at the end of the labels'."""
    total = 0.0
    acts = network.acts(x)
    for l, phi in enumerate(acts.postacts):
        spread = acts.nodes[l].std(0, correction=0)
        unit = torch.full_like(spread, 3**-0.5) if l == 0 else (spread**2 + 0.1**2).sqrt()
        if l == network.depth - 1:
            unit = unit * y.std(0, correction=0).mean()
        size = phi.std(0, correction=0) / unit[:, None]
        smooth = (size**2 + 1e-8).sqrt() - 1e-4
        total += float(penalty.value(smooth * network.layer(l).spline_mask()))
    return total


@pytest.mark.parametrize("kind", KINDS)
def test_value_is_mean_squared_error_plus_lamb_times_the_penalty(kind):
    network = kind()
    objective = make(network, PENALTY)
    x = objective.linear.x.T
    y = labels(x, network.n_out)
    at = objective.start()
    with torch.no_grad():
        loss = float((network(x) - y).square().mean())
        reg = regularisation_by_hand(network, x, y, PENALTY)
    assert at.loss == pytest.approx(loss, rel=1e-12)
    assert at.reg == pytest.approx(reg, rel=1e-9)
    variance = float(y.std(0, correction=0).mean()) ** 2
    assert at.value == pytest.approx(loss + 0.3 * variance * reg, rel=1e-9)


def slopes(objective: Objective, vector: Tensor, direction: Tensor, step: float = 1e-6) -> float:
    ahead, behind = (objective.evaluate(vector + sign * step * direction).value for sign in (1, -1))
    return (ahead - behind) / (2 * step)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("penalty", [None, PENALTY, Penalty(0.5, lamb_l1=0.0), Penalty(0.5, lamb_entropy=0.0)])
def test_gradient_is_that_of_finite_differences(kind, penalty):
    objective = make(kind(), penalty)
    at = objective.start()
    gradient = objective.gradient(at)
    for number in range(4):
        direction = torch.randn(objective.linear.size, generator=generator(number), dtype=torch.float64)
        expected = slopes(objective, at.vector, direction)
        assert float(gradient @ direction) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kind", [plain, unequal_products, masked, named, all_named])
@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_the_gradient_of_finite_differences(kind, metric):
    objective = make(kind(), Penalty(0.3, 0.8, 1.7, lamb_coef=0.4, lamb_coefdiff=0.6, reg_metric=metric))
    at = objective.start()
    gradient = objective.gradient(at)
    assert bool(gradient.isfinite().all())
    for number in range(3):
        direction = torch.randn(objective.linear.size, generator=generator(number), dtype=torch.float64)
        expected = slopes(objective, at.vector, direction)
        assert float(gradient @ direction) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_gradient(metric):
    # In pykan, edge_forward_sum has none.
    objective = make(plain(), Penalty(1.0, reg_metric=metric))
    assert float(objective.penalty_gradient(objective.start()).abs().max()) > 1e-3


def test_named_edges_count_where_the_metric_says_so():
    network = all_named()
    for metric, counts in (("edge_forward_sum", True), ("edge_forward_spline_n", False)):
        at = make(network, Penalty(1.0, reg_metric=metric)).start()
        assert (at.reg > 0.1) == counts


def test_pykans_metrics_are_not_scaled_by_the_labels():
    at = make(plain(), Penalty(0.3, reg_metric="edge_forward_spline_u")).start()
    assert at.value == pytest.approx(at.loss + 0.3 * at.reg, rel=1e-12)


@pytest.mark.parametrize("kind", [plain, masked, named])
def test_coefficients_cost_what_the_docstring_says(kind):
    network = kind()
    objective = make(network, Penalty(1.0, 0.0, 0.0, lamb_coef=0.7, lamb_coefdiff=0.2))
    total = 0.0
    for l, layer in enumerate(network.kan_layers()):
        coef = (layer.weights()[..., :-1] / (objective.scale if l == network.depth - 1 else 1.0)).detach()
        size, rise = coef.abs().sum() / layer.out_dim, coef.diff(dim=-1).abs().sum() / layer.out_dim
        total += float(0.7 * size + 0.2 * rise)
    # Each of the hundred or so coefficients is smoothed by less than 1e-4.
    assert objective.start().reg == pytest.approx(total, abs=1e-2)


@pytest.mark.parametrize("kind", [plain, masked, named])
def test_coefficient_curvature_is_symmetric_and_bounds_the_penalty(kind):
    objective = make(kind(), Penalty(0.7, 0.0, 0.0, lamb_coef=0.5, lamb_coefdiff=0.9))
    at = objective.start()
    half = torch.zeros(objective.linear.size, objective.linear.size, dtype=torch.float64)
    objective.add_half_penalty_curvature(at, half)
    torch.testing.assert_close(half, half.T, rtol=0, atol=1e-12)
    pull = objective.penalty_gradient(at)
    for number in range(6):
        move = torch.randn(len(pull), generator=generator(number), dtype=torch.float64) * 10.0 ** (number % 4 - 2)
        there = objective.evaluate(at.vector + move)
        model = objective.strength * at.reg + float(pull @ move + move @ half @ move)
        assert objective.strength * there.reg <= model * (1 + 1e-9)


@pytest.mark.parametrize("kind", [plain, several_outputs, named])
def test_gradient_with_a_loss_of_ones_own(kind):
    network = kind()
    objective = make(network, PENALTY, loss_fn=lambda p, y: torch.nn.functional.smooth_l1_loss(p, y, beta=0.5))
    at = objective.start()
    with torch.no_grad():
        x = objective.linear.x.T
        expected = torch.nn.functional.smooth_l1_loss(network(x), labels(x, network.n_out), beta=0.5)
    assert at.loss == pytest.approx(float(expected), rel=1e-12)
    gradient = objective.gradient(at)
    direction = torch.randn(objective.linear.size, generator=generator(0), dtype=torch.float64)
    assert float(gradient @ direction) == pytest.approx(slopes(objective, at.vector, direction), rel=1e-5)


def test_class_indices_reach_the_loss_as_they_are():
    network = several_outputs()
    x = points(30, 3)
    y = torch.arange(30) % 4
    objective = Objective(network, x.T.contiguous(), y, None, torch.nn.CrossEntropyLoss())
    at = objective.start()
    with torch.no_grad():
        assert at.loss == pytest.approx(float(torch.nn.functional.cross_entropy(network(x), y)), rel=1e-12)
    direction = torch.randn(objective.linear.size, generator=generator(0), dtype=torch.float64)
    assert float(objective.gradient(at) @ direction) == pytest.approx(slopes(objective, at.vector, direction), rel=1e-5)


@pytest.mark.parametrize("kind", [plain, products, named])
def test_penalty_gradient_is_the_part_of_the_penalty(kind):
    network = kind()
    with_penalty, without = make(network, PENALTY), make(network)
    at = with_penalty.start()
    difference = with_penalty.gradient(at) - without.gradient(without.start())
    torch.testing.assert_close(with_penalty.penalty_gradient(at), difference, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("factor", [1e-6, 40.0])
def test_lamb_means_the_same_in_any_unit_of_the_labels(factor):
    network, scaled = plain(), plain()
    with torch.no_grad():
        scaled.layer(1).coef *= factor
        scaled.layer(1).scale_base *= factor
    x = points(50, 2)
    y = labels(x, 1)
    value = Objective(network, x.T, y.T, PENALTY).start()
    other = Objective(scaled, x.T, factor * y.T, PENALTY).start()
    assert other.reg == pytest.approx(value.reg, rel=1e-10)
    assert other.value == pytest.approx(factor**2 * value.value, rel=1e-10)


def test_lamb_means_the_same_in_any_unit_of_the_inputs():
    # With base x, a stretched grid and scale_base divided by the unit make the same function of stretched inputs.
    network, scaled = broken_lines(), broken_lines()
    unit = torch.tensor([1e-9, 300.0], dtype=torch.float64)
    with torch.no_grad():
        scaled.layer(0).knots.mul_(unit[:, None])
        scaled.layer(0).scale_base.div_(unit[:, None])
    x = points(50, 2)
    y = labels(x, 1)
    value = Objective(network, x.T, y.T, PENALTY).start()
    other = Objective(scaled, (x * unit).T, y.T, PENALTY).start()
    assert other.loss == pytest.approx(value.loss, rel=1e-9)
    assert other.reg == pytest.approx(value.reg, rel=1e-9)


@pytest.mark.parametrize("kind", [plain, masked, several_outputs])
def test_curvature_model_is_symmetric_and_never_negative(kind):
    objective = make(kind(), PENALTY)
    size = objective.linear.size
    hessian = torch.zeros(size, size, dtype=torch.float64)
    objective.add_half_penalty_curvature(objective.start(), hessian)
    torch.testing.assert_close(hessian, hessian.T, rtol=0, atol=1e-12)
    eigenvalues = torch.linalg.eigvalsh(hessian)
    assert float(eigenvalues[0]) > -1e-9 * float(eigenvalues[-1])
    assert float(eigenvalues[-1]) > 0


def test_curvature_model_lies_above_the_penalty_where_units_stand_still():
    # In a single layer the units are the data's own, and the sum of magnitudes is concave in their squares:
    # the quadratic model then bounds the penalty from above, from any point, for any step.
    network = Network([3, 2], grid=4, seed=3)
    objective = make(network, Penalty(0.7, lamb_l1=1.0, lamb_entropy=0.0))
    at = objective.start()
    half = torch.zeros(objective.linear.size, objective.linear.size, dtype=torch.float64)
    objective.add_half_penalty_curvature(at, half)
    pull = objective.penalty_gradient(at)
    for number in range(10):
        move = torch.randn(len(pull), generator=generator(number), dtype=torch.float64) * 10.0 ** (number % 4 - 2)
        there = objective.evaluate(at.vector + move)
        model = objective.strength * at.reg + float(pull @ move + move @ half @ move)
        assert objective.strength * there.reg <= model * (1 + 1e-9)


def test_held_parameters_have_no_gradient():
    objective = make(plain(), PENALTY)
    at = objective.start()
    full = objective.gradient(at)
    free = (torch.arange(objective.linear.size) % 2).double()
    objective.hold(free)
    assert torch.equal(objective.gradient(at), full * free)
    objective.hold(torch.ones_like(free))
    assert objective.free is None
    assert torch.equal(objective.gradient(at), full)


def test_frozen_tensors_are_held_from_the_start():
    network = plain()
    network.layer(1).scale_base.requires_grad_(False)
    objective = make(network)
    assert objective.free is not None
    assert int((objective.free == 0).sum()) == 3


@pytest.mark.parametrize("constant", [0.0, 5.0])
def test_constant_labels_and_inputs_give_finite_numbers(constant):
    network = plain()
    x = torch.full((20, 2), constant, dtype=torch.float64)
    objective = Objective(network, x.T, torch.full((1, 20), constant, dtype=torch.float64), PENALTY)
    at = objective.start()
    assert math.isfinite(at.value)
    assert bool(objective.gradient(at).isfinite().all())


def test_like_makes_the_same_objective_for_another_network():
    objective = make(plain(), PENALTY)
    other = plain()
    with torch.no_grad():
        other.layer(0).coef.mul_(0.5)
    like = objective.like(other)
    assert like.penalty is PENALTY
    assert like.start().value == make(other, PENALTY).start().value
    assert like.start().value != objective.start().value


def test_regularisation_is_not_computed_where_lamb_is_zero():
    at = make(plain(), Penalty(0.0, 5.0, 5.0)).start()
    assert at.reg == 0.0
    assert at.value == at.loss
