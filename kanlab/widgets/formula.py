"""The formula panel: the model as mathematics."""

from __future__ import annotations

from typing import Any

from kanlab.session import Session
from kanlab.symbolic.formula import Formula
from kanlab.widgets._base import Panel, finished


class FormulaPanel(Panel):
    """The formula, its agreement with model and data, and what can be done to it."""

    def __init__(self, session: Session, **options: Any):
        super().__init__(session, panel="formula", **options)

    @property
    def formula(self) -> Formula:
        """The present formula."""
        return self.session.formula()

    def auto_symbolic(self, timeout: float | None = None) -> None:
        """Name all edges."""
        finished(self.hub.auto_symbolic(), timeout)

    def snap(self, timeout: float | None = None) -> None:
        """Snap constants to π, e, √2, whole and rational numbers where the data allows it."""
        finished(self.hub.snap(), timeout)
