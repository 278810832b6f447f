from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanlab.plot.layout import lay_out


def full(*width):
    """Masks and groups of a network with all edges and no products."""
    masks = [np.ones((n_in, n_out), bool) for n_in, n_out in pairwise(width)]
    return masks, [[(j,) for j in range(n)] for n in width[1:]]


def place(*width, **options):
    masks, groups = full(*width)
    return lay_out(masks, groups, [False] * len(masks), **options)


@settings(max_examples=60)
@given(
    width=st.lists(st.integers(1, 12), min_size=2, max_size=5),
    labelled=st.booleans(),
    removed=st.integers(0, 2**16),
)
def test_boxes_never_overlap_and_stand_between_their_nodes(width, labelled, removed):
    masks, groups = full(*width)
    generator = np.random.default_rng(removed)
    masks = [mask & (generator.random(mask.shape) < 0.7) for mask in masks] if removed % 2 else masks
    layout = lay_out(masks, groups, [labelled] * len(masks))
    present = [(l, i, j) for l, mask in enumerate(masks) for i, j in np.argwhere(mask).tolist()]
    assert sorted(layout.boxes) == present
    centres = np.array([(box.x, box.y) for box in layout.boxes.values()]).reshape(-1, 2)
    apart = np.abs(centres[:, None] - centres[None]).max(axis=-1) + 2 * np.eye(len(centres))
    assert (apart > 1.1).all()
    for (l, i, j), box in layout.boxes.items():
        assert layout.nodes[l][i][1] < box.foot
        assert box.foot <= box.y - 0.5 + 1e-9
        assert box.y + 0.5 <= box.head + 1e-9
        assert box.head < layout.subnodes[l][j][1]
    for level in layout.nodes:
        steps = np.diff([x for x, _ in level])
        assert (steps > 0.3).all(), "nodes keep their order and a distance"


@pytest.mark.parametrize("width", [(2, 5, 1), (10, 20, 1), (30, 30, 10), (1, 1), (4, 2, 1, 1), (3, 3, 3, 3, 3, 3, 3)])
def test_the_picture_stays_on_the_page(width):
    layout = place(*width, page=(9.0, 8.0))
    assert layout.width * layout.unit <= 9.0
    assert (layout.top + 1) * layout.unit <= 8.0


def test_rows_are_folded_only_where_boxes_would_become_too_small():
    assert place(2, 5, 1).unit == 0.45
    assert not any(box.folded for box in place(2, 5, 1).boxes.values())
    wide = place(10, 20, 1)
    assert {l for (l, _, _), box in wide.boxes.items() if box.folded} == {0}
    # Without folding 200 boxes with 19 gaps would have to be below 0.04 inches.
    assert wide.unit > 0.15


def test_a_folded_block_is_read_from_the_top():
    layout = place(10, 20, 1)
    column = [layout.boxes[0, i, 3] for i in range(10)]
    order = sorted(column, key=lambda box: (box.x, -box.y))
    assert column == order


def test_removed_edges_take_no_place_and_a_node_without_edges_keeps_one():
    masks, groups = full(2, 3, 1)
    masks[0][:, 1] = False
    layout = lay_out(masks, groups, [False, False])
    assert (0, 0, 1) not in layout.boxes
    assert layout.width < place(2, 3, 1).width
    assert len(layout.nodes[1]) == 3


def test_a_product_stands_over_the_middle_of_its_factors():
    masks = [np.ones((2, 3), bool)]
    layout = lay_out(masks, [[(0,), (1, 2)]], [False])
    factors = [layout.subnodes[0][m] for m in (1, 2)]
    x, y = layout.nodes[1][1]
    assert x == pytest.approx((factors[0][0] + factors[1][0]) / 2)
    assert y == factors[0][1] + 1
    assert layout.nodes[1][0][1] == y, "all nodes of a level stand at one height"


def test_labels_get_room_under_the_boxes():
    masks, groups = full(2, 1)
    plain, labelled = (lay_out(masks, groups, [flag]) for flag in (False, True))
    assert labelled.boxes[0, 0, 0].foot > plain.boxes[0, 0, 0].foot + 0.4
