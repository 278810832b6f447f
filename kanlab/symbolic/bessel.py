r"""The Bessel functions ``J_0`` and ``J_1`` to the last digit, differentiable as often as one likes.

`torch.special` has both, with errors up to 5e-7 between 3 and 10 and without derivatives: a formula would differ from
its model. Here every derivative of ``J_0`` is one function of its order ``n`` (``J_1 = -J_0'``):

- ``|u| <= 64``: Taylor's series about the nearest of a table's points, whose coefficients are the integral
  ``J_0^(n)(u) = 1/pi int_0^pi sin^n t cos(u sin t + n pi / 2) dt`` (DLMF 10.9.1) by the trapezoidal rule, which is
  exact to rounding for periodic functions;
- beyond: Hankel's expansion (DLMF 10.17.3) for ``J_0`` and ``J_1``, higher orders from Bessel's equation
  ``u y'' + y' + u y = 0``, differentiated.
"""

from __future__ import annotations

import functools
import math
from typing import Any, cast

import torch
from torch import Tensor

#: Points of the table per unit, its end, and the terms of each series.
_PER_UNIT, _END, _TERMS = 16, 64, 9
#: Nodes of the trapezoidal rule; its error is about ``2 J_(2 * nodes)(64)``.
_NODES = 96
_HANKEL = 14


def j0(u: Tensor) -> Tensor:
    """Return ``J_0(u)``.

    >>> j0(torch.zeros(1, dtype=torch.float64))
    tensor([1.], dtype=torch.float64)
    """
    return derivative_of_j0(u, 0)


def j1(u: Tensor) -> Tensor:
    """Return ``J_1(u)``.

    >>> j1(torch.tensor([3.8317059702], dtype=torch.float64)).abs() < 1e-10
    tensor([True])
    """
    return -derivative_of_j0(u, 1)


def j0_derivative(u: Tensor) -> Tensor:
    """Return ``J_0'(u)``."""
    return derivative_of_j0(u, 1)


def j1_derivative(u: Tensor) -> Tensor:
    """Return ``J_1'(u)``."""
    return -derivative_of_j0(u, 2)


def derivative_of_j0(u: Tensor, order: int) -> Tensor:
    """Return the derivative of ``J_0`` of any order, elementwise; autograd may go on through it."""
    return cast(Tensor, _Derivative.apply(u, order)) if u.requires_grad else _values(u.double(), order).to(u.dtype)


class _Derivative(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, order: int) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(u)
        ctx.order = order
        return _values(u.double(), order).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return slope * derivative_of_j0(ctx.saved_tensors[0], ctx.order + 1), None


def _values(u: Tensor, order: int) -> Tensor:
    size = u.abs()
    values = _near(size, order)
    far = size > _END
    if bool(far.any()):
        values = torch.where(far, _far(size.clamp(min=_END), order), values)
    # J_0 is even, so its odd derivatives are odd.
    return values * torch.sgn(u) if order % 2 else values


def _near(size: Tensor, order: int) -> Tensor:
    """Sum the series; infinity and NaN become NaN."""
    place = (size * _PER_UNIT).round()
    terms = _table(order, size.device)[place.nan_to_num(0.0).clamp(max=_END * _PER_UNIT).long()].unbind(-1)
    step = size - place / _PER_UNIT
    value = terms[-1]
    for term in reversed(terms[:-1]):
        value = torch.addcmul(term, value, step)
    return value


@functools.lru_cache(maxsize=16)
def _table(order: int, device: torch.device) -> Tensor:
    """Return the coefficients ``[point, term]`` of the series of a derivative of ``J_0``."""
    points = torch.arange(_END * _PER_UNIT + 1, dtype=torch.float64) / _PER_UNIT
    # Half of the interval: the integrand is the same on the other half.
    t = (torch.arange(_NODES, dtype=torch.float64) + 0.5) * (0.5 * math.pi / _NODES)
    sine = torch.sin(t)
    inner = points[:, None] * sine
    waves = [torch.cos(inner), -torch.sin(inner), -torch.cos(inner), torch.sin(inner)]
    columns = [
        (waves[n % 4] * sine**n).mean(-1) / math.factorial(n - order) for n in range(order, order + _TERMS)
    ]  # fmt: skip
    return torch.stack(columns, -1).to(device)


def _far(u: Tensor, order: int) -> Tensor:
    values = [_hankel(u, 0), -_hankel(u, 1)]
    for n in range(order - 1):
        before = values[n - 1] * n if n else 0.0
        values.append(-((n + 1) * values[n + 1] + u * values[n] + before) / u)
    return values[order]


def _hankel(u: Tensor, nu: int) -> Tensor:
    """Return ``J_nu(u)`` for large ``u``: ``sqrt(2 / (pi u)) (P cos w - Q sin w)``, ``w = u - (nu/2 + 1/4) pi``."""
    p, q, term = torch.zeros_like(u), torch.zeros_like(u), torch.ones_like(u)
    for k in range(_HANKEL):
        sign = -1.0 if k % 4 >= 2 else 1.0
        p, q = (p + sign * term, q) if k % 2 == 0 else (p, q + sign * term)
        term = term * (4 * nu * nu - (2 * k + 1) ** 2) / (8 * (k + 1) * u)
    # cos and sin of w from those of u, whose large multiples of pi torch reduces exactly.
    cosine, sine = torch.cos(u), torch.sin(u)
    root = math.sqrt(0.5)
    if nu == 0:
        cos_w, sin_w = root * (cosine + sine), root * (sine - cosine)
    else:
        cos_w, sin_w = root * (sine - cosine), -root * (sine + cosine)
    return torch.sqrt(2 / (math.pi * u)) * (p * cos_w - q * sin_w)
