"""The runner: one thread, one thing at a time, and nothing that goes wrong ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Any

import pytest
import torch

from kanlab import KAN, Penalty, Session
from kanlab.engine.fit import Step
from kanlab.problems import hello
from kanlab.runner import Cancelled, Plateau, Runner
from kanlab.symbolic.search import Progress

#: Seconds after which a test that waits has failed.
PATIENCE = 60.0


class Recorder:
    """A listener that remembers, and may hold the thread or break where a test wants it to."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.told: list[str] = []
        self.progress: list[tuple[Progress | None, str]] = []
        self.errors: list[BaseException] = []
        self.threads: set[int] = set()
        #: Called with each step, on the runner's thread.
        self.at_step: Callable[[Step], None] = lambda step: None
        self.at_change: Callable[[], None] = lambda: None

    def stepped(self, step: Step) -> None:
        self.threads.add(threading.get_ident())
        self.steps.append(step)
        self.at_step(step)

    def progressed(self, progress: Progress | None, label: str) -> None:
        self.progress.append((progress, label))

    def changed(self) -> None:
        self.told.append("changed")
        self.at_change()

    def failed(self, error: BaseException) -> None:
        self.told.append("failed")
        self.errors.append(error)


def runner_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "kanlab-train"]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def session() -> Session:
    return Session(KAN([2, 2, 1], grid=3, seed=1), hello.dataset(100, 50))


@pytest.fixture
def runner(session: Session, recorder: Recorder) -> Iterator[Runner]:
    """A runner with a solver that never converges, so that a test says when training ends."""
    runner = Runner(session, recorder)
    runner.configure(opt="Adam", penalty=Penalty(1e-3))
    yield runner
    runner.cancel()
    assert runner.wait(PATIENCE)
    for thread in runner_threads():
        thread.join(PATIENCE)
    assert not runner_threads(), "a thread outlives its work"


def after(runner: Runner, recorder: Recorder, steps: int) -> None:
    """Wait until so many steps were taken."""
    end = time.monotonic() + PATIENCE
    while len(recorder.steps) < steps:
        assert time.monotonic() < end, f"{len(recorder.steps)} of {steps} steps"
        assert runner.training
        time.sleep(0.002)


