"""The session: every command goes back exactly, is repeated by the script, and survives the file."""

from __future__ import annotations

import ast
import copy
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from kanlab import KAN, Penalty, Session, create_dataset, store
from kanlab.problems import hello

#: A small library, so that a search takes no time.
LIBRARY = ["x", "x^2"]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small products are slower in several threads, and by much where other work wants the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_session(width: Any = (2, 2, 1), seed: int = 1, **options: Any) -> Session:
    return Session(KAN(list(width), grid=3, seed=seed), hello.dataset(100, 50), **options)


@pytest.fixture
def session() -> Session:
    """A session whose model is trained a little, so that every command has something to act on."""
    session = make_session()
    session.fit(steps=6, lamb=1e-3)
    return session


def same_bits(a: KAN, b: KAN) -> bool:
    """Whether two models are the same to the last bit: shape, edges' names, parameters, masks, grids, samples."""
    (config, tensors), (other_config, others) = store.to_record(a), store.to_record(b)
    return (
        config == other_config
        and tensors.keys() == others.keys()
        and all(torch.equal(tensors[name], others[name]) for name in tensors)
    )


def repeated(session: Session, **names: Any) -> dict[str, Any]:
    """Run the session's script on its dataset, as a person would, and return what it leaves."""
    scope: dict[str, Any] = {"dataset": session.dataset, **names}
    exec(session.script(), scope)
    return scope


def picture(session: Session) -> tuple[Any, ...]:
    """Everything a failed command must leave alone."""
    config, tensors = store.to_record(session.model)
    bits = {name: part.numpy().tobytes() for name, part in tensors.items()}
    return copy.deepcopy(config), bits, session.history, session.current.id, session.can_redo, session.script()


#: Every command, as a call on a session whose edges are splines, but (0, 0, 0), a sine, and (1, 1, 0), removed.
COMMANDS: dict[str, Callable[[Session], Any]] = {
    "fit": lambda s: s.fit(steps=4),
    "fit with a penalty": lambda s: s.fit(steps=5, lamb=1e-2, lamb_l1=0.5, lamb_entropy=1.0),
    "fit with LBFGS": lambda s: s.fit(steps=2, opt="LBFGS", update_grid=False),
    "fit with Adam in batches": lambda s: s.fit(steps=5, opt="Adam", lr=1e-3, batch=32, seed=3),
    "fit with a schedule": lambda s: s.fit(steps=6, schedule={2: {"lamb": 1e-2}, 4: {"lamb": 0.0, "lamb_l1": 2.0}}),
    "prune": lambda s: s.prune(edge_th=0.2, node_th=0.02),
    "refine": lambda s: s.refine(7),
    "refine to fewer": lambda s: s.refine(2),
    "fix_symbolic": lambda s: s.fix_symbolic(0, 1, 0, "x^2"),
    "fix_symbolic as it is": lambda s: s.fix_symbolic(1, 1, 0, "tanh", fit_params_bool=False),
    "unfix_symbolic": lambda s: s.unfix_symbolic(0, 0, 0),
    "remove_edge": lambda s: s.remove_edge(0, 0, 1),
    "restore_edge": lambda s: s.restore_edge(1, 1, 0),
    "bend_edge": lambda s: s.bend_edge(0, 1, 0, 2, 0.5),
    "set_constants": lambda s: s.set_constants(0, 0, 0, [2.0, 0.5, -1.0, 0.25]),
    "set_all_constants": lambda s: s.set_all_constants([[0, 0, 0, 2.0, 0.5, -1.0, 0.25]], "2.1 → 2"),
    "fix_constants": lambda s: s.fix_constants(0, 1, 0, "x^2", [1.0, 0.0, 0.5, 0.1]),
    "eliminate": lambda s: s.eliminate(tolerance=10.0),
    "remove_node": lambda s: s.remove_node(1, 1),
    "expand_width": lambda s: s.expand_width(1, 2),
    "expand_width by a product": lambda s: s.expand_width(1, mult_arity=2),
    "expand_depth": lambda s: s.expand_depth(),
    "perturb": lambda s: s.perturb(0.1, "minimal", seed=2),
    "swap": lambda s: s.swap(1, 0, 1),
    "open_formula": lambda s: s.open_formula("exp(sin(pi*x) + 0.1*y**2)"),
    "auto_symbolic": lambda s: s.auto_symbolic(lib=LIBRARY),
    "snap": lambda s: s.snap(),
    "reset": lambda s: s.reset(),
}


@pytest.fixture(params=COMMANDS, ids=str)
def command(request: pytest.FixtureRequest) -> Callable[[Session], Any]:
    return COMMANDS[request.param]


@pytest.fixture
def worked_on(session: Session) -> Session:
    session.remove_edge(1, 1, 0)
    session.fix_symbolic(0, 0, 0, "sin")
    return session


