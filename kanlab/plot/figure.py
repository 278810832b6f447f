"""The drawing of a network: curves, boxes, connectors, nodes and names (KAN paper, arXiv:2404.19756, figure 2.2).

One matplotlib Axes holds all, with one collection per kind of thing, so that hundreds of edges draw in well under a
second. Nothing is shown, written or registered: the Figure is handed back, and a notebook displays it by itself.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, PathCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from sympy import Basic, latex

from kanlab.engine.network import Network
from kanlab.plot.layout import Layout, Point, lay_out
from kanlab.plot.marks import INK, EdgeMark, edge_marks, node_strengths
from kanlab.plot.shapes import UPRIGHT, dots_path, into_box, s_curve, way_in, way_out

_DOT = 0.12
_PRODUCT = 0.26


class Drawing(Figure):
    """A Figure that a notebook shows by itself, as SVG, whichever backend or none is active."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        buffer = io.StringIO()
        self.savefig(buffer, format="svg", metadata={"Date": None})
        return {"image/svg+xml": buffer.getvalue(), "text/plain": repr(self)}


@dataclass(frozen=True)
class _Name:
    """A text to be set: whether it is mathematics, and how large it is in inches."""

    text: str
    is_math: bool
    width: float
    height: float


def _read_name(name: Any, size: float) -> _Name:
    text = f"${latex(name)}$" if isinstance(name, Basic) else str(name)
    if not text:
        return _Name(text, False, 0.0, 0.0)
    is_math = text.count("$") >= 2
    try:
        box = TextPath((0, 0), text if is_math else text.replace("$", r"\$"), size=size).get_extents()
    except ValueError:
        # Dollars that enclose no mathematics are dollars: a table's column may be named anything.
        is_math = False
        box = TextPath((0, 0), text.replace("$", r"\$"), size=size).get_extents()
    return _Name(text, is_math, box.width / 72, box.height / 72)


def _read_names(names: Any, count: int, what: str, size: float) -> list[_Name]:
    if names is None:
        return []
    if isinstance(names, str):
        raise TypeError(f"{what} must be a list of names, not the text {names!r}")
    names = list(names)
    if len(names) != count:
        raise ValueError(f"{what} has {len(names)} names, but the network has {count}: {names!r}")
    return [_read_name(name, size) for name in names]


def _weight(layout: Layout) -> float:
    """Width of lines in points."""
    return min(1.3, max(0.4, 2.9 * layout.unit))


def _path(ax: Axes, paths: Sequence[Path], colours: Any, width: float, zorder: float) -> None:
    # A collection of paths has no line style of its own to keep: round ends make dots of very short lines.
    ax.add_collection(
        PathCollection(
            paths,
            facecolors="none",
            edgecolors=colours,
            linewidths=width,
            capstyle="round",
            joinstyle="round",
            zorder=zorder,
        )
    )


def _draw_edges(ax: Axes, layout: Layout, marks: Sequence[EdgeMark]) -> None:
    weight = _weight(layout)
    connectors, frames, curves = [], [], []
    for mark in marks:
        l, i, j = mark.edge
        box = layout.boxes[mark.edge]
        x, y = box.x, box.y
        connectors.append(way_in(layout.nodes[l][i], box))
        connectors.append(way_out(box, layout.subnodes[l][j]))
        frames.append([(x - 0.5, y - 0.5), (x + 0.5, y - 0.5), (x + 0.5, y + 0.5), (x - 0.5, y + 0.5)])
        curves.append(Path(into_box(mark.curve, mark.curve, (x, y))))
    colours = [mark.colour() for mark in marks]
    _path(ax, connectors, [colour for colour in colours for _ in range(2)], weight, 1)
    edge_colours = [mark.colour(0.55) for mark in marks]
    ax.add_collection(
        PolyCollection(frames, facecolors="white", edgecolors=edge_colours, linewidths=0.6 * weight, zorder=2)
    )
    _path(ax, curves, colours, 1.25 * weight, 4)

    scattered = [mark for mark in marks if len(mark.samples)]
    dots = []
    for mark in scattered:
        box = layout.boxes[mark.edge]
        dots.append(dots_path(into_box(mark.samples, mark.curve, (box.x, box.y))))
    _path(ax, dots, [mark.colour(0.35) for mark in scattered], 2.8 * weight, 3)


