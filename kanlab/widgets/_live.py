"""The steps of the present stretch of training, which is in no history entry yet."""

from __future__ import annotations

from kanlab.curve import LossCurve, Row
from kanlab.engine.fit import Step
from kanlab.session import Session


class Live:
    """Steps as they are taken, after those of the history."""

    def __init__(self, session: Session):
        self._session = session
        self._curve = LossCurve()
        self._from = -1
        self._stepped_at = 0.0
        #: Steps a second, smoothed.
        self.speed = 0.0

    def note(self, step: Step, now: float) -> None:
        """Note a step; the first of a stretch begins a new curve."""
        if self._stepped_at and now > self._stepped_at:
            self.speed += 0.1 * (1.0 / (now - self._stepped_at) - self.speed)
        self._stepped_at = now
        if step.index == 0:
            self._curve, self._from = LossCurve(), self._session.current.id
        before = self._session.current.step
        self._curve.append((before + step.index + 1, step.train_loss, step.test_loss, step.reg))

    def over(self, *, pause: bool) -> None:
        """Forget the stretch: it is in the history now. After a pause the speed is measured anew."""
        self._curve = LossCurve()
        if pause:
            self._stepped_at = 0.0

    @property
    def step(self) -> int:
        """How many steps were taken on this branch."""
        return self._session.current.step + self._own.steps

    def rows(self) -> list[Row]:
        """Return the loss curve up to now."""
        return self._session.rows() + self._own.rows()

    @property
    def _own(self) -> LossCurve:
        return self._curve if self._from == self._session.current.id else LossCurve()