class TestEveryCommand:
    def test_is_one_entry_that_holds_what_it_left(self, worked_on: Session, command: Callable[[Session], Any]) -> None:
        before = worked_on.current
        command(worked_on)
        entry = worked_on.current
        assert entry.parent == before.id
        assert worked_on.history == (*worked_on.history[: before.id + 1], entry)
        assert same_bits(entry.model, worked_on.model)
        assert (entry.train_loss, entry.test_loss) == worked_on.losses()
        assert entry.label
        assert not same_bits(entry.model, before.model)

    def test_is_undone_and_redone_to_the_last_bit(self, worked_on: Session, command: Callable[[Session], Any]) -> None:
        before, losses = worked_on.model.copy(), worked_on.losses()
        command(worked_on)
        after = worked_on.model.copy()
        for _ in range(2):
            worked_on.undo()
            assert same_bits(worked_on.model, before)
            assert worked_on.losses() == losses
            # What is done to the model by hand does not reach the history.
            for parameter in worked_on.model.parameters():
                parameter.data.zero_()
            worked_on.redo()
            assert same_bits(worked_on.model, after)

    def test_is_repeated_by_the_script_to_the_same_bits_and_formula(
        self, worked_on: Session, command: Callable[[Session], Any]
    ) -> None:
        command(worked_on)
        line = ast.parse(worked_on.script().splitlines()[-2], mode="eval").body
        assert isinstance(line, ast.Call)
        assert {key.arg: ast.literal_eval(key.value) for key in line.keywords} == worked_on.current.command.args
        scope = repeated(worked_on)
        assert same_bits(scope["session"].model, worked_on.model)
        assert scope["formula"].latex() == worked_on.formula().latex()
        assert scope["formula"].exprs == worked_on.formula().exprs

    def test_survives_the_file(self, worked_on: Session, command: Callable[[Session], Any], tmp_path: Path) -> None:
        command(worked_on)
        worked_on.save(tmp_path / "work.kan")
        loaded = Session.load(tmp_path / "work.kan")
        assert same_bits(loaded.model, worked_on.model)
        assert loaded.script() == worked_on.script()
        loaded.undo()
        worked_on.undo()
        assert same_bits(loaded.model, worked_on.model)


class TestCommandsAgreeWithTheModel:
    """A session adds the history, not another mathematics."""

    @pytest.fixture
    def model(self, session: Session) -> KAN:
        return session.model.copy()

    def test_fit(self) -> None:
        session = make_session()
        model = session.model.copy()
        history = model.fit(session.dataset, steps=6, lamb=1e-3, log=0)
        step = session.fit(steps=6, lamb=1e-3)
        assert same_bits(session.model, model)
        assert step is not None
        assert step.train_loss == history["train_loss"][-1]
        told = zip(history["train_loss"], history["test_loss"], history["reg"], strict=True)
        assert session.rows() == [(number, *row) for number, row in enumerate(told, start=1)]

    def test_prune(self, session: Session, model: KAN) -> None:
        session.prune(edge_th=0.2, node_th=0.02)
        assert same_bits(session.model, model.prune(0.2, 0.02))

    def test_refine(self, session: Session, model: KAN) -> None:
        session.refine(7)
        assert same_bits(session.model, model.refine(7))

    def test_fix_unfix_and_remove(self, session: Session, model: KAN) -> None:
        spline = model.layer(0).edge(0, 0, model.seen()[:, 0])
        session.fix_symbolic(0, 0, 0, "sin")
        model.fix_symbolic(0, 0, 0, "sin")
        assert same_bits(session.model, model)
        session.unfix_symbolic(0, 0, 0)
        assert torch.equal(session.model.layer(0).edge(0, 0, model.seen()[:, 0]), spline)
        session.remove_edge(0, 0, 0)
        model.remove_edge(0, 0, 0)
        assert session.model.layer(0).mask[0, 0] == 0
        assert torch.equal(session.model(model.seen()), model(model.seen()))

    def test_auto_symbolic(self, session: Session, model: KAN) -> None:
        session.auto_symbolic(LIBRARY)
        model.auto_symbolic(LIBRARY, log=0)
        assert same_bits(session.model, model)

    def test_reset(self, session: Session) -> None:
        session.reset()
        assert same_bits(session.model, session.history[0].model)
        assert [entry.label for entry in session.history] == ["start", "fit 6, lamb 0.001", "reset"]


