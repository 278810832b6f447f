"""The time a search may take, and the wish to end it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator


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

    @contextlib.contextmanager
    def share(self, part: float) -> Iterator[None]:
        """Give what follows a part of the time that is left; when it is used up, the caller goes on."""
        before = self._deadline
        self._deadline = time.monotonic() + part * max(self.left, 0.0)
        try:
            yield
        except OutOfTimeError:
            self._deadline = before
            if self._over():
                raise
        finally:
            self._deadline = before

    def check(self) -> None:
        """Raise `OutOfTimeError` if the search, or the present part of it, must end."""
        if self._over():
            raise OutOfTimeError

    def _over(self) -> bool:
        if self._interrupted():
            self.reason = "interrupted"
        elif self.left < 0:
            self.reason = "time limit reached"
        else:
            return False
        return True
