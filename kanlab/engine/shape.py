"""What ``width``, ``mult_arity`` and the numbers given per layer mean."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import SupportsIndex

Width = Sequence["int | Sequence[int]"]
Arity = int | Sequence[Sequence[int]]


def parse_width(width: Width) -> list[list[int]]:
    """Read ``[2, 5, 1]`` or ``[2, [5, 2], 1]`` as ``[n_sum, n_mult]`` per layer of nodes; the argument is not touched.

    >>> parse_width([2, [5, 2], 1])
    [[2, 0], [5, 2], [1, 0]]
    """
    if not isinstance(width, Sequence) or isinstance(width, str) or len(width) < 2:
        raise ValueError(f"width is {width!r}; it needs at least inputs and outputs, such as [2, 5, 1]")
    pairs = []
    for level, nodes in enumerate(width):
        pair = list(nodes) if isinstance(nodes, Sequence) else [nodes, 0]
        whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in pair)
        if len(pair) != 2 or not whole or sum(pair) < 1:
            raise ValueError(f"width[{level}] is {nodes!r}; allowed are a positive int or [sum nodes, product nodes]")
        pairs.append(pair)
    if pairs[0][1]:
        raise ValueError(f"width[0] is {width[0]!r}; inputs cannot be multiplication nodes")
    return pairs


def parse_arity(mult_arity: Arity, width: Sequence[Sequence[int]]) -> list[list[int]]:
    """Read how many sums each multiplication node multiplies: one number for all, or a list for each level of nodes.

    >>> parse_arity(2, [[2, 0], [5, 2], [1, 0]]), parse_arity([[], [2, 3], []], [[2, 0], [5, 2], [1, 0]])
    ([[], [2, 2], []], [[], [2, 3], []])
    """
    if isinstance(mult_arity, str) or not isinstance(mult_arity, Sequence):
        arity = whole("mult_arity", mult_arity, 2)
        return [[arity] * n_mult for _, n_mult in width]
    if len(mult_arity) != len(width):
        raise ValueError(f"mult_arity is {mult_arity!r}; allowed are one number, or {len(width)} lists: one per level")
    levels = []
    for level, (arities, (_, n_mult)) in enumerate(zip(mult_arity, width, strict=True)):
        if not isinstance(arities, Sequence) or isinstance(arities, str) or len(arities) != n_mult:
            raise ValueError(
                f"mult_arity[{level}] is {arities!r}; that level has {n_mult} multiplication nodes, "
                "and a list with one number for each is needed"
            )
        levels.append([whole(f"mult_arity[{level}]", arity, 2) for arity in arities])
    return levels


def per_layer(name: str, value: int | Sequence[int], depth: int) -> list[int]:
    """Read one number for all layers, or one for each."""
    values = list(value) if isinstance(value, Sequence) else [value] * depth
    if len(values) != depth:
        raise ValueError(f"{name} is {value!r}; allowed are one number or one for each of the {depth} layers")
    return values


def whole(name: str, value: object, least: int) -> int:
    """Return a whole number from ``least`` up, else say what is allowed."""
    number = operator.index(value) if isinstance(value, SupportsIndex) and not isinstance(value, bool) else None
    if number is None or number < least:
        raise ValueError(f"{name} is {value!r}; allowed are whole numbers from {least} up")
    return number