class TestFit:
    def test_penalty_sent_acts_on_the_next_step_and_is_in_the_script(self) -> None:
        session = make_session()
        training = session.fit_steps(None, lamb=1e-3)
        steps = [next(training) for _ in range(3)]
        steps.append(training.send(Penalty(0.5)))
        steps += [next(training) for _ in range(2)]
        steps.append(training.send(Penalty(1e-4, 2.0, 0.5)))
        steps += [next(training) for _ in range(2)]
        training.close()
        assert session.current.command.args["schedule"] == {
            3: {"lamb": 0.5, "lamb_l1": 1.0, "lamb_entropy": 2.0},
            6: {"lamb": 1e-4, "lamb_l1": 2.0, "lamb_entropy": 0.5},
        }
        # The objective is loss + lamb * var * reg: the jump of lamb shows in the very next step, and only there.
        strengths = [(step.objective - step.train_loss**2) / step.reg for step in steps]
        assert strengths[3] == pytest.approx(500 * strengths[2], rel=1e-6)
        assert strengths[6] == pytest.approx(strengths[2] / 10, rel=1e-6)
        assert session.current.label == "fit 9, lamb 0.0001"

        scope = repeated(session)
        assert same_bits(scope["session"].model, session.model)
        assert scope["session"].rows() == session.rows()

    def test_a_scheduled_fit_can_be_steered_again(self) -> None:
        session = make_session()
        training = session.fit_steps(6, schedule={2: {"lamb": 0.1}, 4: {"lamb": 0.2}})
        next(training)
        next(training)
        training.send(Penalty(0.3))  # the person's own value goes before the schedule's
        assert len(list(training)) == 3
        assert {at: change["lamb"] for at, change in session.current.command.args["schedule"].items()} == {
            2: 0.3,
            4: 0.2,
        }
        assert same_bits(repeated(session)["session"].model, session.model)

    def test_penalty_after_the_last_step_is_no_part_of_it(self) -> None:
        session = make_session()
        session.fit(steps=3, schedule={3: {"lamb": 1.0}, 99: {"lamb": 1.0}})
        assert session.current.command.args == {"steps": 3, "lamb": 0.0, "lamb_l1": 1.0, "lamb_entropy": 2.0}

    def test_left_early_it_is_one_entry_with_the_best_state(self) -> None:
        session = make_session()
        training = session.fit_steps(50, opt="Adam", lr=0.5, update_grid=False)
        losses = [next(training).train_loss for _ in range(5)]
        training.close()
        assert losses[-1] > min(losses), "a rate of 0.5 must overshoot, else this tests nothing"
        assert session.current.label == "fit 5"
        assert session.losses()[0] <= min(losses) * (1 + 1e-12)
        assert same_bits(repeated(session)["session"].model, session.model)

    @pytest.mark.parametrize("begun", [True, False])
    def test_without_a_step_there_is_no_entry(self, begun: bool) -> None:
        session = make_session()
        before = picture(session)
        if begun:
            assert session.fit(steps=0) is None
        else:
            session.fit_steps(5).close()
        assert picture(session) == before

    def test_an_error_on_the_way_keeps_the_steps_before_it(self) -> None:
        session, calls = make_session(), []

        def metric() -> float:
            calls.append(1)
            if len(calls) == 4:
                raise RuntimeError("the metric broke")
            return 0.0

        with pytest.raises(RuntimeError, match="the metric broke"):
            session.fit(steps=10, metrics=[metric])
        assert session.current.label == "fit 3"
        assert len(session.rows()) == 3
        assert session.losses()[0] <= session.rows()[-1][1]

    def test_steps_count_on_along_a_branch(self, session: Session) -> None:
        session.refine(5)
        session.fit(steps=4)
        assert [entry.step for entry in session.path()] == [0, 6, 6, 10]
        assert [row[0] for row in session.rows()] == list(range(1, 11))
        session.goto(1)
        session.fit(steps=2)
        assert [row[0] for row in session.rows()] == list(range(1, 9))
        session.reset()
        session.fit(steps=3)
        assert [row[0] for row in session.rows()] == [1, 2, 3]
        assert [entry.label for entry in session.since_reset()] == ["reset", "fit 3"]
        session.goto(0)
        assert session.rows() == []

    def test_class_labels_are_trained_by_cross_entropy(self, tmp_path: Path) -> None:
        x = torch.rand(150, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
        label = (x[:, 0] * x[:, 1] > 0).long()
        dataset = {"train_input": x[:100], "train_label": label[:100], "test_input": x[100:], "test_label": label[100:]}
        session = Session(KAN([2, 2], seed=0), dataset)
        before = session.losses()[0]
        step = session.fit(steps=3)
        assert step is not None
        assert step.train_loss == pytest.approx(session.losses()[0])
        assert session.losses()[0] < before
        with torch.no_grad():
            held_out = torch.nn.functional.cross_entropy(session.model(x[100:]), label[100:])
        assert session.losses()[1] == pytest.approx(float(held_out))
        assert same_bits(repeated(session)["session"].model, session.model)
        session.save(tmp_path / "classes.kan")
        loaded = Session.load(tmp_path / "classes.kan")
        assert loaded.losses() == session.losses()

    def test_without_test_rows_the_test_loss_is_nan_also_in_the_file(self, tmp_path: Path) -> None:
        dataset = {name: part for name, part in hello.dataset(50, 5).items() if name.startswith("train")}
        session = Session(KAN([2, 1]), dataset)
        session.fit(steps=2)
        session.save(tmp_path / "train.kan")
        for one in (session, Session.load(tmp_path / "train.kan")):
            assert math.isnan(one.current.test_loss)
            assert all(math.isnan(row[2]) for row in one.rows())
            assert one.current.train_loss == session.losses()[0]


class TestHistory:
    def test_starts_with_the_model_as_it_came(self) -> None:
        model = KAN([2, 3, 1], seed=1)
        session = Session(model, hello.dataset(50, 20))
        start = session.current
        assert (start.id, start.parent, start.label, start.step, start.rows) == (0, None, "start", 0, ())
        assert not session.can_undo
        assert not session.can_redo
        session.fit(steps=2)
        assert torch.equal(start.model.layer(0).coef, model.layer(0).coef)
        assert model.samples is None, "the person's own model stays as it is"

    def test_doing_something_else_starts_a_branch_and_keeps_the_other(self, session: Session) -> None:
        session.refine(5)
        finer = session.model.copy()
        session.undo()
        session.remove_edge(0, 0, 0)
        assert [entry.parent for entry in session.history] == [None, 0, 1, 1]
        assert [entry.id for entry in session.path()] == [0, 1, 3]
        assert "refine" not in session.script()
        session.undo()
        session.redo()
        assert session.current.id == 3, "redo follows the branch that was left last"
        session.goto(2)
        assert same_bits(session.model, finer)
        assert "refine" in session.script()
        session.undo()
        session.redo()
        assert session.current.id == 2

    def test_redo_leads_back_down_the_branch_one_went_to(self, session: Session) -> None:
        session.refine(5)
        session.fit(steps=1)
        session.goto(1)
        session.refine(4)
        session.goto(3)
        session.goto(0)
        visited = []
        while session.can_redo:
            session.redo()
            visited.append(session.current.id)
        assert visited == [1, 2, 3]

    def test_goes_to_any_entry_exactly(self, session: Session) -> None:
        session.prune()
        session.fix_symbolic(0, 0, 0, "sin")
        session.undo()
        session.refine(6)
        for entry in session.history:
            session.goto(entry.id)
            assert session.current is entry
            assert same_bits(session.model, entry.model)
            assert session.model is not entry.model

    @pytest.mark.parametrize("id", [-1, 2, 99, 1.0, "1", None])
    def test_refuses_entries_that_are_not_there(self, session: Session, id: Any) -> None:
        before = picture(session)
        with pytest.raises(ValueError, match="they are numbered 0 to 1"):
            session.goto(id)
        assert picture(session) == before

    def test_says_when_there_is_nothing_to_undo_or_redo(self, session: Session) -> None:
        with pytest.raises(ValueError, match="nothing to redo"):
            session.redo()
        session.undo()
        with pytest.raises(ValueError, match="nothing to undo"):
            session.undo()
        assert session.current.id == 0


#: Calls that fail, with the error and a word it must say.
MISTAKES: dict[str, tuple[Callable[[Session], Any], type[Exception], str]] = {
    "an edge out of range": (lambda s: s.fix_symbolic(0, 0, 9, "sin"), ValueError, r"edge \(0, 0, 9\)"),
    "a layer out of range": (lambda s: s.remove_edge(2, 0, 0), ValueError, "2 layers"),
    "an unknown function": (lambda s: s.fix_symbolic(0, 0, 0, "sinn"), ValueError, "sinn"),
    "a function that cannot stand there": (lambda s: s.fix_symbolic(0, 0, 0, ""), ValueError, "''"),
    "no function's edge": (lambda s: s.unfix_symbolic(0, 5, 0), ValueError, "2 inputs"),
    "an edge that is there to restore": (lambda s: s.restore_edge(0, 0, 0), ValueError, "only a removed edge"),
    "a control point out of range": (lambda s: s.bend_edge(0, 0, 0, 6, 0.0), ValueError, "0 to 5"),
    "a height that is no number": (lambda s: s.bend_edge(0, 0, 0, 0, math.nan), ValueError, "nan"),
    "constants of a spline": (lambda s: s.set_constants(0, 0, 0, [1, 0, 1, 0]), ValueError, "has no name"),
    "an unknown library": (lambda s: s.auto_symbolic(lib=["sin", "nope"]), ValueError, "nope"),
    "a negative threshold": (lambda s: s.prune(edge_th=-1.0), ValueError, "edge_th"),
    "thresholds above everything": (lambda s: s.prune(edge_th=50.0), ValueError, "lower thresholds"),
    "a grid of nothing": (lambda s: s.refine(0), ValueError, "grid"),
    "a negative penalty": (lambda s: s.fit(lamb=-1.0), ValueError, "lamb"),
    "an unknown solver": (lambda s: s.fit(opt="SGD"), ValueError, "SGD"),
    "negative steps": (lambda s: s.fit(steps=-1), ValueError, "steps"),
    "an unknown option": (lambda s: s.fit(steps=1, speed=9), TypeError, "speed"),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_told_and_changes_nothing(session: Session, mistake: str) -> None:
    call, error, word = MISTAKES[mistake]
    before = picture(session)
    with pytest.raises(error, match=word):
        call(session)
    assert picture(session) == before


@pytest.mark.parametrize("search", ["auto_symbolic_steps", "snap_steps"])
def test_a_search_left_early_changes_nothing(session: Session, search: str) -> None:
    session.fix_symbolic(0, 0, 0, "sin")
    before = picture(session)
    steps = getattr(session, search)()
    progress = next(steps)
    assert 0 <= progress.done < progress.total
    steps.close()
    assert picture(session) == before


class TestWhileItTrains:
    def test_commands_wait_their_turn(self, worked_on: Session) -> None:
        others = {
            "undo": lambda s: s.undo(),
            "goto": lambda s: s.goto(0),
            "auto_symbolic_steps": lambda s: list(s.auto_symbolic_steps()),
            "snap_steps": lambda s: list(s.snap_steps()),
        }
        training = worked_on.fit_steps(5)
        next(training)
        before = picture(worked_on)
        for name, command in (COMMANDS | others).items():
            with pytest.raises(RuntimeError, match="is being trained; stop that first"):
                command(worked_on)
            assert picture(worked_on) == before, name
        training.close()
        worked_on.refine(4)
        assert [entry.label for entry in worked_on.path()[4:]] == ["fit 1", "grid 4"]

    def test_an_error_gives_the_session_free(self, session: Session) -> None:
        def metric() -> float:
            raise RuntimeError("the metric broke")

        with pytest.raises(RuntimeError, match="the metric broke"):
            session.fit(steps=2, metrics=[metric])
        session.refine(4)
        assert session.current.label == "grid 4"


def test_listeners_are_told_after_each_change(session: Session) -> None:
    told: list[tuple[int, str]] = []
    session.listeners.append(lambda: told.append((session.current.id, session.current.label)))
    session.fit(steps=2)
    session.refine(4)
    session.undo()
    session.redo()
    with pytest.raises(ValueError, match="grid"):
        session.refine(0)
    assert told == [(2, "fit 2"), (3, "grid 4"), (2, "fit 2"), (3, "grid 4")]


def test_snap_tells_what_it_snapped_and_what_that_costs(tmp_path: Path) -> None:
    dataset = create_dataset(lambda x: torch.sin(torch.pi * x[:, 0]), n_var=1, train_num=100, test_num=50)
    session = Session(KAN([1, 1], grid=5), dataset, names=["x"])
    session.fit(steps=20)
    session.fix_symbolic(0, 0, 0, "sin")
    session.fit(steps=20)
    assert session.snaps == ()
    entry = session.snap()
    assert session.snaps == entry.snaps
    assert any(snap.text.endswith("→ π") for snap in entry.snaps), entry.snaps
    assert all(abs(snap.cost) < 1e-9 for snap in entry.snaps)
    assert session.model.layer(0).affine[0, 0, 0].item() in (math.pi, -math.pi)
    session.save(tmp_path / "snap.kan")
    assert Session.load(tmp_path / "snap.kan").snaps == entry.snaps


class TestNames:
    def test_come_from_the_dataset_or_are_made(self) -> None:
        data = hello.dataset(20, 5)
        assert Session(KAN([2, 1]), data).names == ["x", "y"]
        assert Session(KAN([2, 1]), data).out_names == ["f"]
        bare = {name: part for name, part in data.items() if "names" not in name}
        assert Session(KAN([2, 1]), bare).names == ["x_1", "x_2"]
        assert Session(KAN([2, 1]), bare, names=("a", "b"), out_names=["out"]).names == ["a", "b"]

    @pytest.mark.parametrize("names", [["x"], ["x", "y", "z"], "xy", ["x", "x"], [], ["x", ""], ["x", " "]])
    def test_must_fit(self, names: Any) -> None:
        with pytest.raises(ValueError, match="names is"):
            Session(KAN([2, 1]), hello.dataset(20, 5), names=names)

    def test_may_be_columns_of_a_table(self) -> None:
        pandas = pytest.importorskip("pandas")
        session = Session(KAN([2, 1]), hello.dataset(20, 5), names=pandas.Index(["a", "b"]))
        assert session.names == ["a", "b"]

    NASTY = (
        "x'; import os; os.remove('everything')  #",
        'a"""\nraise SystemExit',
        r"\input{/etc/passwd} $x$ %",
        "<script>alert(1)</script>",
        "</mi><mtext>&lt;",
        "lambda",
        "x y",
        "温度 °C",
        "{x!r}",
        "a\u2028b",
    )

    @pytest.mark.parametrize("name", NASTY)
    def test_of_any_script_do_no_harm(self, name: str, tmp_path: Path) -> None:
        session = make_session((2, 1), names=[name, "y"], out_names=[f"{name}!"])
        session.fit(steps=2)
        scope = repeated(session)
        assert scope["session"].names == [name, "y"]
        assert scope["session"].out_names == [f"{name}!"]
        assert same_bits(scope["session"].model, session.model)
        formula = session.formula()
        tree = ElementTree.fromstring(formula.mathml())
        assert {element.tag.split("}")[-1] for element in tree.iter()} <= {
            "math", "mrow", "mi", "mn", "mo", "msub", "msup", "mfrac", "msqrt", "mtext", "mspace", "mfenced",
            "msubsup", "mstyle", "mtable", "mtr", "mtd", "mpadded",
        }  # fmt: skip
        assert r"\input" not in formula.latex()
        compile(formula.python(), "<formula>", "exec")
        session.save(tmp_path / "names.kan")
        assert Session.load(tmp_path / "names.kan").names == [name, "y"]

    @settings(max_examples=60)
    @given(
        names=st.lists(
            st.text(st.characters(exclude_categories=["Cs"])).filter(str.strip), min_size=2, max_size=2, unique=True
        )
    )
    def test_stand_in_the_script_as_they_are(self, names: list[str]) -> None:
        script = make_session((2, 1), names=names).script()
        calls = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Call)]
        given = {key.arg: key.value for call in calls for key in call.keywords}
        assert ast.literal_eval(given["names"]) == names
        assert len(ast.parse(script).body) == 4, "the names added a statement"


