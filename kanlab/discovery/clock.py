"""The time a search may take, and the wish to end it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator


class OutOfTimeError(Exception):
    """The search must end now; what was found so far counts."""


class Clock:
    """Says when to end: at a deadline, or when ``stop()`` says so.

    Parameters
    ----------
    seconds
        From now on.
    stop
        Asked at every check, until it has said so once.
    """

    def __init__(self, seconds: float, stop: Callable[[], bool] = lambda: False):
        self.start = time.monotonic()
        self._deadline = self.start + seconds
        self._stop = stop
        #: Whether somebody wished it to end.
        self.interrupted = False

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
            self.check()
        finally:
            self._deadline = before

    def check(self) -> None:
        """Raise `OutOfTimeError` if the search, or the present part of it, must end."""
        self.interrupted = self.interrupted or self._stop()
        if self.interrupted or self.left < 0:
            raise OutOfTimeError