def _draw_labels(ax: Axes, layout: Layout, marks: Sequence[EdgeMark], tick: bool) -> None:
    """Write the functions' names under their boxes, and the curves' ranges at the corners if they are asked for."""
    size = 72 * layout.unit
    for mark in marks:
        box = layout.boxes[mark.edge]
        x, y = box.x, box.y
        if mark.name is not None:
            name = _read_name(mark.name, 0.3 * size)
            fit = min(1.0, 1.1 * layout.unit / name.width)
            # The halo keeps the name apart from the connector it stands on.
            ax.text(
                x,
                y - 0.62,
                mark.name,
                size=0.3 * size * fit,
                color=mark.colour(),
                ha="center",
                va="top",
                style="italic",
                parse_math=False,
                zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )
        if tick and np.isfinite(mark.curve).all():
            (x_low, y_low), (x_high, y_high) = mark.curve.min(axis=0), mark.curve.max(axis=0)
            small = {"size": 0.15 * size, "color": mark.colour(0.8), "parse_math": False, "zorder": 5}
            ax.text(x - 0.5, y - 0.53, f"{x_low:.2g}", ha="left", va="top", **small)
            ax.text(x + 0.5, y - 0.53, f"{x_high:.2g}", ha="right", va="top", **small)
            ax.text(x - 0.48, y - 0.48, f"{y_low:.2g}", ha="left", va="bottom", **small)
            ax.text(x - 0.48, y + 0.48, f"{y_high:.2g}", ha="left", va="top", **small)


def _faded(strength: float) -> tuple[float, float, float]:
    """Mix ink with white: what stands on lines must cover them, so it cannot fade by opacity."""
    red, green, blue = to_rgb(INK)
    part = max(0.2, strength)
    return 1 - part * (1 - red), 1 - part * (1 - green), 1 - part * (1 - blue)


def _discs(ax: Axes, discs: Sequence[tuple[Point, float]], radius: float, *, filled: bool) -> None:
    """Draw circles, each of its own strength."""
    if not discs:
        return
    edges = [_faded(strength) for _, strength in discs]
    ax.add_collection(
        EllipseCollection(
            2 * radius,
            2 * radius,
            0,
            units="xy",
            offsets=np.array([centre for centre, _ in discs]),
            offset_transform=ax.transData,
            facecolors=edges if filled else "white",
            edgecolors=edges,
            linewidths=0.9,
            zorder=6,
        )
    )


def _draw_nodes(ax: Axes, network: Network, layout: Layout, marks: Sequence[EdgeMark]) -> None:
    """Draw sums as dots and products as circled crosses over the dots of their factors."""
    strengths = node_strengths(network, marks)
    sums = list(zip(layout.nodes[0], strengths[0], strict=True))
    factors, products = [], []
    links, link_colours, crosses, cross_colours = [], [], [], []
    for l, groups in enumerate(network.groups):
        for group, (x, y), strength in zip(groups, layout.nodes[l + 1], strengths[l + 1], strict=True):
            links += [Path(s_curve(layout.subnodes[l][m], (x, y)), UPRIGHT) for m in group]
            link_colours += [_faded(strength)] * len(group)
            if len(group) == 1:
                sums.append(((x, y), strength))
                continue
            products.append(((x, y), strength))
            factors += [(layout.subnodes[l][m], strength) for m in group]
            arm = 0.5 * _PRODUCT
            crosses += [Path([(x - arm, y - s * arm), (x + arm, y + s * arm)]) for s in (1, -1)]
            cross_colours += [_faded(strength)] * 2
    _path(ax, links, link_colours, _weight(layout), 1)
    _discs(ax, sums, _DOT, filled=True)
    _discs(ax, factors, 0.6 * _DOT, filled=True)
    _discs(ax, products, _PRODUCT, filled=False)
    _path(ax, crosses, cross_colours, 1.1, 7)


