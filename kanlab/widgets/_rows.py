"""The loss curve as frames tell it: thinned, and while it grows only its end."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

from kanlab.curve import Row
from kanlab.widgets._state import finite

#: Rows of a long curve that are told, about.
MOST = 500
#: Frames of which any may be lost: each repeats the rows that the last so many told.
REPEATED = 16


class LossRows:
    """Tells the rows of a curve; frames that are lost do no harm, since the next ones repeat theirs."""

    def __init__(self):
        self._told: deque[tuple[int, int]] = deque(maxlen=REPEATED)

    def whole(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return all rows, and begin anew."""
        self._told.clear()
        return self.end(rows)

    def end(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return the rows since the oldest of the last frames; all, where the curve has been thinned since."""
        every = _spacing(len(rows))
        kept = thinned(rows)
        same = all(spacing == every and count <= len(kept) for spacing, count in self._told)
        if not same:
            self._told.clear()
        # All rows until one of so many frames has surely come. The last row told may have made way for another.
        start = max(0, self._told[0][1] - 1) if len(self._told) == REPEATED else 0
        self._told.append((every, len(kept)))
        return {"from": start, "rows": [[row[0], *map(finite, row[1:])] for row in kept[start:]]}


def _spacing(count: int) -> int:
    """Return every how many rows are told: a power of two, so that it seldom changes and all are told anew."""
    return 1 << max(0, math.ceil(math.log2(max(count, 1) / MOST)))


def thinned(rows: Sequence[Row]) -> list[Row]:
    """Keep at most about ``MOST`` rows of a long curve, and the last."""
    kept = list(rows[:: _spacing(len(rows))])
    return kept if not rows or kept[-1] is rows[-1] else [*kept, rows[-1]]
