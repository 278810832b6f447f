"""What the browser is told, made from a session: plain dicts and arrays as `frontend/PROTOCOL.md` has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from kanlab.engine.attribution import attribute
from kanlab.engine.prune import preview_cut
from kanlab.kan import KAN
from kanlab.session import Session
from kanlab.symbolic import library, search

Edge = tuple[int, int, int]
#: Points of each edge's curve in a frame: enough at the size they are drawn.
POINTS = 33
_DETAIL_POINTS, _SCATTER, _BINS = 101, 200, 24
#: Candidates shown for an edge, and the R² from which on a tie between them is worth a word.
_SHOWN, _TELLING = 5, 0.9
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
    scores = attribute(model)
    cut = preview_cut(model, scores, edge_th=edge_th, node_th=node_th)
    curves, ranges = [], []
    for layer, (x, y) in zip(model.kan_layers(), model.edge_curves(POINTS), strict=True):
        curves.append(y.flatten(0, 1))
        ends = x[:, [0, -1]]
        ranges.append(ends.unsqueeze(1).expand(-1, layer.out_dim, -1).flatten(0, 1))

    def flat(parts: Sequence[torch.Tensor]) -> np.ndarray:
        return torch.cat([part.flatten().double() for part in parts]).cpu().numpy()

    return Arrays(flat(curves), flat(ranges), flat(scores.edges), flat(cut.edges), flat(scores.nodes), flat(cut.nodes))


@torch.no_grad()
def r_squared(session: Session, model: KAN | None = None) -> float | None:
    """Return R² on the held-out rows (training rows, where there are none)."""
    model = model or session.model
    data = session.data
    x, y = data.test_input, data.test_label
    if x is None or y is None or len(y) < 2:
        x, y = data.train_input, data.train_label
    if y.ndim == 1:
        return None
    variance = float(y.var(0, correction=0).mean())
    return finite(1 - float((model(x) - y).square().mean()) / variance) if variance else None


# ---- the inspector


@torch.no_grad()
def detail_of(session: Session, edge: Edge, *, ranked: bool = True) -> dict[str, Any]:
    """Tell all about one edge: curve, data, knots, and (``ranked``) which functions fit it."""
    model, (l, i, j) = session.model, edge
    layer, names = model.layer(l), node_names(session)
    h = model.acts().nodes[l][:, i]
    low, high = float(h.min()), float(h.max())
    x = torch.linspace(low, high, _DETAIL_POINTS, dtype=model.dtype)
    y = layer.edge(i, j, x)
    rows = torch.linspace(0, len(h) - 1, min(len(h), _SCATTER)).long()
    points = torch.stack([h[rows], layer.edge(i, j, h[rows])], 1)
    function = layer.fixed.get((i, j))
    kind = "pruned" if layer.mask[i, j] == 0 else "symbolic" if function else "spline"
    node = next(m for m, group in enumerate(model.groups[l]) if j in group)
    candidates = _candidates(session, edge, x) if kind == "spline" and ranked else []
    comparable = kind == "symbolic" and _just_fixed(session, edge)
    return {
        "edge": list(edge),
        "kind": kind,
        "name": function.name if function and kind != "pruned" else None,
        "r2": finite(search.agreement(model.copy(), edge)) if comparable else None,
        "source": names[l][i],
        "target": names[l + 1][node],
        "x": rounded(x),
        "y": rounded(y),
        "points": rounded(points),
        "knots": rounded(layer.knots[i, layer.k : layer.knots.shape[-1] - layer.k]),
        "density": torch.histc(h.double(), _BINS, low, high if high > low else low + 1).int().tolist(),
        "candidates": [candidate for candidate, _ in candidates],
        "note": _note([suggestion for _, suggestion in candidates]),
    }


def _just_fixed(session: Session, edge: Edge) -> bool:
    """Whether an edge's name still stands for the spline under it: after a refit the two are no longer comparable."""
    for entry in reversed(session.path()):
        name, args = entry.command.name, entry.command.args
        if name == "fix_symbolic" and (args["l"], args["i"], args["j"]) == edge:
            return True
        if name not in ("fix_symbolic", "unfix_symbolic", "remove_edge"):
            return False
    return False


def _candidates(session: Session, edge: Edge, x: torch.Tensor) -> list[tuple[dict[str, Any], search.Suggestion]]:
    found = []
    names = [name for name in library.names() if name != "0"]
    for suggestion in search.suggest_symbolic(session.model, *edge, lib=names, topk=_SHOWN):
        function = library.get(suggestion.name)
        a, b, c, d = suggestion.affine
        entry = {
            "name": function.name,
            "text": function.text,
            "one_minus_r2": max(1.0 - suggestion.r2, 0.0),
            "complexity": function.complexity,
            "score": suggestion.score,
            "formula": _affine_text(function.text, a, b, c, d),
            "y": rounded(c * function(a * x + b) + d),
        }
        found.append((entry, suggestion))
    return found


def _affine_text(text: str, a: float, b: float, c: float, d: float) -> str:
    inner = f"{a:.3g}·x{b:+.3g}" if b else f"{a:.3g}·x"
    inner = "x" if a == 1 and not b else inner
    if inner == "x" and ("x" in text or "ˣ" in text):
        bare = text
    elif "ˣ" in text:
        bare = text.replace("ˣ", f"^({inner})")
    else:
        bare = text.replace("x", f"({inner})", 1) if "x" in text else f"{text}({inner})"
    return f"{c:.3g}·{bare}{d:+.3g}"


def _note(suggestions: Sequence[search.Suggestion]) -> str | None:
    """Say so where the first names nearly tie: on a range this short the curve cannot decide."""
    if not suggestions or suggestions[0].r2 < _TELLING:
        return None
    best = suggestions[0]
    tied = [s for s in suggestions[1:] if 1 - s.r2 < 3 * (1 - best.r2) + 1e-6]
    if not tied:
        return None
    text = library.get(best.name).text
    others = " and ".join(library.get(s.name).text for s in tied[:3])
    return f"{text} and {others} nearly tie on this range; {text} is the simplest"


# ---- advice


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
    grid = max(model.grid)
    splines = sum(state["kind"] == "spline" for state in edge_states(model))
    if math.isfinite(test) and test > 2 * train and splines:
        coarser = _action(f"grid {grid // 2}", "refine", grid=max(1, grid // 2)) if grid > 3 else None
        advice.append(
            Advice("Test loss is well above train loss: overfitting. Fewer grid points or more data.", coarser)
        )
        return advice
    quality = r_squared(session)
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
