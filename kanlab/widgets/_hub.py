"""One session's link to all its panels: carries out what they ask, and has them told what happened.

Panels (in one Lab, or on their own anywhere in the notebook) share a hub, so they are in sync. The browser is told by
custom messages only; they come from the runner's thread while it trains.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from kanlab.edit import all_constants
from kanlab.engine.fit import Step
from kanlab.kan import KAN
from kanlab.runner import Cancelled, Runner
from kanlab.session import Session
from kanlab.symbolic import library
from kanlab.symbolic.search import Progress
from kanlab.symbolic.source import formula_text
from kanlab.widgets._autosave import Autosave
from kanlab.widgets._desk import Desk, Edge
from kanlab.widgets._flow import Flow, Pace
from kanlab.widgets._front import Search
from kanlab.widgets._live import Live
from kanlab.widgets._scene import Scene
from kanlab.widgets._teller import Teller, View

#: Seconds between frames, and between the slower things while training.
_FRAME_EVERY, _SLOW_EVERY = 0.1, 1.0
#: What frames may take of the processor's time while it trains, and what each of the slower things may.
_FRAME_SHARE, _SLOW_SHARE = 0.1, 0.005


class Hub:
    """See the module; `hub_of` gives a session's."""

    def __init__(self, session: Session):
        self.desk = Desk(session)
        self.autosave = Autosave(self.desk)
        self.runner = Runner(session, self)
        self.live = Live(session)
        self.flow = Flow()
        self.scene = Scene(self.desk, self.live, self.runner)
        self.teller = Teller(self.scene, self.flow)
        self._frames = Pace(_FRAME_EVERY, _FRAME_SHARE)
        self._slow = [
            (Pace(_SLOW_EVERY, _SLOW_SHARE), tell) for tell in (self.teller.nodes, self.teller.formula, self._tell_edge)
        ]
        #: What waits to be told: a flood of messages is told once.
        self._waiting: set[Callable[[], None]] = set()
        session.listeners.append(self._session_changed)

    @property
    def session(self) -> Session:
        """The session."""
        return self.desk.session

    # ---- what panels and cells call

    def greet(self, view: View) -> None:
        """Tell a view that was just drawn everything, and from now on what changes."""
        self.teller.attach(view)
        self.flow.hello(time.monotonic())
        self.runner.look(lambda: self.teller.all(view))

    def set(self, **values: Any) -> None:
        """Move sliders; they act on the next step."""
        self.desk.controls = replace(self.desk.controls, **values)
        self._configure()
        self._soon(self._tell_controls)

    def start(self, steps: int | None = None) -> None:
        """Train (None: as many steps as the control says)."""
        self._configure()
        self.runner.start(steps if steps is not None else self.desk.controls.steps or None)

    def do(self, command: str, /, **args: Any) -> Future[Any]:
        """Carry out a session command between two training steps."""
        method: Callable[..., Any] = getattr(self.session, command)
        return self._submit(lambda: method(**args))

    def auto_symbolic(self) -> Future[Any]:
        """Name all edges, telling progress."""
        return self.long(self.session.auto_symbolic_steps, "auto symbolic")

    def snap(self) -> Future[Any]:
        """Snap constants, telling progress."""
        return self.long(self.session.snap_steps, "snap constants")

    def eliminate(self) -> Future[Any]:
        """Remove what the model can do without, telling progress."""
        return self.long(self.session.eliminate_steps, "eliminate")

    def discover(self) -> Future[Any]:
        """Search for formulas, telling progress; stopped, the front is what was found until then."""
        return self._submit(self._discover)

    def pick(self, index: int) -> Future[Any]:
        """Go on with the KAN of a formula that was found."""
        solution = self.desk.solution(index)
        return self.do("open_formula", formula=formula_text(solution.exprs, solution.variables))

    def simplify(self) -> Future[Any]:
        """Show the formula in the shortest form that is found; the model stays."""
        return self._submit(self._simplify)

    def try_number(self, output: int, index: int, value: float) -> Future[Any]:
        """Show what another number in the formula would do."""
        return self.runner.look(lambda: self._try_number(output, index, value))

    def number(self, output: int, index: int, value: float) -> Future[Any]:
        """Change a number in the formula; the network follows."""
        return self._submit(lambda: self._move_number(output, index, value))

    def consider(self, edge: Edge, name: str) -> Future[Any]:
        """Show a function for the selected edge, beside those that fit it best."""
        if edge == self.desk.selected:
            self.desk.considered = library.get(name).name
        return self.runner.look(self.teller.detail)

    def compare(self, id: int | None) -> Future[Any]:
        """Put a history entry beside the current one, or none."""
        self.desk.compare(id)
        return self.runner.look(self.teller.comparison)

    def long(self, steps: Callable[[], Generator[Progress, None, Any]], label: str) -> Future[Any]:
        """Carry out a command that tells its progress."""
        return self._submit(lambda: self.runner.long(steps(), label))

    def select(self, edge: Edge | None) -> None:
        """Choose the edge that the inspector shows."""
        self.desk.select(edge)
        self._soon(self.teller.selection)

    def attempt(self, change: Callable[[KAN], None]) -> Future[Any]:
        """Show what a change would do."""
        return self.runner.look(lambda: self._attempt(change))

    def untry(self) -> Future[Any]:
        """Show the session's model again."""
        return self.runner.look(self._untry)

    def dismiss(self) -> Future[Any]:
        """Forget the error."""
        self.desk.error = None
        return self.runner.look(self.teller.state)

    def refuse(self, error: Exception) -> None:
        """Show why a message was not acted on."""
        self.desk.error = str(error)
        self._soon(self.teller.state)

    def _submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Have work done between two training steps; a new command makes the last error old."""

        def begin() -> Any:
            self.desk.error = None
            return work()

        return self.runner.submit(begin)

    def _soon(self, tell: Callable[[], None]) -> None:
        """Have something told between two steps, if that does not wait to be told already."""
        if tell in self._waiting:
            return
        self._waiting.add(tell)

        def work() -> None:
            self._waiting.discard(tell)
            tell()

        self.runner.look(work)

    # ---- what the runner tells (on its thread)

    def stepped(self, step: Step) -> None:
        """Note a step; send a frame if it is time."""
        now = time.monotonic()
        self.live.note(step, now)
        self.autosave.stepped(now)
        if step.reason.startswith("diverged"):
            self.desk.error = step.reason
        if not self.flow.watched:
            return
        if self._frames.due(now) and self.flow.keeps_up(now):
            self._frames.carry_out(lambda: self.teller.frame(grows=True), now)
        for pace, tell in self._slow:
            if pace.due(now):
                pace.carry_out(tell, now)

    def progressed(self, progress: Progress | None, label: str) -> None:
        """Note a long command's progress."""
        done = None if progress is None else {"label": label, "done": progress.done, "total": progress.total}
        self.desk.busy = done
        self.teller.state()

    def changed(self) -> None:
        """Tell everybody everything."""
        self.live.over(pause=not self.runner.training)
        self.scene.begin_curve()
        self.desk.trial = None
        self.desk.drop_lost_selection()
        self.teller.all()

    def failed(self, error: BaseException) -> None:
        """Show an error."""
        self.desk.error = None if isinstance(error, Cancelled) else str(error) or type(error).__name__
        self.teller.state()

    # ---- on the runner's thread too

    def _session_changed(self) -> None:
        """Show what was done, by whomever; amid training the runner tells at its end."""
        self.autosave.save()
        if not self.runner.training:
            self.changed()

    def _attempt(self, change: Callable[[KAN], None]) -> None:
        """Amid training the next step would overtake it, so nothing is shown."""
        if not self.runner.training:
            self.desk.attempt(change)
            self.teller.model()

    def _discover(self) -> None:
        self.desk.found = self.runner.search(
            lambda stop, progress: Search(self.session, stop, progress).run(), "discover"
        )
        self.teller.front()

    def _simplify(self) -> None:
        def work(_: Callable[[], bool], progress: Callable[[Progress], None]) -> None:
            progress(Progress(0, 0, ""))
            self.scene.formulas.simplify(self.session)

        self.runner.search(work, "simplify")
        self.teller.formula()

    def _try_number(self, output: int, index: int, value: float) -> None:
        if not self.runner.training:
            self.desk.trial = self.scene.formulas.moved(self.session, output, index, value)
            self.teller.model()

    def _move_number(self, output: int, index: int, value: float) -> None:
        old = self.scene.formulas.number(self.session, output, index)
        model = self.scene.formulas.moved(self.session, output, index, value)
        self.session.set_all_constants(all_constants(model), f"{old:.4g} → {value:.4g}")

    def _untry(self) -> None:
        self.desk.trial = None
        self.teller.model()

    def _tell_controls(self) -> None:
        self.teller.state()
        if not self.runner.training:  # else the next frame is near; it shows what pruning would do now
            self.teller.frame()

    def _tell_edge(self) -> None:
        if self.desk.selected is not None:
            self.teller.detail()

    def _configure(self) -> None:
        self.runner.configure(**vars(self.desk.controls.training()))


def hub_of(session: Session) -> Hub:
    """Return the session's hub; there is one, so that all its panels are in sync."""
    owners = (getattr(listener, "__self__", None) for listener in session.listeners)
    return next((owner for owner in owners if isinstance(owner, Hub)), None) or Hub(session)
