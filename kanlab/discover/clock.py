"""The time a search may take, and the wish to end it."""

from __future__ import annotations

import time
from collections.abc import Callable


class OutOfTimeError(Exception):
    """The search must end now; what was found so far counts."""


class Clock:
    """Says when to stop: at a deadline, or when ``interrupted()`` says so.

    Parameters
    ----------
    seconds
        From now on.
    interrupted
        Asked at every check.
    """

    def __init__(self, seconds: float, interrupted: Callable[[], bool] = lambda: False):
        self.start = time.monotonic()
        self._deadline = self.start + seconds
        self._interrupted = interrupted
        #: Why the search ended early, or empty.
        self.reason = ""

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self._deadline - time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.start

    def check(self) -> None:
        """Raise `OutOfTimeError` if the search must end."""
        if self._interrupted():
            self.reason = "interrupted"
        elif self.left < 0:
            self.reason = "time limit reached"
        else:
            return
        raise OutOfTimeError