def _draw_names(ax: Axes, layout: Layout, level: int, names: Sequence[_Name], size: float) -> list[tuple[float, ...]]:
    """Write names under the inputs or over the outputs, aslant where they would touch; return the space they take."""
    if not names:
        return []
    places = layout.nodes[level]
    unit = layout.unit
    gap = min((b[0] - a[0] for a, b in pairwise(places)), default=np.inf)
    aslant = max(name.width for name in names) / unit > gap - 0.25
    upward = level != 0
    taken = []
    for name, (x, y) in zip(names, places, strict=True):
        edge = y + (0.45 if upward else -0.45)
        reach = (name.width + name.height) * np.sqrt(0.5) / unit if aslant else name.height / unit
        half = reach if aslant else name.width / 2 / unit
        taken.append((x - half, x + (half if upward or not aslant else 0.3), edge + (reach if upward else -reach)))
        ax.text(
            x,
            edge,
            name.text,
            size=size,
            color=INK,
            parse_math=name.is_math,
            math_fontfamily="cm",
            zorder=8,
            va="baseline" if upward else "top",
            ha="center" if not aslant else "left" if upward else "right",
            rotation=45 if aslant else 0,
            rotation_mode="anchor",
        )
    return taken


def plot(
    network: Network,
    beta: float = 3.0,
    metric: str = "backward",
    *,
    in_vars: Sequence[Any] | None = None,
    out_vars: Sequence[Any] | None = None,
    title: str | None = None,
    scale: float = 0.5,
    varscale: float = 1.0,
    tick: bool = False,
    sample: bool = False,
) -> Drawing:
    """Draw the network: curves in black, in vermillion and with their name once they are symbolic.

    Parameters
    ----------
    beta
        An edge's opacity is tanh(beta · score), but never quite nothing; nodes are as strong as their strongest edge.
        Before any data was seen there are no scores, and all is opaque.
    metric
        The score: "backward" (what reaches the outputs), "forward_u" (the edge's standard deviation), or "forward_n"
        (that over its input's).
    in_vars, out_vars
        Names of inputs and outputs: text, LaTeX between dollars, or sympy expressions.
    scale
        Size of the whole; 0.5 keeps within 9 by 8 inches.
    varscale
        Size of the names.
    tick
        Write the range of each curve at its box: of the input below, of the output on the left.
    sample
        Show the data on the curves.

    Returns
    -------
    Drawing
        A matplotlib Figure; ``figure.savefig("kan.pdf")`` writes it.

    Examples
    --------
    >>> figure = plot(Network([2, 5, 1], seed=0), in_vars=["$x_1$", "$x_2$"])
    >>> len(figure.axes)
    1
    """
    for name, value in (("beta", beta), ("scale", scale), ("varscale", varscale)):
        if not 0 < value < np.inf:
            raise ValueError(f"{name} must be positive and finite, not {value!r}")
    size = 24 * scale * varscale
    if in_vars is not None and not isinstance(in_vars, str):
        in_vars = network.of_inputs(in_vars)
    inputs = _read_names(in_vars, network.n_in, "in_vars", size)
    outputs = _read_names(out_vars, network.n_out, "out_vars", size)
    marks = edge_marks(network, beta, metric, sample)
    layout = lay_out(
        [(layer.mask != 0).cpu().numpy() for layer in network.kan_layers()],
        network.groups,
        [tick or any(mark.name is not None and mark.edge[0] == l for mark in marks) for l in range(network.depth)],
        page=(18 * scale, 16 * scale),
        largest=0.9 * scale,
    )

    figure = Drawing(facecolor="white")
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    _draw_edges(ax, layout, marks)
    _draw_labels(ax, layout, marks, tick)
    _draw_nodes(ax, network, layout, marks)
    taken = _draw_names(ax, layout, 0, inputs, size) + _draw_names(ax, layout, -1, outputs, size)

    xs = [x for level in layout.nodes for x, _ in level] + [box.x for box in layout.boxes.values()]
    left = min([min(xs) - 0.5] + [space[0] for space in taken]) - 0.35
    right = max([max(xs) + 0.5] + [space[1] for space in taken]) + 0.35
    bottom = min([-0.3] + [space[2] for space in taken]) - 0.35
    top = max([layout.top + 0.3] + [space[2] for space in taken]) + 0.35
    if title is not None:
        heading = _read_name(title, 1.15 * size)
        middle = (left + right) / 2
        ax.text(
            middle,
            top + 0.2,
            heading.text,
            size=1.15 * size,
            color=INK,
            ha="center",
            va="baseline",
            parse_math=heading.is_math,
            math_fontfamily="cm",
        )
        half = heading.width / 2 / layout.unit + 0.35
        left, right, top = min(left, middle - half), max(right, middle + half), top + heading.height / layout.unit + 0.6
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    figure.set_size_inches((right - left) * layout.unit, (top - bottom) * layout.unit)
    return figure
