"""Where the nodes and boxes of a network's picture stand: plain geometry, no drawing.

The unit of length is the side of an edge's box. Inputs stand at the bottom. Under each level of nodes stands a row of
boxes, one per edge, gathered in a block under the sum they lead to; removed edges take no place. When a row is too wide
for the page, boxes shrink to a size that is still comfortable, then blocks are folded into columns that are read from
the top, then boxes shrink further.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]
Edge = tuple[int, int, int]

#: Distance of neighbouring boxes, centre to centre; in folded rows the connectors need room between columns.
_PITCH = 1.25
_FOLDED_PITCH = 1.5
#: Free room between blocks, how far a row with room to spare may spread, and the room for a label under a box.
_GAP = 0.7
_SPREAD = 1.5
_LABEL = 0.5
#: Boxes smaller than this part of the largest allow folding; below the last, nothing can be recognised anyway.
_COMFORTABLE = 0.6
_SMALLEST = 0.01


@dataclass(frozen=True)
class Box:
    """The place of an edge: its centre; in a folded row also where its block begins (foot) and ends (head)."""

    x: float
    y: float
    foot: float
    head: float
    folded: bool


@dataclass(frozen=True)
class Layout:
    """The places of everything, in boxes; ``unit`` is the side of a box in inches."""

    nodes: list[list[Point]]
    subnodes: list[list[Point]]
    boxes: dict[Edge, Box]
    unit: float

    @property
    def width(self) -> float:
        """From the leftmost to the rightmost thing."""
        xs = [box.x for box in self.boxes.values()] + [x for level in self.nodes for x, _ in level]
        return max(xs) - min(xs) + 1

    @property
    def top(self) -> float:
        """Height of the output nodes; the inputs' is 0."""
        return self.nodes[-1][0][1]


@dataclass(frozen=True)
class _Row:
    """One layer of edges: the inputs in each sum's block, and into how many lines the blocks are folded."""

    blocks: list[list[int]]
    lines: int
    labelled: bool

    @property
    def line_height(self) -> float:
        return _PITCH + _LABEL * self.labelled

    @property
    def height(self) -> float:
        return 1 + (self.lines - 1) * self.line_height

    def columns(self, block: list[int]) -> int:
        return max(1, math.ceil(len(block) / self.lines))

    def pitch(self, spread: float) -> float:
        return (_FOLDED_PITCH if self.lines > 1 else _PITCH) * spread

    def block_width(self, block: list[int], spread: float) -> float:
        return 1 + (self.columns(block) - 1) * self.pitch(spread)

    def width(self, spread: float = 1.0) -> float:
        gaps = (_GAP + self.pitch(1.0) - _PITCH) * spread * (len(self.blocks) - 1)
        return sum(self.block_width(block, spread) for block in self.blocks) + gaps


def _fold(mask: np.ndarray, labelled: bool, page: float) -> _Row:
    """Fold a layer into as few lines as a page of this width (in boxes) allows."""
    blocks = [np.flatnonzero(mask[:, j]).tolist() for j in range(mask.shape[1])]
    longest = max(1, *(len(block) for block in blocks))
    # Only numbers of lines that save a column are worth a look.
    for lines in sorted({math.ceil(longest / columns) for columns in range(1, longest + 1)}):
        row = _Row(blocks, lines, labelled)
        if row.width() <= page:
            return row
    return _Row(blocks, longest, labelled)


def _place(
    rows: Sequence[_Row], groups: Sequence[Sequence[tuple[int, ...]]], n_in: int, page: float, unit: float
) -> Layout:
    # Inputs without edges stand there too, each with room for a short name if the page has it.
    width = max(5.0, min(_PITCH * n_in, page), *(row.width() for row in rows))
    pitch = min(4.0, width / n_in)
    nodes: list[list[Point]] = [[((i - (n_in - 1) / 2) * pitch, 0.0) for i in range(n_in)]]
    subnodes: list[list[Point]] = []
    boxes: dict[Edge, Box] = {}
    for l, row in enumerate(rows):
        spread = min(_SPREAD, max(1.0, width / row.width()))
        left = 0.5 - row.width(spread) / 2
        centres: list[float] = []
        slots: list[tuple[int, int, float, int]] = []
        for j, block in enumerate(row.blocks):
            lines = math.ceil(len(block) / row.columns(block))
            for place, i in enumerate(block):
                column, line = divmod(place, lines)
                slots.append((i, j, left + column * row.pitch(spread), lines - 1 - line))
            centres.append(left + (row.block_width(block, spread) - 1) / 2)
            left = left + row.block_width(block, spread) + (_GAP + row.pitch(1.0) - _PITCH) * spread

        # Connectors that run far sideways need room to rise; those that go straight up need little.
        below = max((abs(x - nodes[l][i][0]) for i, _, x, _ in slots), default=0.0)
        above = max((abs(x - centres[j]) for _, j, x, _ in slots), default=0.0)
        foot = nodes[l][0][1] + min(3.2, 0.9 + 0.2 * below) + _LABEL * row.labelled
        head = foot + row.height
        for i, j, x, line in slots:
            boxes[l, i, j] = Box(x, foot + 0.5 + line * row.line_height, foot, head, row.lines > 1)
        level = head + min(2.4, 0.7 + 0.2 * above)
        subnodes.append([(x, level) for x in centres])
        level += any(len(group) > 1 for group in groups[l])
        nodes.append([(float(np.mean([centres[m] for m in group])), level) for group in groups[l]])
    return Layout(nodes, subnodes, boxes, unit)


def lay_out(
    masks: Sequence[np.ndarray],
    groups: Sequence[Sequence[tuple[int, ...]]],
    labels: Sequence[bool],
    page: tuple[float, float] = (9.0, 8.0),
    largest: float = 0.45,
) -> Layout:
    """Place every node and every edge that is present, with boxes as large as the page allows.

    Parameters
    ----------
    masks
        Per layer [in, out], true where an edge is present.
    groups
        Per layer, the sums that make each node: one of them, or several that are multiplied.
    labels
        Per layer, whether room for a label under each box is wanted.
    page
        Width and height in inches that nodes and boxes should not exceed.
    largest
        The side of a box in inches where there is room.

    Examples
    --------
    >>> layout = lay_out([np.ones((2, 1), bool)], [[(0,)]], [False])
    >>> sorted(layout.boxes), len(layout.nodes[0]), len(layout.nodes[1])
    ([(0, 0, 0), (0, 1, 0)], 2, 1)
    """
    unit = largest
    while True:
        rows = [_fold(mask, labelled, page[0] / unit) for mask, labelled in zip(masks, labels, strict=True)]
        layout = _place(rows, groups, masks[0].shape[0], page[0] / unit - 1, unit)
        fits = layout.width * unit <= page[0] and (layout.top + 1) * unit <= page[1]
        comfortable = unit > _COMFORTABLE * largest and any(row.lines > 1 for row in rows)
        if (fits and not comfortable) or unit < _SMALLEST * largest:
            return layout
        unit *= 0.94
