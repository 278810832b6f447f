"""When a descent has come to rest."""

from __future__ import annotations


class Stall:
    """Notices that steps no longer lower the objective much: by less than a part, over a number of steps."""

    def __init__(self, over: int, part: float):
        self._over, self._part = over, part
        self._recent: list[float] = []

    def seen(self, value: float) -> bool:
        """Whether the last values fell by too little; each such look starts a new count."""
        self._recent.append(value)
        if len(self._recent) <= self._over:
            return False
        first = self._recent[0]
        self._recent = []
        return first - value < self._part * abs(first)
