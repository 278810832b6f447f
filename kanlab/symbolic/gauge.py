r"""Of the many equal ``(a, b, c, d)`` of an edge, the one that is shown.

========================================  =========================================================
powers, roots, ``abs``, ``sgn``, ``log``  ``a = 1``; for half powers and ``log`` also ``a = -1``
``x``                                     ``a = 1``, ``b = 0``
``exp``                                   ``b = 0``, unless ``exp(a x)`` would leave the range of numbers
``sin``, ``cos``                          ``a > 0``, ``c > 0``, ``-π < b <= π``
``tan``                                   ``a > 0``, ``-π/2 < b <= π/2``
other even or odd functions               ``a > 0`` (also ``arccos``, ``sigmoid``: odd about a point)
``0``, ``1``                              ``a = 1``, ``b = 0``, ``c = 0``
========================================  =========================================================
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.symbolic.curves import Curves
from kanlab.symbolic.dictionary import FAR
from kanlab.symbolic.function import Domains, SymbolicFunction

Constants = Float[Tensor, "function edge"]


def to_inputs(
    functions: Sequence[SymbolicFunction], curves: Curves, a: Constants, b: Constants
) -> tuple[Constants, Constants]:
    """Turn ``a t + b`` into ``a x + b`` with what is redundant removed, all but the signs that hang on ``c``."""
    half, centre = curves.half, curves.centre
    shift = _has(functions, a, ("shift", "step"))
    size = torch.where(shift, a.abs(), half)
    new_a = a / size
    # For a shift any multiple of a t + b will do: the one with slope 1 or -1 in x is taken.
    new_b = torch.where(shift, half / size, 1.0) * b - new_a * centre
    far = (new_a * torch.maximum(curves.low.abs(), curves.high.abs()).T).abs() > FAR
    new_b = new_b.masked_fill(_has(functions, a, ("scale",)) & ~far, 0.0)
    nothing = _has(functions, a, ("constant", "linear"))
    new_a, new_b = new_a.masked_fill(nothing, 1.0), new_b.masked_fill(nothing, 0.0)
    reflects = torch.tensor([[function.reflects] for function in functions], device=a.device)
    sign = torch.where(reflects & (new_a < 0), -1.0, 1.0)
    return _nudged(functions, curves, new_a * sign, _nearest_turns(functions, new_b * sign))


def _has(functions: Sequence[SymbolicFunction], like: Tensor, gauges: tuple[str, ...]) -> Tensor:
    return torch.tensor([[function.gauge in gauges] for function in functions], device=like.device)


def _nearest_turns(functions: Sequence[SymbolicFunction], b: Constants) -> Constants:
    """Bring the phases of periodic functions near 0."""
    for row, function in enumerate(functions):
        if function.period is not None:
            b[row] = nearest_turn(b[row], function.period)
    return b


def nearest_turn(b: Tensor, period: float | Tensor) -> Tensor:
    """Bring a phase into ``(-period / 2, period / 2]``."""
    return b - period * torch.ceil(b / period - 0.5)


def _nudged(
    functions: Sequence[SymbolicFunction], curves: Curves, a: Constants, b: Constants
) -> tuple[Constants, Constants]:
    """Undo the rounding by which a range may have crossed a wall that belongs to the domain."""
    domains = Domains.of([function.domain for function in functions], a).against()
    (wall_low, wall_high), closed = domains.walls, domains.closed
    for more in (1.0, 2.0, 4.0, 8.0):  # less than half a last digit of b would be lost
        first, last = a * curves.low.T + b, a * curves.high.T + b
        low, high = torch.minimum(first, last), torch.maximum(first, last)
        under, over = (wall_low - low).clamp(min=0), (high - wall_high).clamp(min=0)
        outside = under + over
        small = closed & (outside > 0) & (outside <= 1e-9 * (high - low))
        if not bool(small.any()):
            break
        a = torch.where(small & wall_high.isfinite(), a * (1 - outside / (high - low)), a)
        b = torch.where(small, b + more * (under - over), b)
    return a, b


def threshold(curves: Curves) -> Float[Tensor, " edge"]:
    """Return ``b`` of the best ``f(x + b)`` for a function that jumps at 0 and is constant elsewhere.

    Every split of the sorted samples is tried: with the data centred, a split that leaves weight ``W`` and sum ``S`` to
    its left explains ``S^2 / (W (1 - W))``.
    """
    if curves.x.shape[-1] < 2:
        return -curves.x[:, 0]
    left = curves.w.cumsum(-1)[:, :-1]
    total = (curves.w * curves.v).cumsum(-1)[:, :-1]
    explained = total.square() / (left * (1 - left)).clamp(min=1e-300)
    explained = explained.where(curves.x.diff(dim=-1) > 0, -1.0)
    split = explained.argmax(-1, keepdim=True)
    return -0.5 * (curves.x.gather(-1, split) + curves.x.gather(-1, split + 1))[:, 0]


def upright(functions: Sequence[SymbolicFunction], b: Constants, c: Constants) -> tuple[Constants, Constants]:
    """Make ``c`` positive by half a turn where the function allows it."""
    alternates = torch.tensor([[function.alternates] for function in functions], device=b.device)
    period = torch.tensor([[function.period or 1.0] for function in functions], dtype=b.dtype, device=b.device)
    down = alternates & (c < 0)
    return torch.where(down, nearest_turn(b + 0.5 * period, period), b), torch.where(down, -c, c)
