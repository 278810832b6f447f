"""A thread that runs one session's commands, one after the other, and trains in between.

Whoever steers (a widget, a cell) never touches the model: commands are queued and carried out between two training
steps, a new penalty is read by the very next step. A command ends the present stretch of training, which is one entry
of the history; a look at the model does not. The thread lives only while there is work. What goes wrong is told to the
listener; the session stays at its last good state.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from kanlab.engine.fit import Step
from kanlab.engine.penalty import Penalty
from kanlab.session import Session
from kanlab.symbolic.search import Progress

T = TypeVar("T")
Queue = queue.SimpleQueue[tuple[Callable[[], Any], Future]]


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
    #: None: the solver's own; for the solvers that have a rate.
    lr: float | None = None
    #: Rows a step; -1: all.
    batch: int = -1
    #: Stop where the loss no longer falls.
    plateau: bool = False

    @property
    def solver(self) -> tuple[Any, ...]:
        """What cannot change within a stretch of training."""
        return self.opt, self.lr, self.batch


class Plateau:
    """Notices that the loss no longer falls: less than ``SHARE`` in the last ``PATIENCE`` steps.

    >>> plateau = Plateau()
    >>> [plateau.reached(loss) for loss in (2.0, 1.0)], any(plateau.reached(1.0) for _ in range(Plateau.PATIENCE))
    ([False, False], True)
    """

    PATIENCE, SHARE = 60, 1e-3

    def __init__(self):
        self._best, self._since = math.inf, 0

    def reached(self, loss: float) -> bool:
        """Note a step's loss."""
        if loss < (1 - self.SHARE) * self._best:
            self._best, self._since = loss, 0
        else:
            self._since += 1
        return self._since >= self.PATIENCE


class Runner:
    """See the module."""

    def __init__(self, session: Session, listener: Listener):
        self.session, self._listener = session, listener
        self.settings = Training(Penalty())
        self._commands, self._looks = Queue(), Queue()
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
        with self._lock:
            self._left, self._wanted = steps, True
            self._wake()

    def pause(self) -> None:
        """Stop after the present step."""
        self._wanted = False

    def cancel(self) -> None:
        """Stop a long command, and training."""
        self._cancel.set()
        self._wanted = False

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Queue a command; the future has its result, or its error."""
        return self._enqueue(self._commands, work)

    def look(self, work: Callable[[], T]) -> Future[T]:
        """Queue something that only reads; training goes on after it as if nothing had been."""
        return self._enqueue(self._looks, work)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is nothing left to do; False when the time is over first."""
        return self._idle.wait(timeout)

    def long(self, steps: Generator[Progress, None, T], label: str) -> T:
        """Carry out a command that tells its progress and can be cancelled; to be called from a queued command."""
        self._cancel.clear()
        try:
            while True:
                self._carry_out(self._looks)
                if self._cancel.is_set():
                    steps.close()
                    raise Cancelled(f"{label} was stopped; nothing was changed")
                try:
                    self._listener.progressed(next(steps), label)
                except StopIteration as end:
                    return end.value
        finally:
            self._listener.progressed(None, label)

    def search(self, work: Callable[[Callable[[], bool], Callable[[Progress], None]], T], label: str) -> T:
        """Carry out ``work(stop, progress)``, which asks whether to stop and then returns what it has.

        To be called from a queued command, as `long`; looks are carried out whenever it asks.
        """
        self._cancel.clear()

        def stop() -> bool:
            self._carry_out(self._looks)
            return self._cancel.is_set()

        try:
            return work(stop, lambda progress: self._listener.progressed(progress, label))
        finally:
            self._listener.progressed(None, label)

    # ---- the thread

    def _enqueue(self, queue: Queue, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            queue.put((work, future))
            self._wake()
        return future

    def _wake(self) -> None:
        """See to it that there is a thread; to be called with the lock."""
        if self._thread is None:
            self._idle.clear()
            self._thread = threading.Thread(target=self._run, name="kanlab-train", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._carry_out(self._commands)
            self._carry_out(self._looks)
            if self._wanted:
                self._guarded(self._train)
                self._guarded(self._listener.changed)
            with self._lock:
                if self._commands.empty() and self._looks.empty() and not self._wanted:
                    self._thread = None
                    self._idle.set()
                    return

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do a part of the training; an error ends the training and is told, the thread lives on."""
        try:
            work()
        except Exception as error:  # whatever it is, the person must hear of it
            self._wanted = False
            self._tell_failure(error)

    def _carry_out(self, queue: Queue) -> None:
        while not queue.empty():
            work, future = queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = work()
            except Exception as error:  # told to the person and to whoever waits
                future.set_exception(error)
                self._tell_failure(error)
            else:
                future.set_result(result)

    def _tell_failure(self, error: Exception) -> None:
        with suppress(Exception):  # a listener that cannot even be told of an error must not end the thread
            self._listener.failed(error)

    def _train(self) -> None:
        """Train until paused, finished, or a command wants the model; each stretch is one history entry."""
        settings = self.settings
        penalty = settings.penalty
        steps = self.session.fit_steps(
            self._left,
            penalty.lamb,
            penalty.lamb_l1,
            penalty.lamb_entropy,
            opt=settings.opt,
            lr=settings.lr,
            batch=settings.batch,
            interrupted=lambda: not self._wanted or not self._commands.empty(),
        )
        self._listener.changed()
        sent: Penalty | None = None
        plateau = Plateau()
        try:
            while self._wanted and self._commands.empty() and self.settings.solver == settings.solver:
                try:
                    step = next(steps) if sent is None else steps.send(sent)
                except StopIteration:  # all steps were taken; more if the number was raised on the way
                    self._wanted = self._wanted and self._left != 0
                    return
                self._listener.stepped(step)
                self._carry_out(self._looks)
                self._count(step)
                if self.settings.plateau and plateau.reached(step.objective):
                    self._wanted = False
                chosen = self.settings.penalty
                sent, penalty = (chosen if chosen != penalty else None), chosen
        finally:
            steps.close()

    def _count(self, step: Step) -> None:
        """Note that a step was taken, and whether it was the last."""
        with self._lock:
            if self._left is not None:
                self._left -= 1
            if step.reason or self._left == 0:
                self._wanted = False
