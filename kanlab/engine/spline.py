r"""B-splines as pure functions.

A spline of degree ``k`` on ``G`` intervals is ``s(x) = sum_b coef[b] B_b(x)`` with ``G + k`` bases on ``G + 2k + 1``
knots, of which the middle ``G + 1`` span the data and ``k`` pad each side (de Boor, *A Practical Guide to Splines*,
ch. IX; KAN paper, arXiv 2404.19756, eq. 2.11). At any ``x`` only ``k + 1`` bases are nonzero, so they are computed
there and nowhere else: on even knots as polynomials of the place in the interval, on others by de Boor's triangle.
Beyond the outermost intervals the end polynomial continues.

Shapes: ``x`` ``[*s, in_dim, N]``, ``knots`` ``[*s, in_dim, G + 2k + 1]``, ``coef`` ``[*s, in_dim, out_dim, G + k]``.
"""

from __future__ import annotations

import functools
import math
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

#: Relative width below which an interval counts as empty: repeated knots would make the bases 0/0.
MIN_GAP = 1e-3


def extend_knots(points: Float[Tensor, "*s in_dim g1"], k: int) -> Float[Tensor, "*s in_dim knots"]:
    """Pad ``G + 1`` grid points with ``k`` evenly spaced knots on each side.

    >>> extend_knots(torch.tensor([[0.0, 1.0, 2.0]]), 1)
    tensor([[-1.,  0.,  1.,  2.,  3.]])
    """
    low, high = points[..., :1], points[..., -1:]
    step = (high - low) / (points.shape[-1] - 1)
    pad = torch.arange(1, k + 1, dtype=points.dtype, device=points.device)
    return torch.cat([low - step * pad.flip(0), points, high + step * pad], -1)


def uniform_knots(
    low: float, high: float, grid: int, k: int, *, in_dim: int = 1, dtype: torch.dtype | None = None
) -> Float[Tensor, "i knots"]:
    """Return evenly spaced knots for ``grid`` intervals on ``[low, high]``, the same for each input.

    >>> uniform_knots(-1, 1, 2, 1)
    tensor([[-2., -1.,  0.,  1.,  2.]])
    """
    points = torch.linspace(low, high, grid + 1, dtype=dtype)
    return extend_knots(points.expand(in_dim, grid + 1), k)


def sample_knots(
    x: Float[Tensor, "*s in_dim n"], grid: int, k: int, grid_eps: float, *, least: float = 0.0
) -> Float[Tensor, "*s i knots"]:
    """Lay knots where the data is: ``grid_eps`` of evenly spaced plus ``1 - grid_eps`` of the samples' quantiles.

    (KAN paper, sec. 2.5.) The range is the data's own. Discrete columns repeat their quantiles; each interval is
    therefore at least ``MIN_GAP`` of an even one. A column that spreads no further than ``least``, or than numbers of
    its size can tell apart, gets a unit range around its value.
    """
    ordered = x.sort(-1).values
    low, high = ordered[..., :1], ordered[..., -1:]
    told_apart = max(1e-12, 100 * torch.finfo(x.dtype).eps)
    least = max(least, torch.finfo(x.dtype).tiny ** 0.5)  # below it, squares of widths are nothing
    flat = high - low <= least + told_apart * torch.maximum(low.abs(), high.abs())
    low, high = low - 0.5 * flat, high + 0.5 * flat
    even = torch.linspace(0, 1, grid + 1, dtype=x.dtype, device=x.device)
    points = low + (high - low) * even
    if grid_eps < 1.0:
        rank = even * (x.shape[-1] - 1)
        left = rank.floor().long().clamp(max=max(x.shape[-1] - 2, 0))
        right = (left + 1).clamp(max=x.shape[-1] - 1)
        quantile = torch.lerp(ordered[..., left], ordered[..., right], rank - left)
        points = grid_eps * points + (1.0 - grid_eps) * torch.where(flat, points, quantile)
        gaps = (points[..., 1:] - points[..., :-1]).clamp_min(MIN_GAP / grid * (high - low))
        gaps = gaps * ((high - low) / gaps.sum(-1, keepdim=True))
        points = torch.cat([low, low + gaps[..., :-1].cumsum(-1), high], -1)
    return extend_knots(points, k)


