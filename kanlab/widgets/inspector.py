"""The inspector: one edge close up, and the names it could have."""

from __future__ import annotations

from typing import Any

from kanlab.session import Session
from kanlab.widgets._base import Panel, finished


class Inspector(Panel):
    """The selected edge."""

    def __init__(self, session: Session, **options: Any):
        super().__init__(session, panel="inspector", **options)

    @property
    def edge(self) -> tuple[int, int, int] | None:
        """The selected edge, or None; can be set."""
        return self.hub.desk.selected

    @edge.setter
    def edge(self, edge: tuple[int, int, int] | None) -> None:
        self.hub.select(edge)

    def fix(self, name: str) -> None:
        """Give the selected edge a function."""
        l, i, j = self._chosen()
        finished(self.hub.do("fix_symbolic", l=l, i=i, j=j, name=name))

    def unfix(self) -> None:
        """Give the selected edge its spline back."""
        l, i, j = self._chosen()
        finished(self.hub.do("unfix_symbolic", l=l, i=i, j=j))

    def remove(self) -> None:
        """Remove the selected edge."""
        l, i, j = self._chosen()
        finished(self.hub.do("remove_edge", l=l, i=i, j=j))

    def _chosen(self) -> tuple[int, int, int]:
        if self.edge is None:
            raise ValueError("no edge is selected; set inspector.edge = (l, i, j) first")
        return self.edge
