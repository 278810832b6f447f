"""The loss while training, in bounded memory: a training may take millions of steps."""

from __future__ import annotations

#: ``(step, train, test, reg)``.
Row = tuple[int, float, float, float]


class LossCurve:
    """Rows of a training, evenly thinned: all up to ``MOST``, then every second, every fourth, … and always the last.

    >>> curve = LossCurve()
    >>> for step in range(1, 10_001):
    ...     curve.append((step, 1.0 / step, 2.0 / step, 0.0))
    >>> curve.steps, len(curve.rows()) <= LossCurve.MOST, curve.rows()[0][0], curve.rows()[-1][0]
    (10000, True, 1, 10000)
    """

    MOST = 4096

    def __init__(self):
        self.steps, self._every = 0, 1
        self._kept: list[Row] = []
        self._last: Row | None = None

    def append(self, row: Row) -> None:
        """Note one more step."""
        self._last = None
        if self.steps % self._every:
            self._last = row
        else:
            self._kept.append(row)
        self.steps += 1
        if len(self._kept) == self.MOST:
            self._last = self._kept[-1]
            self._kept, self._every = self._kept[::2], 2 * self._every

    def rows(self) -> list[Row]:
        """Return the rows that are kept, and the last."""
        return list(self._kept) if self._last is None else [*self._kept, self._last]
