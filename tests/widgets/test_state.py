"""What the browser is told is what the model is: orders, sizes, curves, the preview, the inspector."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanlab import KAN, Session, create_dataset
from kanlab.engine.attribution import attribute
from kanlab.problems import hello
from kanlab.symbolic import library
from kanlab.widgets import _advice, _detail, _state
from tests.widgets.views import ARRAYS, decode

WIDTHS: list[Any] = [[2, 1], [2, 3, 1], [2, [2, 1], 1], [2, [0, 2], [1, 1], 1], [2, 2, [1, 1]]]


def make_session(width: Any = (2, 3, 1), steps: int = 3, **options: Any) -> Session:
    n_out = sum(width[-1]) if isinstance(width[-1], list) else width[-1]
    dataset = create_dataset(lambda x: (x**2).sum(1, keepdim=True).repeat(1, n_out), train_num=80, test_num=40)
    session = Session(KAN(list(width), grid=3, seed=1), dataset, **options)
    if steps:
        session.fit(steps=steps)
    return session


def strict(value: Any) -> Any:
    """Pass through JSON as the browser reads it."""
    return json.loads(json.dumps(value, allow_nan=False))


class TestNumbers:
    @pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
    def test_that_are_none_are_null(self, value: float | None) -> None:
        assert _state.finite(value) is None

    def test_that_are_some_are_kept(self) -> None:
        assert _state.finite(0.1) == 0.1

    @given(st.lists(st.floats(width=64), max_size=8), st.integers(2, 9))
    def test_are_rounded_to_significant_digits_or_null(self, values: list[float], digits: int) -> None:
        near = strict(_state.rounded(values, digits))
        assert len(near) == len(values)
        for value, rounded in zip(values, near, strict=True):
            if math.isfinite(value):
                assert rounded == pytest.approx(value, rel=10.0 ** (1 - digits), abs=0.0)
            else:
                assert rounded is None

    def test_are_short_as_text(self) -> None:
        assert _state.rounded([1 / 3, -2e-7 / 3, 123456.789, 0.0], 4) == [0.3333, -6.667e-08, 123500.0, 0.0]
        assert _state.rounded(torch.tensor([[1.0, 2.0]])) == [[1.0, 2.0]]


class TestEdges:
    @pytest.mark.parametrize("width", WIDTHS, ids=str)
    def test_are_told_in_the_order_of_the_protocol(self, width: Any) -> None:
        model = make_session(width, steps=0).model
        told = [tuple(state["edge"]) for state in _state.edge_states(model)]
        assert told == sorted(told)
        assert told == [
            (l, i, j)
            for l, layer in enumerate(model.kan_layers())
            for i in range(layer.in_dim)
            for j in range(layer.out_dim)
        ]

    def test_tell_what_they_are(self) -> None:
        session = make_session()
        session.fix_symbolic(0, 0, 0, "x^2")
        session.remove_edge(0, 1, 2)
        session.fix_symbolic(1, 0, 0, "sin")
        session.remove_edge(1, 0, 0)
        told = {tuple(state["edge"]): (state["kind"], state["name"]) for state in _state.edge_states(session.model)}
        assert told[0, 0, 0] == ("symbolic", "x^2")
        assert told[0, 1, 2] == told[1, 0, 0] == ("pruned", None)
        assert told[0, 0, 1] == ("spline", None)


def test_nodes_have_the_persons_names_and_hidden_ones_numbers() -> None:
    session = make_session([2, [2, 1], 1], 0, names=["mass <b>", "v"], out_names=["E"])
    assert _state.node_names(session) == [["mass <b>", "v"], ["h₀", "h₁", "h₂"], ["E"]]
    deep = make_session([2, 11, 2, 1], 0, names=["a", "b"], out_names=["c"])
    names = _state.node_names(deep)
    assert names[1][10] == "h₁,₁₀"
    assert names[2] == ["h₂,₀", "h₂,₁"]


def test_library_lists_every_function_with_its_text() -> None:
    entries = _state.library_entries()
    assert {"name": "x^2", "text": "x²"} in entries
    names = [entry["name"] for entry in entries]
    assert set(names) <= set(library.names())
    assert len(set(names)) == len(names)


class TestHistory:
    def test_indents_branches(self) -> None:
        session = make_session(steps=2)
        session.refine(4)
        session.goto(1)
        session.refine(5)
        session.refine(6)
        session.goto(1)
        session.refine(7)
        told = strict(_state.history_of(session))
        assert [(entry["id"], entry["label"], entry["depth"]) for entry in told["entries"]] == [
            (0, "start", 0),
            (1, "fit 2", 0),
            (2, "grid 4", 0),
            (3, "grid 5", 1),
            (4, "grid 6", 1),
            (5, "grid 7", 1),
        ]
        assert told["current"] == 5
        assert (told["can_undo"], told["can_redo"]) == (True, False)
        assert told["script"] == session.script()
        assert told["entries"][1]["loss"] == session.history[1].test_loss

    def test_tells_the_training_loss_where_there_are_no_test_rows(self) -> None:
        dataset = {name: part for name, part in hello.dataset(30, 5).items() if name.startswith("train")}
        session = Session(KAN([2, 1]), dataset)
        assert _state.history_of(session)["entries"][0]["loss"] == session.current.train_loss

    def test_marks_what_happened_along_the_curve_since_the_reset(self) -> None:
        session = make_session(steps=2)
        session.prune()
        session.fit(steps=3)
        session.refine(5)
        assert [(mark["step"], mark["label"]) for mark in _state.marks_of(session)] == [
            (2, session.history[2].label),
            (5, "grid 5"),
        ]
        session.reset()
        assert _state.marks_of(session) == []


class TestArrays:
    @pytest.mark.parametrize("width", WIDTHS, ids=str)
    def test_have_the_documented_sizes_and_hold_the_model(self, width: Any) -> None:
        session = make_session(width)
        model = session.model
        arrays = _state.arrays_of(model, 0.1, 0.1)
        state = {"edges": _state.edge_states(model), "width": model.width}
        decoded = decode(arrays.buffer(), state, _state.POINTS)
        scores = attribute(model)
        samples = model.acts().nodes
        for at, (l, i, j) in enumerate(model.edges()):
            low, high = decoded["ranges"].reshape(-1, 2)[at]
            assert low == pytest.approx(float(samples[l][:, i].detach().min()), rel=1e-6)
            assert high == pytest.approx(float(samples[l][:, i].detach().max()), rel=1e-6)
            x = torch.linspace(float(low), float(high), _state.POINTS, dtype=model.dtype)
            curve = model.layer(l).edge(i, j, x).detach().numpy()
            scale = 1e-5 * (1 + np.abs(curve).max())
            assert decoded["curves"].reshape(-1, _state.POINTS)[at] == pytest.approx(curve, abs=scale)
            assert decoded["scores"][at] == pytest.approx(float(scores.edges[l][i, j]), rel=1e-6)
        assert decoded["node_scores"] == pytest.approx(torch.cat(scores.nodes).numpy(), rel=1e-6)

    def test_as_lists_are_the_same_numbers(self) -> None:
        session = make_session()
        arrays = _state.arrays_of(session.model, 0.1, 0.1)
        lists = strict(arrays.lists())
        decoded = decode(
            arrays.buffer(), {"edges": _state.edge_states(session.model), "width": session.model.width}, _state.POINTS
        )
        assert set(lists) == set(ARRAYS)
        for name in ARRAYS:
            assert lists[name] == pytest.approx(decoded[name], rel=1e-4, abs=1e-30)

    def test_beyond_the_range_of_single_precision_raise_nothing(self) -> None:
        session = make_session()
        session.model.layer(1).scale_sp.data.mul_(1e60)
        buffer = _state.arrays_of(session.model, 0.1, 0.1).buffer()
        assert len(buffer) % 4 == 0
        assert np.isinf(np.frombuffer(buffer, dtype="<f4")).any()
        strict(_state.arrays_of(session.model, 0.1, 0.1).lists())


@settings(max_examples=40)
@given(
    width=st.sampled_from(WIDTHS),
    edge_th=st.floats(0, 1.5),
    node_th=st.floats(0, 1.5),
    seed=st.integers(0, 3),
)
def test_preview_is_what_prune_does(width: Any, edge_th: float, node_th: float, seed: int) -> None:
    model = KAN(width, grid=3, seed=seed, noise_scale=0.5)
    model.show(torch.rand(60, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1)
    arrays = _state.arrays_of(model, edge_th, node_th)
    present = sum(state["kind"] != "pruned" for state in _state.edge_states(model))
    try:
        pruned = model.prune(edge_th, node_th)
    except ValueError:
        # Then at least one output is doomed with all that leads to it, which the picture shows.
        last = arrays.doomed.reshape(-1)[-model.layer(model.depth - 1).mask.numel() :]
        assert last.any()
        return
    left = sum(state["kind"] != "pruned" for state in _state.edge_states(pruned))
    assert left == present - arrays.doomed.sum()
    assert sum(map(sum, pruned.width)) == sum(map(sum, model.width)) - arrays.node_doomed.sum()
    # And the edges that stay are those not marked: their curves are found again (but for a mean that was folded in).
    kept = [mark == 0 for mark in arrays.doomed]
    assert sum(kept) == left


class TestRSquared:
    def test_is_that_of_the_test_rows(self) -> None:
        metrics = pytest.importorskip("sklearn.metrics")
        session = make_session()
        with torch.no_grad():
            prediction = session.model(session.data.test_input)
        assert _state.r_squared(session, *session.losses()) == pytest.approx(
            metrics.r2_score(session.data.test_label, prediction)
        )

    def test_is_that_of_the_training_rows_where_there_are_no_others(self) -> None:
        dataset = {name: part for name, part in hello.dataset(30, 5).items() if name.startswith("train")}
        session = Session(KAN([2, 1]), dataset)
        assert _state.r_squared(session, *session.losses()) is not None

    def test_is_none_for_classes_and_constants(self) -> None:
        x = torch.rand(30, 2, generator=torch.Generator().manual_seed(0))
        for width, label in (([2, 2], (x[:, 0] > 0.5).long()), ([2, 1], torch.ones(30, 1))):
            session = Session(KAN(width), {"train_input": x, "train_label": label})
            assert _state.r_squared(session, *session.losses()) is None


class TestDetail:
    def test_of_a_spline(self) -> None:
        session = make_session(names=["a", "b"], out_names=["c"])
        detail = strict(_detail.detail_of(session, (0, 1, 2)))
        assert set(detail) == {
            "edge", "kind", "name", "r2", "source", "target", "x", "y", "points", "knots", "density", "candidates",
            "note", "slope", "spline", "constants",
        }  # fmt: skip
        assert (detail["edge"], detail["kind"], detail["name"], detail["r2"]) == ([0, 1, 2], "spline", None, None)
        assert (detail["source"], detail["target"]) == ("b", "h₂")
        layer, inputs = session.model.layer(0), session.data.train_input[:, 1]
        curve = layer.edge(1, 2, torch.tensor(detail["x"], dtype=torch.float64)).detach()
        assert detail["y"] == pytest.approx(curve.numpy(), rel=1e-4, abs=1e-5)
        assert len(detail["x"]) == 101
        assert (detail["x"][0], detail["x"][-1]) == pytest.approx((float(inputs.min()), float(inputs.max())), rel=1e-5)
        assert len(detail["points"]) == 80
        for x, y in detail["points"][::7]:
            on_curve = layer.edge(1, 2, torch.tensor([x], dtype=torch.float64)).detach()
            assert y == pytest.approx(float(on_curve), rel=1e-3, abs=1e-4)
        assert sum(detail["density"]) == len(inputs)
        assert len(detail["density"]) == 24
        assert len(detail["knots"]) == layer.grid + 1
        assert detail["knots"] == sorted(detail["knots"])
        assert detail["constants"] is None
        assert detail["slope"] == pytest.approx(np.gradient(detail["y"], detail["x"]), abs=0.05)
        assert (detail["spline"]["k"], detail["spline"]["knots"]) == (layer.k, layer.knots[1].tolist())
        assert len(detail["spline"]["handles"]) == layer.grid + layer.k

    def test_candidates_are_the_suggestions_with_their_curves(self) -> None:
        session = make_session()
        detail = strict(_detail.detail_of(session, (0, 0, 0)))
        names = [candidate["name"] for candidate in detail["candidates"]]
        suggested = session.model.suggest_symbolic(0, 0, 0, lib=[n for n in library.names() if n != "0"], topk=20)
        assert names == [suggestion.name for suggestion in suggested][: len(names)]
        assert len(names) >= 3
        y, spread = np.array(detail["y"]), np.var(detail["y"])
        for candidate in detail["candidates"]:
            assert len(candidate["y"]) == 101
            assert candidate["text"] == library.get(candidate["name"]).text
            assert 0 <= candidate["one_minus_r2"] <= 1
            # On even points instead of the data's: about the same misfit.
            misfit = np.mean((np.array(candidate["y"]) - y) ** 2) / spread
            assert misfit <= 30 * candidate["one_minus_r2"] + 1e-6

    @pytest.mark.parametrize(
        ("text", "constants", "written"),
        [
            ("x", (1.0, 0.0, 2.0, 0.5), "2·x+0.5"),
            ("x²", (-0.99, 0.0, 1.0, 0.0), "1·(-0.99·x)²+0"),
            ("sin x", (3.14159, 0.5, 1.0, -1.0), "1·sin (3.14·x+0.5)-1"),
            ("eˣ", (2.0, 1.0, 3.0, -1.0), "3·e^(2·x+1)-1"),
            ("eˣ", (1.0, 0.0, 1.0, 0.0), "1·eˣ+0"),
            ("mine", (2.0, 0.0, 1.0, 0.0), "1·mine(2·x)+0"),
        ],
    )
    def test_constants_stand_where_they_act(self, text: str, constants: tuple[float, ...], written: str) -> None:
        assert _detail._affine_text(text, *constants) == written

    def test_of_a_symbolic_edge(self) -> None:
        session = make_session()
        r2 = session.model.copy().fix_symbolic(0, 0, 1, "x^2")
        session.fix_symbolic(0, 0, 1, "x^2")
        detail = strict(_detail.detail_of(session, (0, 0, 1)))
        assert (detail["kind"], detail["name"], detail["candidates"]) == ("symbolic", "x^2", [])
        assert detail["r2"] == pytest.approx(r2, abs=1e-6)
        assert session.model.layer(0).fixed[0, 1].name == "x^2", "looking changes nothing"

    def test_of_a_pruned_edge(self) -> None:
        session = make_session()
        session.remove_edge(0, 0, 1)
        detail = strict(_detail.detail_of(session, (0, 0, 1)))
        assert (detail["kind"], detail["name"], detail["r2"], detail["candidates"]) == ("pruned", None, None, [])
        assert set(detail["y"]) == {0.0}

    def test_into_a_product_names_the_node(self) -> None:
        session = make_session([2, [1, 1], 1])
        targets = [_detail.detail_of(session, (0, 0, j))["target"] for j in range(3)]
        assert targets == ["h₀", "h₁", "h₁"]

    @pytest.mark.parametrize("edge", [(0, 0, 0), (0, 1, 0), (1, 0, 0)])
    def test_of_an_input_that_never_changes_is_still_a_picture(self, edge: tuple[int, int, int]) -> None:
        x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        x[:, 1] = 0.25
        session = Session(KAN([2, 1, 1], seed=0), {"train_input": x, "train_label": x[:, :1]})
        session.fit(steps=2)
        detail = strict(_detail.detail_of(session, edge))
        assert sum(detail["density"]) == 40
        strict(_state.arrays_of(session.model, 0.03, 0.01).lists())

    @settings(max_examples=20)
    @given(exponent=st.integers(-30, 30), offset=st.sampled_from([0.0, 1.0, 1e6]))
    def test_in_any_unit_is_json(self, exponent: int, offset: float) -> None:
        scale = 10.0**exponent
        x = torch.rand(30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * scale + offset * scale
        session = Session(KAN([2, 1], seed=0), {"train_input": x, "train_label": x[:, :1] / scale})
        session.model.update_grid_from_samples(x)
        strict(_detail.detail_of(session, (0, 0, 0)))
        strict(_state.arrays_of(session.model, 0.03, 0.01).lists())


class TestNote:
    def suggestions(self, *misfits: tuple[str, float]) -> list[Any]:
        from kanlab import Suggestion

        return [Suggestion(name, 1 - misfit, 2, 0.0, 1, 0, 1, 0) for name, misfit in misfits]

    def test_tells_a_tie(self) -> None:
        note = _detail._note(self.suggestions(("x^2", 1e-4), ("cos", 1.1e-4), ("exp", 0.2)))
        assert note is not None
        assert "x²" in note
        assert "cos" in note
        assert "eˣ" not in note

    def test_is_silent_where_one_leads(self) -> None:
        assert _detail._note(self.suggestions(("x^2", 1e-8), ("cos", 1e-2))) is None
        assert _detail._note([]) is None


class TestAdvice:
    def texts(self, session: Session) -> str:
        return " ".join(advice.text for advice in _advice.advice_of(session, trained=True))

    def test_before_training_is_to_train(self) -> None:
        (advice,) = _advice.advice_of(make_session(steps=0), trained=False)
        assert "Train" in advice.text

    def test_names_the_inputs_that_the_network_ignores(self) -> None:
        session = make_session(names=["a", "b"])
        for j in range(3):
            session.remove_edge(0, 1, j)
        assert "ignores b" in self.texts(session)

    def test_tells_overfitting_and_underfitting_apart(self) -> None:
        few = create_dataset(lambda x: torch.sin(9 * x[:, 0] * x[:, 1]), train_num=30, test_num=200)
        over = Session(KAN([2, 5, 1], grid=10, seed=0), few)
        over.fit(steps=20)
        assert "overfitting" in self.texts(over)
        many = create_dataset(lambda x: torch.sin(9 * x[:, 0] * x[:, 1]), train_num=400, test_num=400)
        under = Session(KAN([2, 1], grid=1, seed=0), many)
        under.fit(steps=20)
        assert "underfitting" in self.texts(under)

    def test_suggests_pruning_then_names_and_sees_the_end(self) -> None:
        session = Session(KAN([2, 1], seed=0), create_dataset(lambda x: x[:, 0] ** 2, train_num=80, test_num=40))
        session.fit(steps=30)
        assert "carry next to nothing" in self.texts(session)
        session.prune()
        assert "time for names" in self.texts(session)
        session.fix_symbolic(0, 0, 0, "x^2")
        session.fit(steps=20)
        assert "exact" in self.texts(session)

    def test_tells_a_few_rows_that_are_far_off(self) -> None:
        dataset = create_dataset(lambda x: x[:, 0] ** 3, n_var=1, train_num=80, test_num=100)
        session = Session(KAN([1, 1], grid=8, seed=0), dataset)
        session.fit(steps=10)
        assert session.data.test_label is not None
        session.data.test_label[3] += 50.0
        assert "few held-out rows" in self.texts(session)

    def test_says_so_where_the_loss_is_no_number(self) -> None:
        session = make_session()
        with torch.no_grad():
            session.model.layer(0).scale_sp[0, 0] = math.nan
        (*_, advice) = _advice.advice_of(session, trained=True)
        assert (advice.key, advice.action and advice.action["name"]) == ("broken", "undo")

    def test_each_piece_has_words_in_every_language(self, root: Path) -> None:
        source = (root / "kanlab" / "widgets" / "_advice.py").read_text(encoding="utf-8")
        keys = set(re.findall(r'Advice\(\s*"(\w+)"', source))
        tables = (root / "kanlab" / "frontend" / "src" / "lib" / "languages.ts").read_text(encoding="utf-8")
        advised = re.findall(r"advised: \{(.*?)\n  \}", tables, re.DOTALL)
        assert len(keys) >= 10
        assert [set(re.findall(r"^    (\w+):", table, re.MULTILINE)) for table in advised] == [keys] * 3

    def test_actions_are_commands_of_the_protocol(self) -> None:
        from kanlab.widgets._messages import check_args

        few = create_dataset(lambda x: torch.sin(9 * x[:, 0] * x[:, 1]), train_num=30, test_num=200)
        found = []
        for width, grid, steps in ([2, 5, 1], 10, 20), ([2, 1], 1, 20), ([2, 3, 1], 5, 3):
            session = Session(KAN(width, grid=grid, seed=0), few)
            session.fit(steps=steps)
            found += [advice.told()["action"] for advice in _advice.advice_of(session, trained=True)]
        actions = [strict(action) for action in found if action]
        assert actions
        for action in actions:
            assert action["label"]
            check_args({"name": action["name"], "args": action["args"]})
