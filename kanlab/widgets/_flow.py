"""When frames are sent: ten a second, no more than the browser draws. The twin of `frontend/src/lib/flow.ts`."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Frames that may be on their way, and seconds after which unanswered ones count as lost.
WINDOW, LOST_AFTER = 12, 2.0


class Flow:
    """Numbers the frames and notes which were drawn; nothing is due before somebody looks."""

    def __init__(self):
        self.watched = False
        self.sent = self.drawn = 0
        self._heard_at = 0.0

    def hello(self, now: float) -> None:
        """Begin anew: a view was rendered, and what was on its way to its forerunner may be lost."""
        self.watched = True
        self.drawn, self._heard_at = self.sent, now

    def acknowledge(self, seq: int, now: float) -> None:
        """Note that frame ``seq`` was drawn."""
        self.drawn, self._heard_at = max(self.drawn, min(seq, self.sent)), now

    def keeps_up(self, now: float) -> bool:
        """Whether the browser can take another frame."""
        if now - self._heard_at > LOST_AFTER:
            self.drawn, self._heard_at = self.sent, now
        return self.sent - self.drawn < WINDOW

    def next(self) -> int:
        """Return the number of the next frame."""
        self.sent += 1
        return self.sent


class Pace:
    """Something done now and then beside the training, and less often where it takes long.

    Parameters
    ----------
    every
        Seconds from one time to the next, at least.
    share
        Of the processor's time that it may take at most. The thread's own time is what counts: where other work keeps
        the cores busy, a clock on the wall would make everything rare.
    """

    def __init__(self, every: float, share: float):
        self._every, self._share = every, share
        self._due = 0.0

    def due(self, now: float) -> bool:
        """Whether it is time."""
        return now >= self._due

    def carry_out(self, work: Callable[[], None], now: float) -> None:
        """Do it now."""
        begun = time.thread_time()
        work()
        self._due = now + max(self._every, (time.thread_time() - begun) / self._share)
