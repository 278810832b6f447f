r"""Starting curves: for each function a set of ``f(a t + b)`` on ``t`` in [-1, 1], evaluated once.

One matrix product compares the curves of many edges with all of them. The gauge keeps the sets short: a power needs
only the distance of its singular point from the range, an exponential only its rate; only what is left over needs a
grid over ``a`` and ``b``. Curves that would leave the function's domain are not in the set.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.symbolic.curves import Curves
from kanlab.symbolic.function import SymbolicFunction

#: Points on which curves are compared.
_GRID = 64
#: Neighbourhoods of each set; starts come from different ones.
_BLOCKS = 8
#: Largest inner value of a starting curve, unless only ``b`` is free: far out, cosh is exp, and exp overflows.
FAR = 60.0
#: A further start must leave over no more than so many times what the first leaves over, and so much.
_RIVAL, _ALIKE = 10.0, 0.003
#: Distances from the range to a singular point, in half ranges; ``sqrt(x)`` from 0 on has its branch point at 0.
_NEAREST = (0.0, 1e-6, 1e-5, 1e-4)


def starts(
    functions: tuple[SymbolicFunction, ...], curves: Curves, count: int
) -> tuple[Float[Tensor, "function edge count"], Float[Tensor, "function edge count"]]:
    """Return ``a`` and ``b`` of each function's best starting curves for each edge, the best one first.

    ``a`` is NaN where there is none (left) that comes near the best one.
    """
    stacked = _stacked(functions, curves.t.device)
    v = curves.on_grid(_grid_points(curves.t.device))
    v = v - v.mean(-1, keepdim=True)
    v = v / torch.linalg.vector_norm(v, dim=-1, keepdim=True).clamp(min=1e-300)
    scores = (v.float() @ stacked.curves.T).square()
    a = curves.t.new_full((len(functions), curves.rows, count), math.nan)
    b = a.clone()
    for shelf in stacked.shelves:
        score = scores[:, shelf.rows].view(curves.rows, len(shelf.functions), _BLOCKS, -1)
        # The best of each neighbourhood; then those that beat their neighbours, so that the starts lie in different
        # valleys (a short piece of a bell can be its left or, upside down, its right flank).
        best, place = score.max(-1)
        around = torch.nn.functional.pad(best, (1, 1), value=-1.0)
        peak = (best >= around[..., :-2]) & (best >= around[..., 2:])
        chosen = (best + peak * (best.amax(-1, keepdim=True) + 1)).topk(count, -1).indices
        index = place.gather(-1, chosen) + chosen * score.shape[-1]
        left = 1 - best.gather(-1, chosen)
        far = left > _RIVAL * left[..., :1] + _ALIKE
        which = torch.arange(len(shelf.functions), device=a.device)[:, None]
        index = index.transpose(0, 1).flatten(1)
        shape = (len(shelf.functions), curves.rows, count)
        a[shelf.functions] = shelf.a[which, index].view(shape)
        b[shelf.functions] = shelf.b[which, index].view(shape)
        a[shelf.functions] = a[shelf.functions].masked_fill(far.transpose(0, 1), math.nan)
    return a, b


@dataclass(frozen=True)
class _Shelf:
    """Functions with sets of the same size."""

    functions: Int[Tensor, " shelf"]
    rows: slice
    a: Float[Tensor, "shelf size"]
    b: Float[Tensor, "shelf size"]


@dataclass(frozen=True)
class _Stacked:
    """All curves one below the other, centred and of unit size, shelf by shelf."""

    curves: Float[Tensor, "row grid"]
    shelves: list[_Shelf]


@functools.lru_cache(maxsize=8)
def _stacked(functions: tuple[SymbolicFunction, ...], device: torch.device) -> _Stacked:
    sets = [_start_set(function) for function in functions]
    by_size: dict[int, list[int]] = {}
    for position, (_, a, _) in enumerate(sets):
        if len(a):
            by_size.setdefault(math.ceil(math.log(len(a), 1.4)), []).append(position)
    rows, shelves, start = [torch.zeros(0, _GRID)], [], 0
    for positions in by_size.values():
        size = _BLOCKS * -(-max(len(sets[position][1]) for position in positions) // _BLOCKS)
        filled = [[_filled(part, size) for part in sets[position]] for position in positions]
        curves, a, b = (torch.stack(parts) for parts in zip(*filled, strict=True))
        stop = start + len(positions) * size
        shelves.append(_Shelf(torch.tensor(positions, device=device), slice(start, stop), a.to(device), b.to(device)))
        rows.append(curves.flatten(0, 1).float())
        start = stop
    return _Stacked(torch.cat(rows).to(device), shelves)


def _filled(values: Tensor, size: int) -> Tensor:
    """Repeat some rows, evenly spread, until there are ``size``."""
    return values[torch.arange(size) * len(values) // size]


@functools.lru_cache(maxsize=256)
def _start_set(function: SymbolicFunction) -> tuple[Tensor, Tensor, Tensor]:
    """Return the curves of a function, centred and of unit size, and their ``a`` and ``b``."""
    a, b = torch.tensor(_candidates(function), dtype=torch.float64).T
    curves = function(a[:, None] * _grid_points() + b[:, None]).double()
    size = curves.abs().amax(-1)
    keep = curves.isfinite().all(-1) & (size < 1e12) & (size > 1e-12) & function.domain.covers(b - a.abs(), b + a.abs())
    if function.gauge in ("scale", "phase", "free"):
        keep &= a.abs() + b.abs() < FAR
    curves = curves - curves.mean(-1, keepdim=True)
    keep &= curves.abs().amax(-1) > 1e-6 * size
    a, b, curves = a[keep], b[keep], curves[keep]
    return curves / curves.norm(dim=-1, keepdim=True).clamp(min=1e-300), a, b


def _grid_points(device: torch.device | None = None) -> Tensor:
    return torch.linspace(-1, 1, _GRID, dtype=torch.float64, device=device)


def _candidates(function: SymbolicFunction) -> list[tuple[float, float]]:
    """List starting ``(a, b)``, neighbours together."""
    if function.gauge in ("constant", "linear", "step"):
        return [(1.0, 0.0)]
    signs = (1.0,) if function.reflects else (1.0, -1.0)
    domain = function.domain
    walls = math.isfinite(domain.low), math.isfinite(domain.high)
    if function.gauge == "scale":
        return [(sign * a, 0.0) for sign in (1.0, -1.0) for a in _geometric(0.05, 25.0, 48)]
    if function.gauge == "phase":
        turn = (function.period or 2 * math.pi) / (2 if function.alternates else 1)
        return [(a, turn * k / 8) for a in (0.05, 0.1, *_even(0.2, 45.0, 180)) for k in range(8)]
    if function.gauge == "shift":
        return _shifts(function, signs)
    if function.waves:
        rates = (*_geometric(0.25, 3.0, 12), *_even(3.6, 30.0, 45))
        pairs = [(s * a, s * b) for s in signs for a in rates for b in _even(-a - 4, a + 4, math.ceil(2.5 * (a + 4)))]
        # Neighbours see the same side of the centre.
        return sorted(pairs, key=lambda pair: (round(4 * pair[1] / (abs(pair[0]) + 4)), pair[0]))
    if all(walls):
        middle, half = 0.5 * (domain.low + domain.high), 0.5 * (domain.high - domain.low)
        scales = (*_even(0.1, 0.95, 16), 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999, 1.0)
        # b from one wall to the other, the walls included.
        return [(s * a * half, middle + half * (1 - a) * r) for s in signs for r in _even(-1, 1, 25) for a in scales]
    if walls[0]:
        return [(s * a, domain.low + a * b) for s in signs for a in _geometric(0.05, 30.0, 20) for b in _beyond()]
    if domain.pole is not None and math.isfinite(domain.period):
        scales = [0.5 * domain.period * a for a in (*_even(0.05, 0.95, 19), 0.98, 0.99, 0.999)]
        return [
            (s * a, domain.pole + domain.period * r) for s in signs for r in _even(-0.99, -0.01, 41) for a in scales
        ]
    centres = (-4.0, -3.0, -2.0, -1.5, *_even(-1.2, 1.2, 25), 1.5, 2.0, 3.0, 4.0)
    return [(s * a, s * r * max(a, 1.0)) for s in signs for r in centres for a in _geometric(0.1, 30.0, 26)]


def _shifts(function: SymbolicFunction, signs: tuple[float, ...]) -> list[tuple[float, float]]:
    """List the starts of a function whose scale does not matter: its singular point outside, or anywhere."""
    domain = function.domain
    inside = _even(-1.0, 1.0, _GRID - 1) if not math.isfinite(domain.low) and domain.pole is None else []
    if math.isfinite(domain.low):
        return [(sign, b) for sign in signs for b in _beyond()]
    return [(1.0, b) for b in (*[-b for b in reversed(_beyond())], *inside, *_beyond())]


def _beyond() -> list[float]:
    return [1.0 + distance for distance in (*_NEAREST, *_geometric(1e-3, 16.0, 36))]


def _even(low: float, high: float, count: int) -> list[float]:
    return torch.linspace(low, high, count, dtype=torch.float64).tolist()


def _geometric(low: float, high: float, count: int) -> list[float]:
    return torch.logspace(math.log10(low), math.log10(high), count, dtype=torch.float64).tolist()
