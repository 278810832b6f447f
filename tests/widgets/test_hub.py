"""The hub keeps the protocol: what is asked is done and answered, what is told is true, nothing does harm."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanlab import KAN, Session, Step, create_dataset
from kanlab.problems import hello
from kanlab.widgets import _hub
from kanlab.widgets._commands import handle
from kanlab.widgets._hub import Hub, hub_of
from tests.widgets.test_messages import GOOD, JSON
from tests.widgets.views import PATIENCE, FakeView


def until(condition: Any) -> None:
    """Wait for what another thread brings about."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.002)


def go_on(hub: Hub, steps: int) -> None:
    """Wait until so many more steps were taken."""
    taken = hub.scene.frame()[0]["step"]
    until(lambda: hub.scene.frame()[0]["step"] >= taken + steps)


def train(view: FakeView, steps: int = 5) -> None:
    """Begin a training that does not end by itself, and let it take some steps."""
    assert view.ask_only("set", optimizer="Adam").result(PATIENCE)["ok"]
    assert view.ask_only("train").result(PATIENCE)["ok"]
    go_on(view.hub, steps)


class TestHello:
    def test_is_answered_with_state_frame_and_detail(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        assert view.kinds == ["state", "frame", "nodes", "detail"]
        assert view.of("detail") == [{"kind": "detail", "detail": None}]
        header, _ = view.frame
        assert header["seq"] == 1
        assert header["step"] == hub.session.current.step == 4
        assert [row[0] for row in header["loss"]["rows"]] == [1, 2, 3, 4]
        assert header["loss"]["from"] == 0

    def test_is_answered_to_the_one_who_said_it(self, hub: Hub, view: FakeView) -> None:
        other = FakeView(hub)
        other.hello()
        assert len(other.sent) == 4
        assert view.sent == []

    def test_tells_the_selected_edge(self, hub: Hub, view: FakeView) -> None:
        view.ask("select", edge=[0, 1, 0])
        late = FakeView(hub)
        late.hello()
        assert late.state["selected"] == [0, 1, 0]
        assert late.of("detail")[0]["detail"]["edge"] == [0, 1, 0]

    def test_and_a_selection_do_not_cut_the_training(self, hub: Hub, view: FakeView, session: Session) -> None:
        before = len(session.history)
        train(view)
        for edge in ([0, 0, 1], [0, 1, 1]):
            handle(hub, view, {"kind": "hello"})
            go_on(hub, 2)
            view.ask_only("select", edge=edge)
            go_on(hub, 2)
            assert view.of("detail")[-1]["detail"]["edge"] == edge
        view.ask("pause")
        assert len(session.history) == before + 1


class TestState:
    def test_has_what_the_protocol_says(self, view: FakeView, session: Session) -> None:
        view.hello()
        state = view.state
        assert set(state) == {
            "version", "names", "width", "subnodes", "edges", "controls", "optimizers", "running", "busy", "selected",
            "library", "formula", "history", "marks", "advice", "error",
        }  # fmt: skip
        assert state["names"] == {"inputs": ["x", "y"], "outputs": ["f"]}
        assert state["width"] == [[2, 0], [2, 0], [1, 0]]
        assert state["subnodes"] == [[], [1, 1], [1]]
        assert state["controls"] == {
            "lamb": 1e-3, "lamb_l1": 1.0, "lamb_entropy": 2.0, "grid": 3, "optimizer": "auto", "steps": 0,
            "lr": 0.0, "batch": 0, "plateau": False,
            "edge_th": 0.03, "node_th": 0.01,
        }  # fmt: skip
        assert (state["running"], state["busy"], state["selected"], state["error"]) == (False, None, None, None)
        assert [option["value"] for option in state["optimizers"]] == ["auto", "LM", "LBFGS", "Adam"]
        assert state["formula"]["latex"] == session.formula().latex(equation=True)

    @pytest.mark.parametrize("width", [[2, 1], [2, [2, 1], 1], [2, [0, 2], [1, 1], 1]], ids=str)
    def test_and_frame_fit_together_for_every_shape(self, width: Any) -> None:
        hub = hub_of(Session(KAN(width, grid=3, seed=0), hello.dataset(60, 30)))
        view = FakeView(hub)
        view.hello()
        header, arrays = view.frame  # decoded with the sizes that the state gives
        assert arrays["curves"].reshape(-1, header["points"]).shape[0] == len(view.state["edges"])
        assert np.isfinite(arrays["curves"]).all()

    def test_version_changes_with_the_structure_and_only_then(self, view: FakeView) -> None:
        view.hello()
        versions = [view.state["version"]]
        for name, args in [
            ("step", {}),
            ("set", {"lamb": 0.1}),
            ("refine", {"grid": 4}),
            ("fix", {"edge": [0, 0, 0], "name": "sin"}),
            ("undo", {}),
            ("remove_edge", {"edge": [0, 0, 1]}),
            ("prune", {"edge_th": 0.0, "node_th": 0.0}),
            ("goto", {"id": 0}),
        ]:
            assert view.ask(name, **args)["ok"]
            versions.append(view.state["version"])
        changes = [after - before for before, after in pairwise(versions)]
        assert [change > 0 for change in changes] == [False, False, False, True, True, True, False, True]
        # A frame never goes out under a version whose state was not told before.
        assert len(list(view.frames())) == len(view.of("frame"))


def label(view: FakeView) -> str:
    return view.hub.session.current.label


class TestCommands:
    """Each is done, answered, and told to all views."""

    def test_train_and_pause(self, view: FakeView, session: Session) -> None:
        train(view)
        assert view.state["running"]
        assert view.ask("pause")["ok"]
        assert not view.state["running"]
        assert label(view).startswith("fit ")
        assert view.frame[0]["step"] == session.current.step >= 9

    def test_train_takes_as_many_steps_as_the_control_says(self, view: FakeView, session: Session) -> None:
        view.ask("set", steps=3, optimizer="Adam")
        view.ask("train")
        assert session.current.step == 4 + 3
        assert not view.state["running"]

    def test_step(self, view: FakeView, session: Session) -> None:
        assert view.ask("step")["ok"]
        assert session.current.step == 5
        assert label(view) == "fit 1, lamb 0.001"

    def test_reset(self, view: FakeView, session: Session) -> None:
        assert view.ask("reset")["ok"]
        assert label(view) == "reset"
        assert view.frame[0]["step"] == 0
        assert view.frame[0]["loss"]["rows"] == []
        assert view.frame[0]["train"] == pytest.approx(session.history[0].train_loss)

    def test_reset_while_it_trains_ends_the_training(self, view: FakeView, session: Session) -> None:
        train(view)
        assert view.ask("reset")["ok"]
        assert label(view) == "reset"
        assert not view.state["running"]
        assert session.path()[-2].command.name == "fit"

    def test_set(self, view: FakeView) -> None:
        values = GOOD["set"]
        assert view.ask("set", **values)["ok"]
        assert view.state["controls"] == values | {"grid": 3}

    def test_set_acts_on_the_training_that_goes_on(self, view: FakeView, session: Session) -> None:
        before = len(session.history)
        train(view)
        assert view.ask_only("set", lamb=0.5, lamb_entropy=0.0).result(PATIENCE)["ok"]
        taken = view.hub.scene.frame()[0]["step"]
        until(lambda: view.hub.scene.frame()[0]["step"] > taken + 3)
        view.ask("pause")
        assert len(session.history) == before + 1
        (change,) = session.current.command.args["schedule"].values()
        assert change == {"lamb": 0.5, "lamb_l1": 1.0, "lamb_entropy": 0.0}

    def test_set_of_a_threshold_shows_what_would_go(self, view: FakeView) -> None:
        view.hello()
        assert not view.frame[1]["doomed"].any()
        view.ask("set", edge_th=10.0)
        assert view.frame[1]["doomed"].all()
        assert view.frame[1]["node_doomed"].tolist() == [0, 0, 1, 1, 0]

    def test_refine(self, view: FakeView, session: Session) -> None:
        assert view.ask("refine", grid=7)["ok"]
        assert session.model.grid == [7, 7]
        assert view.state["controls"]["grid"] == 7

    def test_refine_while_it_trains_counts_every_step_once(self, view: FakeView, session: Session) -> None:
        view.hello()
        train(view)
        assert view.ask_only("refine", grid=5).result(PATIENCE)["ok"]
        taken = view.hub.scene.frame()[0]["step"]
        until(lambda: view.hub.scene.frame()[0]["step"] >= taken + 5)
        hub_step, rows = view.hub.scene.frame()[0]["step"], view.hub.scene.frame()[0]["loss"]["rows"]
        view.ask("pause")
        assert hub_step <= session.current.step
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        last = view.frame[0]
        assert last["step"] == session.current.step
        assert [row[0] for row in last["loss"]["rows"]] == list(range(1, session.current.step + 1))
        steps = [header["step"] for header, _ in view.frames()]
        assert steps == sorted(steps), "the count never falls"

    def test_prune(self, view: FakeView) -> None:
        view.hello()
        weakest = float(view.frame[1]["scores"].min())
        view.ask("set", edge_th=1.01 * weakest, node_th=0.0)
        doomed = int(view.frame[1]["doomed"].sum())
        assert doomed
        before = sum(edge["kind"] != "pruned" for edge in view.state["edges"])
        assert view.ask("prune", edge_th=1.01 * weakest, node_th=0.0)["ok"]
        assert sum(edge["kind"] != "pruned" for edge in view.state["edges"]) == before - doomed
        assert label(view) == f"prune {doomed} edges"

    def test_select(self, hub: Hub, view: FakeView) -> None:
        other = FakeView(hub)
        assert view.ask("select", edge=[0, 1, 1])["ok"]
        for one in (view, other):
            assert one.state["selected"] == [0, 1, 1]
            assert one.of("detail")[-1]["detail"]["source"] == "y"
        assert view.ask("select", edge=None)["ok"]
        assert view.state["selected"] is None
        assert view.of("detail")[-1]["detail"] is None

    def test_fix_unfix_and_remove(self, view: FakeView) -> None:
        def first() -> tuple[str, str | None]:
            return view.state["edges"][0]["kind"], view.state["edges"][0]["name"]

        view.ask("select", edge=[0, 0, 0])
        assert view.ask("fix", edge=[0, 0, 0], name="sin")["ok"]
        assert first() == ("symbolic", "sin")
        assert view.of("detail")[-1]["detail"]["name"] == "sin"
        assert view.ask("unfix", edge=[0, 0, 0])["ok"]
        assert first() == ("spline", None)
        assert view.ask("remove_edge", edge=[0, 0, 0])["ok"]
        assert first() == ("pruned", None)
        assert view.of("detail")[-1]["detail"]["kind"] == "pruned"

    def test_auto_symbolic_and_snap_tell_their_progress(self) -> None:
        dataset = create_dataset(lambda x: x**2, n_var=1, train_num=60, test_num=30)
        hub = hub_of(Session(KAN([1, 1], grid=3), dataset))
        view = FakeView(hub)
        hub.session.fit(steps=3)
        assert view.ask("auto_symbolic")["ok"]
        busy = [message["state"]["busy"] for message in view.of("state")]
        assert {"label": "auto symbolic", "done": 1, "total": 1} in busy
        assert view.state["busy"] is None
        assert view.state["edges"][0]["kind"] == "symbolic"
        assert view.ask("snap")["ok"]
        assert hub.session.current.command.name == "snap"
        assert view.state["formula"]["snaps"] == [
            {"text": snap.text, "cost": pytest.approx(snap.cost)} for snap in hub.session.snaps
        ]

    def test_cancel_stops_a_search_and_is_no_error(self, view: FakeView, session: Session) -> None:
        before = session.history
        answer = view.ask_only("auto_symbolic")
        until(lambda: any(message["state"]["busy"] for message in view.of("state")))
        assert view.ask_only("cancel").result(PATIENCE)["ok"]
        done = answer.result(PATIENCE)
        view.rest()
        assert not done["ok"]
        assert "nothing was changed" in done["error"]
        assert (view.state["busy"], view.state["error"]) == (None, None)
        assert session.history == before

    def test_undo_redo_and_goto(self, view: FakeView, session: Session) -> None:
        view.ask("refine", grid=5)
        assert view.ask("undo")["ok"]
        assert view.state["history"]["current"] == 1
        assert view.state["history"]["can_redo"]
        assert view.state["controls"]["grid"] == 3
        assert view.ask("redo")["ok"]
        assert view.state["controls"]["grid"] == 5
        assert view.ask("goto", id=0)["ok"]
        assert view.state["history"]["current"] == session.current.id == 0
        assert not view.state["history"]["can_undo"]

    def test_undo_while_it_trains_takes_back_the_training(self, view: FakeView, session: Session) -> None:
        train(view)
        assert view.ask("undo")["ok"]
        assert session.current.id == 1
        assert view.frame[0]["step"] == 4
        assert [row[0] for row in view.frame[0]["loss"]["rows"]] == [1, 2, 3, 4]

    def test_dismiss(self, view: FakeView) -> None:
        view.ask("goto", id=99)
        assert "no history entry 99" in view.state["error"]
        assert view.ask("dismiss")["ok"]
        assert view.state["error"] is None

    def test_every_one_is_answered_once(self, view: FakeView) -> None:
        for name, args in GOOD.items():
            view.ask_only(name, **args)
            view.ask("cancel")
        ids = [message["id"] for message in view.of("done")]
        assert len(ids) == len(set(ids)) == 2 * len(GOOD)


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "args", "word"),
        [
            ("explode", {}, "is not a command"),
            ("refine", {"grid": 0}, "allowed are 1 to 200"),
            ("set", {"lamb": -1.0}, "lamb is -1.0"),
            ("set", {"optimizer": "SGD"}, "optimizer is 'SGD'"),
            ("set", {"steps": -1}, "steps is -1"),
            ("select", {"edge": [0, 9, 0]}, "2 inputs"),
            ("fix", {"edge": [0, 0, 0], "name": "sinn"}, "sinn"),
            ("fix", {"edge": [5, 0, 0], "name": "sin"}, "2 layers"),
            ("remove_edge", {"edge": [0, 0, -1]}, "out of range"),
            ("prune", {"edge_th": 99.0, "node_th": 0.0}, "lower thresholds"),
            ("goto", {"id": 7}, "no history entry 7"),
            ("redo", {}, "nothing to redo"),
        ],
    )
    def test_are_answered_told_to_all_and_change_nothing(
        self, hub: Hub, view: FakeView, session: Session, name: str, args: dict[str, Any], word: str
    ) -> None:
        other, before, controls = FakeView(hub), session.history, hub.desk.controls
        done = view.ask(name, **args)
        assert not done["ok"]
        assert word in done["error"]
        for one in (view, other):
            assert one.state["error"] == done["error"]
        assert other.of("done") == []
        assert session.history == before
        assert hub.desk.controls == controls

    def test_are_gone_with_the_next_command(self, view: FakeView) -> None:
        view.ask("goto", id=99)
        view.ask("refine", grid=4)
        assert view.state["error"] is None

    def test_of_training_are_shown(self, view: FakeView, session: Session) -> None:
        session.fix_symbolic(0, 0, 0, "log", fit_params_bool=False)
        view.ask("train")
        assert "undo the last change" in view.state["error"]
        assert not view.state["running"]

    @pytest.mark.parametrize(
        "message",
        [
            None,
            7,
            "hello",
            [],
            {},
            {"kind": None},
            {"kind": "surprise"},
            {"kind": ["hello"]},
            {"kind": "ack"},
            {"kind": "ack", "seq": "1"},
            {"kind": "ack", "seq": 10**400},
            {"kind": "ack", "seq": -5},
            {"kind": "cmd"},
            {"kind": "cmd", "name": "undo"},
            {"kind": "cmd", "id": "1", "name": "undo", "args": {}},
            {"kind": "cmd", "id": None, "name": "reset", "args": {}},
        ],
        ids=repr,
    )
    def test_malformed_messages_are_ignored(self, hub: Hub, view: FakeView, session: Session, message: Any) -> None:
        before = session.history
        handle(hub, view, message)
        view.rest()
        assert view.sent == []
        assert session.history == before
        view.hello()
        assert view.kinds == ["state", "frame", "nodes", "detail"]

    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        message=JSON
        | st.fixed_dictionaries(
            {"kind": st.sampled_from(["cmd", "ack"]) | JSON},
            optional={"id": st.just(1) | JSON, "seq": JSON, "name": st.sampled_from(list(GOOD)) | JSON, "args": JSON},
        )
    )
    def test_no_message_whatsoever_breaks_it(self, hub: Hub, view: FakeView, message: Any) -> None:
        runs = isinstance(message, dict) and message.get("name") in ("auto_symbolic", "snap", "train")
        if runs and message.get("kind") == "cmd":
            return  # well-formed ones are tested above; here they would only take time
        handle(hub, view, message)
        view.rest()
        assert view.ask("dismiss")["ok"]


