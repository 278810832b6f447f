"""The public model: pykan's calls with today's results, new models for old ones, and nothing done behind one's back."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.figure
import pytest
import sympy
import torch
from torch.autograd import gradcheck

import kanlab
from kanlab import KAN, Penalty, create_dataset
from kanlab.engine import penalty as penalty_module
from kanlab.engine.eliminate import Removal
from kanlab.engine.magnitudes import METRICS
from tests.engine.cases import points

DATASET = create_dataset(lambda x: torch.sin(3 * x[:, 0]) + x[:, 1] ** 2, n_var=2, train_num=150, test_num=60, seed=1)


@pytest.fixture(scope="module")
def trained() -> KAN:
    """A small model that fits well; copy it before changing it."""
    model = KAN([2, 2, 1], grid=5, seed=0)
    model.fit(DATASET, steps=25, log=0)
    return model


@pytest.fixture(scope="module")
def additive() -> KAN:
    """One layer, which holds the dataset's function exactly but for the spline's error."""
    model = KAN([2, 1], grid=8, seed=0)
    model.fit(DATASET, steps=20, log=0)
    return model


# ---- training


def test_fit_returns_one_number_a_step_and_trains_in_place():
    model = KAN([2, 2, 1], seed=0)

    def edges() -> float:
        return float(sum(layer.mask.sum() for layer in model.kan_layers()))

    history = model.fit(DATASET, steps=8, lamb=1e-3, metrics=[edges], log=0)
    assert set(history) == {"train_loss", "test_loss", "reg", "edges"}
    assert {len(values) for values in history.values()} == {8}
    assert history["edges"] == [6.0] * 8
    assert history["train_loss"][-1] < history["train_loss"][0]
    with torch.no_grad():
        error = float((model(DATASET["train_input"]) - DATASET["train_label"]).square().mean().sqrt())
    assert error <= max(history["train_loss"])


def test_fit_and_fit_steps_are_the_same_training():
    by_fit, by_steps = KAN([2, 2, 1], seed=0), KAN([2, 2, 1], seed=0)
    history = by_fit.fit(DATASET, steps=6, lamb=1e-2, log=0)
    steps = list(by_steps.fit_steps(DATASET, steps=6, lamb=1e-2))
    assert [step.train_loss for step in steps] == history["train_loss"]
    assert [step.reg for step in steps] == history["reg"]
    assert torch.equal(by_fit(DATASET["test_input"]), by_steps(DATASET["test_input"]))


def test_an_interrupted_fit_returns_what_it_has_and_keeps_the_best_state():
    model, count = KAN([2, 2, 1], seed=0), []

    def interrupts() -> float:
        count.append(1)
        if len(count) == 5:
            raise KeyboardInterrupt
        return 0.0

    history = model.fit(DATASET, opt="Adam", lr=0.3, steps=30, metrics=[interrupts], log=0)
    assert len(history["train_loss"]) == 4
    with torch.no_grad():
        error = float((model(DATASET["train_input"]) - DATASET["train_label"]).square().mean().sqrt())
    assert error <= min(history["train_loss"]) * (1 + 1e-9)


def test_a_metric_that_fails_is_heard():
    def broken() -> float:
        raise RuntimeError("no such column")

    with pytest.raises(RuntimeError, match="no such column"):
        KAN([2, 1]).fit(DATASET, steps=3, metrics=[broken], log=0)


def test_silent_fit_prints_nothing_and_a_loud_one_shows_a_bar(capsys):
    model = KAN([2, 1], seed=0)
    model.fit(DATASET, steps=3, log=0)
    model.auto_symbolic(lib=["x", "x^2", "sin"], log=0)
    assert capsys.readouterr() == ("", "")
    KAN([2, 1], seed=0).fit(DATASET, steps=3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "fit: 100%" in err
    assert "train" in err


def test_nothing_global_is_seeded_and_no_file_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = torch.get_rng_state()
    model = KAN([2, 3, 1], seed=3)
    model.fit(DATASET, steps=4, lamb=1e-3, batch=60, log=0)
    model.prune(edge_th=1e-3, node_th=0)
    model.refine(8)
    model.suggest_symbolic(0, 0, 0)
    model.fix_symbolic(0, 0, 0, "sin")
    model.formula().latex()
    assert torch.equal(state, torch.get_rng_state())
    assert list(tmp_path.iterdir()) == []


def test_pythons_own_random_numbers_are_left_alone():
    # In a fresh process: in this one beartype, which checks annotations in the tests, draws from them.
    code = (
        "import random, numpy, torch\nfrom kanlab import KAN, create_dataset\n"
        "def state(): return repr((random.getstate(), numpy.random.get_state(), torch.get_rng_state().tolist()))\n"
        "before = state()\n"
        "data = create_dataset(lambda x: x[:, 0] ** 2, n_var=1, train_num=40, test_num=10)\n"
        "model = KAN([1, 2, 1]); model.fit(data, steps=3, lamb=1e-3, log=0); model = model.prune().refine(6)\n"
        "model.fit(data, steps=2, batch=10, log=0); model.auto_symbolic(log=0); model.formula()\n"
        "raise SystemExit(0 if state() == before else 'a global random state was changed')\n"
    )
    root = Path(kanlab.__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_arguments_are_not_changed():
    width, grid = [2, [1, 1], 1], [3, 4]
    dataset = {name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in DATASET.items()}
    model = KAN(width, grid=grid)
    model.fit(dataset, steps=2, log=0)
    model.prune(edge_th=0, node_th=0)
    assert width == [2, [1, 1], 1]
    assert grid == [3, 4]
    assert dataset.keys() == DATASET.keys()
    assert all(torch.equal(dataset[name], DATASET[name]) for name in ("train_input", "train_label"))


def test_data_that_do_not_fit_the_model_are_refused():
    with pytest.raises(ValueError, match=r"2 column.*the model has 3 input"):
        KAN([3, 1]).fit(DATASET, steps=1, log=0)
    with pytest.raises(ValueError, match=r"1 column.*the model has 2 output"):
        KAN([2, 2]).fit(DATASET, steps=1, log=0)
    with pytest.raises(ValueError, match="finite numbers from 0 up"):
        KAN([2, 1]).fit(DATASET, steps=1, lamb=-1, log=0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'lambda_'"):
        KAN([2, 1]).fit(DATASET, steps=1, lambda_=1, log=0)


def test_train_is_both_a_modules_and_pykans():
    model = KAN([2, 1], seed=0)
    assert model.train(False) is model
    assert not model.training
    assert model.train().training
    history = model.train(DATASET, opt="LBFGS", steps=3, log=0)
    assert len(history["train_loss"]) == 3
    x, y = DATASET["train_input"], (DATASET["train_input"][:, 0] > 0).long()
    classifier = KAN([2, 2], seed=0)
    dataset = {"train_input": x, "train_label": y}
    history = classifier.train(dataset, opt="LBFGS", steps=5, loss_fn=torch.nn.CrossEntropyLoss(), log=0)
    assert history["train_loss"][-1] < 0.1


def moons(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two half circles that reach into each other, with noise 0.1."""
    g = torch.Generator().manual_seed(seed)
    turn = torch.pi * torch.rand(n, generator=g, dtype=torch.float64)
    upper = torch.stack([turn.cos(), turn.sin()], 1)
    label = torch.arange(n) % 2
    x = torch.where(label[:, None] == 0, upper, torch.tensor([1.0, 0.5], dtype=torch.float64) - upper)
    return x + 0.1 * torch.randn(n, 2, generator=g, dtype=torch.float64), label