def local_basis(
    x: Float[Tensor, "*s in_dim n"], knots: Float[Tensor, "*s in_dim knots"], k: int, order: int = 0
) -> tuple[list[Float[Tensor, "*s in_dim k1 n"]], Int[Tensor, "*s in_dim n"]]:
    """Evaluate the ``k + 1`` bases that are nonzero at each ``x``, with derivatives up to ``order``.

    Returns the list ``[value, first, second, …][:order + 1]`` and the index of the first of the bases.
    """
    return Mesh(knots, k).local_basis(x, order)


#: Degree up to which powers of the place in an interval are accurate to the last digits.
_MOST_EVEN = 7


class Mesh:
    """Knots of degree ``k`` with what evaluation needs of them, for those who evaluate more than once."""

    def __init__(self, knots: Float[Tensor, "*s in_dim knots"], k: int):
        self.knots, self.k = knots, k
        self.grid = knots.shape[-1] - 2 * k - 1
        self.even = k <= _MOST_EVEN and is_even(knots)
        self._low = knots[..., k : k + 1]
        self._per_unit = self.grid / (knots[..., k + self.grid : k + self.grid + 1] - self._low)
        self._scaled: dict[int, Tensor] = {}

    def local_basis(
        self, x: Float[Tensor, "*s in_dim n"], order: int = 0
    ) -> tuple[list[Float[Tensor, "*s in_dim k1 n"]], Int[Tensor, "*s in_dim n"]]:
        """Do what the function `local_basis` does."""
        # Rounding may put a knot on either side of itself, which only shows in derivatives that jump there.
        if self.even and order < self.k:
            return self._even_basis(x, order)
        return _uneven_basis(x, self.knots, self.k, order)

    def _even_basis(self, x: Tensor, order: int) -> tuple[list[Tensor], Tensor]:
        """Evaluate polynomials of the place in the interval, the same in each."""
        t = (x - self._low) * self._per_unit
        # Clamped twice: a float too large for a whole number becomes some number, and so does what is not a number.
        first = t.detach().clamp(0, self.grid - 1).long().clamp_(0, self.grid - 1)
        u = t - first
        powers = [torch.ones_like(u), u]
        while len(powers) <= self.k:
            powers.append(powers[-1] * u)
        parts = self._pieces(order) @ torch.stack(powers, -2)
        return list(parts.split(self.k + 1, -2)), first

    def _pieces(self, order: int) -> Float[Tensor, "*s in_dim rows k1"]:
        """Return what makes bases and derivatives of the powers, one below the other."""
        if order not in self._scaled:
            pieces = _even_pieces(self.k, order, self.knots.dtype, self.knots.device)
            per_unit = self._per_unit.unsqueeze(-1)
            self._scaled[order] = torch.cat([piece * per_unit**m for m, piece in enumerate(pieces)], -2)
        return self._scaled[order]


def is_even(knots: Float[Tensor, "*s in_dim knots"]) -> bool:
    """Whether each input's knots are evenly spaced, to rounding.

    >>> is_even(uniform_knots(-1, 1, 5, 3)), is_even(torch.tensor([[0.0, 1.0, 3.0, 4.0]]))
    (True, False)
    """
    steps = knots.detach().diff(dim=-1)
    rounding = 8 * torch.finfo(knots.dtype).eps * knots.detach().abs().amax(-1)
    return bool((steps.amax(-1) - steps.amin(-1) <= rounding).all())


