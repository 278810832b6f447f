"""The lines of the picture: curves scaled into their boxes, and the ways between boxes and nodes."""

import numpy as np
from matplotlib.path import Path

from kanlab.plot.layout import Box, Point

#: How far a curve stays inside its box, and the lanes of folded rows outside it.
_INSET = 0.12
_LANE = 0.1

#: The codes of one Bézier curve, as `s_curve` gives its points.
UPRIGHT = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]


def s_curve(start: Point, end: Point) -> list[Point]:
    """Join two points by a Bézier curve that leaves and arrives upright."""
    middle = (start[1] + end[1]) / 2
    return [start, (start[0], middle), (end[0], middle), end]


def way_in(node: Point, box: Box) -> Path:
    """Connect a node to a box: from below, or along the left of its column."""
    if not box.folded:
        return Path(s_curve(node, (box.x, box.y - 0.5)), UPRIGHT)
    lane = box.x - 0.5 - _LANE
    return Path(
        [*s_curve(node, (lane, box.foot - 0.1)), (lane, box.y), (box.x - 0.5, box.y)],
        [*UPRIGHT, Path.LINETO, Path.LINETO],
    )


def way_out(box: Box, node: Point) -> Path:
    """Connect a box to the sum it leads to: from above, or along the right of its column."""
    if not box.folded:
        return Path(s_curve((box.x, box.y + 0.5), node), UPRIGHT)
    lane = box.x + 0.5 + _LANE
    climb = s_curve((lane, box.head + 0.1), node)
    return Path([(box.x + 0.5, box.y), (lane, box.y), *climb], [Path.MOVETO, Path.LINETO, Path.LINETO, *UPRIGHT[1:]])


def dots_path(points: np.ndarray) -> Path:
    """Make one path of many very short lines, which round ends turn into dots: far smaller than one mark each."""
    vertices = np.repeat(points, 2, axis=0)
    vertices[1::2, 0] += 1e-3
    return Path(vertices, np.tile([Path.MOVETO, Path.LINETO], len(points)))


def into_box(points: np.ndarray, curve: np.ndarray, centre: Point) -> np.ndarray:
    """Scale points from the curve's own ranges into its box; a constant curve runs through the middle."""
    finite = curve[np.isfinite(curve).all(axis=1)]
    if len(finite) == 0:
        return np.empty((0, 2))
    low, high = finite.min(axis=0), finite.max(axis=0)
    span = high - low
    constant = span <= 1e-9 * np.abs(finite).max(axis=0) + 1e-300
    scaled = np.where(constant, 0.0, (points - (low + high) / 2) / np.where(constant, 1.0, span))
    return scaled * (1 - 2 * _INSET) + centre
