"""What there is to tell, as `frontend/PROTOCOL.md` has it: a session's state, frame, formula and edge close up."""

from __future__ import annotations

from typing import Any

from kanlab.discovery.discovery import Discovery
from kanlab.engine.solvers import NAMES
from kanlab.kan import KAN
from kanlab.runner import Runner
from kanlab.widgets import _advice, _detail, _formula, _nodes, _state
from kanlab.widgets._comparison import Comparison
from kanlab.widgets._desk import Desk
from kanlab.widgets._front import front_of
from kanlab.widgets._live import Live
from kanlab.widgets._rows import LossRows

#: Frames for which scores hold while it trains: they move slowly, and cost as much as the curves.
_SCORES_EVERY = 3


class Scene:
    """Looks at everything and changes nothing; while it trains, to be asked on the runner's thread."""

    def __init__(self, desk: Desk, live: Live, runner: Runner):
        self._desk, self._live, self._runner = desk, live, runner
        self.formulas = _formula.FormulaTeller()
        self._comparison = Comparison(desk.session)
        self._found: Discovery | None = None
        self._front: dict[str, Any] | None = None
        self._rows = LossRows()
        self._version, self._shape = 0, None
        self._arrays: _state.Arrays | None = None
        self._scored, self._age = (0, 0.0, 0.0), 0

    @property
    def version(self) -> int:
        """Changes with the structure, when `state` finds another one."""
        return self._version

    def begin_curve(self) -> None:
        """Tell the loss curve from its start again."""
        self._rows = LossRows()

    def state(self) -> dict[str, Any]:
        """Return the whole state."""
        desk, session, model = self._desk, self._desk.session, self._desk.session.model
        edges = _state.edge_states(model)
        shape: Any = (model.width, edges)
        if shape != self._shape:
            self._shape = shape
            self._version += 1
        return {
            "version": self._version,
            "names": {"inputs": session.names, "outputs": session.out_names},
            "width": model.width,
            "subnodes": [[], *([len(group) for group in groups] for groups in model.groups)],
            "edges": edges,
            "controls": vars(desk.controls) | {"grid": max(model.grid)},
            "optimizers": [{"value": name, "label": name} for name in NAMES],
            "running": self._runner.training,
            "busy": desk.busy,
            "selected": None if desk.selected is None else list(desk.selected),
            "library": _state.library_entries(),
            "formula": self.formula(),
            "history": _state.history_of(session),
            "marks": _state.marks_of(session),
            "advice": [advice.told() for advice in _advice.advice_of(session, trained=self._live.step > 0)],
            "error": desk.error,
        }

    def frame(self, *, grows: bool = False) -> tuple[dict[str, Any], _state.Arrays]:
        """Return a frame's header and its numbers; of a curve that ``grows`` only what is new."""
        desk, session, shown = self._desk, self._desk.session, self._desk.shown
        rows, arrays = self._live.rows(), self._arrays_of(shown, hurry=grows)
        train, test, reg = rows[-1][1:] if rows else (*session.losses(shown), 0.0)
        at_rest = not self._runner.training and session.current.id
        if at_rest or desk.trial:
            train, test = session.losses(shown)
        header = {
            "version": self._version,
            "step": self._live.step,
            "train": _state.finite(train),
            "test": _state.finite(test),
            "reg": _state.finite(reg),
            "r2": _state.r_squared(session, train, test),
            "speed": _state.finite(self._live.speed) if self._runner.training else None,
            "points": _state.POINTS,
            "loss": self._rows.end(rows) if grows else LossRows().whole(rows),
        }
        return header, arrays

    def _arrays_of(self, shown: KAN, *, hurry: bool) -> _state.Arrays:
        """Return a frame's numbers; in a ``hurry`` scores and preview may be those of one of the last frames."""
        controls = self._desk.controls
        key = (self._version, controls.edge_th, controls.node_th)
        if hurry and self._arrays and key == self._scored and self._age < _SCORES_EVERY:
            self._arrays = _state.with_curves_of(self._arrays, shown)
        else:
            self._arrays = _state.arrays_of(shown, controls.edge_th, controls.node_th)
            self._scored, self._age = key, 0
        self._age += 1
        return self._arrays

    def formula(self) -> dict[str, Any]:
        """Return the formula of the model that is shown."""
        return self.formulas.tell(self._desk.session, self._desk.shown)

    def nodes(self) -> _nodes.NodePictures:
        """Return the picture of every node."""
        return _nodes.node_pictures(self._desk.shown)

    def detail(self) -> dict[str, Any] | None:
        """Return the inspector's contents."""
        selected, considered = self._desk.selected, self._desk.considered
        return None if selected is None else _detail.detail_of(self._desk.session, selected, considered)

    def front(self) -> dict[str, Any] | None:
        """Return what the last search found."""
        found = self._desk.found
        if found is not self._found:
            self._found = found
            self._front = None if found is None else front_of(found, self._desk.session)
        return self._front

    def comparison(self) -> dict[str, Any] | None:
        """Return the history entry that stands beside the current one, and that."""
        return None if self._desk.compared is None else self._comparison.tell(self._desk.compared)

    def snapshot(self) -> dict[str, Any]:
        """Return the settled picture for a saved notebook."""
        state = self.state()
        header, arrays = self.frame()
        return {
            "state": state,
            "frame": header | {"seq": 0, "arrays": arrays.lists()},
            "nodes": {"version": self._version} | self.nodes().lists(),
            "detail": self.detail(),
            "front": self.front(),
        }