class TestFrames:
    """A clock that only moves when told makes the window exact."""

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        now = [1000.0]
        monkeypatch.setattr(_hub.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(_hub.time, "thread_time", lambda: 0.0)
        return now

    def steps(self, hub: Hub, clock: list[float], count: int, seconds: float) -> None:
        """Pretend to train."""
        for index in range(count):
            clock[0] += seconds
            hub.stepped(Step(index, 0.1, 0.1, 0.0, 0.01, {}, "LM"))

    def test_are_not_made_before_anybody_looks(self, hub: Hub, view: FakeView, clock: list[float]) -> None:
        self.steps(hub, clock, 50, 0.1)
        assert view.sent == []

    def test_are_at_most_ten_a_second(self, hub: Hub, view: FakeView, clock: list[float]) -> None:
        handle(hub, view, {"kind": "hello"})
        view.rest()
        before = len(view.of("frame"))
        self.steps(hub, clock, 1000, 0.001)
        assert 8 <= len(view.of("frame")) - before <= 10

    def test_wait_for_a_browser_that_does_not_keep_up(self, hub: Hub, view: FakeView, clock: list[float]) -> None:
        handle(hub, view, {"kind": "hello"})
        view.rest()
        self.steps(hub, clock, 19, 0.1)
        sent = [frame["seq"] for frame in view.of("frame")]
        assert len(sent) == 12, "no more than twelve that were not acknowledged"
        handle(hub, view, {"kind": "ack", "seq": sent[4]})
        self.steps(hub, clock, 19, 0.1)
        assert len(view.of("frame")) == 12 + 5, "as many again as were acknowledged"
        handle(hub, view, {"kind": "ack", "seq": view.of("frame")[-1]["seq"]})
        self.steps(hub, clock, 5, 0.1)
        assert len(view.of("frame")) == 12 + 5 + 5

    def test_that_are_never_answered_count_as_lost(self, hub: Hub, view: FakeView, clock: list[float]) -> None:
        """A reloaded page acknowledges nothing; it gets frames all the same, but not ever more of them."""
        handle(hub, view, {"kind": "hello"})
        view.rest()
        self.steps(hub, clock, 19, 0.1)
        assert len(view.of("frame")) == 12
        self.steps(hub, clock, 60, 0.1)
        # A window full every two seconds, not ten a second.
        assert 12 + 24 <= len(view.of("frame")) <= 12 + 4 * 12

    def test_an_acknowledgement_of_what_was_never_sent_opens_nothing(
        self, hub: Hub, view: FakeView, clock: list[float]
    ) -> None:
        handle(hub, view, {"kind": "hello"})
        view.rest()
        handle(hub, view, {"kind": "ack", "seq": 10**9})
        self.steps(hub, clock, 19, 0.1)
        assert len(view.of("frame")) <= 13

    def test_are_numbered_without_gaps_and_carry_the_loss(self, hub: Hub, view: FakeView, clock: list[float]) -> None:
        handle(hub, view, {"kind": "hello"})
        view.rest()
        self.steps(hub, clock, 10, 0.1)
        seqs = [frame["seq"] for frame in view.of("frame")]
        assert seqs == list(range(1, len(seqs) + 1))
        last = view.of("frame")[-1]
        assert last["step"] == 4 + 10
        assert [row[0] for row in last["loss"]["rows"]] == list(range(1, 15))
        assert last["speed"] is None, "nobody trains"

    def test_formula_and_detail_follow_more_slowly(self, hub: Hub, view: FakeView, clock: list[float]) -> None:
        handle(hub, view, {"kind": "hello"})
        view.ask("select", edge=[0, 0, 0])
        before = len(view.of("formula")), len(view.of("detail"))
        self.steps(hub, clock, 40, 0.1)
        assert 2 <= len(view.of("formula")) - before[0] <= 8
        assert 2 <= len(view.of("detail")) - before[1] <= 8


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(
        st.sampled_from(
            [
                ("step", {}),
                ("set", {"lamb": 0.1, "edge_th": 0.2}),
                ("refine", {"grid": 5}),
                ("prune", {"edge_th": 0.1, "node_th": 0.0}),
                ("select", {"edge": [0, 1, 1]}),
                ("fix", {"edge": [0, 0, 0], "name": "x^2"}),
                ("unfix", {"edge": [0, 0, 0]}),
                ("remove_edge", {"edge": [0, 1, 0]}),
                ("undo", {}),
                ("redo", {}),
                ("goto", {"id": 1}),
                ("reset", {}),
            ]
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_the_browser_shows_in_the_end_is_what_there_is(asked: list[tuple[str, dict[str, Any]]]) -> None:
    """Asked one after the other without waiting; two views see the same."""
    session = Session(KAN([2, 2, 1], grid=3, seed=1), hello.dataset(60, 30))
    hub = hub_of(session)
    views = [FakeView(hub), FakeView(hub)]
    for view in views:
        view.hello()
    answers = [views[n % 2].ask_only(name, **args) for n, (name, args) in enumerate(asked)]
    for answer in answers:
        answer.result(PATIENCE)
    views[0].rest()
    truth = hub.scene.snapshot()
    for view in views:
        shown = view.state
        header, arrays = view.frame
        assert shown == truth["state"] | {"version": shown["version"]}
        assert truth["state"]["version"] == shown["version"]
        for name, values in truth["frame"]["arrays"].items():
            assert arrays[name] == pytest.approx(values, rel=1e-4, abs=1e-30), name
        assert header["loss"] == truth["frame"]["loss"]
        assert view.of("detail")[-1]["detail"] == truth["detail"]


class TestTelling:
    def test_only_the_runners_thread_looks_at_a_model_in_training(
        self, hub: Hub, view: FakeView, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another thread could catch a grid that is half laid."""
        tell, looked = hub.scene.formulas.tell, set()

        def noted(session: Session, model: KAN) -> dict[str, Any]:
            if hub.runner.training:
                looked.add(threading.current_thread().name)
            return tell(session, model)

        monkeypatch.setattr(hub.scene.formulas, "tell", noted)
        begun = threading.Event()
        monkeypatch.setattr(hub, "stepped", lambda step: begun.set())
        hub.set(optimizer="Adam")
        view.ask_only("train")
        assert begun.wait(PATIENCE)
        hub.set(lamb=0.2)
        view.ask_only("set", lamb=0.3)
        view.ask_only("select", edge=[0, 0, 0])
        view.ask_only("nonsense")
        view.ask_only("dismiss")
        view.ask_only("pause")
        view.rest()
        assert looked == {"kanlab-train"}
        assert view.state["running"] is False

    def test_a_view_that_breaks_does_not_end_the_thread(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        broken = FakeView(hub)

        def fail(*_: object) -> None:
            raise OSError("the connection is gone")

        broken.send = fail  # pyright: ignore[reportAttributeAccessIssue]
        hub.start(3)
        assert hub.runner.wait(PATIENCE)
        hub.teller._views.discard(broken)
        assert view.ask("step")["ok"]

    def test_views_that_are_gone_are_forgotten(self, hub: Hub) -> None:
        FakeView(hub)
        gc.collect()
        assert list(hub.teller._views) == []

    def test_a_session_has_one_hub_and_takes_it_along(self) -> None:
        session = Session(KAN([2, 1]), hello.dataset(20, 10))
        assert hub_of(session) is hub_of(session)
        other = Session(KAN([2, 1]), hello.dataset(20, 10))
        assert hub_of(other) is not hub_of(session)
        gone = weakref.ref(hub_of(other))
        del other
        gc.collect()
        assert gone() is None

    def test_what_code_does_to_the_session_is_shown(self, view: FakeView, session: Session) -> None:
        session.refine(6)
        assert view.state["controls"]["grid"] == 6
        session.undo()
        assert view.state["history"]["current"] == 1

    def test_a_selection_that_pruning_removed_is_dropped(self, view: FakeView, session: Session) -> None:
        session.remove_edge(1, 1, 0)
        view.ask("select", edge=[0, 0, 1])
        view.ask("prune", edge_th=0.0, node_th=0.0)
        assert view.state["width"] == [[2, 0], [1, 0], [1, 0]]
        assert view.state["selected"] is None
        assert view.of("detail")[-1]["detail"] is None
        view.ask("undo")
        assert view.state["selected"] is None


class TestTrying:
    def test_a_bend_is_shown_and_changes_nothing(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        entries, truth, losses = len(hub.session.history), hub.scene.frame(), hub.session.losses()
        assert view.ask("try_bend", edge=[0, 0, 0], index=2, y=5.0)["ok"]
        header, arrays = view.frame
        assert header["train"] != truth[0]["train"]
        assert arrays["curves"][:33] != pytest.approx(truth[1].curves[:33])
        assert (len(hub.session.history), hub.session.losses()) == (entries, losses)
        view.ask("untry")
        assert view.frame[0]["train"] == pytest.approx(truth[0]["train"])

    def test_a_bend_is_a_command_with_undo(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        view.ask("try_bend", edge=[0, 0, 0], index=2, y=5.0)
        shown = view.frame[0]["train"]
        view.ask("bend", edge=[0, 0, 0], index=2, y=5.0)
        assert hub.session.current.label == "bend (0, 0, 0)"
        assert hub.session.losses()[0] == pytest.approx(shown), "what was shown is what came"
        view.ask("undo")
        assert view.frame[0]["train"] != pytest.approx(shown)

    def test_constants_move_the_formula_too(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        view.ask("fix", edge=[0, 0, 0], name="sin")
        before = view.state["formula"]["python"]
        view.ask("try_constants", edge=[0, 0, 0], constants=[1.25, 0.0, 1.0, 0.0])
        assert "1.25" in view.of("formula")[-1]["formula"]["python"]
        assert hub.session.current.label == "fix (0, 0, 0) sin"
        view.ask("untry")
        assert view.of("formula")[-1]["formula"]["python"] == before
        view.ask("constants", edge=[0, 0, 0], constants=[1.25, 0.0, 1.0, 0.0])
        assert hub.session.model.layer(0).affine[0, 0].tolist() == [1.25, 0.0, 1.0, 0.0]

    def test_anything_else_ends_it(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        truth = hub.scene.frame()[0]["train"]
        view.ask("try_bend", edge=[0, 0, 0], index=2, y=5.0)
        view.ask("fix", edge=[0, 1, 0], name="x^2")
        view.ask("undo")
        assert view.frame[0]["train"] == pytest.approx(truth)

    def test_a_mistake_is_told(self, view: FakeView) -> None:
        view.hello()
        answer = view.ask("try_bend", edge=[0, 0, 0], index=200, y=5.0)
        assert not answer["ok"]
        assert "control points 0 to" in answer["error"]

    def test_a_removed_edge_is_switched_on_again(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        view.ask("remove_edge", edge=[0, 0, 0])
        assert view.state["edges"][0]["kind"] == "pruned"
        view.ask("restore_edge", edge=[0, 0, 0])
        assert view.state["edges"][0]["kind"] == "spline"


class TestScores:
    """While it trains they are looked at every third frame, and at once where what they depend on has changed."""

    def frames(self, hub: Hub, count: int) -> list[Any]:
        found = []
        for _ in range(count):
            with torch.no_grad():
                hub.session.model.layer(0).coef[0, 0] += 0.1
            found.append(hub.scene.frame(grows=True)[1])
        return found

    def test_are_of_every_third_frame_and_curves_of_each(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        hub.scene.frame()
        curves, scores = zip(*((a.curves.tobytes(), a.scores.tobytes()) for a in self.frames(hub, 9)), strict=True)
        assert len(set(curves)) == 9
        assert len(set(scores)) in (3, 4)

    def test_follow_a_threshold_at_once(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        hub.scene.frame()
        hub.set(edge_th=10.0)
        assert self.frames(hub, 1)[0].doomed.all()

    def test_are_exact_at_rest(self, hub: Hub, view: FakeView) -> None:
        view.hello()
        self.frames(hub, 2)
        expected = torch.cat([scores.flatten() for scores in hub.session.model.edge_scores])
        assert hub.scene.frame()[1].scores == pytest.approx(expected.numpy())


class TestFloods:
    """Told once, whatever comes while the runner is at work."""

    @pytest.mark.parametrize("name", ["set", "select", "nonsense"])
    def test_are_told_once(self, hub: Hub, view: FakeView, name: str) -> None:
        gate = threading.Event()
        hub.runner.look(gate.wait)
        asked = {"set": "lamb", "select": "edge", "nonsense": "n"}[name]
        values = [[0, n % 2, 0] if name == "select" else n / 1000 for n in range(201)]
        answers = [view.ask_only(name, **{asked: value}) for value in values]
        gate.set()
        view.rest()
        assert all(answer.result(PATIENCE)["ok"] == (name != "nonsense") for answer in answers)
        assert len(view.of("state")) <= 2
        assert view.state["controls"]["lamb"] == (0.2 if name == "set" else 1e-3)
        assert view.state["selected"] == ([0, 0, 0] if name == "select" else None)
