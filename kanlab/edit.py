r"""What a hand does to one edge: pull a control point, set the constants of a name, bring a removed edge back.

A spline ``sum_b coef[b] B_b(x)`` of degree ``k`` follows its control polygon, whose points lie over the means of ``k``
successive knots (Greville's abscissae; de Boor, *A Practical Guide to Splines*, ch. IX). Pulling one of them up by
``h`` adds ``h B_b(x)``: the curve changes over ``k + 1`` intervals and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.kan import KAN
from kanlab.symbolic import library

Edge = tuple[int, int, int]


@torch.no_grad()
def control_points(model: KAN, l: int, i: int, j: int) -> Float[Tensor, "bases 2"]:
    """Return the control points ``(x, y)`` of an edge's spline; ``y`` includes the base function's share.

    >>> control_points(KAN([1, 1], grid=4, k=3), 0, 0, 0).shape
    torch.Size([7, 2])
    """
    model.check_edge(l, i, j)
    layer = model.layer(l)
    knots, k = layer.knots[i], layer.k
    # A spline of degree 0 is constant over an interval: its point stands in the middle.
    x = knots.unfold(0, k, 1).mean(-1)[1:-1] if k else (knots[1:] + knots[:-1]) / 2
    base = layer.base.evaluate(x, 0)[0]
    return torch.stack([x, layer.scale_base[i, j] * base + layer.scale_sp[i, j] * layer.coef[i, j]], -1)


@torch.no_grad()
def bend_edge(model: KAN, l: int, i: int, j: int, index: int, y: float) -> None:
    """Move control point ``index`` of a spline edge to height ``y``.

    Raises
    ------
    ValueError
        For an edge that is no spline, an index out of range, or a height that is not a finite number.
    """
    points = control_points(model, l, i, j)
    layer = model.layer(l)
    if layer.mask[i, j] == 0 or (i, j) in layer.fixed:
        raise ValueError(f"edge ({l}, {i}, {j}) is not a spline; only splines have control points")
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(points):
        raise ValueError(f"index is {index!r}; edge ({l}, {i}, {j}) has control points 0 to {len(points) - 1}")
    scale = layer.scale_sp[i, j].item()
    if scale == 0:
        raise ValueError(f"edge ({l}, {i}, {j}) has scale_sp 0: its spline counts for nothing")
    layer.coef[i, j, index] += (_finite("y", y) - float(points[index, 1])) / scale


@torch.no_grad()
def set_constants(model: KAN, l: int, i: int, j: int, constants: Sequence[float]) -> None:
    """Set ``a, b, c, d`` of a named edge ``c f(a x + b) + d``."""
    model.check_edge(l, i, j)
    layer = model.layer(l)
    if (i, j) not in layer.fixed:
        raise ValueError(f"edge ({l}, {i}, {j}) has no name; fix it to a function first")
    layer.affine[i, j] = layer.affine.new_tensor(_four(constants))


def all_constants(model: KAN) -> list[list[float]]:
    """Return the constants of all named edges: rows ``l, i, j, a, b, c, d``.

    >>> all_constants(KAN.from_formula("2*sin(x)", ["x"]))
    [[0, 0, 0, 1.0, 0.0, 2.0, 0.0]]
    """
    layers = enumerate(model.kan_layers())
    return [[l, i, j, *layer.affine[i, j].tolist()] for l, layer in layers for i, j in layer.fixed]


def fix_constants(model: KAN, l: int, i: int, j: int, name: str, constants: Sequence[float]) -> None:
    """Give an edge the function ``c f(a x + b) + d`` with constants of one's own.

    Raises
    ------
    ValueError
        For an edge out of range or removed, an unknown function, or constants that are not four finite numbers.
    """
    model.check_edge(l, i, j)
    layer, function = model.layer(l), library.get(name)
    if layer.mask[i, j] == 0:
        raise ValueError(f"edge ({l}, {i}, {j}) was removed; restore it first")
    a, b, c, d = _four(constants)
    layer.fix(i, j, function, (a, b, c, d))


def restore_edge(model: KAN, l: int, i: int, j: int, earlier: KAN | None = None) -> None:
    """Bring a removed edge back: its spline was kept, its name (if it had one) is taken from an ``earlier`` model."""
    model.check_edge(l, i, j)
    layer = model.layer(l)
    if layer.mask[i, j] != 0:
        raise ValueError(f"edge ({l}, {i}, {j}) is there; only a removed edge can be restored")
    layer.mask[i, j] = 1
    function = None if earlier is None else earlier.layer(l).fixed.get((i, j))
    if earlier is not None and function is not None:
        a, b, c, d = earlier.layer(l).affine[i, j].tolist()
        layer.fix(i, j, function, (a, b, c, d))


def _four(constants: Sequence[float]) -> list[float]:
    if len(constants) != 4:
        raise ValueError(f"constants is {constants!r}; four numbers a, b, c, d are needed")
    return [_finite("constants", value) for value in constants]


def _finite(what: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{what} has {value!r}; finite numbers are needed")
    return float(value)
