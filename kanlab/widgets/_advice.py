"""Advice in plain words, each piece with the command that follows it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch

from kanlab.engine.attribution import attribute
from kanlab.engine.prune import preview_cut
from kanlab.session import Session
from kanlab.widgets._state import edge_states, r_squared

#: R² on held-out rows from which on nobody needs to hear of overfitting.
_FINE = 0.9999
#: Score below which an input counts for nothing, and test loss over train loss from which on spikes are looked for.
_IGNORED, _SPIKE = 1e-3, 5.0


@dataclass(frozen=True)
class Advice:
    """One piece of advice: what it is (the front end knows it in other languages), in words, perhaps with a command."""

    key: str
    text: str
    names: tuple[str, ...] = ()
    action: dict[str, Any] | None = field(default=None)

    def told(self) -> dict[str, Any]:
        """Return it as the browser takes it."""
        return {"key": self.key, "text": self.text, "names": list(self.names), "action": self.action}


def _action(label: str, name: str, **args: Any) -> dict[str, Any]:
    return {"label": label, "name": name, "args": args}


def advice_of(session: Session, *, trained: bool) -> list[Advice]:
    """Say in plain words what the data, the losses, the scores and the edges suggest doing next."""
    if not trained:
        return [Advice("begin", "Press Train and watch every edge's curve.")]
    model, scores = session.model, attribute(session.model)
    unused = [name for name, score in zip(session.names, scores.features.tolist(), strict=True) if score < _IGNORED]
    advice = [Advice("ignored", f"The network ignores {', '.join(unused)}.", tuple(unused))] if unused else []
    train, test = session.losses()
    if not math.isfinite(train):
        return [*advice, Advice("broken", "The loss is not a finite number.", action=_action("undo", "undo"))]
    quality, grid = r_squared(session, train, test), max(model.grid)
    splines = sum(state["kind"] == "spline" for state in edge_states(model))
    fine = quality is not None and quality > _FINE  # two tiny losses may differ by a lot and mean nothing
    if math.isfinite(test) and test > 2 * train and splines and not fine:
        return [*advice, _overfitting(session, grid, test / train)]
    cut = preview_cut(model, scores)
    if cut.n_edges:
        prune = _action("prune them", "prune", edge_th=3e-2, node_th=1e-2)
        advice.append(Advice("idle", f"{cut.n_edges} edges carry next to nothing.", (str(cut.n_edges),), prune))
    elif splines and quality is not None and quality > 0.99:
        naming = _action("name all edges", "auto_symbolic")
        advice.append(Advice("names", "Train and test agree: time for names.", action=naming))
    elif splines and quality is not None and grid < 20:
        text = "Train and test agree, and both are high: underfitting. Refine the grid, or start wider or deeper."
        finer = _action(f"refine to {2 * grid}", "refine", grid=2 * grid)
        advice.append(Advice("underfitting", text, action=finer))
    elif splines and quality is not None:
        advice.append(Advice("deepen", "A fine grid does not help: start wider or deeper, or look at the data."))
    elif not splines and quality is not None and quality > 1 - 1e-9:
        advice.append(Advice("exact", "Every edge has a name and the formula is exact on the data."))
    return advice


def _overfitting(session: Session, grid: int, ratio: float) -> Advice:
    """Advise fewer grid points; where it is a few held-out rows that lie far off, say that."""
    if ratio > _SPIKE and _few_rows_are_off(session):
        text = "A few held-out rows are far off: they may lie outside of the training rows. Fewer grid points help."
        return Advice("spikes", text, action=_coarser(grid))
    text = "Test loss is well above train loss: overfitting. Fewer grid points or more data."
    return Advice("overfitting", text, action=_coarser(grid))


@torch.no_grad()
def _few_rows_are_off(session: Session) -> bool:
    """Whether one row in fifty at most makes the held-out loss."""
    x, y = session.data.test_input, session.data.test_label
    if x is None or y is None or y.ndim == 1:
        return False
    error = (session.model(x) - y).abs().amax(1)
    return float((error > 0.1 * error.max()).double().mean()) < 0.02


def _coarser(grid: int) -> dict[str, Any] | None:
    return _action(f"grid {grid // 2}", "refine", grid=max(1, grid // 2)) if grid > 3 else None