@functools.lru_cache(maxsize=64)
def _even_pieces(k: int, order: int, dtype: torch.dtype, device: torch.device) -> list[Float[Tensor, "k1 k1"]]:
    """Return what makes the bases on one interval from the powers of ``u`` in [0, 1], and their derivatives.

    Piece ``r`` of the cardinal spline is ``sum_j (-1)^j C(k + 1, j) (u + k - r - j)^k / k!`` over ``j <= k - r``
    (Schoenberg 1946), computed in whole numbers.
    """
    rows = []
    for r in range(k + 1):
        shifts = [((-1) ** j * math.comb(k + 1, j), k - r - j) for j in range(k - r + 1)]
        rows.append([math.comb(k, m) * sum(c * s ** (k - m) for c, s in shifts) for m in range(k + 1)])
    pieces = []
    for _ in range(order + 1):
        exact = [[value / math.factorial(k) for value in row] for row in rows]
        pieces.append(torch.tensor(exact, dtype=dtype, device=device))
        rows = [[*(m * value for m, value in enumerate(row) if m), 0] for row in rows]
    return pieces


def _uneven_basis(x: Tensor, knots: Tensor, k: int, order: int) -> tuple[list[Tensor], Tensor]:
    """Evaluate on any knots: de Boor's triangular scheme; derivatives as differences of lower degrees' bases."""
    inner = knots[..., k + 1 : knots.shape[-1] - k - 1].contiguous()
    first = torch.searchsorted(inner, x.detach().contiguous(), right=True)
    value = torch.ones_like(x).unsqueeze(-2)
    steps = torch.arange(1, 2 * k + 1, device=x.device)
    near = (first.unsqueeze(-2) + steps[:, None]).flatten(-2)
    t = knots.gather(-1, near).unflatten(-1, (2 * k, x.shape[-1]))
    right, left = t[..., k:, :] - x.unsqueeze(-2), x.unsqueeze(-2) - t[..., :k, :]
    lower, supports = [value], []
    for degree in range(1, k + 1):
        support = t[..., k : k + degree, :] - t[..., k - degree : k, :]
        quotient = value / support
        value = _shifted_sum(right[..., :degree, :] * quotient, left[..., k - degree :, :] * quotient)
        lower.append(value)
        supports.append(support)
    return [_derivative(lower, supports, k, m) for m in range(order + 1)], first


def _derivative(lower: list[Tensor], supports: list[Tensor], k: int, order: int) -> Tensor:
    """Return a derivative of the degree-``k`` bases: that of degree ``k - 1`` divided by the supports, differenced."""
    if order > k:
        return torch.zeros_like(lower[-1])
    value = lower[k - order]
    for degree in range(k - order + 1, k + 1):
        slope = degree * value / supports[degree - 1]
        value = _shifted_sum(-slope, slope)
    return value


def _shifted_sum(a: Tensor, b: Tensor) -> Tensor:
    """Add ``[a, 0]`` and ``[0, b]`` along the basis axis."""
    if a.shape[-2] == 1:
        return torch.cat([a, b], -2)
    return torch.cat([a[..., :1, :], a[..., 1:, :] + b[..., :-1, :], b[..., -1:, :]], -2)


def spread(
    local: Float[Tensor, "*s in_dim k1 n"], index: Int[Tensor, "*s in_dim k1 n"], rows: int
) -> Float[Tensor, "*s in_dim rows n"]:
    """Put each sample's ``k + 1`` numbers in their rows of an otherwise empty matrix.

    >>> spread(torch.tensor([[[5.0, 6.0], [7.0, 8.0]]]), torch.tensor([[[1, 0], [2, 1]]]), 3)
    tensor([[[0., 6.],
             [5., 8.],
             [7., 0.]]])
    """
    return local.new_zeros(*local.shape[:-2], rows, local.shape[-1]).scatter_(-2, index, local)


def basis_index(first: Int[Tensor, "*s in_dim n"], k: int) -> Int[Tensor, "*s in_dim k1 n"]:
    """Return which bases are nonzero, from the first of them.

    >>> basis_index(torch.tensor([[0, 5]]), 1)
    tensor([[[0, 5],
             [1, 6]]])
    """
    return first.unsqueeze(-2) + torch.arange(k + 1, device=first.device)[:, None]


