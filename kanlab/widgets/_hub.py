"""One session's link to all its panels: carries out what they ask, and tells them what happened.

Panels (in one Lab, or on their own anywhere in the notebook) share a hub, so they are in sync. The browser is told by
custom messages only; they come from the runner's thread while it trains. Frames are limited to ten a second and stop
when the browser does not keep up.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from safetensors import SafetensorError

from kanlab import edit
from kanlab.curve import LossCurve
from kanlab.engine.fit import Step
from kanlab.engine.penalty import Penalty
from kanlab.engine.solvers import NAMES
from kanlab.kan import KAN
from kanlab.runner import Cancelled, Runner
from kanlab.session import Session
from kanlab.symbolic.search import Progress
from kanlab.widgets import _advice, _detail, _formula, _nodes, _state
from kanlab.widgets._messages import Refused, check_args
from kanlab.widgets._rows import LossRows

Edge = tuple[int, int, int]
#: Solvers that take a learning rate.
RATED = ("Adam", "LBFGS")
#: Seconds between frames, and between the slower things while training.
_FRAME_EVERY, _SLOW_EVERY = 0.1, 1.0
#: What the slower things may take of the time of training.
_SLOW_SHARE = 0.04
#: Frames that may be on their way, and seconds after which unanswered ones count as lost.
_WINDOW, _LOST_AFTER = 12, 2.0


class View(Protocol):
    """A panel, as its hub sees it."""

    def send(self, content: Mapping[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send a custom message to all views of this panel."""
        ...


