"""Training keeps the best state however it ends, obeys what is sent in, and says what went wrong."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from kanlab.engine import solvers
from kanlab.engine.fit import SAMPLE_LIMIT, Data, Options, Step, fit_steps
from kanlab.engine.network import Network
from kanlab.engine.penalty import Penalty
from kanlab.symbolic import library
from tests.engine.cases import generator, points

NAMES = [name for name in solvers.NAMES if name != "auto"]


def target(x: Tensor) -> Tensor:
    return torch.exp(torch.sin(2 * x[:, [0]]) + x[:, [-1]] ** 2)


def data(n: int = 120, n_in: int = 2, f: Callable[[Tensor], Tensor] = target) -> Data:
    x, z = points(n, n_in, seed=1), points(60, n_in, seed=2)
    return Data(x, f(x), z, f(z))


def fresh(seed: int = 0, **options) -> Network:
    return Network([2, 3, 1], seed=seed, **options)


@torch.no_grad()
def loss(network: Network, rows: Data) -> float:
    return float((network(rows.train_input) - rows.train_label).square().mean().sqrt())


def train(network: Network, rows: Data, **options) -> list[Step]:
    return list(fit_steps(network, rows, Options(**options)))


# ---- what it does


@pytest.mark.parametrize("opt", NAMES)
def test_training_lowers_the_error_and_leaves_the_best_step(opt):
    network, rows = fresh(), data()
    steps = train(network, rows, opt=opt, steps=25)
    assert [step.index for step in steps] == list(range(len(steps)))
    assert {step.solver for step in steps} == {opt}
    losses = [step.train_loss for step in steps]
    assert losses[-1] < 0.9 * losses[0]
    assert loss(network, rows) <= min(losses) * (1 + 1e-9)


def test_auto_is_levenberg_marquardt_on_a_small_problem():
    assert train(fresh(), data(), steps=1)[0].solver == "LM"


def test_steps_report_root_mean_squared_errors_of_the_model_at_that_step():
    network, rows = fresh(), data()
    for step in fit_steps(network, rows, Options(steps=5, opt="LM")):
        assert step.train_loss == pytest.approx(loss(network, rows), rel=1e-9)
        held_out = Data(rows.test_input, rows.test_label) if rows.test_input is not None else rows  # pyright: ignore
        assert step.test_loss == pytest.approx(loss(network, held_out), rel=1e-9)
        assert step.reg == 0.0
        assert step.objective == pytest.approx(step.train_loss**2, rel=1e-9)


def test_steps_cannot_be_changed():
    step = train(fresh(), data(), steps=1)[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.index = 3  # pyright: ignore[reportAttributeAccessIssue]


def test_without_test_rows_the_test_loss_is_nan():
    rows = data()
    for empty in (
        Data(rows.train_input, rows.train_label),
        Data(rows.train_input, rows.train_label, rows.train_input[:0], rows.train_label[:0]),
    ):
        assert math.isnan(train(fresh(), empty, steps=1)[0].test_loss)


def test_no_step_is_taken_before_it_is_asked_for():
    network, rows = fresh(), data()
    before = [p.clone() for p in network.parameters()]
    training = fit_steps(network, rows, Options(steps=10))
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    next(training)
    after_one = network(rows.train_input).detach().clone()
    assert torch.equal(network(rows.train_input), after_one)
    training.close()


def test_zero_steps_leave_the_model_as_it_was_but_for_its_samples():
    network, rows = fresh(), data()
    before = network(rows.train_input)
    assert train(network, rows, steps=0) == []
    assert torch.equal(network(rows.train_input), before)
    assert torch.equal(network.seen(), rows.train_input)


def test_training_is_reproducible_and_touches_nothing_global():
    # Python's own generator is left out: beartype draws from it when it checks annotations, as these tests have it do.
    before, threads = (torch.get_rng_state(), np.random.get_state(legacy=False)), torch.get_num_threads()  # noqa: NPY002
    first, second = fresh(), fresh()
    for network in (first, second):
        train(network, data(), steps=6, penalty=Penalty(1e-2), batch=50)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_equal(np.random.get_state(legacy=False), before[1])  # noqa: NPY002
    assert threads == torch.get_num_threads()


def test_metrics_are_asked_once_a_step_and_named():
    calls = []

    def accuracy() -> Tensor:
        calls.append(1)
        return torch.tensor(float(len(calls)))

    steps = train(fresh(), data(), steps=4, metrics=(accuracy,))
    assert [step.metrics for step in steps] == [{"accuracy": float(n)} for n in (1, 2, 3, 4)]


def test_model_keeps_its_samples_and_labels_up_to_a_limit():
    network = fresh()
    x = points(SAMPLE_LIMIT + 10, 2)
    train(network, Data(x, target(x)), steps=1)
    assert torch.equal(network.seen(), x[:SAMPLE_LIMIT])
    assert network.targets is not None
    assert torch.equal(network.targets, target(x)[:SAMPLE_LIMIT])


# ---- the grid


def test_grids_are_laid_over_the_data_unless_told_otherwise():
    rows = data()
    half = dataclasses.replace(rows, train_input=rows.train_input / 2)
    moved, still = fresh(), fresh()
    train(moved, half, steps=1)
    train(still, half, steps=1, update_grid=False)
    assert float(moved.layer(0).knots[0, 3]) == pytest.approx(float(half.train_input[:, 0].min()), abs=1e-12)
    assert float(still.layer(0).knots[0, 3]) == -1.0


def test_grid_updates_follow_the_options():
    options = Options(grid_update_num=5, stop_grid_update_step=20, start_grid_update_step=-1)
    assert [index for index in range(30) if options.updates_grid(index)] == [0, 4, 8, 12, 16]
    late = Options(grid_update_num=5, stop_grid_update_step=20, start_grid_update_step=4)
    assert [index for index in range(30) if late.updates_grid(index)] == [8, 12, 16]
    assert not any(Options(update_grid=False).updates_grid(index) for index in range(60))
    assert not any(Options(grid_update_num=0).updates_grid(index) for index in range(60))


@pytest.mark.parametrize("low", [0.0, 100.0, -3000.0])
@pytest.mark.parametrize("width", [1e-6, 1.0, 50.0])
def test_data_of_any_unit_far_from_the_first_grid_is_learnt(low, width):
    part = points(150, 2, seed=3) / 2 + 0.5
    y = part[:, [0]] ** 2 + part[:, [1]]
    network = fresh(grid=5)
    train(network, Data(low + width * part, y), steps=40)
    spread = float(y.std(correction=0))
    assert loss(network, Data(low + width * part, y)) < 0.02 * spread


def test_trained_models_keep_their_function_when_trained_again():
    network, rows = fresh(), data()
    train(network, rows, steps=30)
    before = loss(network, rows)
    first = next(fit_steps(network, rows, Options(steps=1)))
    assert first.train_loss <= before * 1.05


# ---- the penalty


def test_penalty_sent_in_acts_on_the_very_next_step():
    network, rows = fresh(), data()
    training = fit_steps(network, rows, Options(steps=10))
    assert next(training).reg == 0.0
    step = training.send(Penalty(0.5))
    assert step.index == 1
    assert step.reg > 0
    variance = float(rows.train_label.std(correction=0)) ** 2
    assert step.objective == pytest.approx(step.train_loss**2 + 0.5 * variance * step.reg, rel=1e-9)
    lower = next(training)
    assert lower.objective < step.objective
    training.close()


def test_best_state_is_the_best_under_the_penalty_of_the_end():
    network, rows = fresh(), data()
    training = fit_steps(network, rows, Options(steps=40, penalty=Penalty(1.0)))
    strong = [next(training) for _ in range(10)][-1]
    weak = training.send(Penalty(0.0))
    for _ in range(10):
        weak = training.send(Penalty(0.0))
    training.close()
    # The objective without penalty is lower whatever the state: comparing across penalties would keep an old one.
    assert weak.train_loss < strong.train_loss
    assert loss(network, rows) <= weak.train_loss * (1 + 1e-9)


def test_strong_penalty_thins_the_network():
    loose, tight = fresh(), fresh()
    assert (
        train(loose, data(), steps=30, penalty=Penalty(1e-6))[-1].reg
        > train(tight, data(), steps=30, penalty=Penalty(0.3))[-1].reg
    )


def test_equal_penalty_sent_in_changes_nothing():
    plain, sent = fresh(), fresh()
    rows, options = data(), Options(steps=5, penalty=Penalty(0.1))
    alone = [step.objective for step in fit_steps(plain, rows, options)]
    training = fit_steps(sent, rows, options)
    values = [next(training).objective] + [training.send(Penalty(0.1)).objective for _ in range(4)]
    training.close()
    assert values == alone


# ---- how it ends


@pytest.mark.parametrize("opt", NAMES)
def test_closing_the_generator_leaves_the_best_state(opt):
    network, rows = fresh(), data()
    training = fit_steps(network, rows, Options(steps=None, opt=opt))
    losses = [next(training).train_loss for _ in range(6)]
    training.close()
    assert loss(network, rows) <= min(losses) * (1 + 1e-9)


def test_a_jump_given_up_ends_training_at_the_last_step_told():
    network, rows, asked = fresh(), data(), []

    def interrupted() -> bool:
        asked.append(1)
        return True

    steps = train(network, rows, steps=40, penalty=Penalty(1e-3), interrupted=interrupted)
    assert len(asked) == 1
    assert 0 < len(steps) < 40
    assert steps[-1].reason == ""
    best = min(steps, key=lambda step: step.objective)
    assert loss(network, rows) == pytest.approx(best.train_loss, rel=1e-9)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_interrupts_and_errors_pass_on_and_leave_the_best_state(error):
    network, rows = fresh(), data()
    losses = []

    def metric() -> float:
        losses.append(loss(network, rows))
        if len(losses) == 6:
            raise error
        return 0.0

    with pytest.raises(error):
        train(network, rows, steps=20, opt="Adam", lr=0.5, metrics=(metric,))
    assert len(losses) == 6
    assert loss(network, rows) <= min(losses) * (1 + 1e-9)


def test_a_wild_run_ends_where_it_was_best():
    network, rows = fresh(), data()
    losses = [step.train_loss for step in fit_steps(network, rows, Options(steps=30, opt="Adam", lr=3.0))]
    assert losses[-1] > min(losses)
    start = fresh()
    start.update_grid_from_samples(rows.train_input)
    assert loss(network, rows) <= min(*losses, loss(start, rows)) * (1 + 1e-9)


def test_training_ends_when_nothing_can_be_gained():
    network = Network([2, 1], seed=0)
    for i, name in enumerate(("sin", "x^2")):
        network.layer(0).fix(i, 0, library.get(name), (1.9 if i == 0 else 1.0, 0.1, 0.9, 0.1))
    rows = data(f=lambda x: torch.sin(2 * x[:, [0]]) + x[:, [1]] ** 2)
    steps = train(network, rows, steps=200)
    assert len(steps) < 40
    assert steps[-1].reason.startswith("converged")
    assert all(step.reason == "" for step in steps[:-1])
    assert steps[-1].train_loss < 1e-13


def test_endless_training_ends_by_itself():
    rows = data(f=lambda x: x[:, [0]] + x[:, [1]])
    network = Network([2, 1], seed=0)
    steps = train(network, rows, steps=None)
    assert len(steps) < 600
    assert steps[-1].reason.startswith("converged")
    assert loss(network, rows) < 1e-9


def test_model_without_any_edge_ends_at_once():
    network = Network([2, 1], seed=0)
    for i in range(2):
        network.layer(0).remove(i, 0)
    steps = train(network, data(), steps=60)
    assert steps[-1].reason.startswith("converged")
    assert len(steps) < 60


@pytest.mark.parametrize("opt", NAMES)
def test_loss_that_is_not_finite_from_the_start_is_told(opt):
    network, rows = fresh(), data()
    network.layer(0).fix(0, 0, library.get("log"), (1.0, 0.0, 1.0, 0.0))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(FloatingPointError, match="outside its domain"):
        train(network, rows, opt=opt, steps=3, update_grid=False)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_divergence_is_told_and_the_best_state_kept():
    network, rows = Network([2, 1, 1], seed=0), data()
    network.layer(1).fix(0, 0, library.get("sqrt"), (1.0, 3.0, 1.0, 0.0))
    steps = train(network, rows, opt="Adam", lr=5.0, steps=30)
    assert steps[-1].reason.startswith("diverged")
    assert len(steps) < 30
    assert math.isfinite(loss(network, rows))
    assert loss(network, rows) <= min(
        [step.train_loss for step in steps if math.isfinite(step.train_loss)], default=9.9
    )


# ---- batches


@pytest.mark.parametrize("opt", ["LBFGS", "Adam"])
def test_batches_go_through_every_row_once_an_epoch(opt):
    x = points(50, 2)
    rows = Data(x, torch.arange(50.0, dtype=torch.float64)[:, None] / 50)
    seen: list[frozenset[int]] = []

    def recorded(prediction: Tensor, label: Tensor) -> Tensor:
        batch = frozenset((label.detach()[:, 0] * 50).round().long().tolist())
        if len(batch) < 50 and (not seen or seen[-1] != batch):
            seen.append(batch)
        return (prediction - label).square().mean()

    train(fresh(), rows, opt=opt, steps=8, batch=13, loss_fn=recorded)
    assert [len(batch) for batch in seen] == [13, 13, 13, 11] * 2
    for epoch in (seen[:4], seen[4:]):
        assert frozenset().union(*epoch) == frozenset(range(50))
    assert seen[:4] != seen[4:]


@pytest.mark.parametrize("opt", NAMES)
def test_batches_learn_and_all_rows_judge(opt):
    network, rows = fresh(), data()
    start = loss(network, rows)
    at_epoch = []
    for step in fit_steps(network, rows, Options(opt=opt, steps=24, batch=40)):
        if (step.index + 1) % 3 == 0:
            at_epoch.append(loss(network, rows))
    assert min(at_epoch) < start
    assert loss(network, rows) == pytest.approx(min(at_epoch), rel=1e-9)


def test_seed_decides_the_batches():
    ends = []
    for seed in (0, 0, 1):
        network = fresh()
        train(network, data(), opt="Adam", steps=6, batch=40, seed=seed)
        ends.append(network.layer(0).coef.detach().clone())
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_batch_of_all_rows_or_more_is_no_batch():
    whole, large = fresh(), fresh()
    train(whole, data(), steps=5)
    train(large, data(), steps=5, batch=10_000)
    assert torch.equal(whole.layer(0).coef, large.layer(0).coef)


# ---- data and labels of all kinds


@pytest.mark.parametrize("opt", ["auto", "LM", "LBFGS", "Adam"])
def test_class_indices_with_cross_entropy(opt):
    x = points(150, 2)
    label = (x[:, 0] ** 2 + x[:, 1] > 0.3).long()
    network = Network([2, 2], seed=0)
    steps = train(
        network,
        Data(x, label, x[:40], label[:40]),
        opt=opt,
        steps=15,
        lr=0.1 if opt == "Adam" else None,
        loss_fn=torch.nn.CrossEntropyLoss(),
    )
    assert steps[-1].train_loss < 0.5 * math.log(2)
    assert math.isfinite(steps[-1].test_loss)
    assert float((network(x).argmax(1) == label).double().mean()) > 0.9


def test_training_ends_when_all_classes_are_told_apart():
    x = points(150, 2)
    label = (x[:, 0] ** 2 + x[:, 1] > 0.3).long()
    network = Network([2, 2], seed=0)
    steps = train(network, Data(x, label), steps=200, loss_fn=torch.nn.functional.cross_entropy)
    assert {step.solver for step in steps} == {"LM"}
    assert len(steps) < 50
    assert "nothing is left to be learnt" in steps[-1].reason
    assert bool((network(x).argmax(1) == label).all())


def test_a_loss_below_zero_is_trained_like_any_other():
    x = points(150, 1)
    rows = Data(x, target(x))
    network = Network([1, 2], seed=0)

    def likelihood(p: Tensor, y: Tensor) -> Tensor:
        return torch.nn.functional.gaussian_nll_loss(p[:, :1], y, torch.exp(2 * p[:, 1:]), eps=1e-9)

    steps = train(network, rows, steps=30, loss_fn=likelihood)
    assert steps[-1].train_loss < -4
    assert len(steps) == 30
    squeezed = train(Network([1, 2, 2], seed=0), rows, steps=30, penalty=Penalty(1e-3), loss_fn=likelihood)
    assert squeezed[-1].train_loss < -2


def test_class_indices_without_a_loss_for_them_are_refused_with_advice():
    x = points(20, 2)
    with pytest.raises(ValueError, match="CrossEntropyLoss"):
        train(fresh(), Data(x, torch.zeros(20, dtype=torch.long)), steps=1)


@pytest.mark.parametrize("opt", NAMES)
@pytest.mark.parametrize("grid_eps", [0.02, 1.0])
def test_binary_and_constant_columns_stay_finite(opt, grid_eps):
    x = points(100, 3)
    x[:, 1] = (x[:, 1] > 0).double()
    x[:, 2] = 7.0
    rows = Data(x, x[:, [0]] ** 2 + x[:, [1]])
    network = Network([3, 2, 1], grid=8, seed=0, grid_eps=grid_eps)
    steps = train(network, rows, opt=opt, steps=15, penalty=Penalty(1e-3))
    assert all(math.isfinite(step.train_loss) and math.isfinite(step.reg) for step in steps)
    assert bool(network(x).isfinite().all())
    assert loss(network, rows) < float(rows.train_label.std(correction=0)) * (0.2 if opt != "Adam" else 5)


@pytest.mark.parametrize("opt", NAMES)
@pytest.mark.parametrize(("n", "n_in"), [(1, 2), (2, 2), (5, 30)])
def test_fewer_rows_than_anything(opt, n, n_in):
    rows = Data(points(n, n_in), points(n, 1, seed=1))
    network = Network([n_in, 2, 1], seed=0)
    steps = train(network, rows, opt=opt, steps=12, penalty=Penalty(1e-3))
    assert all(math.isfinite(step.objective) for step in steps)
    assert steps[-1].objective < steps[0].objective or steps[-1].train_loss < 1e-9


def test_single_precision_models():
    x = points(100, 2, dtype=torch.float32)
    network = Network([2, 3, 1], seed=0, dtype=torch.float32)
    train(network, Data(x, target(x)), steps=25)
    assert network.dtype == torch.float32
    assert loss(network, Data(x, target(x))) < 0.05


def test_multiplication_nodes_and_several_outputs_are_trained():
    rows = data(f=lambda x: torch.cat([x[:, [0]] * x[:, [1]], x[:, [0]] ** 2], 1))
    network = Network([2, [1, 1], 2], seed=0)
    train(network, rows, steps=40)
    assert loss(network, rows) < 1e-2


def test_frozen_layers_are_not_trained():
    network = fresh()
    layer = network.layer(0)
    layer.requires_grad_(False)
    before = layer.coef.clone()
    train(network, data(), steps=5, update_grid=False)
    torch.testing.assert_close(layer.coef, before, rtol=1e-14, atol=1e-14)
    assert not layer.coef.requires_grad


# ---- bad options


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"opt": "SGD"}, ValueError, "allowed are 'auto', 'LM', 'LBFGS', 'Adam'"),
        ({"steps": -1}, ValueError, "steps is -1; allowed are whole numbers from 0 up"),
        ({"steps": 2.5}, ValueError, "steps is 2.5"),
        ({"steps": True}, ValueError, "steps is True"),
        ({"grid_update_num": -2}, ValueError, "grid_update_num is -2"),
        ({"lr": 0}, ValueError, "finite numbers above 0, or None"),
        ({"lr": math.nan}, ValueError, "lr is nan"),
        ({"batch": 0}, ValueError, "batch is 0; allowed are whole numbers from 1 up, or -1"),
        ({"batch": "10"}, ValueError, "batch is '10'"),
        ({"batch": 3.5}, ValueError, "batch is 3.5"),
        ({"metrics": (3,)}, TypeError, "metrics holds 3"),
        ({"metrics": (lambda: 0.0, lambda: 1.0)}, ValueError, "'<lambda>' is taken"),
    ],
)
def test_bad_options_are_refused_with_what_is_allowed(options, error, says):
    with pytest.raises(error, match=says):
        Options(**options)


def test_a_metric_may_not_hide_the_losses():
    def test_loss() -> float:
        return 0.0

    with pytest.raises(ValueError, match="'test_loss' is taken"):
        Options(metrics=(test_loss,))


def test_second_order_refuses_another_loss():
    with pytest.raises(ValueError, match='"LBFGS", "Adam" or "auto"'):
        train(fresh(), data(), opt="LM", steps=1, loss_fn=torch.nn.functional.l1_loss)


def test_generator_of_the_seed_is_untouched_by_training():
    source = generator(3)
    network = Network([2, 2, 1], seed=source)
    state = source.get_state()
    train(network, data(), steps=2)
    assert torch.equal(state, source.get_state())
