"""The history panel: what was done, how the loss went, back and forth."""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython

from kanlab.session import Session
from kanlab.widgets._base import Panel, finished


class HistoryPanel(Panel):
    """Timeline and loss chart."""

    def __init__(self, session: Session, **options: Any):
        super().__init__(session, panel="history", **options)

    def undo(self) -> None:
        """Go back to before the last command."""
        self.hub.runner.pause()
        finished(self.hub.do("undo"))

    def redo(self) -> None:
        """Do again what was undone last."""
        finished(self.hub.do("redo"))

    def to_cell(self) -> None:
        """Put the script into a new cell below the one that runs."""
        shell = get_ipython()
        if shell is None:
            raise RuntimeError("there is no notebook to put a cell into; use history.script")
        shell.set_next_input(self.script, replace=False)

    @property
    def script(self) -> str:
        """A Python script that repeats the session."""
        return self.session.script()
