r"""Fit ``c f(a x + b) + d`` to the curves of many edges, with many functions, at once.

Each edge's inputs are scaled to ``t`` in ``[-1, 1]`` (`kanlab.symbolic.curves`), so that one dictionary of curves
``f(a t + b)``, computed once, holds starting points for all edges (`kanlab.symbolic.dictionary`). A matrix product
ranks them; the best few are refined by Levenberg-Marquardt steps (`kanlab.symbolic.varpro`) on the edge's own samples,
never interpolated ones: a curve that is exactly of the form is found exactly. What is redundant in the four constants
is then removed (`kanlab.symbolic.gauge`).

No start and no step leaves the function's domain anywhere between the smallest and the largest input: no logarithm of
a negative number, no pole inside the data.

``c`` and ``d`` are the least-squares values for the returned ``a`` and ``b`` on all samples, and ``r2`` and ``rmse``
are measured there: the true coefficient of determination, not a squared correlation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.symbolic import gauge, varpro
from kanlab.symbolic.curves import Curves
from kanlab.symbolic.dictionary import starts
from kanlab.symbolic.function import Domains, SymbolicFunction
from kanlab.symbolic.library import get

#: Each edge starts from this many of the dictionary's curves,
_STARTS = 3
#: takes a few steps from each on a small subset of its samples,
_COARSE, _COARSE_STEPS = 32, 3
#: and goes on from the best on a larger one. A curve has no noise, so a subset determines it.
_FINE, _FINE_STEPS = 96, 24
#: Edges at a time, and numbers in an array: many share the cost of a call, few stay in the processor's cache.
_CHUNK, _NUMBERS = 40, 128_000


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


_NAMES = ("a", "b", "c", "d", "r2", "rmse")


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
    leaders = varpro.powers_first(list(dict.fromkeys(map(_leader, functions))))
    with torch.no_grad():
        curves = Curves.of(x, y, w)
        chunks = [curves.chosen(slice(start, start + _CHUNK)) for start in range(0, len(x), _CHUNK)]
        parts = [_fit(leaders, chunk) for chunk in chunks]
        constants = dict(zip(_NAMES, (torch.cat(part, 1).T for part in zip(*parts, strict=True)), strict=True))
    columns = [leaders.index(_leader(function)) for function in functions]
    fit = AffineFit(functions, **{name: values[:, columns] for name, values in constants.items()})
    for column, function in enumerate(functions):
        _take_twin(fit, column, function)
    return fit


def _leader(function: SymbolicFunction) -> SymbolicFunction:
    """Return the function that is fitted in place of this one: its twin, if it has one."""
    return get(function.twin.name) if function.twin else function


def _take_twin(fit: AffineFit, column: int, function: SymbolicFunction) -> None:
    """Turn the constants of a function's twin into its own: ``g(z) = (f((z - b) / a) - d) / c``."""
    if function.twin is None:
        return
    a, b, c, d = fit.a[:, column], fit.b[:, column], fit.c[:, column], fit.d[:, column]
    twin = function.twin
    b.sub_(twin.b).div_(twin.a)
    a.div_(twin.a)
    c.div_(twin.c)
    d.sub_(c * twin.d)
    if function.period:
        b.copy_(gauge.nearest_turn(b, function.period))


def _fit(functions: tuple[SymbolicFunction, ...], curves: Curves) -> tuple[Tensor, ...]:
    """Return ``a, b, c, d, r2, rmse`` ``[function, edge]``."""
    a, b, possible = _search(functions, curves)
    a, b = gauge.to_inputs(functions, curves, a, b)
    for row, function in enumerate(functions):
        if function.gauge == "step":
            b[row] = gauge.threshold(curves)
    domains = Domains.of([function.domain for function in functions], a).against()
    ends = torch.stack([a * curves.low.T + b, a * curves.high.T + b])
    possible &= domains.covers(ends.amin(0), ends.amax(0))
    a, b = a.where(possible, 1.0), b.where(possible, 0.0)
    c, d, r2, rmse = _measured(functions, curves, a, b, possible)
    b, c = gauge.upright(functions, b, c)
    return a, b, c, d, r2, rmse


