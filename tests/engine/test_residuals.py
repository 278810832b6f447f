"""Losses of residuals are the sums of mean squares they say, their linearisation that of finite differences."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from kanlab.engine import solvers
from kanlab.engine.jets import Derivatives
from kanlab.engine.network import Network
from kanlab.engine.penalty import Penalty
from kanlab.engine.residuals import Evaluator, ResidualObjective, collocation_points
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from tests.engine.cases import KINDS, generator, named, plain, points, products, rough, several_outputs

NO_LABELS = torch.zeros(1, 0, dtype=torch.float64)


def make(network: Network, residual_fn, penalty: Penalty | None = None, x: Tensor | None = None, y=NO_LABELS):
    if x is None:
        x = collocation_points(network, residual_fn)
    return ResidualObjective(network, x.T.contiguous(), y, residual_fn, penalty)


def all_orders(u: Evaluator) -> list[Tensor]:
    """Nonlinear in values, slopes and second derivatives, in two terms at different points."""
    n_in = u.linear.network.n_in
    inside, edge = points(6, n_in, seed=3), points(4, n_in, seed=4)
    at, there = u(inside), u(edge, order=1)
    waves = 0.01 * at.laplacian + at.value.sin() * at.first[..., -1] + 0.01 * at.second[..., 0, -1] * at.value
    return [waves, 2 * (there.value[:, 0] + there.first[:, 0, 0] ** 2 - 1)]


def weighed(objective: ResidualObjective, vector: Tensor) -> Tensor:
    """All residuals, weighed so that the loss is the sum of their squares."""
    terms = objective.evaluate(vector).terms
    return torch.cat([term.detach().flatten() / math.sqrt(term.numel()) for term in terms])


def along(f, vector: Tensor, direction: Tensor, step: float = 1e-6) -> Tensor:
    return (f(vector + step * direction) - f(vector - step * direction)) / (2 * step)


def check_normal_equations(objective: ResidualObjective) -> None:
    """Along a few directions, in all of which every parameter takes part."""
    at = objective.start()
    hessian, descent = objective.normal_equations(at)
    directions = torch.randn(len(at.vector), 6, generator=generator(7), dtype=torch.float64)
    changes = torch.stack([along(lambda v: weighed(objective, v), at.vector, d) for d in directions.T], 1)
    expected = changes.T @ changes
    scale = float(expected.diagonal().max())
    torch.testing.assert_close(directions.T @ hessian @ directions, expected, rtol=1e-5, atol=1e-7 * scale)
    residual = weighed(objective, at.vector)
    torch.testing.assert_close(directions.T @ descent, -changes.T @ residual, rtol=1e-5, atol=1e-7 * scale)
    torch.testing.assert_close(objective.gradient(at), -2 * descent, rtol=1e-9, atol=1e-9 * scale)
    assert at.loss == pytest.approx(float(residual.square().sum()), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_normal_equations_are_those_of_finite_differences(kind):
    check_normal_equations(make(kind(), all_orders))


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_normal_equations_for_splines_of_any_degree(k):
    check_normal_equations(make(rough(Network([2, [2, 1], 1], grid=3, k=k, seed=k), k), all_orders))


# ---- which sample belongs to which row

X = points(8, 2, seed=6)


def sliced(u: Evaluator) -> list[Tensor]:
    at = u(X)
    return [at.laplacian[:5], at.value[5:]]


def shuffled(u: Evaluator) -> Tensor:
    return u(X).value[[3, 1, 0, 2, 7, 6, 5, 4]] ** 2


def integral(u: Evaluator) -> Tensor:
    return u(X, order=1).value.square().mean() - 0.5


def sums(u: Evaluator) -> Tensor:
    return u(X, order=1).first[:, 0].unflatten(0, (4, 2)).prod(1)


def periodic(u: Evaluator) -> Tensor:
    left, right = u(X, order=1), u(X + torch.tensor([1.0, 0.0]), order=1)
    return torch.cat([left.value - right.value, left.first[:, 0] * right.first[:, 0]], 1)


def dead(u: Evaluator) -> Tensor:
    """Has no slope by half of the samples."""
    return (u(X, order=0).value - 0.3).relu()[1:]


@pytest.mark.parametrize("residual_fn", [sliced, shuffled, integral, sums, periodic, dead])
def test_rows_may_be_any_samples_or_sums_of_samples(residual_fn):
    check_normal_equations(make(plain(), residual_fn))


def test_rows_found_where_many_samples_have_no_slope_are_not_taken_for_granted():
    order, slope = torch.tensor([0, 1, 2, 3, 7, 6, 5, 4]), [0.0]

    def bent(u: Evaluator) -> Tensor:
        value = u(X, order=0).value[order]
        return torch.cat([value[:4], slope[0] * value[4:]])

    objective = make(plain(), bent)
    objective.normal_equations(objective.start())
    slope[0] = 1.0
    check_normal_equations(objective)


def test_terms_in_single_precision_are_taken_in_the_models_own():
    check_normal_equations(
        make(plain(), lambda u: [u(X).value, torch.zeros(8, dtype=torch.float32) + u(X).laplacian[:, 0]])
    )


def test_a_slope_that_is_not_finite_is_no_step():
    def root(u: Evaluator) -> Tensor:
        return (u(X, order=0).value * 0).sqrt() + 1  # the slope of the root at 0, times 0

    solver = LevenbergMarquardt(make(plain(), root))
    solver.step()
    assert solver.done
    assert solver.current.value == 1.0


def test_samples_that_take_part_in_several_rows_are_refused_with_advice():
    def differences(u: Evaluator) -> Tensor:
        return u(X, order=0).value.diff(dim=0)

    objective = make(plain(), differences)
    with pytest.raises(
        ValueError, match=r"residual term 0: a sample of call 0 of u takes part in several rows; .*once more"
    ):
        objective.normal_equations(objective.start())

    def twice(u: Evaluator) -> Tensor:
        return u(X[1:], order=0).value - u(X[:-1], order=0).value

    check_normal_equations(make(plain(), twice))


def test_mean_of_all_samples_in_every_row_is_refused():
    def centred(u: Evaluator) -> Tensor:
        value = u(X, order=0).value
        return value - value.mean()

    objective = make(plain(), centred)
    with pytest.raises(ValueError, match="takes part in several rows"):
        objective.normal_equations(objective.start())


# ---- labels, penalty, parameters held


def test_labels_are_one_more_term():
    network = several_outputs()
    x, y = points(7, 3, seed=8), torch.randn(7, 4, generator=generator(1), dtype=torch.float64)

    def spelt_out(u: Evaluator) -> list[Tensor]:
        return [*all_orders(u), u(x, order=0).value - y]

    everything = torch.cat([x, collocation_points(network, all_orders)])
    labelled, without = make(network, all_orders, x=everything, y=y.T), make(network, spelt_out)
    assert labelled.start().value == pytest.approx(without.start().value, rel=1e-12)
    torch.testing.assert_close(labelled.gradient(labelled.start()), without.gradient(without.start()))
    # The penalty is in units of the labels, where there are any.
    assert labelled.scale == pytest.approx(float(y.std(0, correction=0).mean()))
    assert without.scale == 1.0


@pytest.mark.parametrize("kind", [plain, products, named])
def test_the_penalty_looks_at_all_points(kind):
    penalty = Penalty(0.3)
    objective = make(kind(), all_orders, penalty)
    at = objective.start()
    assert at.reg > 0
    assert at.value == pytest.approx(at.loss + 0.3 * at.reg)
    assert objective.linear.x.shape[1] == 10
    for number in range(4):
        direction = torch.randn(len(at.vector), generator=generator(number), dtype=torch.float64)
        ahead, behind = (objective.evaluate(at.vector + sign * 1e-6 * direction).value for sign in (1, -1))
        assert float(objective.gradient(at) @ direction) == pytest.approx((ahead - behind) / 2e-6, rel=1e-5)
    _, descent = objective.normal_equations(at)
    torch.testing.assert_close(descent, -0.5 * objective.gradient(at), rtol=1e-9, atol=1e-9)


def test_held_and_frozen_parameters_are_left_out():
    network = named()
    network.layer(0).coef.requires_grad_(False)
    objective = make(network, all_orders)
    free = objective.linear.trainable()
    assert 0 < int(free.sum()) < len(free)
    hessian, descent = objective.normal_equations(objective.start())
    assert not descent[free == 0].any()
    assert not hessian[:, free == 0].any()
    assert not objective.gradient(objective.start())[free == 0].any()


def test_like_is_the_same_for_another_network():
    network = plain()
    objective = make(network, all_orders)
    other = rough(Network([2, 3, 1], grid=4, seed=9))
    again = objective.like(other, Penalty(0.1))
    assert again.start().loss == pytest.approx(make(other, all_orders).start().loss, rel=1e-12)
    assert again.start().reg > 0


# ---- the model as a function


def test_u_gives_the_derivatives_of_the_network():
    network = products()
    seen: list[Derivatives] = []

    def listening(u: Evaluator) -> Tensor:
        seen.append(u(X))
        return seen[-1].value

    make(network, listening).start()
    from_network = torch.autograd.functional.hessian(lambda x: network(x[None])[0, 0], X[2])
    torch.testing.assert_close(seen[-1].second[2, 0].detach(), from_network, rtol=1e-9, atol=1e-9)
    assert seen[-1].order == 2


def test_points_may_change_from_one_evaluation_to_the_next():
    shift = [0.0]

    def moving(u: Evaluator) -> Tensor:
        return u(X + shift[0], order=0).value

    network = plain()
    objective = make(network, moving)
    with torch.no_grad():
        for value in (0.0, 0.1, 0.0):
            shift[0] = value
            assert objective.start().loss == pytest.approx(float(network(X + value).square().mean()), rel=1e-12)


def test_collocation_points_are_all_that_are_asked_for():
    network = plain()
    found = collocation_points(network, lambda u: [u(X[:3]).value, u(X[5:], order=0).value])
    assert torch.equal(found, torch.cat([X[:3], X[5:]]))


def test_rows_are_counted_over_all_terms():
    assert make(several_outputs(), all_orders).rows == 6 * 4 + 4


@pytest.mark.parametrize(
    ("residual_fn", "error", "message"),
    [
        (lambda u: [], ValueError, "returned no terms"),
        (lambda u: None, TypeError, "residual_fn returned NoneType; a tensor"),
        (lambda u: [u(X).value, 3.0], TypeError, r"residual term 1 is float; a tensor \[n\] or \[n, m\]"),
        (lambda u: u(X).first, ValueError, r"residual term 0 is torch.float64 of shape \(8, 1, 2\)"),
        (lambda u: u(X).value > 0, ValueError, "residual term 0 is torch.bool"),
        (lambda u: u(X).value[:0], ValueError, r"of shape \(0, 1\)"),
        (lambda u: torch.ones(3), ValueError, "never called u"),
        (lambda u: u(X, order=3).value, ValueError, "order is 3; allowed are 0"),
        (lambda u: u(X[:, :1]).value, ValueError, r"takes \[batch, 2\]"),
        (lambda u: u(X, order=1).laplacian, ValueError, "ask with order=2"),
    ],
    ids=["none", "nothing", "number", "three axes", "truth values", "empty", "not asked", "order", "width", "too low"],
)
def test_what_cannot_be_a_residual_is_refused(residual_fn, error, message):
    with pytest.raises(error, match=message):
        collocation_points(plain(), residual_fn)


def test_a_term_without_the_model_in_it_is_refused():
    objective = make(plain(), lambda u: [u(X).value, u(X).value.detach()])
    with pytest.raises(ValueError, match="residual term 1 does not depend on the model"):
        objective.normal_equations(objective.start())


# ---- solving


@pytest.mark.parametrize("name", ["LM", "LBFGS", "Adam"])
def test_every_solver_lowers_it(name):
    objective = make(Network([2, 3, 1], seed=1), all_orders, Penalty(1e-3))
    solver = solvers.make(name, objective)
    values = [solver.current.value, *(solver.step().value for _ in range(5 if name == "LBFGS" else 20))]
    assert min(values) < 0.5 * values[0]
    assert objective.start().value == pytest.approx(solver.current.value, rel=1e-9)


def test_auto_takes_second_order_for_residuals():
    assert solvers.choose("auto", make(plain(), all_orders)) == "LM"


def test_an_oscillator_swings():
    """u'' = -u, u(0) = 0, u'(0) = 1 on [0, 2 pi]: linear in the weights of one layer, so one solution."""
    t = torch.linspace(0, 2 * math.pi, 80, dtype=torch.float64)[:, None]
    start = torch.zeros(1, 1, dtype=torch.float64)

    def residual_fn(u: Evaluator) -> list[Tensor]:
        along, begin = u(t), u(start, order=1)
        return [along.second[:, 0, 0, 0] + along.value[:, 0], begin.value, begin.first[:, 0] - 1]

    network = Network([1, 1], grid=16, k=5, seed=0, grid_range=(0, 2 * math.pi))
    solver = LevenbergMarquardt(make(network, residual_fn))
    for _ in range(30):
        if not solver.done:
            solver.step()
    between = torch.linspace(0, 2 * math.pi, 333, dtype=torch.float64)[:, None]
    with torch.no_grad():
        # Quintic splines on intervals of 0.4: (0.4 / 2)^6 / 6! per derivative left over.
        assert float((network(between) - between.sin()).abs().max()) < 1e-6


def test_single_precision():
    network = Network([2, 3, 1], seed=1, dtype=torch.float32)
    objective = ResidualObjective(network, X.float().T, torch.zeros(1, 0), lambda u: u(X).laplacian - 1)
    solver = LevenbergMarquardt(objective)
    start = solver.current.value
    for _ in range(10):
        solver.step()
    assert solver.current.vector.dtype == torch.float32
    assert solver.current.value < 0.1 * start
