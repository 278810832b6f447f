"""Differential equations through the public `fit`: with and without data, with penalties, starts and growing grids."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from kanlab import KAN, Penalty
from kanlab.engine.fit import SAMPLE_LIMIT
from kanlab.engine.residuals import Evaluator

T = torch.linspace(0, 2 * math.pi, 60, dtype=torch.float64)[:, None]
ZERO = torch.zeros(1, 1, dtype=torch.float64)
BETWEEN = torch.linspace(0, 2 * math.pi, 211, dtype=torch.float64)[:, None]
MESH = torch.cartesian_prod(*[torch.linspace(-1, 1, 15, dtype=torch.float64)] * 2)
EDGE = MESH[(MESH.abs() == 1).any(1)]


def oscillator(u: Evaluator) -> Tensor:
    """u'' = -u, which has two free constants."""
    at = u(T)
    return at.second[:, 0, 0, 0] + at.value[:, 0]


def system(u: Evaluator) -> list[Tensor]:
    """x' = v, v' = -x, from (0, 1) on: sine and cosine."""
    at = u(T, order=1)
    x, v = at.value.unbind(1)
    return [at.first[:, 0, 0] - v, at.first[:, 1, 0] + x, u(ZERO, order=0).value - torch.tensor([0.0, 1.0])]


def poisson(u: Evaluator) -> list[Tensor]:
    """The sum of second derivatives of sin(pi x) sin(pi y), which vanishes on the edge."""
    source = -2 * math.pi**2 * torch.sin(math.pi * MESH).prod(1, keepdim=True)
    return [0.1**0.5 * (u(MESH).laplacian - source), u(EDGE, order=0).value]


def swing(**options) -> KAN:
    return KAN([1, 2], **{"grid": 12, "k": 5, "grid_range": (0, 2 * math.pi), "seed": 0, **options})


def error(model: KAN, truth: Tensor) -> float:
    with torch.no_grad():
        return float((model(BETWEEN) - truth).abs().max())


def test_a_system_of_first_order_is_solved_without_data():
    model = swing()
    truth = torch.cat([BETWEEN.sin(), BETWEEN.cos()], 1)
    dataset = {"test_input": BETWEEN, "test_label": truth}
    history = model.fit(dataset, residual_fn=system, steps=20, log=0)
    assert error(model, truth) < 1e-5
    assert min(history["train_loss"]) < 1e-9
    assert history["test_loss"][-1] == pytest.approx(float((model(BETWEEN) - truth).square().mean().sqrt().detach()))


def test_data_and_an_equation_decide_together():
    # Three labels alone say nothing of what lies between; the equation alone leaves two constants open.
    x = torch.tensor([[0.5], [2.0], [5.0]], dtype=torch.float64)
    dataset = {"train_input": x, "train_label": 2 * x.sin() + x.cos()}
    model = KAN([1, 1], grid=12, k=5, seed=0)
    history = model.fit(dataset, residual_fn=oscillator, steps=20, log=0)
    assert error(model, 2 * BETWEEN.sin() + BETWEEN.cos()) < 1e-5
    assert all(math.isnan(value) for value in history["test_loss"])


def test_the_loss_told_is_the_sum_of_mean_squares():
    model = swing()
    for step in model.fit_steps(residual_fn=system, steps=3):
        with torch.no_grad():
            found = model.derivatives(T, order=1)
            x, v = found.value.unbind(1)
            terms = [found.first[:, 0, 0] - v, found.first[:, 1, 0] + x, model(ZERO) - torch.tensor([0.0, 1.0])]
        assert step.train_loss == pytest.approx(float(sum(term.square().mean() for term in terms)), rel=1e-9)
        assert step.objective == step.train_loss
        assert step.solver == "LM"


@pytest.mark.parametrize(("opt", "steps"), [("LBFGS", 3), ("Adam", 12)])
def test_first_order_solvers_take_residuals_too(opt, steps):
    model = swing(grid=5, k=3)
    start = next(model.copy().fit_steps(residual_fn=system, opt="Adam", steps=1)).train_loss
    history = model.fit(residual_fn=system, opt=opt, steps=steps, lr=0.1 if opt == "Adam" else None, log=0)
    assert min(history["train_loss"]) < 0.3 * start


def test_poisson_by_several_starts_and_a_finer_grid():
    model = KAN([2, 2, 1], grid=[2, 6], k=5, base_fun="identity", noise_scale=0.02, seed=1)
    model.fit(residual_fn=poisson, steps=15, restarts=6, log=0)
    model = model.refine([2, 12])
    model.fit(residual_fn=poisson, steps=12, log=0)
    x = torch.cartesian_prod(*[torch.linspace(-1, 1, 31, dtype=torch.float64)] * 2)
    with torch.no_grad():
        error = (model(x)[:, 0] - torch.sin(math.pi * x).prod(1)).square().mean()
    assert float(error) < 1e-6


def test_grids_grow_without_rows_held_out():
    model = swing(grid=3)
    steps = list(model.fit_steps(residual_fn=system, steps=8, grids=[4, 8]))
    assert model.grid == [8]
    assert [step.index for step in steps] == list(range(len(steps)))
    assert error(model, torch.cat([BETWEEN.sin(), BETWEEN.cos()], 1)) < 1e-3


def test_multiplication_nodes_and_named_edges_take_part():
    """u = exp(-x) sin(y): u_xx + u_yy = 0 with u given on the edge; sin is named with other numbers."""

    def truth(x: Tensor) -> Tensor:
        return (torch.exp(-x[:, 0]) * torch.sin(x[:, 1]))[:, None]

    def laplace(u: Evaluator) -> list[Tensor]:
        return [u(MESH).laplacian, u(EDGE, order=0).value - truth(EDGE)]

    model = KAN([2, [0, 1], 1], grid=5, k=5, seed=0)
    model.remove_edge(0, 1, 0)
    model.remove_edge(0, 0, 1)
    model.fix_symbolic(0, 1, 1, "sin", fit_params_bool=False)
    model.fix_symbolic(1, 0, 0, "x", fit_params_bool=False)
    with torch.no_grad():
        model.layer(0).affine[1, 1] = torch.tensor([0.8, 0.1, 1.0, 0.0], dtype=torch.float64)
    model.fit(residual_fn=laplace, steps=30, log=0)
    with torch.no_grad():
        assert float((model(MESH) - truth(MESH)).abs().max()) < 1e-5
    a, b = model.layer(0).affine[1, 1, :2].tolist()
    assert abs(a) == pytest.approx(1, abs=1e-4)
    assert b == pytest.approx(0, abs=1e-4)


def test_a_penalty_silences_edges():
    def line(u: Evaluator) -> Tensor:
        return u(MESH, order=1).first[:, 0] - torch.tensor([1.0, 0.0])

    model = KAN([2, 3, 1], grid=3, seed=0)
    history = model.fit(residual_fn=line, steps=30, lamb=1e-2, log=0)
    assert history["reg"][-1] > 0
    scores = model.edge_scores[0]
    assert float(scores[1].max()) < 0.05 * float(scores[0].max())


def test_a_penalty_sent_in_acts_on_the_next_step():
    training = swing(grid=3).fit_steps(residual_fn=system, steps=5)
    assert next(training).reg == 0.0
    step = training.send(Penalty(0.1))
    assert step.reg > 0.0
    assert step.objective == pytest.approx(step.train_loss + 0.1 * step.reg)
    training.close()


def test_the_model_has_seen_the_points_of_all_terms():
    model = KAN([2, 1], seed=0)
    model.fit(residual_fn=poisson, steps=1, log=0)
    assert model.samples is not None
    assert torch.equal(model.samples, torch.cat([MESH, EDGE]))
    assert model.targets is None
    many = torch.linspace(-1, 1, 3 * SAMPLE_LIMIT, dtype=torch.float64)[:, None]
    line = KAN([1, 1], seed=0)
    line.fit(residual_fn=lambda u: u(many, order=0).value - many, steps=1, log=0)
    assert line.samples is not None
    assert len(line.samples) <= SAMPLE_LIMIT
    assert float(line.samples.max()) > 0.99


def test_a_solution_can_be_read_as_a_formula():
    def decay(u: Evaluator) -> list[Tensor]:
        at = u(T / 3, order=1)
        return [at.first[:, 0, 0] + at.value[:, 0], u(ZERO, order=0).value - 1]

    model = KAN([1, 1], grid=8, k=5, seed=0)
    model.fit(residual_fn=decay, steps=20, log=0)
    model.auto_symbolic(lib=["exp", "x", "x^2", "sin"], log=0)
    model.fit(residual_fn=decay, steps=20, log=0)
    (expr,), _ = model.symbolic_formula(var=["t"], floating_digit=6)
    assert str(expr).replace("1.0*", "") == "exp(-t)"


@pytest.mark.parametrize(
    ("options", "error_type", "message"),
    [
        ({}, ValueError, "nothing to learn: give a dataset, a residual_fn or both"),
        ({"residual_fn": 3}, TypeError, "residual_fn is 3; it must be a function"),
        ({"residual_fn": system, "loss_fn": torch.nn.functional.mse_loss}, ValueError, "exclude each other"),
        ({"residual_fn": system, "batch": 10}, ValueError, "batch is 10; with residual_fn all points are used"),
        ({"residual_fn": lambda u: torch.zeros(3)}, ValueError, "never called u"),
    ],
    ids=["nothing", "no function", "two losses", "batch", "model unused"],
)
def test_what_does_not_go_together_is_refused(options, error_type, message):
    with pytest.raises(error_type, match=message):
        swing().fit(steps=1, log=0, **options)


def test_class_labels_do_not_go_with_an_equation():
    with pytest.raises(ValueError, match="class indices"):
        swing().fit({"train_input": T, "train_label": torch.zeros(60, dtype=torch.long)}, residual_fn=system, log=0)