@pytest.mark.parametrize("seed", range(3))
def test_two_moons_are_told_apart_by_a_formula_with_finite_numbers(seed):
    (x, y), (held_out, truth) = moons(1000, seed), moons(1000, seed + 100)
    dataset = {"train_input": x, "train_label": y, "test_input": held_out, "test_label": truth}
    model = KAN([2, 2], grid=3, seed=seed)
    history = model.fit(dataset, steps=50, loss_fn=torch.nn.CrossEntropyLoss(), log=0)
    with torch.no_grad():
        outputs = model(held_out)
        assert float((outputs.argmax(1) == truth).double().mean()) >= 0.99
        assert float(outputs.abs().max()) < 1e3
    assert history["train_loss"][-1] < 1e-3
    # Sure of itself no further than the data says: pykan ends this test with 57.
    assert history["test_loss"][-1] < 0.05
    model.auto_symbolic(lib=["x", "x^2", "x^3", "sin", "tanh"], log=0)
    exprs, _ = model.symbolic_formula()
    assert len(exprs) == 2
    for expr in exprs:
        assert all(math.isfinite(float(number)) for number in expr.atoms(sympy.Float))


@pytest.mark.parametrize("opt", ["LM", "LBFGS"])
@pytest.mark.parametrize("metric", ["edge_forward_relative", *METRICS])
def test_every_reg_metric_trains(opt, metric):
    model = KAN([2, 2, 1], seed=0)
    history = model.fit(DATASET, opt=opt, steps=15, lamb=1e-2, reg_metric=metric, log=0)
    assert 0 < history["reg"][-1] < math.inf
    assert history["train_loss"][-1] < 0.5 * float(DATASET["train_label"].std())


