"""Two states of the history side by side: loss, formula and a small picture of the network of each."""

from __future__ import annotations

from typing import Any

from kanlab.history import Entry
from kanlab.session import Session
from kanlab.widgets import _state
from kanlab.widgets._formula import FormulaTeller


class Comparison:
    """Tells an entry beside the current one; what was told of an entry is kept, since it never changes."""

    def __init__(self, session: Session):
        self._session = session
        self._sides: dict[int, dict[str, Any]] = {}

    def tell(self, id: int) -> dict[str, Any]:
        """Return both sides."""
        ids = (id, self._session.current.id)
        self._sides = {at: self._sides.get(at) or self._side(self._session.history[at]) for at in ids}
        return {"sides": [self._sides[at] for at in ids]}

    def _side(self, entry: Entry) -> dict[str, Any]:
        model = entry.model
        arrays = _state.arrays_of(model, 0.0, 0.0)
        formula = FormulaTeller().tell(self._session, model)
        return {
            "id": entry.id,
            "label": entry.label,
            "train": _state.finite(entry.train_loss),
            "test": _state.finite(entry.test_loss),
            "r2": _state.r_squared(self._session, entry.train_loss, entry.test_loss),
            "mathml": [output["mathml"] for output in formula["outputs"]],
            "message": formula["message"],
            "complexity": formula["complexity"],
            "width": model.width,
            "subnodes": [[], *([len(group) for group in groups] for groups in model.groups)],
            "edges": _state.edge_states(model),
            "points": _state.POINTS,
            "curves": _state.rounded(arrays.curves.ravel(), 4),
            "scores": _state.rounded(arrays.scores.ravel(), 4),
        }
