"""Splines over each input of a problem: what shapes are made of before their edges have names."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.problem import scaled
from kanlab.engine import spline

K = 3
#: Points at which a curve is handed on to be named.
POINTS = 96
#: Relative to the mean diagonal: decides coefficients that no row touches, and disturbs no other.
_WHISPER = 1e-12


class Splines:
    """Cubic splines on ``grid`` even intervals over the range of each input.

    Attributes
    ----------
    rows
        The bases of each input at its samples, ``[n_in, grid + 3, n]``.
    """

    def __init__(self, x: Float[Tensor, "n_in n"], grid: int):
        self.low, self.high = x.amin(-1), x.amax(-1)
        self.knots = spline.uniform_knots(-1.0, 1.0, grid, K, in_dim=len(x), dtype=x.dtype)
        self.rows = spline.basis(scaled(x), self.knots, K)[0]
        ends = torch.linspace(-1, 1, POINTS, dtype=x.dtype).expand(1, -1)
        self._at = spline.basis(ends, self.knots[:1], K)[0][0]

    def points(self, i: int) -> Float[Tensor, " points"]:
        """Return the values of input ``i`` at which `curve` is evaluated."""
        return torch.lerp(self.low[i], self.high[i], torch.linspace(0, 1, POINTS, dtype=self.low.dtype))

    def curve(self, coef: Float[Tensor, " bases"]) -> Float[Tensor, " points"]:
        """Evaluate a spline at evenly spaced points of its input's range."""
        return coef @ self._at


def solve(
    rows: Float[Tensor, "*batch k n"], z: Float[Tensor, "*batch n"], w: Float[Tensor, "*batch n"]
) -> Float[Tensor, "*batch k"]:
    """Return the coefficients of the weighted least-squares fit ``coef @ rows = z``."""
    weighted = rows * w.unsqueeze(-2)
    hessian = weighted @ weighted.mT
    diagonal = hessian.diagonal(dim1=-2, dim2=-1)
    diagonal += _WHISPER * diagonal.mean(-1, keepdim=True) + 1e-300
    factor, failed = torch.linalg.cholesky_ex(hessian)
    coef = torch.cholesky_solve((weighted @ (z * w).unsqueeze(-1)), factor).squeeze(-1)
    return torch.where((failed == 0).unsqueeze(-1), coef, 0.0)