class TestScript:
    def test_repeats_a_whole_session(self) -> None:
        session = Session(KAN([2, 5, 1], grid=3, seed=2), hello.dataset(300, 100))
        session.fit(steps=20, lamb=1e-2)
        session.prune()
        session.fit(steps=20)
        session.refine(6)
        session.undo()
        session.fix_symbolic(0, 0, 0, "sin")
        session.fit(steps=10)
        scope = repeated(session)
        assert same_bits(scope["session"].model, session.model)
        assert scope["formula"].python() == session.formula().python()
        assert [entry.label for entry in scope["session"].history] == [entry.label for entry in session.path()]

    def test_repeats_metrics_and_weights_of_the_penalty(self) -> None:
        session = Session(KAN([2, 2, 1], seed=0), hello.dataset(60, 20))
        session.fit(steps=4, lamb=1e-2, lamb_coef=0.1, reg_metric="edge_backward", schedule={2: {"lamb": 1e-1}})
        assert "'lamb': 0.1" in session.script()
        assert "reg_metric='edge_backward'" in session.script()
        assert same_bits(repeated(session)["session"].model, session.model)

    def test_names_every_argument_that_is_not_the_default(self) -> None:
        model = KAN([2, [1, 1], 1], grid=4, k=2, seed=7, noise_scale=0.2, grid_range=(-2.0, 2.0), base_fun="identity")
        session = Session(model, hello.dataset(50, 20))
        assert "KAN.load" not in session.script()
        assert same_bits(repeated(session)["session"].model, session.model)

    @pytest.mark.parametrize(
        "work",
        [
            lambda model: model.fit(hello.dataset(50, 20), steps=2, log=0),
            lambda model: model.fix_symbolic(0, 0, 0, "sin", fit_params_bool=False),
            lambda model: model.remove_edge(0, 0, 0),
            lambda model: model.update_grid_from_samples(torch.rand(50, 2)),
        ],
        ids=["fitted", "fixed", "thinned", "regridded"],
    )
    def test_of_a_model_that_had_been_worked_on_loads_it(
        self, work: Callable[[KAN], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = KAN([2, 2, 1], seed=1)
        work(model)
        session = Session(model, hello.dataset(50, 20))
        session.fit(steps=2)
        assert "session.history[0].model.save('start.kan')" in session.script()
        monkeypatch.chdir(tmp_path)
        session.history[0].model.save("start.kan")
        assert same_bits(repeated(session)["session"].model, session.model)

    def test_takes_numbers_of_numpy(self, session: Session, tmp_path: Path) -> None:
        session.fit(steps=2, lamb=np.float64(1e-3), batch=np.int64(64), opt="Adam")
        session.prune(edge_th=np.float64(0.01))
        session.refine(np.int64(5))  # pyright: ignore[reportArgumentType]
        assert same_bits(repeated(session)["session"].model, session.model)
        session.save(tmp_path / "numpy.kan")
        assert Session.load(tmp_path / "numpy.kan").script() == session.script()

    def test_tells_data_apart(self) -> None:
        data = hello.dataset(20, 5)
        changed = data | {"train_label": data["train_label"].clone()}
        changed["train_label"][3] += 1e-15
        fingerprints = [Session(KAN([2, 1]), one).fingerprint() for one in (data, copy.deepcopy(data), changed)]
        assert fingerprints[0] == fingerprints[1] != fingerprints[2]
        assert fingerprints[0] in Session(KAN([2, 1]), data).script()


def test_asks_for_a_model_and_a_dataset() -> None:
    with pytest.raises(TypeError, match=r"model is a Linear; a session works on a kanlab\.KAN"):
        Session(torch.nn.Linear(2, 1), hello.dataset(20, 5))  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="dataset must be a dict"):
        Session(KAN([2, 1]), 7)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="has 2 column"):
        Session(KAN([3, 1]), hello.dataset(20, 5))


