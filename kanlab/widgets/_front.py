"""What `kanlab.discover` found, as the browser takes it: a front of formulas to pick from."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kanlab.discovery.discovery import Discovery
from kanlab.discovery.progress import Progress as Found
from kanlab.discovery.run import discover
from kanlab.discovery.solution import Solution, error_of
from kanlab.session import Session
from kanlab.symbolic import display
from kanlab.symbolic.search import Progress
from kanlab.symbolic.source import formula_text
from kanlab.widgets._state import finite

#: Seconds that a search may take, and between two words about it.
TIME_LIMIT, _TOLD_EVERY = 60.0, 0.25


class Search:
    """A search for a session's formula, on its training rows; the held-out ones have no say in it.

    Parameters
    ----------
    session
        Whose data is searched.
    stop
        Asked between steps; True ends the search with what it has.
    progress
        Told how far it is, a few times a second.
    """

    def __init__(self, session: Session, stop: Callable[[], bool], progress: Callable[[Progress], None]):
        self._session, self._stop, self._progress = session, stop, progress
        self._begun = self._told = time.monotonic()
        self._text = ""

    def run(self) -> Discovery:
        """Search."""
        data = self._session.data
        return discover(
            data.train_input,
            data.train_label,
            self._session.names,
            time_limit=TIME_LIMIT,
            log=0,
            progress=self._found,
            stop=self._asked,
        )

    def _found(self, found: Found) -> None:
        self._text = f"error {found.error:.1e}"

    def _asked(self) -> bool:
        now = time.monotonic()
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            done = min(now - self._begun, TIME_LIMIT)
            self._progress(Progress(int(10 * done), int(10 * TIME_LIMIT), self._text))
        return self._stop()


def front_of(found: Discovery, session: Session) -> dict[str, Any]:
    """Tell a front: each formula with its complexity and its error on the session's held-out rows."""
    return {
        "items": [
            {
                "complexity": solution.complexity,
                "error": finite(_error(solution, session)),
                "mathml": [
                    display.mathml({name: expr}, solution.variables, 4, equation=True, warning=None)
                    for name, expr in zip(session.out_names, solution.exprs, strict=True)
                ],
                "text": "; ".join(formula_text(solution.exprs, solution.variables)),
            }
            for solution in found.front
        ],
        "best": found.front.index(found.best) if found.best in found.front else None,
        "reason": found.reason,
        "seconds": round(found.seconds, 1),
    }


def _error(solution: Solution, session: Session) -> float:
    """Return the error on held-out rows (training rows, where there are none), as the solution's own is measured."""
    x, y = session.data.test_input, session.data.test_label
    if x is None or y is None or not len(x):
        x, y = session.data.train_input, session.data.train_label
    return error_of(solution.predict(x).reshape(len(x), -1), y)
