"""What every optimiser promises, tested once over all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kanlab.engine import solvers
from kanlab.engine.network import Network
from kanlab.engine.objective import Objective
from kanlab.engine.penalty import Penalty
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.symbolic import library
from tests.engine.cases import KINDS, named, plain, points

Make = Callable[[Objective], solvers.Solver]
NAMES = [name for name in solvers.NAMES if name != "auto"]
DESCENDING = ["LM", "LBFGS"]
PENALTY = Penalty(lamb=1e-2)


@pytest.fixture(params=NAMES)
def make(request) -> Make:
    return lambda objective: solvers.make(request.param, objective)


@pytest.fixture(params=DESCENDING)
def make_descending(request) -> Make:
    return lambda objective: solvers.make(request.param, objective)


def labels(x: Tensor, n_out: int) -> Tensor:
    return torch.stack([torch.sin(2 * x[:, 0] + j) + x[:, -1] ** 2 for j in range(n_out)], 1)


def objective_of(network: Network, penalty: Penalty | None = None, n: int = 80) -> Objective:
    x = points(n, network.n_in, seed=5)
    return Objective(network, x.T.contiguous(), labels(x, network.n_out).T.contiguous(), penalty)


def fresh() -> Network:
    return Network([2, 3, 1], grid=3, seed=1)


def run(solver: solvers.Solver, steps: int) -> list[float]:
    return [solver.step().value for _ in range(steps)]


@pytest.mark.parametrize("penalty", [None, PENALTY])
def test_steps_lower_the_objective(make, penalty):
    solver = make(objective_of(fresh(), penalty))
    start = solver.current.value
    assert min(run(solver, 25)) < 0.7 * start


@pytest.mark.parametrize("kind", KINDS)
def test_descent_never_goes_up_on_any_kind_of_network(make_descending, kind):
    solver = make_descending(objective_of(kind(), PENALTY))
    values = [solver.current.value, *run(solver, 6)]
    assert all(after <= before for before, after in itertools.pairwise(values))
    assert values[-1] < values[0]


@pytest.mark.parametrize("penalty", [None, PENALTY])
def test_what_a_step_returns_is_what_the_network_now_is(make, penalty):
    network = fresh()
    objective = objective_of(network, penalty)
    solver = make(objective)
    for _ in range(3):
        result = solver.step()
        assert result is solver.current
        torch.testing.assert_close(objective.linear.read(), result.vector, rtol=0, atol=1e-14)
        assert objective.start().value == pytest.approx(result.value, rel=1e-12)
        torch.testing.assert_close(network(objective.linear.x.T).T, result.tape.output, rtol=1e-12, atol=1e-12)


def test_two_runs_are_the_same(make):
    first, second = (run(make(objective_of(fresh(), PENALTY)), 5) for _ in range(2))
    assert first == second


def test_global_random_numbers_are_left_alone(make):
    state = torch.get_rng_state()
    run(make(objective_of(fresh(), PENALTY)), 3)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("penalty", [None, PENALTY])
def test_frozen_parameters_stay(make, penalty):
    network = named()
    network.layer(0).coef.requires_grad_(False)
    network.layer(1).affine.requires_grad_(False)
    frozen = {name: p.clone() for name, p in network.named_parameters() if not p.requires_grad}
    moving = {name: p.detach().clone() for name, p in network.named_parameters() if p.requires_grad}
    solver = make(objective_of(network, penalty))
    run(solver, 4)
    now = dict(network.named_parameters())
    for name, before in frozen.items():
        # Coefficients pass through a product with scale_sp and back, which may round.
        torch.testing.assert_close(now[name], before, rtol=1e-15, atol=1e-15)
    for name in ("layers.0.scale_base", "layers.0.affine", "layers.1.coef"):
        assert not torch.equal(now[name].detach(), moving[name]), name


def test_held_parameters_stay(make):
    objective = objective_of(named(), PENALTY)
    free = (torch.arange(objective.linear.size) % 3 != 0).double()
    objective.hold(free)
    before = objective.linear.read()
    solver = make(objective)
    run(solver, 4)
    assert torch.equal(solver.current.vector[free == 0], before[free == 0])
    assert bool((solver.current.vector != before)[free == 1].any())


def test_nothing_to_train_is_done_without_change(make):
    network = Network([2, 1], seed=0)
    for i in range(2):
        network.layer(0).remove(i, 0)
    solver = make(objective_of(network))
    assert solver.step().value == solver.step().value
    assert math.isfinite(solver.current.value)


def test_everything_frozen_changes_nothing(make):
    network = plain().requires_grad_(False)
    before = [p.clone() for p in network.parameters()]
    solver = make(objective_of(network, PENALTY))
    start = solver.current.value
    assert run(solver, 2)[-1] == pytest.approx(start, rel=1e-12)
    for a, b in zip(network.parameters(), before, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-15, atol=1e-15)


def test_rebase_goes_on_from_the_same_parameters_with_another_penalty(make):
    network = fresh()
    solver = make(objective_of(network))
    run(solver, 5)
    vector = solver.current.vector.clone()
    harder = objective_of(network, Penalty(lamb=0.3))
    solver.rebase(harder)
    assert solver.objective is harder
    assert not solver.done
    torch.testing.assert_close(solver.current.vector, vector, rtol=0, atol=1e-14)
    assert solver.current.value == pytest.approx(harder.evaluate(vector).value, rel=1e-12)
    start = solver.current.value
    assert min(run(solver, 12)) < 0.97 * start


def test_restart_takes_a_new_grid(make):
    network = fresh()
    solver = make(objective_of(network))
    run(solver, 5)
    network.update_grid_from_samples(points(80, 2, seed=5), grid=7)
    finer = objective_of(network)
    solver.restart(finer)
    assert solver.current.vector.shape == (finer.linear.size,)
    assert solver.current.value == pytest.approx(finer.start().value, rel=1e-12)
    start = solver.current.value
    assert min(run(solver, 20)) < 0.9 * start


def test_descent_ends_when_it_can_go_no_lower(make_descending):
    # A single layer without penalty is a linear least-squares problem.
    objective = objective_of(Network([2, 1], grid=3, base_fun="zero", seed=0), n=60)
    solver = make_descending(objective)
    for _ in range(200):
        if solver.done:
            break
        solver.step()
    assert solver.done
    bases = objective.linear.jacobian(solver.current.tape).flatten(1).T
    best = torch.linalg.lstsq(bases, objective.y.flatten()[:, None], driver="gelsd").solution
    least = float((bases @ best - objective.y.flatten()[:, None]).square().mean())
    assert solver.current.value == pytest.approx(least, rel=1e-6)
    settled = solver.current.value
    assert solver.step().value <= settled


def test_levenberg_marquardt_reaches_a_stationary_point_of_the_penalised_objective():
    objective = objective_of(Network([3, 2], grid=4, seed=3), Penalty(lamb=5e-2))
    solver = LevenbergMarquardt(objective)
    start = float(objective.gradient(solver.current).norm())
    for _ in range(100):
        if not solver.done:
            solver.step()
    assert float(objective.gradient(solver.current).norm()) < 1e-6 * start


def test_descent_turns_back_at_the_edge_of_a_domain(make_descending):
    network = Network([2, 1, 1], seed=0)
    network.layer(1).fix(0, 0, library.get("sqrt"), (1.0, 3.0, 1.0, 0.0))
    solver = make_descending(objective_of(network))
    values = run(solver, 10)
    assert all(math.isfinite(value) for value in values)
    assert values[-1] < values[0]
    assert bool(network(solver.objective.linear.x.T).isfinite().all())


@pytest.mark.parametrize("n", [1, 3])
def test_fewer_rows_than_parameters(make_descending, n):
    solver = make_descending(objective_of(fresh(), PENALTY, n=n))
    start = solver.current.loss
    run(solver, 25)
    assert solver.current.loss < 0.1 * start + 1e-3


def test_single_precision(make):
    x = points(60, 2, dtype=torch.float32)
    network = Network([2, 3, 1], seed=1, dtype=torch.float32)
    solver = make(Objective(network, x.T.contiguous(), labels(x, 1).T.contiguous(), PENALTY))
    start = solver.current.value
    assert min(run(solver, 20)) < 0.8 * start
    assert solver.current.vector.dtype == torch.float32


# ---- which solver


def test_auto_takes_second_order_while_it_is_affordable():
    assert solvers.choose("auto", objective_of(fresh())) == "LM"
    wide = Network([60, 10, 1], grid=5, seed=0)
    x = points(5, 60)
    assert solvers.choose("auto", Objective(wide, x.T, labels(x, 1).T)) == "LBFGS"
    huge = Network([200, 40, 1], grid=5, seed=0)
    x = points(5, 200)
    assert solvers.choose("auto", Objective(huge, x.T, labels(x, 1).T)) == "Adam"


@pytest.mark.parametrize(
    ("loss_fn", "chosen"),
    [
        (torch.nn.functional.mse_loss, "LM"),
        (lambda p, y: (p - y).cosh().log().mean(), "LM"),
        (torch.nn.functional.l1_loss, "LBFGS"),
    ],
    ids=["squares", "log cosh", "absolute"],
)
def test_auto_takes_second_order_for_losses_that_curve(loss_fn, chosen):
    x = points(20, 2)
    objective = Objective(fresh(), x.T, labels(x, 1).T, loss_fn=loss_fn)
    assert solvers.choose("auto", objective) == chosen


def test_second_order_is_refused_where_the_loss_has_no_curvature():
    x = points(20, 2)
    objective = Objective(fresh(), x.T, labels(x, 1).T, loss_fn=torch.nn.functional.l1_loss)
    with pytest.raises(ValueError, match='twice differentiable, or "LBFGS", "Adam" or "auto"'):
        solvers.choose("LM", objective)


def test_rows_of_all_outputs_count_for_what_is_affordable():
    network = Network([2, 10, 10], grid=20, seed=0)
    x = points(3000, 2)
    classes = torch.arange(3000) % 10
    one = Objective(Network([2, 10, 1], grid=20, seed=0), x.T, labels(x, 1).T)
    ten = Objective(network, x.T, classes, loss_fn=torch.nn.functional.cross_entropy)
    assert solvers.choose("auto", one) == "LM"
    assert solvers.choose("auto", ten) == "LBFGS"


@pytest.mark.parametrize("name", ["SGD", "lm", "", None])
def test_unknown_solvers_are_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match="allowed are 'auto', 'LM', 'LBFGS', 'Adam'"):
        solvers.choose(name, objective_of(fresh()))


# ---- Levenberg-Marquardt alone


def test_levenberg_marquardt_finds_what_can_be_found_exactly_within_rounding():
    network = Network([1, 1, 1], seed=0)
    network.layer(0).fix(0, 0, library.get("sin"), (2.8, 0.1, 0.9, 0.0))
    network.layer(1).fix(0, 0, library.get("exp"), (1.1, 0.0, 0.9, 0.0))
    x = points(200, 1)
    objective = Objective(network, x.T, torch.exp(torch.sin(3 * x)).T)
    solver = LevenbergMarquardt(objective)
    steps = 0
    while not solver.done and steps < 40:
        solver.step()
        steps += 1
    assert solver.done
    assert solver.current.loss < 1e-30
    assert abs(float(network.layer(0).affine[0, 0, 0].detach()) - 3) < 1e-12


def test_first_step_of_levenberg_marquardt_solves_the_damped_normal_equations():
    objective = objective_of(Network([3, 2, 4], seed=0))
    solver = LevenbergMarquardt(objective, damping=10.0)  # enough for the first trial to be taken
    start = solver.current
    jacobian = objective.linear.jacobian(start.tape).flatten(1)
    residual = objective.residual(start).flatten()
    hessian = jacobian @ jacobian.T / len(residual)
    scale = hessian.diagonal().clamp_min(1e-6 * float(hessian.diagonal().max()))
    move = torch.linalg.solve(hessian + 10.0 * torch.diag(scale), jacobian @ residual / len(residual))
    solver.step()
    torch.testing.assert_close(solver.current.vector - start.vector, move, rtol=1e-6, atol=1e-9)