def test_penalties_on_coefficients_make_them_smaller_and_smoother():
    def ends(**options: Any) -> tuple[float, float]:
        model = KAN([2, 1], grid=10, base_fun="zero", seed=0)
        model.fit(DATASET, steps=30, lamb=1e-1, lamb_l1=0.0, lamb_entropy=0.0, log=0, **options)
        coef = model.layer(0).coef.detach()
        return float(coef.abs().sum()), float(coef.diff(dim=-1).abs().sum())

    free, small, smooth = ends(), ends(lamb_coef=1.0), ends(lamb_coefdiff=1.0)
    assert small[0] < 0.7 * free[0]
    assert smooth[1] < 0.7 * free[1]


def test_divergence_keeps_the_best_state_and_is_told():
    model = KAN([2, 2, 1], seed=0)
    worst = float(torch.finfo(torch.float64).max)
    with pytest.warns(RuntimeWarning, match="diverged: the loss is no longer a finite number; the best state"):
        history = model.fit(DATASET, opt="Adam", lr=worst, steps=9, log=0)
    assert len(history["train_loss"]) < 9
    assert bool(model(DATASET["train_input"]).isfinite().all())
    steps = list(KAN([2, 2, 1], seed=0).fit_steps(DATASET, opt="Adam", lr=worst, steps=9))
    assert steps[-1].reason.startswith("diverged")


def test_the_bar_shows_the_metrics_asked_for(capsys):
    def depth() -> float:
        return 42.0

    KAN([2, 1]).fit(DATASET, steps=2, metrics=[depth], display_metrics=["reg", "depth"])
    shown = capsys.readouterr().err
    assert "depth 4.20e+01" in shown
    assert "test_loss" not in shown


def test_metrics_are_asked_at_every_step_of_mini_batches():
    asked = []

    def count() -> float:
        asked.append(1)
        return float(len(asked))

    history = KAN([2, 1], seed=0).fit(DATASET, steps=9, batch=50, metrics=(count,), log=0)
    assert history["count"] == [float(m) for m in range(1, 10)]
    assert history["train_loss"][-1] < history["train_loss"][0]


