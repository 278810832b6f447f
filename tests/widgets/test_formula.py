"""The formula as it is told: what the session's formula says, remade when and only when the model changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from kanlab import KAN, Session, create_dataset
from kanlab.problems import hello
from kanlab.symbolic.reference import FormulaWarning
from kanlab.widgets._formula import FormulaTeller

#: As PROTOCOL.md lists them.
FIELDS = {
    "outputs", "latex", "python", "sympy", "torch", "c", "agreement", "agrees", "test_rmse", "spline_edges",
    "complexity", "message", "snaps",
}  # fmt: skip


@pytest.fixture
def teller() -> FormulaTeller:
    return FormulaTeller()


def told(teller: FormulaTeller, session: Session) -> dict[str, Any]:
    """Tell the formula and pass it through JSON as the browser reads it."""
    return json.loads(json.dumps(teller.tell(session, session.model), allow_nan=False))


def named(session: Session) -> None:
    session.fix_symbolic(0, 0, 0, "sin")
    session.fix_symbolic(0, 1, 0, "x^2")
    session.fix_symbolic(1, 0, 0, "exp")


@pytest.fixture
def solved() -> Session:
    """The hello problem, solved but for rounding."""
    session = Session(KAN([2, 1, 1], grid=5, seed=0), hello.dataset(200, 100))
    named(session)
    model = session.model
    model.layer(0).affine.data[0, 0] = torch.tensor([torch.pi, 0.0, 1.0, 0.0])
    model.layer(0).affine.data[1, 0] = torch.tensor([1.0, 0.0, 1.0, 0.0])
    model.layer(1).affine.data[0, 0] = torch.tensor([1.0, 0.0, 1.0, 0.0])
    return session


def test_has_what_the_protocol_says(teller: FormulaTeller, session: Session) -> None:
    formula = told(teller, session)
    assert set(formula) == FIELDS
    assert [set(output) for output in formula["outputs"]] == [{"mathml", "latex", "python", "sympy", "numbers"}]
    assert formula["spline_edges"] == 6
    assert formula["agrees"] is True
    assert formula["message"] is None
    assert formula["snaps"] == []


def test_tells_the_sessions_formula(teller: FormulaTeller, solved: Session) -> None:
    formula, own = told(teller, solved), solved.formula()
    assert formula["latex"] == own.latex(equation=True)
    assert formula["python"] == own.python_outline()
    assert formula["sympy"] == own.sympy()
    assert formula["complexity"] == own.complexity
    assert formula["spline_edges"] == 0
    assert formula["agreement"] < 1e-12
    assert formula["test_rmse"] < 1e-7
    assert r"e^{\sin\left(3.1416 x\right) + y^{2}}" in formula["latex"]
    math = ElementTree.fromstring(formula["outputs"][0]["mathml"])
    assert math.tag.endswith("math")
    assert "sin" in "".join(math.itertext())


def test_of_several_outputs_is_told_one_by_one(teller: FormulaTeller) -> None:
    dataset = create_dataset(lambda x: torch.cat([x[:, :1], x[:, 1:] ** 2], 1), train_num=60, test_num=30)
    session = Session(KAN([2, 2], seed=0), dataset, names=["a", "b"], out_names=["u", "v"])
    formula = told(teller, session)
    assert [output["latex"][0] for output in formula["outputs"]] == ["u", "v"]
    for output in formula["outputs"]:
        assert output["latex"].split(" = ")[1] in formula["latex"]


class TestMemory:
    def test_the_same_model_is_told_from_memory(self, teller: FormulaTeller, session: Session) -> None:
        assert teller.tell(session, session.model) is teller.tell(session, session.model)

    def test_each_training_step_is_told(self, teller: FormulaTeller) -> None:
        session = Session(KAN([1, 1], grid=3), create_dataset(lambda x: x**2, n_var=1, train_num=50, test_num=20))
        session.fix_symbolic(0, 0, 0, "x^2")
        texts = [told(teller, session)["latex"]]
        for _ in session.fit_steps(3, opt="Adam", lr=0.1):
            texts.append(told(teller, session)["latex"])
        assert len(set(texts)) == len(texts)

    def test_every_change_is_told(self, teller: FormulaTeller, session: Session) -> None:
        for change in (
            lambda: session.fix_symbolic(0, 0, 0, "sin"),
            lambda: session.remove_edge(0, 1, 1),
            lambda: session.unfix_symbolic(0, 0, 0),
            lambda: session.reset(),
        ):
            before = told(teller, session)
            change()
            after = told(teller, session)
            assert after != before
            assert after["latex"] == session.formula().latex(equation=True)
            session.undo()
            assert told(teller, session) == before
            session.redo()

    def test_is_not_fooled_by_ids_that_come_again(self, teller: FormulaTeller) -> None:
        """A freed tensor's id may be given to the next: going back and forth, each must still be told as it is."""
        session = Session(KAN([1, 1], grid=3), create_dataset(lambda x: x**2, n_var=1, train_num=50, test_num=20))
        for constant in (2.0, 3.0, 4.0, 5.0):
            session.fix_symbolic(0, 0, 0, "x^2", fit_params_bool=False)
            session.model.layer(0).affine.data[0, 0, 2] = constant
            session.refine(3)
        for id in [8, 6, 4, 2] * 10:
            session.goto(id)
            assert told(teller, session)["sympy"] == session.formula().sympy()


