"""What holds for every panel, and what each adds: its properties are the controls, its methods the commands."""

from __future__ import annotations

import gc
import json
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from kanlab import KAN, Session, widgets
from kanlab.problems import hello
from kanlab.widgets import FormulaPanel, HistoryPanel, Inspector, Lab, NetworkGraph, TrainingPanel, _autosave
from kanlab.widgets._base import Panel
from tests.widgets.views import PATIENCE

PANELS: dict[type[Panel], str] = {
    Lab: "lab",
    NetworkGraph: "graph",
    TrainingPanel: "training",
    Inspector: "inspector",
    FormulaPanel: "formula",
    HistoryPanel: "history",
}


@pytest.fixture(params=PANELS, ids=lambda kind: kind.__name__)
def panel(request: pytest.FixtureRequest, session: Session) -> Iterator[Panel]:
    panel = request.param(session)
    yield panel
    panel.hub.runner.cancel()
    assert panel.hub.runner.wait(PATIENCE)
    panel.close()


@pytest.fixture
def lab(session: Session) -> Iterator[Lab]:
    lab = Lab(session)
    yield lab
    lab.close()
    assert lab.wait(PATIENCE)


def overheard(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Record the custom messages that go out over the panel's comm."""
    sent: list[dict[str, Any]] = []

    def send(data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        if data["method"] == "custom":
            sent.append(json.loads(json.dumps(data["content"], allow_nan=False)))

    monkeypatch.setattr(panel.comm, "send", send)
    return sent


def from_browser(panel: Panel, content: Any) -> None:
    """Deliver a custom message as the kernel does."""
    panel._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    assert panel.hub.runner.wait(PATIENCE)


def until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.002)


def greet(panel: Panel) -> None:
    """Show the panel somewhere."""
    from_browser(panel, {"kind": "hello"})


class TestEveryPanel:
    def test_is_exported_and_says_what_the_front_end_shall_draw(self, panel: Panel) -> None:
        # anywidget gives each instance a class of its own, of the same name.
        kind = getattr(widgets, type(panel).__name__)
        assert isinstance(panel, kind)
        assert panel.panel == PANELS[kind]

    def test_wants_a_session(self, panel: Panel) -> None:
        with pytest.raises(TypeError, match=r"is a int"):
            type(panel)(7)  # pyright: ignore[reportArgumentType]

    def test_syncs_four_traits_of_its_own(self, panel: Panel) -> None:
        own = {name for name in panel.keys if not name.startswith("_")} - {"layout", "tabbable", "tooltip"}
        assert own == {"panel", "snapshot", "hidden", "language"}

    def test_has_a_stable_repr(self, panel: Panel) -> None:
        """Addresses in saved notebooks would make a difference at each run."""
        assert repr(panel) == f"<kanlab {type(panel).__name__}>"
        assert repr(panel) == str(panel)

    def test_is_displayed_as_a_widget_with_its_picture(self, panel: Panel) -> None:
        bundle = panel._repr_mimebundle_()
        assert bundle is not None
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.model_id
        assert panel.snapshot["state"]["width"] == [[2, 0], [2, 0], [1, 0]]

    def test_snapshot_is_json_and_complete(self, panel: Panel) -> None:
        panel.hub.select((0, 1, 0))
        assert panel.hub.runner.wait(PATIENCE)
        from_browser(panel, {"kind": "settled", "version": 1})
        snapshot = json.loads(json.dumps(panel.snapshot, allow_nan=False))
        assert set(snapshot) == {"state", "frame", "nodes", "detail", "front"}
        assert snapshot["detail"]["edge"] == [0, 1, 0]
        frame = snapshot["frame"]
        assert len(frame["arrays"]["curves"]) == frame["points"] * len(snapshot["state"]["edges"])
        assert frame["version"] == snapshot["state"]["version"]
        assert frame["step"] == 4

    def test_snapshot_stays_as_it_is_while_it_trains(self, panel: Panel) -> None:
        panel.hub.set(optimizer="Adam")
        panel.hub.start()
        panel._handle_msg({"content": {"data": {"method": "custom", "content": {"kind": "settled"}}}, "buffers": []})
        assert panel.snapshot == {}
        panel.hub.runner.pause()

    def test_hears_its_browser_and_answers(self, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = overheard(panel, monkeypatch)
        from_browser(panel, {"kind": "hello"})
        assert [message["kind"] for message in sent] == ["state", "frame", "nodes", "detail"]
        from_browser(panel, {"kind": "cmd", "id": 5, "name": "refine", "args": {"grid": 4}})
        assert {"kind": "done", "id": 5, "ok": True, "error": None} in sent
        assert panel.session.model.grid == [4, 4]

    @pytest.mark.parametrize(
        "content", [None, 3, "hello", [], {}, {"kind": "cmd"}, {"kind": "settled", "version": "x"}]
    )
    def test_is_not_harmed_by_malformed_messages(self, panel: Panel, content: Any) -> None:
        before = panel.session.history
        from_browser(panel, content)
        assert panel.session.history == before

    def test_is_in_sync_with_the_others_of_its_session(
        self, panel: Panel, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = NetworkGraph(session)
        assert other.hub is panel.hub
        greet(other)
        sent = overheard(other, monkeypatch)
        from_browser(panel, {"kind": "cmd", "id": 1, "name": "select", "args": {"edge": [0, 0, 1]}})
        states = [message["state"] for message in sent if message["kind"] == "state"]
        assert states[-1]["selected"] == [0, 0, 1]
        assert not any(message["kind"] == "done" for message in sent)
        other.close()

    def test_hears_nothing_until_it_is_shown(self, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
        """A panel that code alone uses costs no messages."""
        sent = overheard(panel, monkeypatch)
        panel.session.refine(5)
        assert sent == []
        greet(panel)
        assert [message["kind"] for message in sent] == ["state", "frame", "nodes", "detail"]

    def test_once_closed_takes_nothing_amiss(self, panel: Panel) -> None:
        panel.close()
        panel.send({"kind": "state"})
        panel.session.refine(5)
        assert panel.hub.do("refine", grid=6).result(PATIENCE)
        assert panel.session.model.grid == [6, 6]


class TestTrainingPanel:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("lamb", 0.5),
            ("lamb_l1", 2.0),
            ("lamb_entropy", 0.0),
            ("optimizer", "LBFGS"),
            ("steps", 7),
            ("lr", 0.1),
            ("batch", 16),
            ("plateau", True),
        ],
    )
    def test_controls_are_properties(self, lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
        greet(lab)
        sent = overheard(lab, monkeypatch)
        assert getattr(lab.training, name) != value
        setattr(lab.training, name, value)
        assert getattr(lab.training, name) == value
        assert lab.wait(PATIENCE)
        assert sent[0]["state"]["controls"][name] == value
        with pytest.raises(ValueError, match=f"{name} is .*allowed are"):
            setattr(lab.training, name, "nonsense")
        assert getattr(lab.training, name) == value

    def test_lamb_set_while_it_trains_acts_on_the_next_step(self, lab: Lab) -> None:
        lab.training.optimizer = "Adam"
        lab.start()
        until(lambda: lab.hub.scene.frame()[0]["step"] > 6)
        lab.training.lamb = 0.25
        taken = lab.hub.scene.frame()[0]["step"]
        until(lambda: lab.hub.scene.frame()[0]["step"] > taken + 2)
        lab.pause()
        assert lab.wait(PATIENCE)
        ((step, change),) = lab.session.current.command.args["schedule"].items()
        assert change["lamb"] == 0.25
        assert 4 + step <= taken + 1

    def test_grid_is_the_models_and_refines(self, lab: Lab) -> None:
        assert lab.training.grid == 3
        lab.training.grid = 8
        assert lab.training.grid == max(lab.model.grid) == 8
        with pytest.raises(ValueError, match="grid is 0"):
            lab.training.grid = 0

    def test_starts_pauses_and_resets(self, lab: Lab) -> None:
        training = lab.training
        training.optimizer = "Adam"
        assert not training.running
        training.start()
        assert training.running
        training.pause()
        assert lab.wait(PATIENCE)
        assert not training.running
        training.start(3)
        assert lab.wait(PATIENCE)
        assert lab.session.current.label == "fit 3, lamb 0.001"
        training.reset()
        assert lab.session.current.label == "reset"
        assert torch.equal(lab.model.layer(0).coef, lab.session.history[0].model.layer(0).coef)


class TestOtherPanels:
    def test_graph_prunes_at_its_thresholds(self, lab: Lab) -> None:
        expected = lab.model.prune(0.4, 0.0)
        lab.graph.edge_th, lab.graph.node_th = 0.4, 0.0
        lab.graph.prune()
        assert lab.session.current.command.args == {"edge_th": 0.4, "node_th": 0.0}
        assert lab.model.width == expected.width
        assert all(
            torch.equal(a.mask, b.mask) for a, b in zip(lab.model.kan_layers(), expected.kan_layers(), strict=True)
        )

    def test_graph_and_inspector_select(self, lab: Lab) -> None:
        assert lab.inspector.edge is None
        lab.graph.select(0, 1, 0)
        assert lab.inspector.edge == (0, 1, 0)
        lab.inspector.edge = (1, 0, 0)
        assert lab.hub.desk.selected == (1, 0, 0)
        with pytest.raises(ValueError, match="out of range"):
            lab.inspector.edge = (0, 9, 0)
        assert lab.inspector.edge == (1, 0, 0)
        lab.inspector.edge = None
        assert lab.inspector.edge is None

    def test_inspector_acts_on_the_selected_edge(self, lab: Lab) -> None:
        for act in (lab.inspector.unfix, lab.inspector.remove, lambda: lab.inspector.fix("sin")):
            with pytest.raises(ValueError, match=r"no edge is selected; set inspector\.edge"):
                act()
        lab.inspector.edge = (0, 0, 0)
        lab.inspector.fix("sin")
        assert lab.model.layer(0).fixed[0, 0].name == "sin"
        lab.inspector.unfix()
        assert not lab.model.layer(0).fixed
        lab.inspector.remove()
        assert lab.model.layer(0).mask[0, 0] == 0
        with pytest.raises(ValueError, match="sinn"):
            lab.inspector.fix("sinn")

    def test_formula_names_and_snaps(self) -> None:
        lab = Lab(
            KAN([2, 1], seed=0), {"train_input": (x := hello.dataset(60, 5)["train_input"]), "train_label": x[:, 0]}
        )
        lab.session.fit(steps=3)
        lab.session.prune()
        lab.formula.auto_symbolic()
        assert lab.session.current.label == "auto symbolic"
        lab.formula.snap()
        assert lab.session.current.command.name == "snap"
        assert lab.formula.formula.latex() == lab.session.formula().latex()

    def test_history_goes_back_and_forth(self, lab: Lab) -> None:
        lab.history.undo()
        assert lab.session.current.id == 0
        lab.history.redo()
        assert lab.session.current.id == 1
        assert lab.history.script == lab.session.script()
        with pytest.raises(ValueError, match="nothing to redo"):
            lab.history.redo()

    def test_undo_while_it_trains_takes_the_training_back(self, lab: Lab) -> None:
        lab.training.optimizer = "Adam"
        lab.start()
        until(lambda: lab.hub.scene.frame()[0]["step"] > 6)
        lab.history.undo()
        assert lab.wait(PATIENCE)
        assert lab.session.current.id == 1
        assert not lab.training.running


class TestLab:
    def test_makes_each_panel_once_on_its_session(self, lab: Lab) -> None:
        for name in ("graph", "training", "inspector", "formula", "history"):
            panel = getattr(lab, name)
            assert panel is getattr(lab, name)
            assert panel.session is lab.session
            assert panel.panel == name

    def test_trains_in_the_background(self, lab: Lab) -> None:
        lab.start(5)
        assert lab.wait(PATIENCE)
        assert lab.session.current.step == 9
        lab.training.optimizer = "Adam"
        lab.start()
        assert not lab.wait(timeout=0.01)
        assert threading.current_thread() is threading.main_thread()
        lab.pause()
        assert lab.wait(PATIENCE)

    def test_closing_stops_its_training(self, lab: Lab) -> None:
        lab.training.optimizer = "Adam"
        lab.start()
        lab.close()
        assert lab.wait(PATIENCE)
        assert not lab.training.running

    def test_takes_a_model_with_a_dataset(self) -> None:
        model = KAN([2, 3, 1])
        lab = Lab(model, hello.dataset(30, 10), names=["a", "b"], out_names=["c"])
        assert lab.model.width == model.width
        assert lab.model is not model
        assert (lab.session.names, lab.session.out_names) == (["a", "b"], ["c"])
        with pytest.raises(TypeError, match=r"Lab\(model, dataset\)"):
            Lab(model)

    def test_takes_a_session_and_shows_it_again(self, session: Session) -> None:
        first = Lab(session)
        first.training.lamb = 0.125
        assert Lab(session).training.lamb == 0.125

    def test_takes_a_dataset(self) -> None:
        lab = Lab(hello.dataset(30, 10))
        assert lab.model.width == [[2, 0], [5, 0], [1, 0]]
        assert lab.session.names == ["x", "y"]

    @pytest.mark.parametrize(
        ("label", "n_out"),
        [
            (torch.linspace(0, 7.5, 30), 1),
            (torch.linspace(0, 7.5, 30)[:, None].repeat(1, 3), 3),
            (torch.arange(30) % 4, 4),
            (torch.linspace(0, 1, 30).numpy(), 1),
        ],
        ids=["numbers", "columns", "classes", "array"],
    )
    def test_reads_the_outputs_off_the_labels(self, label: Any, n_out: int) -> None:
        x = torch.rand(30, 2, generator=torch.Generator().manual_seed(0))
        lab = Lab({"train_input": x, "train_label": label})
        assert lab.model.n_out == n_out
        lab.start(2)
        assert lab.wait(PATIENCE)
        assert lab.hub.desk.error is None
        assert lab.session.current.step == 2

    def test_takes_a_table_and_a_target(self) -> None:
        pandas = pytest.importorskip("pandas")
        x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0)).numpy()
        table = pandas.DataFrame({"a b": x[:, 0], "<c>": x[:, 1], "y": x.sum(1)})
        lab = Lab(table, target="y")
        assert (lab.session.names, lab.session.out_names) == (["a b", "<c>"], ["y"])
        assert lab.session.data.train_input.shape == (32, 2)
        with pytest.raises(TypeError, match=r"target=\.\.\.; this is a DataFrame"):
            Lab(table)

    def test_says_what_a_dataset_lacks(self) -> None:
        with pytest.raises(ValueError, match="dataset lacks train_label"):
            Lab({"train_input": torch.rand(5, 2)})

    def test_that_was_refused_leaves_nothing_to_complain(self, recwarn: pytest.WarningsRecorder) -> None:
        """A half-made widget is closed when it is thrown away, which must not fail in turn."""
        for _ in range(3):
            with pytest.raises(TypeError, match="Lab takes a KAN"):
                Lab(7)
        gc.collect()
        assert not recwarn.list


class TestKeeping:
    def test_every_command_is_saved(self, session: Session, tmp_path: Path) -> None:
        lab = Lab(session, autosave=tmp_path / "work.kan")
        lab.inspector.edge = (0, 0, 0)
        lab.inspector.fix("sin")
        again = Session.load(tmp_path / "work.kan")
        assert again.current.label == "fix (0, 0, 0) sin"
        lab.history.undo()
        assert Session.load(tmp_path / "work.kan").current.label == session.current.label
        lab.start(steps=2)
        assert lab.wait(PATIENCE)
        assert Session.load(tmp_path / "work.kan").current.label.startswith("fit 2")
        lab.close()

    def test_a_long_training_is_saved_on_its_way(
        self, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_autosave, "_EVERY", 0.0)
        lab = Lab(session, autosave=tmp_path / "work.kan")
        lab.training.optimizer = "Adam"
        lab.start()
        until(lambda: (tmp_path / "work.kan").exists() and lab.hub.live.step > 20)
        kept = Session.load(tmp_path / "work.kan")
        assert lab.training.running, "nothing was recorded yet"
        lab.pause()
        assert lab.wait(PATIENCE)
        assert kept.current.command.name == "fit"
        assert kept.current.parent == session.current.parent
        assert session.rows()[: len(kept.rows())] == kept.rows()
        assert kept.current.step == kept.rows()[-1][0] <= session.current.step
        assert math.isfinite(kept.losses()[0])
        assert Session.load(tmp_path / "work.kan").current.label == session.current.label
        lab.close()

    def test_the_same_call_goes_on_with_what_was_kept(self, tmp_path: Path) -> None:
        path, data = tmp_path / "work.kan", hello.dataset(60, 30)

        def open_lab(**options: Any) -> Lab:
            return Lab(KAN([2, 2, 1], grid=3, **options), data, autosave=path)

        lab = open_lab(seed=1)
        lab.session.remove_edge(0, 0, 0)
        again = open_lab(seed=1)
        assert again.session is not lab.session
        assert again.session.current.label == "remove (0, 0, 0)"
        again.history.undo()
        assert open_lab(seed=1).session.current.label == "start"
        with pytest.raises(ValueError, match="other data or another model"):
            open_lab(seed=2)

    def test_a_session_is_not_written_over_one_with_more_history(self, session: Session, tmp_path: Path) -> None:
        path = tmp_path / "work.kan"
        session.save(path)
        early = Session(session.history[0].model, session.dataset)
        with pytest.raises(ValueError, match="more history"):
            Lab(early, autosave=path)
        assert Lab(Session.load(path), autosave=path).session.current.label == session.current.label

    def test_place_that_cannot_be_written_is_told(self, session: Session, tmp_path: Path) -> None:
        lab = Lab(session, autosave=tmp_path / "no-folder" / "work.kan")
        session.remove_edge(0, 0, 0)
        assert "could not be saved" in (lab.hub.desk.error or "")
        assert session.current.label == "remove (0, 0, 0)"

    def test_script_goes_into_a_cell(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        cells: list[tuple[str, bool]] = []

        class Shell:
            def set_next_input(self, text: str, replace: bool) -> None:
                cells.append((text, replace))

        monkeypatch.setattr("kanlab.widgets.history.get_ipython", Shell)
        lab.history.to_cell()
        assert cells == [(lab.session.script(), False)]
        monkeypatch.setattr("kanlab.widgets.history.get_ipython", lambda: None)
        with pytest.raises(RuntimeError, match="no notebook"):
            lab.history.to_cell()