class TestTraining:
    def test_takes_the_steps_asked_for_on_its_own_thread(
        self, runner: Runner, recorder: Recorder, session: Session
    ) -> None:
        runner.start(7)
        assert runner.wait(PATIENCE)
        assert [step.index for step in recorder.steps] == list(range(7))
        assert not runner.training
        assert threading.get_ident() not in recorder.threads
        assert [entry.label for entry in session.history] == ["start", "fit 7, lamb 0.001"]
        assert recorder.told == ["changed", "changed"], "once when it begins and once when it has ended"

    def test_without_a_number_goes_on_until_paused(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        runner.start()
        after(runner, recorder, 20)
        assert not runner.wait(0.0)
        runner.pause()
        assert runner.wait(PATIENCE)
        assert session.current.step == len(recorder.steps) >= 20
        taken = len(recorder.steps)
        runner.start(3)
        assert runner.wait(PATIENCE)
        assert len(recorder.steps) == taken + 3
        assert [entry.step for entry in session.path()] == [0, taken, taken + 3]

    def test_ends_by_itself_when_converged(self, runner: Runner, recorder: Recorder) -> None:
        runner.configure(opt="LM", penalty=Penalty())
        runner.start()
        assert runner.wait(PATIENCE)
        assert recorder.steps[-1].reason.startswith("converged")
        assert not runner.training

    def test_no_steps_are_none(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        runner.start(0)
        assert runner.wait(PATIENCE)
        assert recorder.steps == []
        assert len(session.history) == 1

    def test_paused_before_it_began_does_nothing(self, runner: Runner, session: Session) -> None:
        gate = threading.Event()
        runner.submit(lambda: gate.wait(PATIENCE))
        runner.start()
        runner.pause()
        gate.set()
        assert runner.wait(PATIENCE)
        assert len(session.history) == 1

    def test_is_the_training_that_code_would_do(self, runner: Runner, session: Session) -> None:
        twin = Session(session.history[0].model, session.dataset)
        runner.configure(opt="LM", penalty=Penalty(1e-3))
        runner.start(6)
        assert runner.wait(PATIENCE)
        twin.fit(6, 1e-3, opt="LM")
        assert twin.rows() == session.rows()
        assert torch.equal(twin.model.layer(0).coef, session.model.layer(0).coef)


class TestStart:
    def test_again_while_it_trains_sets_the_number_and_nothing_else(
        self, runner: Runner, recorder: Recorder, session: Session
    ) -> None:
        runner.start()
        after(runner, recorder, 3)
        for _ in range(20):
            runner.start()
        assert len(runner_threads()) == 1
        runner.start(5)
        assert runner.wait(PATIENCE)
        assert [step.index for step in recorder.steps] == list(range(len(recorder.steps))), "one stretch"
        assert len(session.history) == 2

    def test_again_with_a_higher_number_goes_on_for_so_many(self, runner: Runner, recorder: Recorder) -> None:
        recorder.at_step = lambda step: runner.start(10) if len(recorder.steps) == 3 else None
        runner.start(4)
        assert runner.wait(PATIENCE)
        # The step in which the number was set is the first of them.
        assert len(recorder.steps) == 2 + 10

    def test_twice_at_once_is_one_training(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        barrier = threading.Barrier(8)

        def start() -> None:
            barrier.wait(PATIENCE)
            runner.start(30)

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert runner.wait(PATIENCE)
        assert len(recorder.threads) == 1
        # Whoever came late restarted the count, but all steps are one after the other.
        assert 30 <= len(recorder.steps) <= 8 * 30
        assert session.current.step == len(recorder.steps)

    def test_over_and_over_leaves_no_step_and_no_thread_behind(self, runner: Runner, recorder: Recorder) -> None:
        for count in range(1, 41):
            runner.start(1)
            assert runner.wait(PATIENCE)
            assert len(recorder.steps) == count

    def test_of_a_negative_number_is_told(self, runner: Runner, recorder: Recorder) -> None:
        runner.start(-3)
        assert runner.wait(PATIENCE)
        assert "steps is -3" in str(recorder.errors[0])
        assert not runner.training


class TestConfigure:
    def test_acts_on_the_very_next_step(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        def turn(step: Step) -> None:
            if step.index == 2:
                runner.configure(penalty=Penalty(1.0))

        recorder.at_step = turn
        runner.start(5)
        assert runner.wait(PATIENCE)
        penalties = [step.objective - step.train_loss**2 for step in recorder.steps]
        strengths = [penalty / step.reg for penalty, step in zip(penalties, recorder.steps, strict=True)]
        assert strengths[2] == pytest.approx(strengths[0])
        assert strengths[3] == pytest.approx(1000 * strengths[0])
        assert session.current.command.args["schedule"] == {3: {"lamb": 1.0, "lamb_l1": 1.0, "lamb_entropy": 2.0}}
        assert len(session.history) == 2, "a slider does not end the stretch"

    def test_another_solver_begins_another_stretch(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        recorder.at_step = lambda step: runner.configure(opt="LBFGS") if len(recorder.steps) == 3 else None
        runner.start(5)
        assert runner.wait(PATIENCE)
        assert [step.solver for step in recorder.steps] == ["Adam"] * 3 + ["LBFGS"] * 2
        assert [entry.command.args["opt"] for entry in session.history[1:]] == ["Adam", "LBFGS"]
        assert session.current.step == 5


class TestCommands:
    def test_are_carried_out_in_order_with_their_results(self, runner: Runner) -> None:
        order: list[int] = []

        def work(n: int) -> int:
            order.append(n)
            return n * n

        futures = [runner.submit(lambda n=n: work(n)) for n in range(50)]
        assert [future.result(PATIENCE) for future in futures] == [n * n for n in range(50)]
        assert order == list(range(50))

    def test_come_between_two_steps_and_training_goes_on(
        self, runner: Runner, recorder: Recorder, session: Session
    ) -> None:
        runner.start(40)
        after(runner, recorder, 5)
        entry = runner.submit(lambda: session.refine(5)).result(PATIENCE)
        assert runner.wait(PATIENCE)
        assert [step.command.name for step in session.path()] == ["start", "fit", "refine", "fit"]
        assert session.history[entry.id - 1].step >= 5
        assert session.current.step == len(recorder.steps) == 40
        assert max(session.model.grid) == 5

    def test_one_that_fails_is_told_and_training_goes_on(
        self, runner: Runner, recorder: Recorder, session: Session
    ) -> None:
        runner.start(30)
        after(runner, recorder, 3)
        future = runner.submit(lambda: session.refine(0))
        with pytest.raises(ValueError, match="grid is 0"):
            future.result(PATIENCE)
        assert runner.wait(PATIENCE)
        assert [str(error) for error in recorder.errors] == [str(future.exception())]
        assert len(recorder.steps) == 30

    def test_from_many_threads_all_get_their_answer(self, runner: Runner, session: Session) -> None:
        session.fit(steps=1)
        futures: list[Future[Any]] = []

        def many(seed: int) -> None:
            for n in range(15):
                futures.append(runner.submit(lambda n=n: session.goto(n % 2)))
                futures.append(runner.look(lambda n=n: (seed, n)))
                if n % 5 == 0:
                    runner.start(1)

        threads = [threading.Thread(target=many, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        done, waiting = wait_for(futures, PATIENCE)
        assert len(done) == 6 * 30
        assert not waiting
        assert runner.wait(PATIENCE)
        assert all(future.exception() is None for future in futures)

    def test_withdrawn_in_time_is_not_carried_out(self, runner: Runner) -> None:
        gate = threading.Event()
        carried_out = []
        runner.submit(lambda: gate.wait(PATIENCE))
        future = runner.submit(lambda: carried_out.append(1))
        assert future.cancel()
        gate.set()
        assert runner.submit(lambda: "alive").result(PATIENCE) == "alive"
        assert carried_out == []

    def test_a_look_leaves_the_stretch_whole(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        runner.start()
        after(runner, recorder, 5)
        seen = runner.look(lambda: (len(recorder.steps), session.model.layer(0).coef.detach().clone()))
        steps, coef = seen.result(PATIENCE)
        after(runner, recorder, steps + 5)
        runner.pause()
        assert runner.wait(PATIENCE)
        assert [step.index for step in recorder.steps] == list(range(len(recorder.steps)))
        assert len(session.history) == 2
        assert coef.isfinite().all()

    def test_a_look_works_without_training_too(self, runner: Runner, session: Session) -> None:
        assert runner.look(lambda: session.current.label).result(PATIENCE) == "start"


class TestErrors:
    def test_in_training_end_it_keep_the_steps_and_spare_the_thread(
        self, runner: Runner, recorder: Recorder, session: Session
    ) -> None:
        def stumble(step: Step) -> None:
            if step.index == 4:
                raise RuntimeError("the listener stumbled")

        recorder.at_step = stumble
        runner.start(20)
        assert runner.wait(PATIENCE)
        assert [str(error) for error in recorder.errors] == ["the listener stumbled"]
        assert not runner.training
        assert session.current.label == "fit 5, lamb 0.001"
        recorder.at_step = lambda step: None
        runner.start(2)
        assert runner.wait(PATIENCE)
        assert session.current.step == 7

    def test_before_the_first_step_leave_the_session(
        self, runner: Runner, recorder: Recorder, session: Session
    ) -> None:
        session.fit(steps=2)
        session.fix_symbolic(0, 0, 0, "log", fit_params_bool=False)  # of inputs from -1 to 1
        entries = session.history
        runner.start(5)
        assert runner.wait(PATIENCE)
        assert [type(error) for error in recorder.errors] == [FloatingPointError]
        assert "undo the last change" in str(recorder.errors[0])
        assert session.history == entries
        runner.submit(session.undo).result(PATIENCE)
        runner.start(2)
        assert runner.wait(PATIENCE)
        assert session.path()[1].label == "fit 2"
        assert session.current.label == "fit 2, lamb 0.001"

    def test_of_a_listener_that_always_fails_do_not_block(self, runner: Runner, recorder: Recorder) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("the listener is broken")

        recorder.at_change, recorder.at_step = broken, broken
        recorder.failed = broken  # pyright: ignore[reportAttributeAccessIssue]
        runner.start()
        assert runner.wait(PATIENCE)
        with pytest.raises(ZeroDivisionError):
            runner.submit(lambda: 1 // 0).result(PATIENCE)
        assert runner.submit(lambda: "alive").result(PATIENCE) == "alive"


def slow_search(session: Session, begun: threading.Event, count: int = 10_000) -> Generator[Progress, None, str]:
    """Stands for a search that changes the session only when it is done."""
    for done in range(count):
        begun.set()
        yield Progress(done, count, "")
        time.sleep(0.001)
    session.refine(9)
    return "found"


class TestLongCommands:
    def test_tell_their_progress_and_their_end(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        search = slow_search(session, threading.Event(), 3)
        assert runner.submit(lambda: runner.long(search, "search")).result(PATIENCE) == "found"
        assert recorder.progress == [(Progress(n, 3, ""), "search") for n in range(3)] + [(None, "search")]
        assert session.current.label == "grid 9"

    def test_cancelled_leave_the_session(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        session.fit(steps=2)
        before, begun = session.history, threading.Event()
        future = runner.submit(lambda: runner.long(slow_search(session, begun), "search"))
        assert begun.wait(PATIENCE)
        runner.cancel()
        with pytest.raises(Cancelled, match="search was stopped; nothing was changed"):
            future.result(PATIENCE)
        assert session.history == before
        assert recorder.progress[-1] == (None, "search")
        assert [type(error) for error in recorder.errors] == [Cancelled]

    def test_the_real_search_can_be_cancelled(self, runner: Runner, recorder: Recorder, session: Session) -> None:
        session.fit(steps=3)
        model = session.model.layer(0).coef.detach().clone()
        cancelled = Recorder.progressed

        def cancel_at_once(progress: Progress | None, label: str) -> None:
            cancelled(recorder, progress, label)
            runner.cancel()

        recorder.progressed = cancel_at_once  # pyright: ignore[reportAttributeAccessIssue]
        future = runner.submit(lambda: runner.long(session.auto_symbolic_steps(["x", "x^2"]), "auto symbolic"))
        with pytest.raises(Cancelled):
            future.result(PATIENCE)
        assert session.current.label == "fit 3"
        assert torch.equal(session.model.layer(0).coef, model)

    def test_an_earlier_cancel_does_not_stop_the_next(self, runner: Runner, session: Session) -> None:
        runner.cancel()
        search = slow_search(session, threading.Event(), 3)
        assert runner.submit(lambda: runner.long(search, "search")).result(PATIENCE) == "found"

    def test_cancel_stops_training_too(self, runner: Runner, recorder: Recorder) -> None:
        runner.start()
        after(runner, recorder, 3)
        runner.cancel()
        assert runner.wait(PATIENCE)
        assert not runner.training

    def test_one_can_look_meanwhile(self, runner: Runner, session: Session) -> None:
        begun = threading.Event()
        future = runner.submit(lambda: runner.long(slow_search(session, begun), "search"))
        assert begun.wait(PATIENCE)
        assert runner.look(lambda: session.current.label).result(PATIENCE) == "start"
        assert not future.done()
        runner.cancel()

    def test_one_that_breaks_is_told_and_ends(self, runner: Runner, recorder: Recorder) -> None:
        def breaks() -> Generator[Progress, None, None]:
            yield Progress(0, 2, "")
            raise ArithmeticError("no such number")

        future = runner.submit(lambda: runner.long(breaks(), "search"))
        with pytest.raises(ArithmeticError, match="no such number"):
            future.result(PATIENCE)
        assert recorder.progress[-1] == (None, "search")
        assert [str(error) for error in recorder.errors] == ["no such number"]


def test_the_same_bits_come_of_a_script_after_sliders_commands_and_pauses(
    runner: Runner, recorder: Recorder, session: Session
) -> None:
    """What a person did live is what the script does."""

    def play(step: Step) -> None:
        taken = len(recorder.steps)
        if taken == 4:
            runner.configure(penalty=Penalty(0.1))
        elif taken == 8:
            runner.submit(lambda: session.refine(5))
        elif taken == 12:
            runner.configure(opt="LM", penalty=Penalty(1e-3, 2.0, 0.5))
        elif taken == 15:
            runner.submit(lambda: session.fix_symbolic(0, 0, 0, "sin"))
        elif taken == 20:
            runner.pause()

    recorder.at_step = play
    runner.start()
    assert runner.wait(PATIENCE)
    scope: dict[str, Any] = {"dataset": session.dataset}
    exec(session.script(), scope)
    twin = scope["session"]
    assert len(session.history) >= 5
    assert [entry.label for entry in twin.history] == [entry.label for entry in session.history]
    for ours, theirs in zip(session.model.parameters(), twin.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


class TestPlateau:
    def test_is_where_the_loss_has_not_fallen_for_a_while(self) -> None:
        plateau = Plateau()
        falling = [plateau.reached(0.9**step) for step in range(200)]
        assert not any(falling)
        still = [plateau.reached(0.9**199) for _ in range(Plateau.PATIENCE)]
        assert still.index(True) == Plateau.PATIENCE - 1

    def test_ends_training_that_would_go_on(self) -> None:
        session = Session(KAN([2, 1], seed=0), hello.dataset(60, 30))
        session.fit(steps=30)
        runner = Runner(session, Recorder())
        runner.configure(opt="Adam", lr=1e-9, plateau=True)
        runner.start()
        assert runner.wait(60)
        assert not runner.training
        assert session.current.command.args["lr"] == 1e-9