def test_penalty_sent_into_fit_steps_acts_on_the_next_step():
    training = KAN([2, 2, 1], seed=0).fit_steps(DATASET, steps=5)
    assert next(training).reg == 0.0
    assert training.send(Penalty(0.1)).reg > 0.0
    training.close()
    assert kanlab.Penalty is penalty_module.Penalty


# ---- new models for old ones


def test_refined_models_are_the_same_function(trained):
    finer = trained.refine(20)
    x = DATASET["test_input"]
    assert isinstance(finer, KAN)
    assert finer.grid == [20, 20]
    assert trained.grid == [5, 5]
    torch.testing.assert_close(finer(x), trained(x), rtol=0, atol=1e-10)


def test_pruned_models_are_new_ones(trained):
    x = DATASET["test_input"]
    before = trained(x)
    smaller = trained.prune(edge_th=0.05)
    assert isinstance(smaller, KAN)
    assert torch.equal(trained(x), before)
    assert sum(int(layer.mask.sum()) for layer in smaller.kan_layers()) <= 6
    assert trained.prune_edge(0.0).width == trained.width
    assert trained.prune_node(0.0).width == trained.width


def test_prune_edge_and_prune_node_each_look_at_their_own():
    model = KAN([2, 2, 1], seed=0)
    model.fit(DATASET, steps=3, log=0)
    with torch.no_grad():
        for tensor in (model.layer(1).coef, model.layer(1).scale_base):
            tensor[1] *= 1e-4
    assert model.prune_node(1e-2).width[1] == [1, 0]
    weak = float(model.edge_scores[0].min())
    kept = model.prune_edge(weak * 1.01)
    assert any(not bool(layer.mask.all()) for layer in kept.kan_layers()) or kept.width != model.width


def test_elimination_returns_a_new_model_that_does_as_well():
    wide = KAN([2, 2, 1], grid=5, seed=0)
    wide.fit(DATASET, steps=25, log=0)
    small = wide.prune(method="eliminate", log=0)
    assert isinstance(small, KAN)
    assert sum(int(layer.mask.sum()) for layer in small.kan_layers()) < 6
    assert wide.width == [[2, 0], [2, 0], [1, 0]]
    before, after = (
        float((model(DATASET["test_input"]) - DATASET["test_label"]).square().mean().sqrt().detach())
        for model in (wide, small)
    )
    assert after < 2 * before


def test_elimination_needs_labels_and_takes_a_dataset_for_them():
    model = KAN([2, 1], grid=5, seed=0)
    with pytest.raises(ValueError, match="knows no labels"):
        model.eliminate(log=0)
    small = model.eliminate(
        {"train_input": DATASET["train_input"], "train_label": DATASET["train_input"][:, :1]}, log=0
    )
    assert small.layer(0).mask.flatten().tolist() == [1, 0]