@dataclass(frozen=True)
class Controls:
    """What the sliders say; 0 is for ``steps`` until converged, for ``lr`` the solver's own, for ``batch`` all rows."""

    lamb: float = 1e-3
    lamb_l1: float = 1.0
    lamb_entropy: float = 2.0
    optimizer: str = "auto"
    steps: int = 0
    lr: float = 0.0
    batch: int = 0
    plateau: bool = False
    edge_th: float = 3e-2
    node_th: float = 1e-2

    def __post_init__(self):
        for name in ("lamb", "lamb_l1", "lamb_entropy", "lr", "edge_th", "node_th"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value < math.inf:
                raise ValueError(f"{name} is {value!r}; allowed are finite numbers from 0 up")
        if self.optimizer not in NAMES:
            raise ValueError(f"optimizer is {self.optimizer!r}; allowed are {', '.join(map(repr, NAMES))}")
        for name in ("steps", "batch"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} is {value!r}; allowed are whole numbers from 0 up")
        if not isinstance(self.plateau, bool):
            raise ValueError(f"plateau is {self.plateau!r}; allowed are True and False")


class Hub:
    """See the module; `hub_of` gives a session's."""

    def __init__(self, session: Session):
        self.session = session
        self.controls = Controls()
        self.selected: Edge | None = None
        self.error: str | None = None
        #: Where the session is written after every command, if anywhere.
        self.autosave: Path | None = None
        self.runner = Runner(session, self)
        session.listeners.append(self._session_changed)
        self._views: weakref.WeakSet[View] = weakref.WeakSet()
        self._busy: dict[str, Any] | None = None
        self._version = 0
        self._shape: Any = None
        #: The steps of the present stretch of training, and the history entry that it began from.
        self._curve = LossCurve()
        self._loss_rows = LossRows()
        self._rows_from = -1
        # Both the runner's thread and the kernel's tell; what is told last must be what was found last.
        self._telling = threading.RLock()
        self._formula = _formula.FormulaTeller()
        self._seq = self._acked = 0
        self._acked_at = self._framed_at = self._slow_due = 0.0
        self._speed = 0.0
        self._stepped_at = 0.0
        self._watched = False
        #: A model that a hand is trying out; shown, and in no history.
        self._trial: KAN | None = None

    # ---- what panels and cells call

    def attach(self, view: View) -> None:
        """Add a panel."""
        with self._telling:
            self._views.add(view)

    def set(self, **values: Any) -> None:
        """Move sliders; they act on the next step."""
        self.controls = replace(self.controls, **values)
        self._configure()
        self.runner.look(self._tell_controls)

    def start(self, steps: int | None = None) -> None:
        """Train (None: as many steps as the control says)."""
        self._configure()
        self.runner.start(steps if steps is not None else self.controls.steps or None)

    def do(self, command: str, /, **args: Any) -> Future[Any]:
        """Carry out a session command between two training steps."""
        method: Callable[..., Any] = getattr(self.session, command)
        return self.runner.submit(lambda: self._carry_out(method, args))

    def auto_symbolic(self) -> Future[Any]:
        """Name all edges, telling progress."""
        steps = self.session.auto_symbolic_steps
        return self.runner.submit(lambda: self._carry_out(lambda: self.runner.long(steps(), "auto symbolic"), {}))

    def snap(self) -> Future[Any]:
        """Snap constants, telling progress."""
        steps = self.session.snap_steps
        return self.runner.submit(lambda: self._carry_out(lambda: self.runner.long(steps(), "snap constants"), {}))

    def select(self, edge: Edge | None) -> None:
        """Choose the edge that the inspector shows."""
        self.selected = None if edge is None else self.session.model.check_edge(*edge)
        self.runner.look(self._tell_selection)

    # ---- messages from the browser

    def handle(self, view: View, message: Any) -> None:
        """Act on one message; whatever it is, it does no harm. Runs on the main thread or a subshell's."""
        if not isinstance(message, Mapping):
            return
        kind = message.get("kind")
        if kind == "hello":
            self._watched = True
            self._acked, self._acked_at = self._seq, time.monotonic()
            self.runner.look(lambda: self.tell_all(to=view))
        elif kind == "ack" and isinstance(message.get("seq"), int):
            self._acked, self._acked_at = max(self._acked, min(message["seq"], self._seq)), time.monotonic()
        elif kind == "cmd":
            self._command(view, message)

    def _command(self, view: View, message: Mapping[str, Any]) -> None:
        id = message.get("id")
        if not isinstance(id, int):
            return
        try:
            name, args = check_args(message)
            future = self._dispatch(name, args)
        except (Refused, ValueError, TypeError) as error:
            self._answer(view, id, error)
            failure = error
            self.runner.look(lambda: self.failed(failure))
            return
        if future is None:
            self._answer(view, id, None)
        else:
            future.add_done_callback(lambda done: self._answer(view, id, done.exception()))

    def _answer(self, view: View, id: int, error: BaseException | None) -> None:
        view.send({"kind": "done", "id": id, "ok": error is None, "error": None if error is None else str(error)})

    def _dispatch(self, name: str, args: dict[str, Any]) -> Future[Any] | None:
        edge = args.pop("edge", None)
        match name:
            case "train":
                self.start()
                return self.runner.look(self._tell_state)
            case "pause":
                self.runner.pause()
                return self.runner.look(self._tell_state)
            case "step":
                self._configure()
                self.runner.start(1)
            case "cancel":
                self.runner.cancel()
            case "set":
                self.set(**args)
            case "select":
                self.select(edge)
            case "dismiss":
                self.error = None
                return self.runner.look(self._tell_state)
            case "auto_symbolic":
                return self.auto_symbolic()
            case "snap":
                return self.snap()
            case "fix":
                return self.do("fix_symbolic", l=edge[0], i=edge[1], j=edge[2], name=args["name"])
            case "unfix":
                return self.do("unfix_symbolic", l=edge[0], i=edge[1], j=edge[2])
            case "remove_edge" | "restore_edge":
                return self.do(name, l=edge[0], i=edge[1], j=edge[2])
            case "bend":
                return self.do("bend_edge", l=edge[0], i=edge[1], j=edge[2], **args)
            case "constants":
                return self.do("set_constants", l=edge[0], i=edge[1], j=edge[2], **args)
            case "try_bend":
                return self.runner.look(lambda: self._try(lambda model: edit.bend_edge(model, *edge, **args)))
            case "try_constants":
                return self.runner.look(lambda: self._try(lambda model: edit.set_constants(model, *edge, **args)))
            case "untry":
                return self.runner.look(self._untry)
            case "undo" | "redo" | "goto" | "reset":
                self.runner.pause()
                return self.do(name, **args)
            case _:
                return self.do(name, **args)
        return None

    def _try(self, change: Callable[[KAN], None]) -> None:
        """Show what a change would do; amid training the next step would overtake it, so nothing is shown."""
        if self.runner.training:
            return
        trial = self.session.model.copy()
        change(trial)
        self._trial = trial
        self._frame()
        self._tell_nodes()
        self._tell_formula()

    def _untry(self) -> None:
        self._trial = None
        self._frame()
        self._tell_nodes()
        self._tell_formula()

    # ---- what the runner tells (on its thread)

    def stepped(self, step: Step) -> None:
        """Note a step; send a frame if it is time."""
        now = time.monotonic()
        if self._stepped_at and now > self._stepped_at:
            self._speed += 0.1 * (1.0 / (now - self._stepped_at) - self._speed)
        self._stepped_at = now
        if step.index == 0:
            self._curve, self._rows_from = LossCurve(), self.session.current.id
        self._curve.append((self.session.current.step + step.index + 1, step.train_loss, step.test_loss, step.reg))
        if step.reason.startswith("diverged"):
            self.error = step.reason
        if not self._watched:
            return
        if now - self._framed_at >= _FRAME_EVERY and self._keeps_up(now):
            self._frame(grows=True)
        if now >= self._slow_due:
            self._tell_nodes()
            self._tell_formula()
            if self.selected is not None:
                self._tell_detail()
            # A large network's formula takes long to make: it may cost no more than its share of the training.
            took = time.monotonic() - now
            self._slow_due = now + max(_SLOW_EVERY, took / _SLOW_SHARE)

    def progressed(self, progress: Progress | None, label: str) -> None:
        """Note a long command's progress."""
        self._busy = None if progress is None else {"label": label, "done": progress.done, "total": progress.total}
        self._tell_state()

    def changed(self) -> None:
        """Tell everybody everything."""
        self._curve, self._trial, self._loss_rows = LossCurve(), None, LossRows()
        if not self.runner.training:
            self._stepped_at = 0.0
        if self.selected is not None and not self._exists(self.selected):
            self.selected = None
        self.tell_all()

    def failed(self, error: BaseException) -> None:
        """Show an error."""
        self.error = None if isinstance(error, Cancelled) else str(error) or type(error).__name__
        self._tell_state()

    def _exists(self, edge: Edge) -> bool:
        try:
            self.session.model.check_edge(*edge)
        except ValueError:
            return False
        return True

    # ---- telling

    def state(self) -> dict[str, Any]:
        """Return the whole state as the browser takes it."""
        session, model = self.session, self.session.model
        edges = _state.edge_states(model)
        shape = (model.width, edges)
        if shape != self._shape:
            self._shape = shape
            self._version += 1
        controls = vars(self.controls) | {"grid": max(model.grid)}
        return {
            "version": self._version,
            "names": {"inputs": session.names, "outputs": session.out_names},
            "width": model.width,
            "subnodes": [[], *([len(group) for group in groups] for groups in model.groups)],
            "edges": edges,
            "controls": controls,
            "optimizers": [{"value": name, "label": name} for name in NAMES],
            "running": self.runner.training,
            "busy": self._busy,
            "selected": None if self.selected is None else list(self.selected),
            "library": _state.library_entries(),
            "formula": self._formula.tell(session, self._shown),
            "history": _state.history_of(session),
            "marks": _state.marks_of(session),
            "advice": [
                advice.told()
                for advice in _advice.advice_of(session, trained=session.current.step + self._live().steps > 0)
            ],
            "error": self.error,
        }

    def frame(self, *, grows: bool = False) -> tuple[dict[str, Any], _state.Arrays]:
        """Return a frame's header and its numbers; of a curve that ``grows`` only what is new."""
        session, controls, live, shown = self.session, self.controls, self._live(), self._shown
        rows = session.rows() + live.rows()
        arrays = _state.arrays_of(shown, controls.edge_th, controls.node_th)
        if rows:
            last = rows[-1]
        else:
            train, test = session.losses(shown)
            last = (0, train, test, 0.0)
        at_rest = not self.runner.training and session.current.id
        train, test = session.losses(shown) if at_rest or self._trial else (last[1], last[2])
        header = {
            "version": self._version,
            "step": session.current.step + live.steps,
            "train": _state.finite(train),
            "test": _state.finite(test),
            "reg": _state.finite(last[3]),
            "r2": _state.r_squared(session, shown),
            "speed": _state.finite(self._speed) if self.runner.training else None,
            "points": _state.POINTS,
            "loss": self._loss_rows.end(rows) if grows else LossRows().whole(rows),
        }
        return header, arrays

    @property
    def _shown(self) -> KAN:
        """The model that is drawn: the one being tried, else the session's."""
        return self._trial or self.session.model

    def detail(self) -> dict[str, Any] | None:
        """Return the inspector's contents."""
        return None if self.selected is None else _detail.detail_of(self.session, self.selected)

    def snapshot(self) -> dict[str, Any]:
        """Return the settled picture for a saved notebook."""
        state = self.state()
        header, arrays = self.frame()
        return {
            "state": state,
            "frame": header | {"seq": 0, "arrays": arrays.lists()},
            "nodes": {"version": self._version} | _nodes.node_pictures(self._shown).lists(),
            "detail": self.detail(),
        }

    def tell_all(self, to: View | None = None) -> None:
        """Send state, frame and detail."""
        with self._telling:
            self._tell_state(to=to)
            self._frame(to=to)
            self._tell_nodes(to=to)
            self._tell_detail(to=to)

    def _carry_out(self, method: Callable[..., Any], args: Mapping[str, Any]) -> Any:
        self.error = None
        return method(**args)

    def _session_changed(self) -> None:
        """Show what was done, by whomever; amid training the runner tells at its end."""
        self._save()
        if not self.runner.training:
            self.changed()

    def _save(self) -> None:
        """Write the session where it is kept; that this cannot be done is told, and ends nothing."""
        if self.autosave is None:
            return
        try:
            self.session.save(self.autosave)
        except (OSError, SafetensorError) as error:
            self.error = f"the session could not be saved: {error}"

    def _configure(self) -> None:
        controls = self.controls
        penalty = Penalty(controls.lamb, controls.lamb_l1, controls.lamb_entropy)
        # A rate means something to Adam and LBFGS alone.
        lr = controls.lr if controls.lr and controls.optimizer in RATED else None
        self.runner.configure(
            penalty=penalty, opt=controls.optimizer, lr=lr, batch=controls.batch or -1, plateau=controls.plateau
        )

    def _live(self) -> LossCurve:
        """Return the steps that are not in the history yet."""
        return self._curve if self._rows_from == self.session.current.id else LossCurve()

    def _keeps_up(self, now: float) -> bool:
        if now - self._acked_at > _LOST_AFTER:
            self._acked, self._acked_at = self._seq, now
        return self._seq - self._acked < _WINDOW

    def _frame(self, to: View | None = None, *, grows: bool = False) -> None:
        with self._telling:
            self._framed_at = time.monotonic()
            self._seq += 1
            header, arrays = self.frame(grows=grows)
            self._tell({"kind": "frame", "seq": self._seq} | header, [arrays.buffer()], to=to)

    def _tell_state(self, to: View | None = None) -> None:
        with self._telling:
            self._tell({"kind": "state", "state": self.state()}, to=to)

    def _tell_formula(self) -> None:
        with self._telling:
            self._tell({"kind": "formula", "formula": self._formula.tell(self.session, self._shown)})

    def _tell_nodes(self, to: View | None = None) -> None:
        with self._telling:
            pictures = _nodes.node_pictures(self._shown)
            self._tell({"kind": "nodes", "version": self._version} | pictures.header(), [pictures.buffer()], to=to)

    def _tell_detail(self, to: View | None = None) -> None:
        with self._telling:
            self._tell({"kind": "detail", "detail": self.detail()}, to=to)

    def _tell_controls(self) -> None:
        self._tell_state()
        if not self.runner.training:  # else the next frame is near; it shows what pruning would do now
            self._frame()

    def _tell_selection(self) -> None:
        with self._telling:
            self._tell_state()
            self._tell_detail()

    def _tell(self, content: Mapping[str, Any], buffers: list[bytes] | None = None, to: View | None = None) -> None:
        for view in list(self._views) if to is None else [to]:
            view.send(content, buffers)


def hub_of(session: Session) -> Hub:
    """Return the session's hub; there is one, so that all its panels are in sync."""
    owners = (getattr(listener, "__self__", None) for listener in session.listeners)
    return next((owner for owner in owners if isinstance(owner, Hub)), None) or Hub(session)
