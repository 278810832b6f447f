r"""Levenberg-Marquardt on ``a`` and ``b`` of ``c f(a t + b) + d``, for many functions and curves at once.

``c`` and ``d`` are eliminated (variable projection: Golub & Pereyra 1973, in Kaufman's form): at each ``a, b`` they
take their least-squares values, and the slopes are projected on what those leave over. No step leaves the function's
domain between the smallest and the largest ``t``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kanlab.symbolic.dictionary import FAR
from kanlab.symbolic.entries import Power
from kanlab.symbolic.function import Domains, SymbolicFunction

#: Distance from a pole, relative to the range, that survives the rounding of ``a t + b`` to ``a x + b``.
_MARGIN = 1e-9
#: Loss (1 - R²) that is rounding, and one at which a step may fail by rounding.
_EXACT, _ROUNDING = 1e-29, 1e-22
#: Spread of ``f`` relative to its mean below which it counts as constant: rounding would decide the fit.
FLAT = 1e-9
#: A fit is done where a step gains no more than this part of the loss; a poor one sooner.
_LITTLE, _COARSE_LITTLE = 1e-4, 1e-2
#: Poor is a loss above this, or one this much larger than the edge's best; the latter gets only so many steps.
_POOR, _WORSE, _PATIENCE = 1e-2, 30.0, 4
#: The damping in the beginning, and that at which a poor and a good fit are given up.
_DAMPING, _SOME_DAMPING, _MOST_DAMPING = 1e-3, 1.0, 1e3


@dataclass(frozen=True)
class Rows:
    """Fits side by side, one a row, rows of the same function together and those of powers first.

    ``root`` is the root of the samples' weights, and ``v`` is multiplied by it.
    """

    functions: tuple[SymbolicFunction, ...]
    function: Int[Tensor, " row"]
    edge: Int[Tensor, " row"]
    t: Float[Tensor, "row m"]
    v: Float[Tensor, "row m"]
    root: Float[Tensor, "row m"]
    domains: Domains
    free_a: Float[Tensor, " row"]
    free_b: Float[Tensor, " row"]

    @classmethod
    def of(
        cls,
        functions: tuple[SymbolicFunction, ...],
        samples: tuple[Tensor, Tensor, Tensor],
        function: Int[Tensor, " row"],
        edge: Int[Tensor, " row"],
    ) -> Rows:
        """Lay out fits of ``functions[function]`` to the curves ``edge`` of the samples ``t, v, w``."""
        like, v, w = samples
        root = w.sqrt()
        free = [
            (float(f.gauge in ("scale", "phase", "free")), float(f.gauge in ("shift", "phase", "free")))
            for f in functions
        ]
        free_a, free_b = torch.tensor(free, dtype=like.dtype, device=like.device)[function].unbind(-1)
        domains = Domains.of([f.domain for f in functions], like)[function]
        return cls(functions, function, edge, like[edge], (root * v)[edge], root[edge], domains, free_a, free_b)

    def __getitem__(self, index: Tensor) -> Rows:
        samples = self.t[index], self.v[index], self.root[index]
        free = self.free_a[index], self.free_b[index]
        return Rows(self.functions, self.function[index], self.edge[index], *samples, self.domains[index], *free)

    def blocks(self) -> list[tuple[SymbolicFunction, slice]]:
        """Return the rows of each function that has some."""
        counts = torch.bincount(self.function, minlength=len(self.functions)).tolist()
        found, start = [], 0
        for function, count in zip(self.functions, counts, strict=True):
            if count:
                found.append((function, slice(start, start + count)))
                start += count
        return found


def powers_first(functions: Sequence[SymbolicFunction]) -> tuple[SymbolicFunction, ...]:
    """Sort as `Rows` wants it."""
    return tuple(sorted(functions, key=lambda function: not isinstance(function.torch_fn, Power)))


def values(functions: Sequence[SymbolicFunction], u: Float[Tensor, "function edge n"]) -> Tensor:
    """Evaluate a function a slice, powers (which come first) together."""
    exponents = [f.torch_fn.exponent for f in functions if isinstance(f.torch_fn, Power)]
    count = len(exponents)
    parts = [function(part) for function, part in zip(functions[count:], u[count:].unbind(0), strict=True)]
    others = [torch.stack(parts)] if parts else []
    powers = [torch.pow(u[:count], u.new_tensor(exponents).view(-1, 1, 1))] if count else []
    both = [*powers, *others]
    return both[0] if len(both) == 1 else torch.cat(both)


def _values_and_slopes(rows: Rows, u: Float[Tensor, "row m"]) -> tuple[Tensor, Tensor]:
    blocks = rows.blocks()
    powers = [(function.torch_fn.exponent, part) for function, part in blocks if isinstance(function.torch_fn, Power)]
    value, slope = [], []
    if powers:
        stop = powers[-1][1].stop
        counts = torch.tensor([part.stop - part.start for _, part in powers], device=u.device)
        exponent = u.new_tensor([p for p, _ in powers]).repeat_interleave(counts).unsqueeze(-1)
        inner = u[:stop]
        power = torch.pow(inner, exponent)
        value.append(power)
        slope.append(torch.where(inner == 0, 0.0, exponent * power / inner))
    for function, part in blocks[len(powers) :]:
        inner = u[part]
        value.append(function(inner))
        slope.append(function.derivative(inner))
    return torch.cat(value), torch.cat(slope)


@dataclass(frozen=True)
class Point:
    """One ``(a, b)`` a row with its ``c``, its loss ``1 - R²``, and the normal equations of the next step.

    The columns are ``a, b, loss, haa, hab, hbb, ga, gb``.
    """

    columns: Float[Tensor, "8 row"]

    @property
    def a(self) -> Float[Tensor, " row"]:
        """The inner factor."""
        return self.columns[0]

    @property
    def b(self) -> Float[Tensor, " row"]:
        """The inner shift."""
        return self.columns[1]

    @property
    def loss(self) -> Float[Tensor, " row"]:
        """What the best ``c`` and ``d`` leave over."""
        return self.columns[2]

    def __getitem__(self, rows: Tensor) -> Point:
        return Point(self.columns[:, rows])

    def put(self, rows: Tensor, part: Point) -> Point:
        """Return this point with some rows replaced."""
        return Point(self.columns.index_copy(1, rows, part.columns))


def evaluate(rows: Rows, a: Float[Tensor, " row"], b: Float[Tensor, " row"]) -> Point:
    """Project the data on ``f(a t + b)`` and a constant; the loss is infinite outside the domain."""
    u = torch.addcmul(b.unsqueeze(-1), a.unsqueeze(-1), rows.t)
    value, slope = _values_and_slopes(rows, u)
    # Multiplied by the roots of the weights: 1, the curve, what is left over, the slopes by b and a.
    parts = u.new_empty(len(u), 5, u.shape[-1])
    one, curve, rest, by_b, by_a = parts.unbind(1)
    one.copy_(rows.root)
    value = value * rows.root
    mean = (value * rows.root).sum(-1, keepdim=True)
    torch.addcmul(value, mean, rows.root, value=-1, out=curve)
    norm = curve.square().sum(-1)
    flat = norm <= (FLAT * mean[:, 0]) ** 2
    c = ((curve * rows.v).sum(-1) / norm).where(~flat, 0.0)
    torch.addcmul(rows.v, c.unsqueeze(-1), curve, value=-1, out=rest)
    torch.mul(slope, rows.root, out=by_b)
    torch.mul(by_b, rows.t, out=by_a)
    gram = torch.bmm(parts[:, 2:], parts.mT)
    loss, (with_one, with_curve, with_rest, squares) = gram[:, 0, 2], gram[:, 1:].split([1, 1, 1, 2], -1)
    left = squares - with_one * with_one.mT - with_curve * (with_curve / norm.view(-1, 1, 1)).mT
    c_b, c_a = c * rows.free_b, c * rows.free_a
    hessian = c_a * c_a * left[:, 1, 1], c_a * c_b * left[:, 0, 1], c_b * c_b * left[:, 0, 0]
    possible = inside(rows.domains, a, b) & ((b.abs() + a.abs() < FAR) | (rows.free_a == 0)) & loss.isfinite()
    loss = loss.where(possible, math.inf)
    return Point(torch.stack([a, b, loss, *hessian, c_a * with_rest[:, 1, 0], c_b * with_rest[:, 0, 0]]))


def inside(domains: Domains, a: Tensor, b: Tensor, margin: float = _MARGIN) -> Bool[Tensor, " row"]:
    """Say whether ``a t + b`` stays in the domain for ``t`` in [-1, 1], off its poles by the margin."""
    room = a.abs() * torch.where(domains.closed, 1.0, 1.0 + margin)
    return domains.covers(b - room, b + room) & room.isfinite()


def _step(point: Point, damping: Tensor) -> Float[Tensor, "2 row"]:
    """Return the damped step of ``a`` and ``b``."""
    _, _, _, haa, hab, hbb, ga, gb = point.columns.unbind(0)
    # A fixed parameter has a zero row; the floor makes its step zero instead of 0/0.
    haa, hbb = haa * (1 + damping) + 1e-30, hbb * (1 + damping) + 1e-30
    determinant = haa * hbb - hab * hab
    return torch.stack([hbb * ga - hab * gb, haa * gb - hab * ga]) / determinant


def _foretold(point: Point, step: Float[Tensor, "2 row"]) -> Float[Tensor, " row"]:
    """Return what a step should gain."""
    return (step * point.columns[6:]).sum(0)


def _share_inside(domains: Domains, point: Point, step: Float[Tensor, "2 row"]) -> Float[Tensor, " row"]:
    """Return the part of the step to take: nine tenths of the way to the domain's wall where it would cross it."""
    a, b = point.columns[:2]
    low, high = domains.walls
    ends, moves = torch.stack([b - a, b + a]), torch.stack([step[1] - step[0], step[1] + step[0]])
    room = 0.9 * (torch.where(moves > 0, high, low) - ends) / moves
    return room.where(moves != 0, 1.0).amin(0).clamp(0.0, 1.0)


