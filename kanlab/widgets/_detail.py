"""One edge close up, as the inspector takes it: curve, data, control points, and which functions fit it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kanlab import edit
from kanlab.session import Session
from kanlab.symbolic import library, search
from kanlab.widgets._state import finite, node_names, rounded

Edge = tuple[int, int, int]
_DETAIL_POINTS, _SCATTER, _BINS = 101, 200, 24
#: Candidates shown for an edge, and the R² from which on a tie between them is worth a word.
_SHOWN, _TELLING = 5, 0.9


@torch.no_grad()
def detail_of(session: Session, edge: Edge, considered: str | None = None, *, ranked: bool = True) -> dict[str, Any]:
    """Tell all about one edge: curve, data, knots, and (``ranked``) which functions fit it.

    A function that a person is considering is told too, after those that fit best.
    """
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
    slope = layer.edge_derivatives(x.expand(layer.in_dim, -1), 1)[1][i, j]
    candidates = _candidates(session, edge, x, considered) if kind == "spline" and ranked else []
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
        "slope": rounded(slope),
        "points": rounded(points),
        "knots": rounded(layer.knots[i, layer.k : layer.knots.shape[-1] - layer.k]),
        "spline": _spline(session, edge) if kind == "spline" else None,
        "constants": layer.affine[i, j].tolist() if kind == "symbolic" else None,
        "density": torch.histc(h.double(), _BINS, low, high if high > low else low + 1).int().tolist(),
        "candidates": [candidate for candidate, _ in candidates],
        "note": _note([suggestion for _, suggestion in candidates]),
    }


def _spline(session: Session, edge: Edge) -> dict[str, Any]:
    """Tell what the browser needs to draw the spline while one of its control points is dragged."""
    l, i, _ = edge
    layer = session.model.layer(l)
    return {
        "k": layer.k,
        "knots": layer.knots[i].tolist(),
        "handles": rounded(edit.control_points(session.model, *edge)),
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


def _candidates(
    session: Session, edge: Edge, x: torch.Tensor, considered: str | None
) -> list[tuple[dict[str, Any], search.Suggestion]]:
    found = []
    suggestions = search.suggest_symbolic(session.model, *edge, lib="all", topk=_SHOWN)
    if considered is not None and all(suggestion.name != considered for suggestion in suggestions):
        suggestions += search.suggest_symbolic(session.model, *edge, lib=[considered], topk=1)
    for suggestion in suggestions:
        function = library.get(suggestion.name)
        a, b, c, d = suggestion.affine
        entry = {
            "name": function.name,
            "text": function.text,
            "one_minus_r2": max(1.0 - suggestion.r2, 0.0),
            "complexity": function.complexity,
            "score": suggestion.score,
            "formula": _affine_text(function.text, a, b, c, d),
            "constants": [a, b, c, d],
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
