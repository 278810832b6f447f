"""What the browser is told, made from a session: plain dicts and arrays as `frontend/PROTOCOL.md` has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from kanlab.engine.attribution import attribute_acts
from kanlab.engine.network import Curve
from kanlab.engine.prune import preview_cut
from kanlab.kan import KAN
from kanlab.session import Session
from kanlab.symbolic import library

#: Points of each edge's curve in a frame: enough at the size they are drawn.
POINTS = 33
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def finite(value: float | None) -> float | None:
    """Return the number, or None where JSON has none."""
    return None if value is None or not math.isfinite(value) else float(value)


def rounded(values: Any, digits: int = 6) -> list[Any]:
    """Return numbers as lists, to a number of significant digits: what a picture needs. None where JSON has none."""
    array = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(array))))
        near = np.round(array * scale) / scale
    boxed = np.where(np.isfinite(near), near, array).astype(object)
    boxed[~np.isfinite(array)] = None
    return boxed.tolist()


def node_names(session: Session) -> list[list[str]]:
    """Name every node: inputs and outputs as the person does, hidden ones h₀, h₁, … (with the layer where several)."""
    width = session.model.width
    names: list[list[str]] = [list(session.names)]
    for level in range(1, len(width) - 1):
        layer = f"{level},".translate(_SUBSCRIPTS) if len(width) > 3 else ""
        names.append([f"h{layer}{str(m).translate(_SUBSCRIPTS)}" for m in range(sum(width[level]))])
    return [*names, list(session.out_names)]


def edge_states(model: KAN) -> list[dict[str, Any]]:
    """Say of each edge what it is, in the order of the frames."""
    states = []
    for l, i, j in model.edges():
        layer = model.layer(l)
        function = layer.fixed.get((i, j))
        kind = "pruned" if layer.mask[i, j] == 0 else "symbolic" if function else "spline"
        states.append(
            {"edge": [l, i, j], "kind": kind, "name": function.name if function and kind != "pruned" else None}
        )
    return states


def library_entries() -> list[dict[str, str]]:
    """List the functions a person can choose."""
    return [{"name": name, "text": library.get(name).text} for name in library.names()]


def history_of(session: Session) -> dict[str, Any]:
    """Tell the history as a list, branches indented."""
    depth = [0]
    children: dict[int, int] = {}
    for entry in session.history[1:]:
        parent = entry.parent or 0
        children[parent] = children.get(parent, 0) + 1
        depth.append(depth[parent] + (children[parent] > 1))
    entries = [
        {
            "id": entry.id,
            "label": entry.label,
            "loss": finite(entry.test_loss if math.isfinite(entry.test_loss) else entry.train_loss),
            "depth": depth[entry.id],
        }
        for entry in session.history
    ]
    return {
        "entries": entries,
        "current": session.current.id,
        "can_undo": session.can_undo,
        "can_redo": session.can_redo,
        "script": session.script(),
    }


def marks_of(session: Session) -> list[dict[str, Any]]:
    """Return what happened along the loss curve."""
    return [
        {"step": entry.step, "label": entry.label}
        for entry in session.since_reset()
        if entry.step and entry.command.name not in ("fit", "start")
    ]


# ---- frames


@dataclass(frozen=True)
class Arrays:
    """The numbers of one frame, in the order they are sent."""

    curves: np.ndarray
    ranges: np.ndarray
    scores: np.ndarray
    doomed: np.ndarray
    node_scores: np.ndarray
    node_doomed: np.ndarray

    def buffer(self) -> bytes:
        """Return them as one little-endian float32 buffer."""
        parts = (self.curves, self.ranges, self.scores, self.doomed, self.node_scores, self.node_doomed)
        with np.errstate(over="ignore"):  # what is too large is infinite, and not drawn
            return np.concatenate([part.ravel() for part in parts]).astype("<f4").tobytes()

    def lists(self) -> dict[str, list[float]]:
        """Return them as lists, for a snapshot."""
        return {name: rounded(value.ravel(), 5) for name, value in vars(self).items()}


@torch.no_grad()
def arrays_of(model: KAN, edge_th: float, node_th: float) -> Arrays:
    """Sample all curves, scores and the prune preview."""
    acts, curves = model.acts_and_curves(POINTS)
    scores = attribute_acts(model, acts)
    cut = preview_cut(model, scores, edge_th=edge_th, node_th=node_th)
    rest = (scores.edges, cut.edges, scores.nodes, cut.nodes)
    return Arrays(*_values_and_ranges(curves), *map(_flat, rest))


def with_curves_of(arrays: Arrays, model: KAN) -> Arrays:
    """Return the arrays with a model's curves, and with the scores that they had."""
    curves, ranges = _values_and_ranges(model.edge_curves(POINTS))
    return replace(arrays, curves=curves, ranges=ranges)


def _values_and_ranges(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    ends = [x[:, None, [0, -1]].expand(-1, y.shape[1], -1) for x, y in curves]
    return _flat([y for _, y in curves]), _flat(ends)


def _flat(layers: Sequence[torch.Tensor]) -> np.ndarray:
    return torch.cat([layer.flatten().double() for layer in layers]).cpu().numpy()


def r_squared(session: Session, train: float, test: float) -> float | None:
    """Return R² on the held-out rows (training rows, where there are none) from the root mean squared errors."""
    data = session.data
    y, error = data.test_label, test
    if y is None or len(y) < 2:
        y, error = data.train_label, train
    if y.ndim == 1:
        return None
    variance = float(y.var(0, correction=0).mean())
    return finite(1 - error**2 / variance) if variance else None