def _search(functions: tuple[SymbolicFunction, ...], curves: Curves) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best ``a`` and ``b`` for ``t`` of each function on each edge, and whether there are any."""
    a, b = starts(functions, curves, _STARTS)
    free = [function.constants > 0 and function.gauge != "step" for function in functions]
    free = torch.tensor(free, device=a.device)
    found_a, found_b, loss = a[..., 0].clone(), b[..., 0].clone(), torch.zeros_like(a[..., 0])
    function, edge, start = (a.isfinite() & free[:, None, None]).nonzero(as_tuple=True)
    if len(function):
        rows = varpro.Rows.of(functions, curves.subset(_COARSE), function, edge)
        point = varpro.descend(rows, a[function, edge, start], b[function, edge, start], _COARSE_STEPS)
        coarse = torch.full_like(a, math.inf)
        coarse[function, edge, start], a[function, edge, start], b[function, edge, start] = point.loss, point.a, point.b
        best = coarse.argmin(-1, keepdim=True)
        a, b = a.gather(-1, best)[..., 0], b.gather(-1, best)[..., 0]
        function, edge = (a.isfinite() & free[:, None]).nonzero(as_tuple=True)
        rows = varpro.Rows.of(functions, curves.subset(_FINE), function, edge)
        point = varpro.descend(rows, a[function, edge], b[function, edge], _FINE_STEPS)
        found_a[function, edge], found_b[function, edge], loss[function, edge] = point.a, point.b, point.loss
    possible = (found_a.isfinite() & loss.isfinite()) | ~free[:, None]
    return found_a.where(free[:, None] & possible, 1.0), found_b.where(free[:, None] & possible, 0.0), possible


def _measured(
    functions: tuple[SymbolicFunction, ...], curves: Curves, a: Tensor, b: Tensor, possible: Tensor
) -> tuple[Tensor, ...]:
    """Return ``c, d, r2, rmse`` by linear least squares on all samples, measured with these very constants.

    Some functions at a time: the arrays are then small enough to stay in the cache.
    """
    size = max(1, _NUMBERS // curves.x.numel())
    blocks = [slice(start, start + size) for start in range(0, len(functions), size)]
    parts = [_measured_together(functions[block], curves, a[block], b[block]) for block in blocks]
    c, d, rmse = (torch.cat(part) for part in zip(*parts, strict=True))
    r2 = (1 - (rmse / curves.scale.T) ** 2).where(~curves.constant.T, 1.0)
    c, d = c.where(possible, 0.0), d.where(possible, curves.mean.T)
    return c, d, r2.where(possible, -math.inf), rmse.where(possible, math.inf)


def _measured_together(
    functions: tuple[SymbolicFunction, ...], curves: Curves, a: Tensor, b: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    # Not fused: rounded as the network rounds it, or a range may cross the wall of its domain.
    values = varpro.values(functions, (a[..., None] * curves.x).add_(b[..., None]))
    root = curves.w.sqrt()
    mean = torch.einsum("fen,en->fe", values, curves.w)
    centred = (values - mean[..., None]).mul_(root)
    norm = torch.linalg.vector_norm(centred, dim=-1)
    flat = ~(norm > varpro.FLAT * mean.abs())
    product = torch.einsum("fen,en->fe", centred, root * curves.v)
    c = curves.scale.T * (product / norm.square()).where(~flat, 0.0)
    d = curves.mean.T - (c * mean).where(~flat, 0.0)
    if bool(flat.any()):
        values[flat] = 0.0
    rest = torch.addcmul(d[..., None], c[..., None], values).sub_(curves.y).mul_(root)
    return c, d, torch.linalg.vector_norm(rest, dim=-1)


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