def test_what_cannot_be_told_is_a_message(
    teller: FormulaTeller, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("too long to read")

    monkeypatch.setattr(KAN, "formula", fail)
    formula = told(teller, session)
    assert set(formula) == FIELDS
    assert (formula["message"], formula["outputs"], formula["spline_edges"]) == ("too long to read", [], 6)


def test_snaps_are_told_with_what_they_cost(teller: FormulaTeller, solved: Session) -> None:
    solved.model.layer(0).affine.data[0, 0, 0] = torch.pi + 1e-9
    solved.snap()
    formula = told(teller, solved)
    assert formula["snaps"] == [{"text": snap.text, "cost": snap.cost, "error": snap.error} for snap in solved.snaps]
    assert any("π" in snap["text"] for snap in formula["snaps"])
    solved.fit(steps=1)
    assert told(teller, solved)["snaps"] == []


def test_without_test_rows_tells_the_training_error(teller: FormulaTeller) -> None:
    dataset = {name: part for name, part in hello.dataset(50, 5).items() if name.startswith("train")}
    session = Session(KAN([2, 1]), dataset)
    assert told(teller, session)["test_rmse"] == pytest.approx(session.losses()[0])


def test_of_classes_is_told(teller: FormulaTeller) -> None:
    x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    session = Session(KAN([2, 2], seed=0), {"train_input": x, "train_label": (x[:, 0] > 0.5).long()})
    formula = told(teller, session)
    assert len(formula["outputs"]) == 2


def test_names_are_escaped(teller: FormulaTeller) -> None:
    session = Session(KAN([2, 1]), hello.dataset(30, 10), names=["<img src=x onerror=alert(1)>", "a&b"])
    (output,) = told(teller, session)["outputs"]
    assert "<img" not in output["mathml"]
    assert "<img src=x onerror=alert(1)>" in "".join(ElementTree.fromstring(output["mathml"]).itertext())


def test_a_formula_that_disagrees_is_told_with_its_warning_in_every_text(
    monkeypatch: pytest.MonkeyPatch, teller: FormulaTeller, solved: Session
) -> None:
    right = solved.formula()
    wrong = replace(right, exprs=(1.001 * right.exprs[0],))
    monkeypatch.setattr(KAN, "formula", lambda *_: wrong)
    with pytest.warns(FormulaWarning, match="differs from the model"):
        formula = told(teller, solved)
    assert formula["agrees"] is False
    assert formula["message"].startswith("the formula differs from the model by up to")
    kinds = ("latex", "python", "sympy", "torch", "c")
    shown = [text for text in formula["outputs"][0].values() if isinstance(text, str)]
    assert shown
    for text in (*(formula[kind] for kind in kinds), *shown):
        assert "warning: the formula differs" in text
