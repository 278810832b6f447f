"""The formula as the browser takes it: mathematics, texts to copy, and how far it can be trusted."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from kanlab.kan import KAN
from kanlab.session import Session
from kanlab.widgets._state import finite

_NOTHING: dict[str, Any] = {
    "outputs": [],
    "latex": "",
    "python": "",
    "sympy": "",
    "agreement": None,
    "agrees": True,
    "test_rmse": None,
    "spline_edges": 0,
    "complexity": None,
    "message": None,
    "snaps": [],
}


class FormulaTeller:
    """Tells a session's formula; the last answer is kept while the model is the same."""

    def __init__(self):
        # The tensors themselves are kept: the id of one that was freed may be given to another.
        self._parts: list[Tensor] = []
        self._key: Any = None
        self._told: dict[str, Any] = _NOTHING

    def tell(self, session: Session, model: KAN) -> dict[str, Any]:
        """Return a model's formula; one too long to read, or that cannot be made, is told as a message."""
        layers = model.kan_layers()
        parts = [part for layer in layers for part in (layer.affine, layer.coef, layer.scale_base, layer.mask)]
        key = [(id(part), part._version) for part in parts], [tuple(layer.fixed) for layer in layers]
        if key != self._key:
            self._told, self._key, self._parts = self._make(session, model), key, parts
        return self._told

    def _make(self, session: Session, model: KAN) -> dict[str, Any]:
        splines = sum(int(layer.spline_mask().sum()) for layer in model.kan_layers())
        try:
            formula = model.formula(session.names, session.out_names)
            data = session.data
            dataset = {"train_input": data.train_input, "train_label": data.train_label}
            if data.test_input is not None and data.test_label is not None and len(data.test_input):
                dataset |= {"test_input": data.test_input, "test_label": data.test_label}
            check = formula.check(dataset)
            count = len(formula.exprs)
            outputs = [
                {
                    "mathml": formula.mathml(out=m, equation=True),
                    "latex": formula.latex(out=m, equation=True),
                    "python": formula.python_outline(out=m),
                    "sympy": formula.sympy(out=m),
                }
                for m in range(count)
            ]
            return {
                "outputs": outputs,
                "latex": formula.latex(equation=True),
                "python": formula.python_outline(),
                "sympy": formula.sympy(),
                "agreement": finite(check.agreement),
                "agrees": check.agrees,
                "test_rmse": finite(check.test_rmse if check.test_rmse is not None else check.train_rmse),
                "spline_edges": splines,
                "complexity": formula.complexity,
                "message": check.message,
                "snaps": [{"text": snap.text, "cost": finite(snap.cost)} for snap in session.snaps],
            }
        except (ValueError, ArithmeticError) as error:
            return _NOTHING | {"message": str(error), "spline_edges": splines}
