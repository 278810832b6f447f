"""The formula as the browser takes it: mathematics, texts to copy, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from kanlab.kan import KAN
from kanlab.session import Session
from kanlab.symbolic import display
from kanlab.symbolic.formula import Formula
from kanlab.symbolic.tune import Handles, follow
from kanlab.widgets._state import finite

_NOTHING: dict[str, Any] = {
    "outputs": [],
    "latex": "",
    "python": "",
    "sympy": "",
    "torch": "",
    "c": "",
    "agreement": None,
    "agrees": True,
    "test_rmse": None,
    "spline_edges": 0,
    "complexity": None,
    "message": None,
    "snaps": [],
}
#: With more splines than this their tables in C are too long to be sent along.
_MOST_TABLES = 20
#: Seconds that simplifying may take.
_SIMPLIFYING = 10.0


@dataclass(frozen=True)
class Reading:
    """A model's formula, if it could be read, and the same as it is told."""

    formula: Formula | None
    told: dict[str, Any]
    key: Any = None
    #: The tensors themselves are kept: the id of one that was freed may be given to another.
    parts: tuple[Tensor, ...] = ()


class FormulaTeller:
    """Tells a session's formula; the last answer is kept while the model is the same."""

    def __init__(self):
        #: Of the session's own model, and of one that a hand is trying out.
        self._own = self._tried = Reading(None, _NOTHING)

    def tell(self, session: Session, model: KAN) -> dict[str, Any]:
        """Return a model's formula; one too long to read, or that cannot be made, is told as a message."""
        if model is session.model:
            return self._read(session).told
        self._tried = _read(session, model, self._tried)
        return self._tried.told

    def simplify(self, session: Session) -> None:
        """Tell the session's formula in the shortest form that is found, until the model changes."""
        reading = self._read(session)
        if reading.formula is None:
            raise ValueError("there is no formula to simplify")
        shorter = reading.formula.simplified(_SIMPLIFYING)
        told = _told(session, session.model, shorter)
        told["message"] = told["message"] or shorter.remark
        self._own = Reading(shorter, told, reading.key, reading.parts)

    def moved(self, session: Session, output: int, index: int, value: float) -> KAN:
        """Return the model whose formula has another number in it; see `kanlab.symbolic.tune`."""
        formula = self._read(session).formula
        if formula is None or not 0 <= output < len(formula.exprs):
            raise ValueError(f"there is no formula of output {output}")
        before = formula.shown()
        after = list(before)
        after[output] = Handles.of(before[output]).moved(index, value)
        model = session.model.copy()
        follow(model, before, tuple(after), formula.variables, formula.curves)
        return model

    def number(self, session: Session, output: int, index: int) -> float:
        """Return a number of the formula."""
        formula = self._read(session).formula
        values = Handles.of(formula.shown()[output]).values if formula and output < len(formula.exprs) else ()
        if not 0 <= index < len(values):
            raise ValueError(f"there is no number {index} in output {output}")
        return values[index]

    def _read(self, session: Session) -> Reading:
        self._own = _read(session, session.model, self._own)
        return self._own


def _read(session: Session, model: KAN, last: Reading) -> Reading:
    """Read a model's formula, if the last reading was not of the same model as it is."""
    layers = model.kan_layers()
    parts = tuple(part for layer in layers for part in (layer.affine, layer.coef, layer.scale_base, layer.mask))
    key = [(id(part), part._version) for part in parts], [tuple(layer.fixed) for layer in layers]
    return last if key == last.key else Reading(*_made(session, model), key, parts)


def _made(session: Session, model: KAN) -> tuple[Formula | None, dict[str, Any]]:
    try:
        formula = model.formula(session.names, session.out_names)
        return formula, _told(session, model, formula)
    except (ValueError, ArithmeticError) as error:
        return None, _NOTHING | {"message": str(error), "spline_edges": _splines(model)}


def _splines(model: KAN) -> int:
    return sum(int(layer.spline_mask().sum()) for layer in model.kan_layers())


def _told(session: Session, model: KAN, formula: Formula) -> dict[str, Any]:
    data = session.data
    dataset = {"train_input": data.train_input, "train_label": data.train_label}
    if data.test_input is not None and data.test_label is not None and len(data.test_input):
        dataset |= {"test_input": data.test_input, "test_label": data.test_label}
    check = formula.check(dataset)
    return {
        "outputs": [_output(formula, m) for m in range(len(formula.exprs))],
        "latex": formula.latex(equation=True),
        "python": formula.python_outline(),
        "sympy": formula.sympy(),
        "torch": formula.torch_outline(),
        "c": _in_c(formula),
        "agreement": finite(check.agreement),
        "agrees": check.agrees,
        "test_rmse": finite(check.test_rmse if check.test_rmse is not None else check.train_rmse),
        "spline_edges": _splines(model),
        "complexity": formula.complexity,
        "message": check.message,
        "snaps": [
            {"text": snap.text, "cost": finite(snap.cost), "error": finite(snap.error)} for snap in session.snaps
        ],
    }


def _output(formula: Formula, m: int) -> dict[str, Any]:
    """Tell one output; numbers that can be moved are marked in its mathematics."""
    handles = Handles.of(formula.shown()[m])
    mathml = display.mathml(
        {formula.outputs[m]: handles.expr},
        formula.variables,
        4,
        equation=True,
        warning=formula.warning,
        places=handles.places,
    )
    return {
        "mathml": mathml,
        "latex": formula.latex(out=m, equation=True),
        "python": formula.python_outline(out=m),
        "sympy": formula.sympy(out=m),
        "numbers": list(handles.values),
    }


def _in_c(formula: Formula) -> str:
    """Return C source; none where it would be too long or a function cannot be written."""
    if len(formula.spline_edges) > _MOST_TABLES:
        return ""
    try:
        return formula.c()
    except ValueError:
        return ""
