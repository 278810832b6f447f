"""Advice in plain words, each piece with the command that follows it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from kanlab.engine.attribution import attribute
from kanlab.engine.prune import preview_cut
from kanlab.session import Session
from kanlab.widgets._state import edge_states, r_squared

#: R² on held-out rows from which on nobody needs to hear of overfitting.
_FINE = 0.9999


@dataclass
class Advice:
    """One piece of advice, perhaps with the command that follows it."""

    text: str
    action: dict[str, Any] | None = field(default=None)

    def told(self) -> dict[str, Any]:
        """Return it as the browser takes it."""
        return {"text": self.text, "action": self.action}


def _action(label: str, name: str, **args: Any) -> dict[str, Any]:
    return {"label": label, "name": name, "args": args}


def advice_of(session: Session, *, trained: bool) -> list[Advice]:
    """Say in plain words what the losses, scores and edges suggest doing next."""
    if not trained:
        return [Advice("Press Train and watch every edge's curve.")]
    model, advice = session.model, []
    scores = attribute(model)
    unused = [name for name, score in zip(session.names, scores.features.tolist(), strict=True) if score < 1e-3]
    if unused:
        advice.append(Advice(f"The network ignores {', '.join(unused)}."))
    train, test = session.losses()
    quality = r_squared(session)
    grid = max(model.grid)
    splines = sum(state["kind"] == "spline" for state in edge_states(model))
    # Two tiny losses may differ by a lot and mean nothing.
    if math.isfinite(test) and test > 2 * train and splines and not (quality is not None and quality > _FINE):
        coarser = _action(f"grid {grid // 2}", "refine", grid=max(1, grid // 2)) if grid > 3 else None
        advice.append(
            Advice("Test loss is well above train loss: overfitting. Fewer grid points or more data.", coarser)
        )
        return advice
    cut = preview_cut(model, scores)
    if cut.n_edges:
        advice.append(Advice(f"{cut.n_edges} edges carry next to nothing.",
                             _action("prune them", "prune", edge_th=3e-2, node_th=1e-2)))  # fmt: skip
    elif splines and quality is not None and quality > 0.99:
        advice.append(Advice("Train and test agree: time for names.", _action("name all edges", "auto_symbolic")))
    elif splines and quality is not None and grid < 20:
        advice.append(Advice(
            "Train and test agree, and both are high: underfitting. Refine the grid, or start wider or deeper.",
            _action(f"refine to {2 * grid}", "refine", grid=2 * grid),
        ))  # fmt: skip
    elif not splines and quality is not None and quality > 1 - 1e-9:
        advice.append(Advice("Every edge has a name and the formula is exact on the data."))
    return advice