def test_an_interrupted_elimination_returns_the_smallest_model_so_far(additive, monkeypatch):
    told = []

    def steps(model, *args, **options):
        told.append(model.copy())
        yield Removal(((0, 1, 0),), 0.1, 0.2, told[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(KAN, "eliminate_steps", steps)
    small = additive.eliminate(log=0)
    assert small is not told[0]
    assert torch.equal(small.layer(0).coef, told[0].layer(0).coef)


def test_ways_to_prune_that_do_not_exist_are_refused(trained):
    with pytest.raises(ValueError, match="method is 'magic'"):
        trained.prune(method="magic")
    with pytest.raises(TypeError, match="tolerance"):
        trained.prune(tolerance=0.1)


def test_copies_and_deepcopies_are_independent(trained):
    x = DATASET["test_input"]
    for twin in (trained.copy(), copy.deepcopy(trained)):
        assert isinstance(twin, KAN)
        assert torch.equal(twin(x), trained(x))
        before = trained(x)
        twin.remove_edge(0, 0, 0)
        with torch.no_grad():
            twin.layer(1).coef.zero_()
        assert torch.equal(trained(x), before)


def test_models_and_state_dicts_can_be_pickled(trained):
    model = trained.copy()
    model.fix_symbolic(0, 0, 0, "sin")
    twin = pickle.loads(pickle.dumps(model))
    assert torch.equal(twin(DATASET["test_input"]), model(DATASET["test_input"]))
    state = pickle.loads(pickle.dumps(trained.state_dict()))
    other = KAN([2, 2, 1], grid=5, seed=9)
    other.load_state_dict(state)
    assert torch.equal(other(DATASET["test_input"]), trained(DATASET["test_input"]))


def test_models_change_type_as_any_module(trained):
    single = trained.copy().float()
    x = DATASET["test_input"]
    assert single(x).dtype == torch.float32
    assert float((single(x) - trained(x)).abs().max().detach()) < 1e-4
    assert torch.equal(single.to(torch.float64)(x).float(), single(x).float())


def test_model_is_differentiable_in_its_inputs(trained):
    assert gradcheck(trained, points(3, 2, reach=0.8).requires_grad_())
    jacobian = torch.autograd.functional.jacobian(trained, points(3, 2), create_graph=True)
    assert isinstance(jacobian, torch.Tensor)
    assert jacobian.shape == (3, 1, 3, 2)


def test_pruned_inputs_go_through_refining_training_files_and_formulas(tmp_path):
    data = create_dataset(lambda x: torch.sin(3 * x[:, 1]) + x[:, 3] ** 2, n_var=4, train_num=150, test_num=60, seed=1)
    model = KAN([4, 2, 1], grid=4, seed=0)
    model.fit(data, steps=20, log=0)
    small = model.prune_input(0.05)
    assert small.width[0] == [2, 0]
    assert small.refine(8).prune_input(0.0).input_id == [1, 3]
    assert small.fit(data, steps=10, log=0)["test_loss"][-1] < 0.1
    small.refine(8).save(tmp_path / "m.kan")
    loaded = KAN.load(tmp_path / "m.kan")
    torch.testing.assert_close(loaded(data["test_input"]), small(data["test_input"]), rtol=0, atol=1e-9)
    assert small.derivatives(data["test_input"]).first.shape == (60, 1, 2)
    for formula in (small.formula(), small.formula(["a", "b", "c", "d"]), small.formula(["b", "d"])):
        assert formula.check(data).agrees
        assert [str(name) for name in formula.variables] in (["x_2", "x_4"], ["b", "d"])
    assert small.plot(in_vars=["a", "b", "c", "d"]).axes
    session = kanlab.Session(small, data, names=["a", "b", "c", "d"])
    assert session.names == ["b", "d"]
    session.save(tmp_path / "s.kan")
    assert kanlab.Session.load(tmp_path / "s.kan").model.input_id == [1, 3]


def test_nodes_are_pruned_by_hand_as_in_either_pykan(trained):
    for ids in ([[0]], [[0, 1], [0]]):
        assert trained.prune_node(mode="manual", active_neurons_id=ids).width[1] == [1, 0]
    for options in ({"mode": "manual"}, {"mode": "some"}, {"active_neurons_id": [[0]]}):
        with pytest.raises(ValueError, match="allowed are 'auto', and 'manual' with active_neurons_id"):
            trained.prune_node(**options)


def test_editing_changes_the_model_itself(trained):
    x = DATASET["test_input"]
    y = trained(x).detach()
    for edit, width in (
        (lambda m: m.expand_width(1, 2), [[2, 0], [4, 0], [1, 0]]),
        (lambda m: m.expand_width(1, 1, False, 3), [[2, 0], [2, 1], [1, 0]]),
        (lambda m: m.expand_depth(), [[2, 0], [2, 0], [1, 0], [1, 0]]),
        (lambda m: m.perturb(), [[2, 0], [2, 0], [1, 0]]),
        (lambda m: m.swap(1, 0, 1), [[2, 0], [2, 0], [1, 0]]),
        (lambda m: m.auto_swap(), [[2, 0], [2, 0], [1, 0]]),
    ):
        model = trained.copy()
        edit(model)
        assert model.width == width
        assert isinstance(model, KAN)
        torch.testing.assert_close(model(x).detach(), y, rtol=0, atol=1e-10)
        assert model.fit(DATASET, steps=3, log=0)["train_loss"][-1] < 0.1
    model = trained.copy()
    cost = model.connection_cost
    model.auto_swap()
    assert model.connection_cost <= cost


# ---- edges


def test_removed_edges_carry_nothing(trained):
    model = trained.copy()
    model.remove_edge(0, 1, 0)
    assert not model.acts().postacts[0][:, 1, 0].any()
    assert float(model.edge_scores[0][1, 0]) == 0.0


def test_removed_nodes_lose_all_their_edges():
    model = KAN([2, [1, 1], 1], seed=0)
    model.remove_node(1, 1)
    assert model.layer(0).mask.tolist() == [[1, 0, 0], [1, 0, 0]]
    assert model.layer(1).mask.tolist() == [[1], [0]]


@pytest.mark.parametrize("node", [(0, 0), (2, 0), (1, 2), (1, -1), (-1, 0), (5, 0)])
def test_only_hidden_nodes_can_be_removed(node):
    with pytest.raises(
        ValueError, match=rf"node \({node[0]}, {node[1]}\) is not a hidden node; levels 1 to 1 are hidden"
    ):
        KAN([2, 2, 1]).remove_node(*node)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.remove_edge(0, 3, 1),
        lambda m: m.fix_symbolic(0, 3, 1, "sin"),
        lambda m: m.unfix_symbolic(0, 3, 1),
        lambda m: m.suggest_symbolic(0, 3, 1),
    ],
    ids=["remove_edge", "fix_symbolic", "unfix_symbolic", "suggest_symbolic"],
)
def test_edges_out_of_range_are_refused_by_every_call(call, trained):
    with pytest.raises(ValueError, match=r"edge \(0, 3, 1\) is out of range: layer 0 has 2 inputs"):
        call(trained)


