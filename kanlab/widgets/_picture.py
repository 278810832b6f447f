"""The Lab as a still picture: what GitHub and an nbconvert page show where no widget can be drawn."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from kanlab.widgets._plain import plain

_WIDTH, _TOP, _BOTTOM, _LAYER = 640.0, 44.0, 74.0, 170.0
_BOX, _GAP, _RADIUS = 46.0, 8.0, 7.0
#: The front end's accents, dark enough on white and light enough on black.
_INK, _SECOND, _GREY = "#3b3f45", "#b8400e", "#8a9099"
_FONT = 'font-family="system-ui, Helvetica, Arial, sans-serif"'

Point = tuple[float, float]


def picture_of(snapshot: Mapping[str, Any]) -> str:
    """Draw a snapshot's network, its losses and its formula as one SVG; all names are escaped."""
    state, frame = snapshot["state"], snapshot["frame"]
    alive = [e for e, entry in enumerate(state["edges"]) if entry["kind"] != "pruned"]
    levels = len(state["width"])
    height = _TOP + _BOTTOM + (levels - 1) * _LAYER
    nodes = [_row([None] * sum(pair), height - _BOTTOM - l * _LAYER) for l, pair in enumerate(state["width"])]
    parts = []
    for l in range(levels - 1):
        ends = [m for m, count in enumerate(state["subnodes"][l + 1]) for _ in range(count)]
        mine = [e for e in alive if state["edges"][e]["edge"][0] == l]
        mine.sort(key=lambda e: (state["edges"][e]["edge"][2], state["edges"][e]["edge"][1]))
        size = min(_BOX, (_WIDTH - 20) / max(1, len(mine)) - 2)
        for e, (x, _) in zip(mine, _row(mine, 0.0), strict=True):
            _, i, j = state["edges"][e]["edge"]
            y = height - _BOTTOM - (l + 0.5) * _LAYER
            parts.append(_edge((x, y), size, nodes[l][i], nodes[l + 1][ends[j]], state["edges"][e], frame, e))
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS}"/>' for row in nodes for x, y in row)
    parts.append(f'<g fill="#fff" stroke="{_INK}" stroke-width="1.5">{dots}</g>')
    names = [
        *zip(state["names"]["inputs"], nodes[0], strict=True),
        *zip(state["names"]["outputs"], nodes[-1], strict=True),
    ]
    lowest = nodes[0][0][1]
    parts += [_text(name, x, y + (24 if y == lowest else -14), 14) for name, (x, y) in names]
    losses = f"train {_number(frame['train'])}, test {_number(frame['test'])}"
    parts.append(_text(f"step {frame['step']}, {losses}", _WIDTH / 2, height - 26, 12, _GREY))
    outputs = state["formula"]["outputs"]
    formula = plain(outputs[0]["latex"]) if outputs else state["formula"]["message"] or ""
    parts.append(_text(formula if len(formula) < 90 else f"{formula[:88]}…", _WIDTH / 2, height - 8, 12, _GREY))
    size = f'width="{_WIDTH:g}" height="{height:g}" viewBox="0 0 {_WIDTH:g} {height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="KAN">{"".join(parts)}</svg>'


def _row(items: Sequence[Any], y: float) -> list[Point]:
    pitch = min(_WIDTH / max(1, len(items)), 120.0)
    return [(_WIDTH / 2 + (n - (len(items) - 1) / 2) * pitch, y) for n in range(len(items))]


def _edge(
    at: Point, size: float, source: Point, target: Point, entry: Mapping[str, Any], frame: Mapping[str, Any], e: int
) -> str:
    (x, y), half = at, size / 2
    colour = _SECOND if entry["kind"] == "symbolic" else _INK
    strength = math.tanh(3 * (frame["arrays"]["scores"][e] or 0.0))
    points = frame["points"]
    values = frame["arrays"]["curves"][e * points : (e + 1) * points]
    links = "".join(
        f"M{a:.1f} {b:.1f}C{a:.1f} {(b + d) / 2:.1f} {c:.1f} {(b + d) / 2:.1f} {c:.1f} {d:.1f}"
        for (a, b), (c, d) in ((source, (x, y + half)), ((x, y - half), target))
    )
    name = _text(entry["name"], x + 5, y + half + 13, 12, colour, "start") if entry["name"] and size > 20 else ""
    return (
        f'<g fill="none" stroke="{colour}" stroke-opacity="{0.25 + 0.75 * strength:.2f}">'
        f'<path d="{links}" stroke-width="{0.8 + 2 * strength:.2f}"/>'
        f'<rect x="{x - half:.1f}" y="{y - half:.1f}" width="{size:.1f}" height="{size:.1f}" rx="4" fill="#fff"/>'
        f'<path d="{_curve(values, at, size * 0.74)}" stroke-width="1.5"/></g>{name}'
    )


def _curve(values: Sequence[float | None], at: Point, size: float) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = high - low or 1.0
    pen, path = "M", ""
    for n, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x = at[0] + (n / max(1, len(values) - 1) - 0.5) * size
        y = at[1] + (0.5 - (value - low) / span) * size if high > low else at[1]
        path += f"{pen}{x:.1f} {y:.1f}"
        pen = "L"
    return path


def _text(text: str, x: float, y: float, size: int, colour: str = _INK, anchor: str = "middle") -> str:
    style = f'{_FONT} font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{html.escape(text)}</text>'


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2g}"