def descend(rows: Rows, a: Float[Tensor, " row"], b: Float[Tensor, " row"], steps: int) -> Point:
    """Take at most ``steps`` damped steps from each start; a step that does not lower the loss is not taken.

    Rows with nothing left to gain are set aside, sooner if another function fits the same edge far better.
    """
    if not len(a):
        return Point(a.new_zeros(8, 0))
    point = result = evaluate(rows, a, b)
    damping = torch.full_like(a, _DAMPING)
    best = a.new_full((int(rows.edge.max()) + 1,), math.inf)
    live = torch.arange(len(a), device=a.device)
    active = point.loss > _EXACT
    for done in range(steps):
        best.scatter_reduce_(0, rows.edge, point.loss, "amin")
        behind = point.loss > _WORSE * best[rows.edge]
        poor = behind | (point.loss > _POOR)
        enough = torch.where(poor, _COARSE_LITTLE, _LITTLE) * point.loss
        active &= _foretold(point, _step(point, torch.zeros_like(damping))) > enough
        if done >= _PATIENCE:
            active &= ~behind
        count = int(active.sum())
        if not count:
            break
        if 4 * count <= 3 * len(active):
            result = result.put(live, point)
            chosen = active.nonzero()[:, 0]
            live, rows, point = live[chosen], rows[chosen], point[chosen]
            damping, active, poor, enough = damping[chosen], active[chosen], poor[chosen], enough[chosen]
        step = _step(point, damping)
        move = _share_inside(rows.domains, point, step) * step
        trial = evaluate(rows, *(point.columns[:2] + move))
        gain = point.loss - trial.loss
        better = active & (gain > 0)
        # Where little is left to gain, no step gains at the level of rounding; a poor fit may approach a straight line.
        most = torch.where(poor | (point.loss < _ROUNDING), _SOME_DAMPING, _MOST_DAMPING)
        active &= torch.where(better, (trial.loss > _EXACT) & (gain > enough), damping < most)
        point = Point(torch.where(better, trial.columns, point.columns))
        damping = torch.where(better, damping * 0.1, damping.clamp(min=1e-4) * 10.0)
    return result.put(live, point)