def test_scores_are_those_of_attribute(trained):
    scores = trained.attribute()
    assert all(torch.equal(a, b) for a, b in zip(trained.edge_scores, scores.edges, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(trained.node_scores, scores.nodes, strict=True))
    assert torch.equal(trained.feature_score, scores.features)
    assert [part.shape for part in trained.edge_scores] == [(2, 2), (2, 1)]


# ---- curves


def test_an_edges_curve_is_sorted_and_its_range_is_that_of_the_data(trained):
    acts = trained.acts()
    x, y = trained.get_fun(1, 0, 0)
    assert torch.equal(x, acts.nodes[1][:, 0].sort().values.detach())
    torch.testing.assert_close(y.sort().values, acts.postacts[1][:, 0, 0].detach().sort().values, rtol=0, atol=1e-12)
    low, high, least, most = trained.get_range(1, 0, 0)
    assert (low, high) == (float(x.min()), float(x.max()))
    assert (least, most) == (float(y.min()), float(y.max()))
    with pytest.raises(ValueError, match=r"edge \(1, 5, 0\) is out of range"):
        trained.get_range(1, 5, 0)
    with pytest.raises(ValueError, match="has seen no data yet"):
        KAN([1, 1]).get_fun(0, 0, 0)


def test_shown_samples_are_those_that_curves_and_scores_are_taken_on(trained):
    model = trained.copy()
    x = DATASET["test_input"][:7]
    acts = model.get_act(x)
    assert [len(part) for part in (acts.nodes[0], model.seen(), model.get_fun(0, 0, 0)[0])] == [7, 7, 7]
    torch.testing.assert_close(acts.nodes[-1], model(x), rtol=0, atol=1e-12)
    model.get_act(DATASET)
    assert torch.equal(model.seen(), DATASET["train_input"])
    assert model.targets is not None


def test_modes_of_an_edge(additive):
    model, x = additive.copy(), DATASET["test_input"]
    spline = model(x).detach()
    model.fix_symbolic(0, 0, 0, "sin")
    named = model(x).detach()
    model.set_mode(0, 0, 0, "s")
    assert torch.equal(model(x).detach(), named)
    model.set_mode(0, 0, 0, "n")
    assert torch.equal(model(x).detach(), spline)
    model.set_mode(0, 0, 0, "off")
    assert not model.layer(0).mask[0, 0]
    model.set_mode(0, 0, 0, "n")
    assert torch.equal(model(x).detach(), spline)
    with pytest.raises(ValueError, match="has no function; fix_symbolic gives it one"):
        model.set_mode(0, 0, 0, "s")
    with pytest.raises(ValueError, match="never two things at once"):
        model.set_mode(0, 0, 0, "ns")


def test_evaluating_tells_what_fit_tells(trained):
    found = trained.evaluate(DATASET)
    with torch.no_grad():
        error = float((trained(DATASET["test_input"]) - DATASET["test_label"]).square().mean().sqrt())
    assert found["test_loss"] == pytest.approx(error, rel=1e-12)
    assert found["train_loss"] < 0.1
    assert (found["n_edge"], found["n_grid"]) == (6, [5, 5])
    own = trained.evaluate(DATASET, torch.nn.L1Loss())
    assert own["test_loss"] == pytest.approx(
        float((trained(DATASET["test_input"]) - DATASET["test_label"]).abs().mean().detach()), rel=1e-12
    )
    assert math.isnan(trained.evaluate({name: DATASET[name] for name in ("train_input", "train_label")})["test_loss"])
    with pytest.raises(ValueError, match="class indices: they need a loss_fn"):
        KAN([2, 2]).evaluate({"train_input": torch.zeros(3, 2), "train_label": torch.tensor([0, 1, 1])})


def test_counts_of_edges_and_hidden_nodes():
    model = KAN([2, [3, 2], 4, 1])
    model.remove_edge(0, 0, 0)
    assert (model.n_edge, model.n_sum, model.n_mult) == (2 * 7 + 5 * 4 + 4 - 1, 7, 2)


def test_features_that_interact_are_counted():
    model = KAN([3, 2, 1], seed=0)
    model.get_act(points(80, 3))
    model.remove_edge(0, 2, 0)
    model.remove_edge(0, 0, 1)
    assert model.feature_interaction(1) == {(0, 1): 1, (1, 2): 1}
    assert model.feature_interaction(2) == {(0, 1, 2): 1}
    assert model.node_attribute(1).shape == (2, 3)


def test_metrics_may_be_differentiable():
    model = KAN([2, 1], seed=0)

    def square() -> torch.Tensor:
        return model(DATASET["test_input"]).square().mean()

    assert len(model.fit(DATASET, steps=2, metrics=[square], log=0)["square"]) == 2


# ---- names


def test_fixing_returns_the_true_r2_and_unfixing_gives_the_spline_back(additive):
    model = additive.copy()
    x = DATASET["test_input"]
    before = model(x)
    curve = model.acts().postacts[0][:, 0, 0].detach()
    r2 = model.fix_symbolic(0, 0, 0, "sin")
    fixed = model.acts().postacts[0][:, 0, 0].detach()
    true = 1 - (fixed - curve).square().sum() / (curve - curve.mean()).square().sum()
    assert r2 == pytest.approx(float(true), abs=1e-9)
    assert r2 > 0.999
    poor = additive.copy().fix_symbolic(0, 0, 0, "exp")
    assert poor < 0.9
    model.unfix_symbolic(0, 0, 0)
    assert torch.equal(model(x), before)


def test_fixing_without_a_fit_takes_the_function_as_it_is(additive):
    model = additive.copy()
    r2 = model.fix_symbolic(0, 0, 0, "sin", fit_params_bool=False)
    assert model.layer(0).affine[0, 0].tolist() == [1.0, 0.0, 1.0, 0.0]
    x = model.seen()[:, 0]
    torch.testing.assert_close(model.acts().postacts[0][:, 0, 0].detach(), torch.sin(x))
    curve = additive.acts().postacts[0][:, 0, 0].detach()
    true = 1 - (torch.sin(x) - curve).square().sum() / (curve - curve.mean()).square().sum()
    assert r2 == pytest.approx(float(true), abs=1e-9)


def test_fixing_again_fits_the_spline_not_the_name_before(additive):
    once, twice = additive.copy(), additive.copy()
    twice.fix_symbolic(0, 0, 0, "exp")
    assert twice.fix_symbolic(0, 0, 0, "sin") == pytest.approx(once.fix_symbolic(0, 0, 0, "sin"), abs=1e-12)


def test_unknown_functions_are_refused_and_change_nothing(additive):
    model = additive.copy()
    with pytest.raises(ValueError, match="no function is called 'sine': did you mean 'sin'"):
        model.fix_symbolic(0, 0, 0, "sine")
    assert model.layer(0).fixed == {}


def test_suggestions_come_best_first(additive):
    found = additive.suggest_symbolic(0, 1, 0, topk=4)
    assert len(found) == 4
    assert found[0].name == "x^2"
    assert found[0].r2 > 0.99999
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
    assert {s.name for s in additive.suggest_symbolic(0, 1, 0, lib=["x", "exp"])} == {"x", "exp"}


def test_auto_symbolic_finds_the_formula_and_symbolic_formula_gives_it(additive):
    model = additive.copy()
    model.auto_symbolic(lib=["x", "x^2", "exp", "sin"], log=0)
    exprs, variables = model.symbolic_formula(var=["x", "y"], floating_digit=5)
    x, y = variables
    assert [str(v) for v in variables] == ["x", "y"]
    assert sympy.simplify(exprs[0] - (sympy.sin(3 * x) + y**2)) == 0
    exact = model.symbolic_formula(var=["x", "y"])[0][0]
    value = float(exact.subs({x: 0.3, y: -0.4}))
    at = torch.tensor([[0.3, -0.4]], dtype=torch.float64)
    assert value == pytest.approx(float(model(at).detach()), abs=1e-9)
    assert model.formula().check(DATASET).agrees


def test_stopping_auto_symbolic_leaves_the_model_as_it_was(additive):
    model = additive.copy()
    x = DATASET["test_input"]
    before = model(x)
    search = model.auto_symbolic_steps()
    next(search)
    search.close()
    assert torch.equal(model(x), before)
    assert model.layer(0).fixed == {}


def test_plot_is_a_matplotlib_figure(additive):
    figure = additive.plot(beta=3, in_vars=["x", "y"], out_vars=["f"])
    assert isinstance(figure, matplotlib.figure.Figure)


def test_taking_over_is_complete_and_a_copy(trained):
    model = KAN([2, 5, 1], seed=4)
    model.take_over(trained)
    x = DATASET["test_input"]
    assert model.width == trained.width
    assert torch.equal(model(x), trained(x))
    assert torch.equal(model.seen(), trained.seen())
    model.remove_edge(0, 0, 0)
    assert bool(trained.layer(0).mask.all())


def test_origin_is_the_call_that_makes_the_model():
    model = KAN([2, 3, 1], grid=[4, 5], seed=7, base_fun="zero")
    assert model.origin == {"width": [2, 3, 1], "grid": [4, 5], "seed": 7, "base_fun": "zero"}
    again = KAN(**(model.origin or {}))  # pyright: ignore[reportCallIssue]
    assert torch.equal(again.layer(0).coef, model.layer(0).coef)
    assert KAN([2, 1], seed=torch.Generator()).origin is None