# ---- the file


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with branches, a schedule, names, snaps and something undone."""
    session = make_session((2, 2, 1), names=["größe", "<b>"])
    session.fit(steps=4, schedule={2: {"lamb": 1e-2}})
    session.refine(4)
    session.goto(1)
    session.fix_symbolic(0, 0, 0, "sin")
    session.snap()
    session.undo()
    path = tmp_path_factory.mktemp("session") / "work.kan"
    session.save(path)
    return path


def edited(path: Path, to: Path, edit: Callable[[dict[str, Any], dict[str, torch.Tensor]], Any]) -> Path:
    """Write a copy of a session's file whose configuration or tensors were changed."""
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["kanlab"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
    edit(header, tensors)
    save_file(tensors, to, metadata={"kanlab": json.dumps(header)})
    return to


#: What a damaged or doctored file may say.
DAMAGE: dict[str, Callable[[dict[str, Any], dict[str, torch.Tensor]], Any]] = {
    "no entries": lambda head, _: head["config"].update(entries=[]),
    "entries that are no list": lambda head, _: head["config"].update(entries=3),
    "no names": lambda head, _: head["config"].pop("names"),
    "too few names": lambda head, _: head["config"].update(names=["x"]),
    "a place that is not there": lambda head, _: head["config"].update(at=77),
    "a parent that comes later": lambda head, _: head["config"]["entries"][1].update(parent=2),
    "a parent of its own": lambda head, _: head["config"]["entries"][1].update(parent=1),
    "a start with a parent": lambda head, _: head["config"]["entries"][0].update(parent=0),
    "an orphan": lambda head, _: head["config"]["entries"][2].update(parent=None),
    "redo to nowhere": lambda head, _: head["config"].update(redo=[[0, 99]]),
    "redo that is none": lambda head, _: head["config"].update(redo=[[1]]),
    "no model": lambda head, _: head["config"]["entries"][1].pop("model"),
    "a model of another shape": lambda head, _: head["config"]["entries"][1]["model"].update(width=[2, 7, 1]),
    "a function that is unknown": lambda head, _: head["config"]["entries"][3]["model"].update(
        fixed=[[0, 0, 0, "nope"]]
    ),
    "a command that is none": lambda head, _: head["config"]["entries"][1].update(
        command=["fit(); import os; os.abort", {}]
    ),
    "a command of Python's": lambda head, _: head["config"]["entries"][1].update(command=["__init__", {}]),
    "arguments that are no names": lambda head, _: head["config"]["entries"][2].update(
        command=["refine", {"grid=5); import os; os.abort(": 1}]
    ),
    "arguments that are no dict": lambda head, _: head["config"]["entries"][2].update(command=["refine", ["grid"]]),
    "an origin that is none": lambda head, _: head["config"]["entries"][0].update(origin={"width": [2, 1], "y": 1}),
    "a schedule that is none": lambda head, _: head["config"]["entries"][1].update(
        command=["fit", {"schedule": 3}]
    ),
    "losses that are text": lambda head, _: head["config"]["entries"][1].update(losses=["a", "b"]),
    "no data": lambda _, tensors: tensors.pop("data.train_input"),
    "data that is not finite": lambda _, tensors: tensors["data.train_input"].fill_(math.nan),
    "no rows": lambda _, tensors: tensors.pop("entries.1.rows"),
    "rows of another shape": lambda _, tensors: tensors.update({"entries.1.rows": torch.zeros(3)}),
    "no coefficients": lambda _, tensors: tensors.pop("entries.1.layers.0.coef"),
}  # fmt: skip


class TestFile:
    def test_holds_everything(self, tmp_path: Path) -> None:
        session = make_session((2, 2, 1), names=["a", "b"], out_names=["c"])
        session.fit(steps=4, schedule={2: {"lamb": 1e-2}})
        session.refine(4)
        session.goto(1)
        session.fix_symbolic(0, 0, 0, "sin")
        session.undo()
        session.save(tmp_path / "work.kan")
        loaded = Session.load(tmp_path / "work.kan")
        for ours, theirs in zip(session.history, loaded.history, strict=True):
            for name in ("id", "parent", "command", "label", "train_loss", "test_loss", "step", "rows", "snaps"):
                assert getattr(theirs, name) == getattr(ours, name), name
            assert same_bits(theirs.model, ours.model)
        assert loaded.current.id == session.current.id == 1
        assert loaded.names == ["a", "b"]
        assert loaded.out_names == ["c"]
        assert loaded.fingerprint() == session.fingerprint()
        for name in ("train_input", "train_label", "test_input", "test_label"):
            assert torch.equal(getattr(loaded.data, name), getattr(session.data, name))
        loaded.redo()
        assert loaded.current.id == 3
        assert list(tmp_path.iterdir()) == [tmp_path / "work.kan"]

    def test_goes_on_as_the_session_would_have(self, session: Session, tmp_path: Path) -> None:
        session.save(tmp_path / "work.kan")
        loaded = Session.load(tmp_path / "work.kan")
        for one in (session, loaded):
            one.fit(steps=3)
            one.prune()
        assert same_bits(loaded.model, session.model)
        assert loaded.script() == session.script()
        assert same_bits(repeated(loaded)["session"].model, loaded.model)

    def test_keeps_float32(self, tmp_path: Path) -> None:
        session = Session(KAN([2, 1], dtype=torch.float32), hello.dataset(50, 20))
        session.fit(steps=3)
        session.save(tmp_path / "single.kan")
        loaded = Session.load(tmp_path / "single.kan")
        assert loaded.model.dtype == loaded.data.train_input.dtype == torch.float32
        assert same_bits(loaded.model, session.model)

    def test_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"nothing\.kan"):
            Session.load(tmp_path / "nothing.kan")

    def test_of_a_model_is_no_session(self, tmp_path: Path) -> None:
        KAN([2, 1]).save(tmp_path / "model.kan")
        with pytest.raises(ValueError, match="holds a model, not a session"):
            Session.load(tmp_path / "model.kan")

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(part=st.floats(0, 1, exclude_max=True))
    def test_cut_short_is_refused(self, saved: Path, tmp_path: Path, part: float) -> None:
        whole = saved.read_bytes()
        (tmp_path / "cut.kan").write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(ValueError, match="damaged"):
            Session.load(tmp_path / "cut.kan")

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_with_a_flipped_byte_in_its_head_loads_or_is_refused(
        self, saved: Path, tmp_path: Path, data: st.DataObject
    ) -> None:
        whole = bytearray(saved.read_bytes())
        head = 8 + int.from_bytes(whole[:8], "little")
        at = data.draw(st.integers(0, head - 1))
        whole[at] ^= data.draw(st.integers(1, 255))
        (tmp_path / "flipped.kan").write_bytes(whole)
        try:
            session = Session.load(tmp_path / "flipped.kan")
        except ValueError:
            return
        session.path()
        session.script()

    @pytest.mark.parametrize("damage", DAMAGE, ids=str)
    def test_that_is_damaged_is_refused(self, saved: Path, tmp_path: Path, damage: str) -> None:
        path = edited(saved, tmp_path / "damaged.kan", DAMAGE[damage])
        with pytest.raises(ValueError, match=r"\w"):
            Session.load(path)

    def test_edited_without_harm_loads(self, saved: Path, tmp_path: Path) -> None:
        """Else every refusal above could be the editing's own fault."""
        path = edited(saved, tmp_path / "same.kan", lambda head, tensors: None)
        assert Session.load(path).script() == Session.load(saved).script()


class TestRestoring:
    def test_brings_back_the_name_it_had(self, session: Session) -> None:
        session.fix_symbolic(0, 0, 1, "sin")
        before = session.model.copy()
        session.remove_edge(0, 0, 1)
        session.restore_edge(0, 0, 1)
        assert same_bits(session.model, before)

    def test_brings_back_the_spline_where_there_was_no_name(self, session: Session) -> None:
        before = session.model.copy()
        session.remove_edge(0, 0, 1)
        session.restore_edge(0, 0, 1)
        assert same_bits(session.model, before)

    def test_does_not_look_beyond_a_change_of_shape(self, session: Session) -> None:
        session.fix_symbolic(0, 0, 1, "sin")
        session.remove_edge(0, 0, 1)
        session.model = session.model.copy()
        assert session._last_with(0, 0, 1) is session.history[2].model
        session.remove_edge(1, 0, 0)
        session.prune(0.0, 0.0)
        assert session.model.width != session.history[0].model.width
        # The node that stays had lost its edge from the first input; before that, the shape was another.
        assert session._last_with(0, 0, 0) is None
        assert session._last_with(0, 1, 0) is session.current.model
