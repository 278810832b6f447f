"""A thread that runs one session's commands, one after the other, and trains in between.

Whoever steers (a widget, a cell) never touches the model: commands are queued and carried out between two training
steps, a new penalty is read by the very next step. The thread lives only while there is work. What goes wrong is told
to the listener; the session stays at its last good state.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from kanlab.engine.fit import Step
from kanlab.engine.penalty import Penalty
from kanlab.session import Session
from kanlab.symbolic.search import Progress

T = TypeVar("T")


class Cancelled(Exception):
    """A long command was stopped on request; the session is as it was before it."""


class Listener(Protocol):
    """What a runner tells; all calls come from its thread."""

    def stepped(self, step: Step) -> None:
        """Note that a training step was taken."""
        ...

    def progressed(self, progress: Progress | None, label: str) -> None:
        """Note how far a long command is; None when it has ended."""
        ...

    def changed(self) -> None:
        """Note that the session changed, or that training began or ended."""
        ...

    def failed(self, error: BaseException) -> None:
        """Note that a command or the training failed."""
        ...


@dataclass(frozen=True)
class Training:
    """How to train, from the next step on."""

    penalty: Penalty
    opt: str = "auto"
    steps: int | None = None


class Runner:
    """See the module."""

    def __init__(self, session: Session, listener: Listener):
        self.session, self._listener = session, listener
        self.settings = Training(Penalty())
        self._commands: queue.SimpleQueue[tuple[Callable[[], Any], Future]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._wanted = False
        self._left: int | None = None
        self._cancel = threading.Event()

    # ---- what others call

    @property
    def training(self) -> bool:
        """Whether training goes on."""
        return self._wanted

    def configure(self, **changes: Any) -> None:
        """Change settings; they act on the next step."""
        self.settings = replace(self.settings, **changes)

    def start(self, steps: int | None = None) -> None:
        """Train ``steps`` more steps (None: until paused or converged); while it trains this only sets the number."""
        self._left = steps
        self._wanted = True
        self.submit(lambda: None)

    def pause(self) -> None:
        """Stop after the present step."""
        self._wanted = False

    def cancel(self) -> None:
        """Stop a long command, and training."""
        self._cancel.set()
        self._wanted = False

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Queue a command; the future has its result, or its error."""
        future: Future[T] = Future()
        with self._lock:
            self._commands.put((work, future))
            if self._thread is None:
                self._idle.clear()
                self._thread = threading.Thread(target=self._run, name="kanlab-train", daemon=True)
                self._thread.start()
        return future

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is nothing left to do; False when the time is over first."""
        return self._idle.wait(timeout)

    def long(self, steps: Generator[Progress, None, T], label: str) -> T:
        """Carry out a command that tells its progress and can be cancelled; to be called from a queued command."""
        self._cancel.clear()
        try:
            while True:
                if self._cancel.is_set():
                    steps.close()
                    raise Cancelled(f"{label} was stopped; nothing was changed")
                try:
                    self._listener.progressed(next(steps), label)
                except StopIteration as end:
                    return end.value
        finally:
            self._listener.progressed(None, label)

    # ---- the thread

    def _run(self) -> None:
        while True:
            self._carry_out_commands()
            if self._wanted:
                try:
                    self._train()
                except Exception as error:  # told to the person; the thread must live on
                    self._wanted = False
                    self._listener.failed(error)
                self._listener.changed()
            with self._lock:
                if self._commands.empty() and not self._wanted:
                    self._thread = None
                    self._idle.set()
                    return

    def _carry_out_commands(self) -> None:
        while not self._commands.empty():
            work, future = self._commands.get()
            try:
                result = work()
            except Exception as error:  # told to the person and to whoever waits
                future.set_exception(error)
                self._listener.failed(error)
            else:
                future.set_result(result)

    def _train(self) -> None:
        """Train until paused, finished, or a command wants the model; each stretch is one history entry."""
        settings = self.settings
        penalty = settings.penalty
        steps = self.session.fit_steps(
            self._left, penalty.lamb, penalty.lamb_l1, penalty.lamb_entropy, opt=settings.opt
        )
        self._listener.changed()
        sent: Penalty | None = None
        try:
            while self._wanted and self._commands.empty() and self.settings.opt == settings.opt:
                try:
                    step = next(steps) if sent is None else steps.send(sent)
                except StopIteration:
                    self._wanted = False
                    return
                if self._left is not None:
                    self._left -= 1
                self._listener.stepped(step)
                sent = self.settings.penalty if self.settings.penalty != penalty else None
                penalty = self.settings.penalty
                if step.reason or self._left == 0:
                    self._wanted = False
        finally:
            steps.close()
