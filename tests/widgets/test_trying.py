"""Searching, picking, moving numbers, own constants and comparing, as the browser asks for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from kanlab import KAN, Session, create_dataset
from kanlab.widgets import _front
from kanlab.widgets._hub import Hub, hub_of
from tests.widgets.views import PATIENCE, FakeView


@pytest.fixture
def square() -> Session:
    """Data that is found at once, and a model that does not know it yet."""
    dataset = create_dataset(lambda x: x[:, 0] * x[:, 1] ** 2, n_var=2, ranges=(1, 2), train_num=60, test_num=30)
    return Session(KAN([2, 1, 1], seed=0), dataset, names=["m", "v"], out_names=["E"])


@pytest.fixture
def wave() -> Session:
    """A model with a formula that has numbers: 2 sin(3 x) + 1."""
    dataset = create_dataset(lambda x: 2 * torch.sin(3 * x) + 1, n_var=1, train_num=60, test_num=30)
    session = Session(KAN([1, 1], seed=0), dataset)
    session.open_formula("1.9*sin(2.9*x) + 0.9")
    return session


def viewed(session: Session) -> tuple[Hub, FakeView]:
    hub = hub_of(session)
    return hub, FakeView(hub)


def numbers(view: FakeView) -> list[float]:
    return [round(value, 4) for value in view.hub.scene.formula()["outputs"][0]["numbers"]]


class TestSearch:
    def test_front_is_told_and_picked_and_undone(self, square: Session) -> None:
        _, view = viewed(square)
        before = square.model
        assert view.ask("discover")["ok"]
        front = view.of("front")[-1]["front"]
        best = front["items"][front["best"]]
        assert best["text"] == "m*v**2"
        assert best["error"] < 1e-12
        assert "<msup>" in best["mathml"][0]
        assert front["reason"] == "exact"
        complexities = [item["complexity"] for item in front["items"]]
        assert complexities == sorted(complexities)
        assert square.model is before, "a search changes nothing"
        assert view.ask("pick", index=front["best"])["ok"]
        assert square.current.command.args == {"formula": ["m*v**2"]}
        assert square.losses()[1] < 1e-12
        assert view.ask("undo")["ok"]
        assert square.current.id == 0
        view.hello()
        assert view.of("front")[-1]["front"] == front, "a view that comes later is told too"

    def test_that_is_stopped_keeps_what_it_has(self, square: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        hub, view = viewed(square)
        monkeypatch.setattr(_front, "_TOLD_EVERY", 0.0)
        noise = torch.Generator().manual_seed(0)
        square.data.train_label.add_(torch.randn(60, 1, generator=noise, dtype=torch.float64))
        answer = view.ask_only("discover")
        while not any(state["state"]["busy"] for state in view.of("state")):
            assert not answer.done(), "the search was over before it was told"
        busy = next(state["state"]["busy"] for state in view.of("state") if state["state"]["busy"])
        assert busy["label"] == "discover"
        assert 0 <= busy["done"] <= busy["total"]
        hub.runner.cancel()
        assert answer.result(PATIENCE)["ok"]
        view.rest()
        assert view.of("front")[-1]["front"]["items"]
        assert view.state["busy"] is None
        assert view.state["error"] is None

    def test_front_stands_in_the_saved_picture(self, square: Session) -> None:
        hub, view = viewed(square)
        assert hub.scene.snapshot()["front"] is None
        view.ask("discover")
        assert hub.scene.snapshot()["front"]["items"]

    @pytest.mark.parametrize("index", [0, 7])
    def test_picking_what_was_not_found_is_refused(self, square: Session, index: int) -> None:
        _, view = viewed(square)
        answer = view.ask("pick", index=index)
        assert "there is no formula" in answer["error"]
        assert view.state["error"] == answer["error"]


class TestNumbers:
    def test_are_tried_without_a_trace(self, wave: Session) -> None:
        _, view = viewed(wave)
        view.hello()
        before, entries, told = view.frame[0]["test"], len(wave.history), numbers(view)
        index = told.index(2.9)
        assert view.ask("try_number", output=0, index=index, value=3.0)["ok"]
        assert view.frame[0]["test"] < before
        assert sorted(numbers(view)) == sorted([*told[:index], 3.0, *told[index + 1 :]])
        assert len(wave.history) == entries
        assert view.ask("untry")["ok"]
        assert numbers(view) == told
        assert view.frame[0]["test"] == before

    def test_are_kept_as_one_step_that_is_undone_and_scripted(self, wave: Session) -> None:
        _, view = viewed(wave)
        view.hello()
        told = numbers(view)
        assert view.ask("number", output=0, index=told.index(1.9), value=2.0)["ok"]
        assert wave.current.label == "1.9 → 2"
        assert sorted(numbers(view)) == sorted([0.9, 2.0, 2.9])
        scope: dict[str, Any] = {"dataset": wave.dataset}
        exec(wave.script(), scope)
        assert torch.equal(scope["session"].model.layer(0).affine, wave.model.layer(0).affine)
        view.ask("undo")
        assert numbers(view) == told

    @pytest.mark.parametrize(("output", "index"), [(0, 9), (3, 0)])
    def test_that_there_are_not_are_refused(self, wave: Session, output: int, index: int) -> None:
        _, view = viewed(wave)
        for name in ("try_number", "number"):
            answer = view.ask(name, output=output, index=index, value=1.0)
            assert not answer["ok"]
            assert "there is no" in answer["error"]
        assert len(wave.history) == 2


def test_simplified_formula_is_told_until_the_model_changes(wave: Session) -> None:
    wave.open_formula("sin(x)**2 + cos(x)**2 + x")
    _, view = viewed(wave)
    view.hello()
    before = wave.current
    long = view.state["formula"]["latex"]
    assert view.ask("simplify")["ok"]
    short = view.of("formula")[-1]["formula"]
    assert short["latex"] in ("f(x) = x + 1", r"f\left(x\right) = x + 1")
    assert short["agrees"]
    assert wave.current is before
    view.ask("try_number", output=0, index=0, value=2.0)
    view.ask("untry")
    assert view.of("formula")[-1]["formula"]["latex"] == short["latex"]
    view.ask("undo")
    view.ask("redo")
    assert view.state["formula"]["latex"] == long


class TestOwnConstants:
    def test_function_that_is_considered_is_told_with_its_constants(self, hub: Hub, view: FakeView) -> None:
        view.ask("select", edge=[0, 0, 0])
        shown = [candidate["name"] for candidate in view.of("detail")[-1]["detail"]["candidates"]]
        other = "sgn"
        assert other not in shown
        assert view.ask("consider", edge=[0, 0, 0], name=other)["ok"]
        candidates = view.of("detail")[-1]["detail"]["candidates"]
        assert [candidate["name"] for candidate in candidates] == [*shown, other]
        assert all(len(candidate["constants"]) == 4 for candidate in candidates)
        view.ask("select", edge=[0, 0, 1])
        assert len(view.of("detail")[-1]["detail"]["candidates"]) == len(shown)

    def test_are_tried_and_kept(self, hub: Hub, view: FakeView, session: Session) -> None:
        args = {"edge": [0, 0, 0], "name": "sin", "constants": [3.0, 0.5, 0.2, 0.0]}
        view.hello()
        before = view.frame[0]["train"]
        assert view.ask("try_fix", **args)["ok"]
        assert view.frame[0]["train"] != before
        assert not session.model.layer(0).fixed
        assert view.ask("fix_constants", **args)["ok"]
        assert session.model.layer(0).affine[0, 0].tolist() == args["constants"]
        assert session.model.layer(0).fixed[0, 0].name == "sin"

    def test_unknown_function_is_refused(self, hub: Hub, view: FakeView) -> None:
        view.ask("select", edge=[0, 0, 0])
        assert not view.ask("consider", edge=[0, 0, 0], name="<script>")["ok"]


class TestComparison:
    def test_follows_the_current_entry(self, hub: Hub, view: FakeView, session: Session) -> None:
        view.hello()
        assert view.of("comparison") == []
        assert view.ask("compare", id=0)["ok"]
        first = view.of("comparison")[-1]["comparison"]["sides"]
        assert [side["id"] for side in first] == [0, 1]
        assert [side["label"] for side in first] == ["start", "fit 4, lamb 0.001"]
        assert first[0]["test"] > first[1]["test"]
        assert len(first[1]["curves"]) == first[1]["points"] * len(first[1]["edges"])
        session.remove_edge(0, 0, 1)
        view.rest()
        then = view.of("comparison")[-1]["comparison"]["sides"]
        assert [side["id"] for side in then] == [0, 2]
        assert then[0] == first[0]
        assert sum(edge["kind"] != "pruned" for edge in then[1]["edges"]) == 5

    def test_ends(self, hub: Hub, view: FakeView) -> None:
        view.ask("compare", id=0)
        view.ask("compare", id=None)
        assert view.of("comparison")[-1]["comparison"] is None
        told = len(view.of("comparison"))
        view.hello()
        assert len(view.of("comparison")) == told

    def test_with_what_is_not_there_is_refused(self, hub: Hub, view: FakeView) -> None:
        assert "no history entry" in view.ask("compare", id=99)["error"]


def test_eliminating_removes_what_is_not_needed() -> None:
    dataset = create_dataset(lambda x: x[:, 0] ** 2, n_var=2, train_num=60, test_num=30)
    session = Session(KAN([2, 1], seed=0), dataset)
    session.fit(steps=10)
    _, view = viewed(session)
    view.hello()
    assert view.ask("eliminate")["ok"]
    assert session.current.label == "eliminate 1 edges"
    busy = [state["state"]["busy"] for state in view.of("state")]
    assert {"label": "eliminate", "done": 1, "total": 0} in busy
    assert busy[-1] is None


@pytest.mark.parametrize(
    ("name", "args", "label"),
    [
        ("expand_width", {"l": 1}, "add 1 node"),
        ("expand_depth", {}, "add a layer"),
        ("auto_swap", {}, "untangle"),
    ],
)
def test_shape_is_changed_and_undone(
    hub: Hub, view: FakeView, session: Session, name: str, args: dict[str, Any], label: str
) -> None:
    before = session.current.id
    assert view.ask(name, **args)["ok"]
    assert session.current.label.startswith(label)
    assert view.ask("undo")["ok"]
    assert session.current.id == before