def basis(
    x: Float[Tensor, "*s in_dim n"], knots: Float[Tensor, "*s in_dim knots"], k: int, order: int = 0
) -> list[Float[Tensor, "*s in_dim bases n"]]:
    """Evaluate all ``G + k`` bases: ``[value, first, second, … derivative][:order + 1]``, each ``[in_dim, G + k, N]``.

    The values sum to one wherever they are evaluated.

    >>> knots = uniform_knots(0, 1, 4, 3, dtype=torch.float64)
    >>> value, slope = basis(torch.tensor([[0.0, 0.3, 1.0]], dtype=torch.float64), knots, 3, order=1)
    >>> value.shape, bool((value.sum(1) - 1).abs().max() < 1e-15), bool(slope.sum(1).abs().max() < 1e-13)
    (torch.Size([1, 7, 3]), True, True)
    """
    local, first = local_basis(x, knots, k, order)
    index = basis_index(first, k)
    return [spread(part, index, knots.shape[-1] - k - 1) for part in local]


def curve(coef: Float[Tensor, "*s i o bases"], bases: Float[Tensor, "*s i bases n"]) -> Float[Tensor, "*s i o n"]:
    """Evaluate splines from their coefficients: ``phi[i, j] = sum_b coef[i, j, b] B_b(x[i])``."""
    return coef @ bases


def fit_coef(
    x: Float[Tensor, "*s i n"], y: Float[Tensor, "*s i o n"], knots: Float[Tensor, "*s i knots"], k: int
) -> Float[Tensor, "*s i o bases"]:
    """Fit coefficients to sampled curves by least squares, one factorisation per input for all its outputs.

    A whisper of ridge (1e-20 of the mean diagonal) decides the coefficients that no sample touches.

    >>> knots = uniform_knots(-1, 1, 5, 3, dtype=torch.float64)
    >>> x = torch.linspace(-1, 1, 60, dtype=torch.float64)[None]
    >>> coef = fit_coef(x, x[:, None] ** 3, knots, 3)
    >>> bool((curve(coef, basis(x, knots, 3)[0]) - x[:, None] ** 3).abs().max() < 1e-12)
    True
    """
    bases = basis(x, knots, k)[0]
    size = bases.shape[-2]
    scale = bases.square().sum(-1).mean(-1).sqrt()[..., None, None]
    whisper = 1e-10 * scale * torch.eye(size, dtype=x.dtype, device=x.device)
    rows = torch.cat([bases.mT, whisper], -2)
    values = torch.cat([y.mT, y.new_zeros(*y.shape[:-2], size, y.shape[-2])], -2)
    # The whisper gives full rank, so plain QR will do; the default driver, gelsy, differs in the last bits run to run.
    return torch.linalg.lstsq(rows, values, driver="gels").solution.mT


def subdivide(points: Float[Tensor, "i g1"], grid: int) -> Float[Tensor, "i finer"]:
    """Split the widest of the intervals until there are ``grid``: every old point stays, so old splines stay exact.

    >>> subdivide(torch.tensor([[0.0, 1.0, 2.0]]), 4)
    tensor([[0.0000, 0.5000, 1.0000, 1.5000, 2.0000]])
    """
    result = []
    for row in points.tolist():
        widths = [b - a for a, b in pairwise(row)]
        parts = [1] * len(widths)
        for _ in range(grid - len(widths)):
            widest = max(range(len(widths)), key=lambda m: widths[m] / parts[m])
            parts[widest] += 1
        split = [a + w * m / n for a, w, n in zip(row, widths, parts, strict=False) for m in range(n)]
        result.append([*split, row[-1]])
    return points.new_tensor(result)


def dense_points(
    knots: Float[Tensor, "*s i knots"], k: int, per_interval: int | None = None
) -> Float[Tensor, "*s i n"]:
    """Return points that pin a spline down on these knots: ``per_interval`` evenly in each interval, and the end.

    By default there are ``k + 1`` and at least 4: one interval's polynomial is then determined by itself.
    """
    per_interval = max(4, k + 1) if per_interval is None else per_interval
    points = knots[..., k : knots.shape[-1] - k]
    part = torch.arange(per_interval, dtype=knots.dtype, device=knots.device) / per_interval
    inside = points[..., :-1, None] + (points[..., 1:] - points[..., :-1])[..., None] * part
    return torch.cat([inside.flatten(-2), points[..., -1:]], -1)
