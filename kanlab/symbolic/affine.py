r"""Fit ``c f(a x + b) + d`` to the curves of many edges, with many functions, at once.

Each edge's inputs are scaled to ``t`` in ``[-1, 1]``, so that one dictionary of curves ``f(a t + b)``, computed once,
holds starting points for all edges. A matrix product ranks them; the best few are refined by Levenberg-Marquardt steps
on ``a`` and ``b`` with ``c`` and ``d`` eliminated (variable projection: Golub & Pereyra 1973, Kaufman's form). The
steps use the edge's own samples, never interpolated ones: a curve that is exactly of the form is found exactly.

**Domains.** No start and no step leaves the function's domain anywhere between the smallest and the largest input: no
logarithm of a negative number, no pole inside the data.

**Gauge.** Some of the four constants are redundant. What is returned is

========================================  =========================================================
powers, roots, ``abs``, ``sgn``, ``log``  ``a = 1``; for half powers and ``log`` also ``a = -1``
``x``                                     ``a = 1``, ``b = 0``
``exp``                                   ``b = 0``, unless ``exp(a x)`` would leave the range of numbers
``sin``, ``cos``                          ``a > 0``, ``c > 0``, ``-π < b <= π``
``tan``                                   ``a > 0``, ``-π/2 < b <= π/2``
other even or odd functions               ``a > 0`` (also ``arccos``, ``sigmoid``: odd about a point)
``0``                                     ``a = 1``, ``b = 0``, ``c = 0``
========================================  =========================================================

``c`` and ``d`` are the least-squares values for the returned ``a`` and ``b`` on all samples, and ``r2`` and ``rmse``
are measured there: the true coefficient of determination, not a squared correlation.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanlab.symbolic.library import Domain, SymbolicFunction

#: Points on which the dictionary's curves are compared.
_GRID = 64
#: Each edge starts from the best curves of this many of the dictionary's neighbourhoods,
_STARTS = 3
_BLOCKS = 8
#: takes a few steps from each on a small subset of its samples,
_COARSE = 48
_COARSE_STEPS = 4
#: and goes on from the best on a larger one. A curve has no noise, so a subset determines it.
_FINE = 128
_FINE_STEPS = 20
_CHUNK = 60_000
_EVERYWHERE = Domain()
_FREE_A = ("scale", "phase", "free")
_FREE_B = ("shift", "phase", "free")
#: No inner value is larger, unless only ``b`` is free: far out, cosh is exp, and exp overflows.
_FAR = 60.0
#: Distance from a pole, relative to the range, that survives the rounding of ``a t + b`` to ``a x + b``.
_MARGIN = 1e-9
#: Loss (1 - R²) that is rounding.
_EXACT = 1e-29
#: Spread of ``f`` relative to its size below which it counts as constant: rounding would decide the fit.
_FLAT = 1e-9
#: Spread of ``y`` relative to its size below which a curve counts as constant.
_CONSTANT = 1e-14


@dataclass(frozen=True)
class AffineFit:
    """The constants of ``c f(a x + b) + d`` for each edge and function, and how well each fits.

    ``r2`` is 1 for a constant curve (``c = 0`` fits it) and ``-inf`` where the function cannot be placed on the edge's
    range at all; ``rmse`` is in the units of ``y``.
    """

    functions: tuple[SymbolicFunction, ...]
    a: Float[Tensor, "edge function"]
    b: Float[Tensor, "edge function"]
    c: Float[Tensor, "edge function"]
    d: Float[Tensor, "edge function"]
    r2: Float[Tensor, "edge function"]
    rmse: Float[Tensor, "edge function"]


def fit_affine(
    x: Float[Tensor, "edge n"],
    y: Float[Tensor, "edge n"],
    functions: Sequence[SymbolicFunction],
    weights: Float[Tensor, "edge n"] | Float[Tensor, " n"] | None = None,
) -> AffineFit:
    """Fit ``c f(a x + b) + d`` by least squares, for every edge (row) and every function.

    Parameters
    ----------
    x, y
        Samples of each edge's activation, in any order, where the data is.
    functions
        As from :func:`kanlab.symbolic.library.resolve`.
    weights
        Importance of the samples, not negative; all equal if not given.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples or no functions, or a number is not finite.

    Examples
    --------
    >>> from kanlab.symbolic.library import resolve
    >>> x = torch.linspace(-1, 1, 50, dtype=torch.float64)[None]
    >>> fit = fit_affine(x, 2 * torch.sin(3 * x + 0.5) - 1, resolve(["sin"]))
    >>> [round(float(v), 6) for v in (fit.a, fit.b, fit.c, fit.d, fit.r2)]
    [3.0, 0.5, 2.0, -1.0, 1.0]
    """
    functions = tuple(functions)
    x, y, w = _checked(x, y, functions, weights)
    with torch.no_grad():
        edges = _Edges.of(x, y, w)
        # Chunks of edges whose arrays stay in the processor's cache.
        size = max(1, _CHUNK // (len(functions) * _STARTS * _COARSE))
        chunks = [edges.chosen(slice(start, start + size)) for start in range(0, len(x), size)]
        parts = [_finish(chunk, functions, _search(chunk, functions)) for chunk in chunks]
    return AffineFit(functions, *(torch.cat(values, 1).T for values in zip(*parts, strict=True)))


@dataclass(frozen=True)
class _Edges:
    """The samples in scaled coordinates: ``t = (x - centre) / half`` in [-1, 1], ``v = (y - mean) / scale``."""

    x: Float[Tensor, "edge n"]
    y: Float[Tensor, "edge n"]
    t: Float[Tensor, "edge n"]
    v: Float[Tensor, "edge n"]
    w: Float[Tensor, "edge n"]
    low: Float[Tensor, "edge 1"]
    high: Float[Tensor, "edge 1"]
    mean: Float[Tensor, "edge 1"]
    scale: Float[Tensor, "edge 1"]
    constant: Float[Tensor, "edge 1"]

    @classmethod
    def of(cls, x: Tensor, y: Tensor, w: Tensor) -> _Edges:
        order = x.argsort(-1)
        x, y, w = x.gather(-1, order), y.gather(-1, order), w.gather(-1, order)
        low, high = x[:, :1], x[:, -1:]
        t = _scaled(x, low, high)
        mean = (w * y).sum(-1, keepdim=True)
        # A second pass removes the rounding of the first: |mean| may exceed the amplitude by orders of magnitude.
        mean = mean + (w * (y - mean)).sum(-1, keepdim=True)
        centred = y - mean
        scale = (w * centred * centred).sum(-1, keepdim=True).sqrt()
        constant = scale <= _CONSTANT * y.abs().amax(-1, keepdim=True)
        scale = scale.where(~constant, 1.0)
        return cls(x, y, t, (centred / scale).where(~constant, 0.0), w, low, high, mean, scale, constant)

    @property
    def rows(self) -> int:
        return self.x.shape[0]

    def chosen(self, rows: slice) -> _Edges:
        """Return some of the edges."""
        return _Edges(*(values[rows] for values in vars(self).values()))

    def subset(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Choose at most ``count`` samples, half evenly over the range, half over the ranks, each for its cell."""
        n = self.t.shape[-1]
        if n <= count:
            return self.t, self.v, self.w
        even = torch.linspace(-1, 1, count // 2, dtype=self.t.dtype, device=self.t.device).expand(self.rows, -1)
        by_range = torch.searchsorted(self.t, even.contiguous()).clamp(max=n - 1)
        by_rank = torch.linspace(0, n - 1, count - count // 2, device=self.t.device).round().long()
        index = torch.cat([by_range, by_rank.expand(self.rows, -1)], -1).sort(-1).values
        # A sample counts for all ranks nearer to it than to the next chosen one (a repeated one's cell is empty).
        middle = (index[:, 1:] + index[:, :-1] + 1) // 2
        edge = torch.zeros_like(index[:, :1])
        bounds = torch.cat([edge, middle, edge + n], -1)
        total = torch.cat([torch.zeros_like(self.w[:, :1]), self.w.cumsum(-1)], -1).gather(-1, bounds)
        return self.t.gather(-1, index), self.v.gather(-1, index), total.diff(dim=-1).clamp(min=0)

    def on_grid(self) -> tuple[Tensor, Tensor]:
        """Interpolate the curve at the dictionary's points; weigh each by the samples around it."""
        grid = _grid_points(self.t.dtype, self.t.device).expand(self.rows, -1).contiguous()
        n = self.t.shape[-1]
        right = torch.searchsorted(self.t, grid).clamp(1, max(n - 1, 1)).clamp(max=n - 1)
        left = (right - 1).clamp(min=0)
        t0, t1 = self.t.gather(-1, left), self.t.gather(-1, right)
        share = ((grid - t0) / (t1 - t0).clamp(min=1e-12)).clamp(0, 1)
        v = torch.lerp(self.v.gather(-1, left), self.v.gather(-1, right), share)
        cell = ((self.t + 1) * (0.5 * (_GRID - 1))).round().long()
        density = torch.zeros_like(grid).scatter_add_(-1, cell, self.w)
        # Sparse parts keep a voice: there a wrong function shows.
        return v, 0.5 * density + 0.5 / _GRID


def _checked(x: Tensor, y: Tensor, functions: tuple, weights: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``x``, ``y`` in double precision and normalised weights, or say what is wrong."""
    if x.ndim != 2 or x.shape != y.shape or 0 in x.shape:
        raise ValueError(
            f"x and y must be [edges, samples] with at least one of each: x is {tuple(x.shape)}, y {tuple(y.shape)}"
        )
    if not functions:
        raise ValueError("functions is empty: give at least one, such as resolve(None)")
    x, y = x.detach().double(), y.detach().double()
    w = torch.ones_like(x) if weights is None else weights.detach().double().expand(x.shape)
    for name, values in (("x", x), ("y", y), ("weights", w)):
        bad = int((~values.isfinite()).sum())
        if bad:
            raise ValueError(f"{name} must be finite: {bad} of {values.numel()} samples are NaN or infinite")
    total = w.sum(-1, keepdim=True)
    if bool((w < 0).any()) or bool((total <= 0).any()):
        raise ValueError("weights must not be negative, and each edge needs one that is positive")
    return x, y, w / total


def _scaled(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Map ``[low, high]`` to [-1, 1], the ends exactly; a range without width to 0."""
    half = 0.5 * (high - low)
    return (((x - low) - half) / half.where(half > 0, 1.0)).clamp(-1, 1)


# --- the dictionary --------------------------------------------------------------------------------------------------


def _grid_points(dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.linspace(-1, 1, _GRID, dtype=dtype, device=device)


@dataclass(frozen=True)
class _Dictionary:
    """Curves ``f(a t + b)`` of one function, in ``_BLOCKS`` neighbourhoods of equal size."""

    curves: Float[Tensor, "row grid"]
    a: Float[Tensor, " row"]
    b: Float[Tensor, " row"]


def _candidates(function: SymbolicFunction) -> list[tuple[float, float]]:
    """List starting ``(a, b)`` for ``t`` in [-1, 1], neighbours together; gauge and domain keep the list short."""
    signs = (1.0,) if function.reflects else (1.0, -1.0)
    # Distances from the range to a singular point. 0 is one of them: sqrt(x) from 0 on has its branch point there.
    beyond = [0.0, 1e-6, 1e-5, 1e-4, *_geometric(1e-3, 16.0, 36)]
    domain = function.domain
    bounded = math.isfinite(domain.low) and math.isfinite(domain.high)
    if function.gauge in ("constant", "linear", "step"):
        return [(1.0, 0.0)]
    if function.gauge == "scale":
        return [(sign * a, 0.0) for sign in (1.0, -1.0) for a in _geometric(0.05, 25.0, 48)]
    if function.gauge == "phase":
        turn = (function.period or 2 * math.pi) / (2 if function.alternates else 1)
        return [(a, turn * k / 8) for a in (0.05, 0.1, *_even(0.2, 45.0, 180)) for k in range(8)]
    if function.gauge == "shift":
        inside = _even(-1.0, 1.0, _GRID - 1) if not math.isfinite(domain.low) and domain.pole is None else []
        outside = [1.0 + distance for distance in beyond]
        if not math.isfinite(domain.low):
            return [(1.0, b) for b in (*[-b for b in reversed(outside)], *inside, *outside)]
        return [(sign, b) for sign in (1.0, -1.0) for b in outside]
    if bounded:
        middle, half = 0.5 * (domain.low + domain.high), 0.5 * (domain.high - domain.low)
        scales = (*_even(0.1, 0.95, 16), 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999, 1.0)
        # b from one wall to the other, the walls included.
        return [(s * a * half, middle + half * (1 - a) * r) for s in signs for r in _even(-1, 1, 25) for a in scales]
    if domain.pole is not None and math.isfinite(domain.period):
        scales = [0.5 * domain.period * a for a in (*_even(0.05, 0.95, 19), 0.98, 0.99, 0.999)]
        return [
            (s * a, domain.pole + domain.period * r) for s in signs for r in _even(-0.99, -0.01, 41) for a in scales
        ]
    centres = (-4.0, -3.0, -2.0, -1.5, *_even(-1.2, 1.2, 25), 1.5, 2.0, 3.0, 4.0)
    return [(s * a, s * r * max(a, 1.0)) for s in signs for r in centres for a in _geometric(0.1, 30.0, 26)]


def _even(low: float, high: float, count: int) -> list[float]:
    return torch.linspace(low, high, count, dtype=torch.float64).tolist()


def _geometric(low: float, high: float, count: int) -> list[float]:
    return torch.logspace(math.log10(low), math.log10(high), count, dtype=torch.float64).tolist()


@functools.lru_cache(maxsize=128)
def _dictionary(function: SymbolicFunction, dtype: torch.dtype, device: torch.device) -> _Dictionary:
    """Evaluate a function's starting curves, leaving out those not finite, not in the domain or flat."""
    a, b = torch.tensor(_candidates(function), dtype=dtype, device=device).T
    u = a[:, None] * _grid_points(dtype, device) + b[:, None]
    curves = function(u).to(dtype)
    size = curves.abs().amax(-1)
    keep = curves.isfinite().all(-1) & (size < 1e8) & function.domain.covers(b - a.abs(), b + a.abs())
    if function.gauge in _FREE_A:
        keep &= a.abs() + b.abs() < _FAR
    if function.gauge not in ("constant", "linear"):
        keep &= (curves - curves.mean(-1, keepdim=True)).abs().amax(-1) > 1e-6 * size
    a, b, curves = a[keep], b[keep], curves[keep]
    if len(a) == 0:
        return _Dictionary(curves, a, b)
    size = -(-len(a) // _BLOCKS)
    index = torch.arange(size * _BLOCKS, device=device).clamp(max=len(a) - 1)
    curves = curves[index]
    # Centred and of unit size, so that the weighted moments below do not cancel.
    curves = curves - curves.mean(-1, keepdim=True)
    curves = curves / curves.norm(dim=-1, keepdim=True).clamp(min=1e-300)
    return _Dictionary(curves, a[index], b[index])


@functools.lru_cache(maxsize=8)
def _stacked(functions: tuple[SymbolicFunction, ...], dtype: torch.dtype, device: torch.device):
    """Return the curves of all functions one below the other, their squares, and each function's dictionary."""
    parts = tuple(_dictionary(function, dtype, device) for function in functions)
    curves = torch.cat([part.curves for part in parts])
    return curves, curves * curves, parts


def _starts(edges: _Edges, functions: tuple[SymbolicFunction, ...]) -> tuple[Tensor, Tensor]:
    """Return ``a`` and ``b`` ``[function, edge, start]`` of the best starting curves; NaN where there is none."""
    curves, squares, parts = _stacked(functions, edges.t.dtype, edges.t.device)
    v, w = edges.on_grid()
    w = w / w.sum(-1, keepdim=True)
    v = v - (w * v).sum(-1, keepdim=True)
    first, second, cross = w @ curves.T, w @ squares.T, (w * v) @ curves.T
    scores = (cross * cross / (second - first * first).clamp(min=1e-300)).split([len(part.a) for part in parts], -1)
    found = []
    for part, score in zip(parts, scores, strict=True):
        if len(part.a) == 0:
            found.append(torch.full((2, edges.rows, _STARTS), math.nan, dtype=v.dtype, device=v.device))
            continue
        # The best of each neighbourhood; then those that beat their neighbours, so that the starts lie in different
        # valleys (a short piece of a bell can be its left or, upside down, its right flank).
        best, place = score.reshape(edges.rows, _BLOCKS, -1).max(-1)
        around = torch.nn.functional.pad(best, (1, 1), value=-1.0)
        peak = (best >= around[:, :-2]) & (best >= around[:, 2:])
        chosen = (best + 2.0 * peak).topk(_STARTS, -1).indices
        index = place.gather(-1, chosen) + chosen * (score.shape[-1] // _BLOCKS)
        found.append(torch.stack([part.a[index], part.b[index]]))
    a, b = torch.stack(found, 1)
    return a, b


# --- variable projection ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Problem:
    """What the steps fit, on ``m`` samples; ``root`` is the root of the weights and ``v`` is multiplied by it."""

    functions: tuple[SymbolicFunction, ...]
    t: Float[Tensor, "edge 1 m"]
    v: Float[Tensor, "edge 1 m"]
    root: Float[Tensor, "edge 1 m"]
    free_a: Float[Tensor, "function 1 1"]
    free_b: Float[Tensor, "function 1 1"]
    bounded: Bool[Tensor, "function 1 1"]
    low: Float[Tensor, "function 1 1"]
    high: Float[Tensor, "function 1 1"]

    @classmethod
    def of(cls, functions: tuple[SymbolicFunction, ...], t: Tensor, v: Tensor, w: Tensor) -> _Problem:
        w = w / w.sum(-1, keepdim=True)
        root = w.sqrt()
        v = root * (v - (w * v).sum(-1, keepdim=True))

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=t.dtype, device=t.device)[:, None, None]

        free_a = column([f.gauge in _FREE_A for f in functions])
        free_b = column([f.gauge in _FREE_B for f in functions])
        walls = column([f.domain.low for f in functions]), column([f.domain.high for f in functions])
        return cls(functions, t[:, None], v[:, None], root[:, None], free_a, free_b, free_a > 0, *walls)

    def only(self, rows: list[int]) -> _Problem:
        """Return the problem of some of the functions."""
        functions = tuple(self.functions[row] for row in rows)
        columns = (self.free_a, self.free_b, self.bounded, self.low, self.high)
        return _Problem(functions, self.t, self.v, self.root, *(values[rows] for values in columns))


@dataclass(frozen=True)
class _Point:
    """One ``(a, b)`` per function, edge and start: the curve (centred, weighted), the best ``c``, and what is left."""

    a: Float[Tensor, "function edge start"]
    b: Float[Tensor, "function edge start"]
    curve: Float[Tensor, "function edge start m"]
    norm: Float[Tensor, "function edge start"]
    c: Float[Tensor, "function edge start"]
    rest: Float[Tensor, "function edge start m"]
    loss: Float[Tensor, "function edge start"]

    def where(self, good: Tensor, other: _Point) -> _Point:
        """Take this point where ``good``, the other elsewhere."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Point(*(torch.where(good if p.ndim == good.ndim else good[..., None], p, q) for p, q in pairs))


def _inside(functions: Sequence[SymbolicFunction], low: Tensor, high: Tensor, margin: float) -> Tensor:
    """Say whether ``[low, high]`` lies in the domain of the function of axis 0, off its poles by the margin."""
    inside = low.isfinite() & high.isfinite()
    for row, function in enumerate(functions):
        if function.domain != _EVERYWHERE:
            room = 0.0 if function.domain.closed else margin * (high[row] - low[row])
            inside[row] &= function.domain.covers(low[row] - room, high[row] + room)
    return inside


def _evaluate(problem: _Problem, a: Tensor, b: Tensor) -> _Point:
    """Project the data on ``f(a t + b)`` and a constant; the loss is infinite outside the domain."""
    u = a[..., None] * problem.t + b[..., None]
    values = torch.stack([function(u[row]) for row, function in enumerate(problem.functions)])
    curve = problem.root * values
    curve = curve - (curve * problem.root).sum(-1, keepdim=True) * problem.root
    norm = (curve * curve).sum(-1)
    flat = norm <= (_FLAT * values.abs().amax(-1)) ** 2
    c = ((curve * problem.v).sum(-1) / norm).where(~flat, 0.0)
    rest = problem.v - c[..., None] * curve
    loss = (rest * rest).sum(-1)
    inside = _inside(problem.functions, b - a.abs(), b + a.abs(), _MARGIN)
    inside = inside & ((b.abs() + a.abs() < _FAR) | ~problem.bounded)
    return _Point(a, b, curve, norm, c, rest, loss.where(inside & loss.isfinite(), math.inf))


def _step(problem: _Problem, point: _Point, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Return the Levenberg-Marquardt step of ``a`` and ``b``, with ``c`` and ``d`` following (Kaufman's Jacobian)."""
    u = point.a[..., None] * problem.t + point.b[..., None]
    slope = torch.stack([function.derivative(u[row]) for row, function in enumerate(problem.functions)])
    by_b = point.c[..., None] * problem.root * slope
    by_a = by_b * problem.t

    def projected(jacobian: Tensor) -> Tensor:
        jacobian = jacobian - (jacobian * problem.root).sum(-1, keepdim=True) * problem.root
        return jacobian - ((jacobian * point.curve).sum(-1) / point.norm)[..., None] * point.curve

    by_a, by_b = projected(by_a) * problem.free_a[..., None], projected(by_b) * problem.free_b[..., None]
    haa, hab, hbb = (by_a * by_a).sum(-1), (by_a * by_b).sum(-1), (by_b * by_b).sum(-1)
    ga, gb = (by_a * point.rest).sum(-1), (by_b * point.rest).sum(-1)
    # A fixed parameter has a zero row; the floor makes its step zero instead of 0/0.
    haa, hbb = haa * (1 + damping) + 1e-30, hbb * (1 + damping) + 1e-30
    determinant = haa * hbb - hab * hab
    return (hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant


def _share_inside(problem: _Problem, point: _Point, da: Tensor, db: Tensor) -> Tensor:
    """Return the part of the step to take: nine tenths of the way to the domain's wall where it would cross it."""
    share = torch.ones_like(da)
    for end, move in ((point.b - point.a, db - da), (point.b + point.a, db + da)):
        wall = torch.where(move > 0, problem.high, problem.low)
        share = torch.minimum(share, (0.9 * (wall - end) / move).where(move != 0, 1.0))
    return share.clamp(min=0)


def _descend(problem: _Problem, a: Tensor, b: Tensor, damping: Tensor, steps: int) -> tuple[_Point, Tensor]:
    """Take at most ``steps`` damped steps from each start; a step that does not lower the loss is not taken."""
    point = _evaluate(problem, a, b)
    return _continue(problem, point, damping, point.loss > _EXACT, steps)


def _continue(problem: _Problem, point: _Point, damping: Tensor, active: Tensor, steps: int) -> tuple[_Point, Tensor]:
    """Go on from ``point`` where ``active``; functions with nothing left to gain on any edge are set aside."""
    for left in reversed(range(steps)):
        da, db = _step(problem, point, damping)
        share = _share_inside(problem, point, da, db)
        trial = _evaluate(problem, point.a + share * da, point.b + share * db)
        better = active & (trial.loss < point.loss)
        # Nothing left to gain: rounding level, a nearly undamped step that gains next to nothing, or no step gains.
        little = better & (point.loss - trial.loss < 1e-4 * point.loss) & (damping < 1e-2)
        active = active & ~little & (better | (damping < 1e3)) & ~(better & (trial.loss <= _EXACT))
        point = trial.where(better, point)
        damping = torch.where(better, damping * 0.1, damping * 6.0)
        rows = active.flatten(1).any(-1).nonzero()[:, 0].tolist()
        if not rows:
            break
        if 4 * len(rows) <= 3 * len(problem.functions):
            part = _Point(*(values[rows] for values in vars(point).values()))
            part, tail = _continue(problem.only(rows), part, damping[rows], active[rows], left)
            index = torch.tensor(rows, device=damping.device)
            pairs = zip(vars(point).values(), vars(part).values(), strict=True)
            return _Point(*(v.index_copy(0, index, p) for v, p in pairs)), damping.index_copy(0, index, tail)
    return point, damping


def _search(edges: _Edges, functions: tuple[SymbolicFunction, ...]) -> _Point:
    """Return the best point of each function on each edge's samples, for ``t``."""
    a, b = _starts(edges, functions)
    problem = _Problem.of(functions, *edges.subset(_COARSE))
    point, damping = _descend(problem, a, b, torch.full_like(a, 1e-3), _COARSE_STEPS)
    best = point.loss.argmin(-1, keepdim=True)
    a, b, damping = (values.gather(-1, best) for values in (point.a, point.b, damping))
    return _descend(_Problem.of(functions, *edges.subset(_FINE)), a, b, damping, _FINE_STEPS)[0]


# --- all samples, and from t to x ------------------------------------------------------------------------------------


def _finish(edges: _Edges, functions: tuple[SymbolicFunction, ...], point: _Point) -> tuple[Tensor, ...]:
    """Return ``a, b, c, d, r2, rmse`` ``[function, edge]`` for ``x``, measured on all samples."""
    a, b = _to_inputs(edges, functions, point.a[..., 0], point.b[..., 0])
    for row, function in enumerate(functions):
        if function.gauge == "step":
            b[row] = _threshold(edges)
        elif function.period is not None:
            b[row] = _reduced_phase(edges, function, a[row], b[row])
        elif function.domain.closed:
            a[row], b[row] = _nudged(edges, function, a[row], b[row])
    ends = torch.stack([a * edges.low.T + b, a * edges.high.T + b])
    possible = point.loss[..., 0].isfinite() & _inside(functions, ends.amin(0), ends.amax(0), 0.0)
    a, b = a.where(possible, 1.0), b.where(possible, 0.0)
    return a, b, *_measured(edges, functions, a, b, possible)


def _to_inputs(edges: _Edges, functions: tuple[SymbolicFunction, ...], a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Turn ``a t + b`` into ``a x + b`` with what is redundant removed (the module's docstring says how)."""
    low, high = edges.low.T, edges.high.T
    half = (0.5 * (high - low)).where(high > low, 1.0)
    centre = low + 0.5 * (high - low)
    out_a, out_b = torch.ones_like(a), torch.zeros_like(b)
    for row, function in enumerate(functions):
        if function.gauge in ("shift", "step"):
            out_a[row] = a[row].sign()
            out_b[row] = half[0] * b[row] / a[row].abs() - out_a[row] * centre[0]
        elif function.gauge not in ("constant", "linear"):
            out_a[row] = a[row] / half[0]
            out_b[row] = b[row] - out_a[row] * centre[0]
        if function.gauge == "scale":
            far = torch.maximum((out_a[row] * low[0]).abs(), (out_a[row] * high[0]).abs()) > _FAR
            out_b[row] = out_b[row].where(far, 0.0)
        if function.reflects:
            sign = torch.where(out_a[row] < 0, -1.0, 1.0)
            out_a[row], out_b[row] = out_a[row] * sign, out_b[row] * sign
    return out_a, out_b


def _threshold(edges: _Edges) -> Float[Tensor, " edge"]:
    """Return ``b`` of the best ``f(x + b)`` for a function that jumps at 0 and is constant elsewhere.

    Every split of the sorted samples is tried: with the data centred, a split that leaves weight ``W`` and sum ``S`` to
    its left explains ``S^2 / (W (1 - W))``.
    """
    if edges.x.shape[-1] < 2:
        return -edges.x[:, 0]
    left = edges.w.cumsum(-1)[:, :-1]
    total = (edges.w * edges.v).cumsum(-1)[:, :-1]
    explained = total.square() / (left * (1 - left)).clamp(min=1e-300)
    explained = explained.where(edges.x.diff(dim=-1) > 0, -1.0)
    split = explained.argmax(-1, keepdim=True)
    return -0.5 * (edges.x.gather(-1, split) + edges.x.gather(-1, split + 1))[:, 0]


def _reduced_phase(edges: _Edges, function: SymbolicFunction, a: Tensor, b: Tensor) -> Float[Tensor, " edge"]:
    """Bring ``b`` into the half-open period around 0, after half a turn where that makes ``c`` positive."""
    period = function.period or math.inf
    if function.alternates:
        slope = (edges.w * edges.v * function(a[:, None] * edges.x + b[:, None])).sum(-1)
        b = b + 0.5 * period * (slope < 0)
    return b - period * torch.ceil(b / period - 0.5)


def _nudged(edges: _Edges, function: SymbolicFunction, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Undo the rounding by which the end of a range may have crossed a wall that belongs to the domain."""
    domain = function.domain
    for _ in range(3):
        ends = torch.stack([a * edges.low[:, 0] + b, a * edges.high[:, 0] + b])
        low, high = ends.amin(0), ends.amax(0)
        under, over = (domain.low - low).clamp(min=0), (high - domain.high).clamp(min=0)
        small = under + over <= 1e-9 * (high - low)
        if math.isfinite(domain.high):
            a = torch.where(small & (under + over > 0), a * (1 - (under + over) / (high - low)), a)
        b = torch.where(small, b + under - over, b)
    return a, b


def _measured(edges: _Edges, functions: tuple, a: Tensor, b: Tensor, possible: Tensor) -> tuple[Tensor, ...]:
    """Return ``c, d, r2, rmse`` by linear least squares on all samples, measured with these very constants."""
    values = torch.stack(
        [function(a[row, :, None] * edges.x + b[row, :, None]) for row, function in enumerate(functions)]
    )
    mean = (edges.w * values).sum(-1, keepdim=True)
    centred = values - mean
    norm = (edges.w * centred * centred).sum(-1)
    flat = norm <= (_FLAT * values.abs().amax(-1)) ** 2
    c = edges.scale.T * ((edges.w * centred * edges.v).sum(-1) / norm).where(possible & ~flat, 0.0)
    d = edges.mean.T - (c * mean[..., 0]).where(c != 0, 0.0)
    rest = edges.y - d[..., None] - (c[..., None] * values).where(c[..., None] != 0, 0.0)
    rmse = (edges.w * rest * rest).sum(-1).sqrt()
    r2 = (1 - (rmse / edges.scale.T) ** 2).where(~edges.constant.T, 1.0)
    return c, d, r2.where(possible, -math.inf), rmse.where(possible, math.inf)
