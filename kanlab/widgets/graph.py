"""The network graph: every edge's curve, what pruning would remove."""

from __future__ import annotations

from typing import Any

from kanlab.session import Session
from kanlab.widgets._base import Panel, control, finished


class NetworkGraph(Panel):
    """The network with its curves, scores and the prune thresholds."""

    def __init__(self, session: Session, **options: Any):
        super().__init__(session, panel="graph", **options)

    edge_th = control("edge_th", "Edges that score below this would be pruned.")
    node_th = control("node_th", "Hidden nodes that score below this would be pruned.")

    def prune(self) -> None:
        """Prune at the present thresholds."""
        finished(self.hub.do("prune", edge_th=self.edge_th, node_th=self.node_th))

    def select(self, l: int, i: int, j: int) -> None:
        """Select an edge, which the inspector then shows."""
        self.hub.select((l, i, j))
