r"""An edge without a name as mathematics that can be written down: pieces of polynomials, and the base function.

``phi(u) = base(u) + sum_m coef[m, p] (u - starts[p])^m`` on piece ``p``, where ``starts[p] <= u < starts[p + 1]``; the
first and the last piece go on beyond the grid, as the engine's splines do. The coefficients are Taylor's: the spline's
derivatives at the left end of each interval (de Boor, *A Practical Guide to Splines*, ch. X).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import cast

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine import spline
from kanlab.engine.layer import KANLayer
from kanlab.symbolic.evaluate import evaluate

#: What a curve is called in an expression: layer, input, output, and how often it was differentiated.
CURVE_NAME = re.compile(r"phi_(\d+)_(\d+)_(\d+)(?:_d(\d+))?")
#: The argument in `Curve.base`.
U = sympy.Symbol("u")
_BASES = {"silu": U / (1 + sympy.exp(-U)), "identity": U, "zero": sympy.S.Zero}


@dataclass(frozen=True, eq=False)
class Curve:
    """The curve of an edge; calling it evaluates it.

    Attributes
    ----------
    edge
        ``(l, i, j)``.
    order
        How often it was differentiated.
    starts : ``[pieces]``
    coef : ``[degree + 1, pieces]``
    base
        The scaled base function, an expression in `U`.
    """

    edge: tuple[int, int, int]
    starts: Float[Tensor, " pieces"]
    coef: Float[Tensor, "degree1 pieces"]
    base: sympy.Expr
    order: int = 0

    @property
    def name(self) -> str:
        """The name in expressions: ``phi_0_2_1``, of its derivative ``phi_0_2_1_d1``."""
        l, i, j = self.edge
        return f"phi_{l}_{i}_{j}" + (f"_d{self.order}" if self.order else "")

    def __call__(self, u: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Evaluate the curve."""
        piece = torch.searchsorted(self.starts[1:].contiguous(), u.detach().contiguous(), right=True)
        t = u - self.starts[piece]
        value = torch.zeros_like(u)
        for row in self.coef.flip(0):
            value = value * t + row[piece]
        return value if self.base.is_zero else value + evaluate(self.base, {U: u})

    def derivative(self) -> Curve:
        """Return the curve of the derivative."""
        powers = torch.arange(1, len(self.coef), dtype=self.coef.dtype)
        coef = self.coef[1:] * powers[:, None] if len(self.coef) > 1 else torch.zeros_like(self.coef)
        return Curve(self.edge, self.starts, coef, cast(sympy.Expr, self.base.diff(U)), self.order + 1)


@torch.no_grad()
def curve_of(layer: KANLayer, edge: tuple[int, int, int]) -> Curve:
    """Return the curve of a spline edge, in double precision.

    >>> layer = KANLayer(1, 1, grid=4, base_fun="zero", generator=torch.Generator().manual_seed(0))
    >>> x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    >>> bool((curve_of(layer, (0, 0, 0))(x) - layer.edge(0, 0, x)).abs().max() < 1e-13)
    True
    """
    _, i, j = edge
    knots = layer.knots[i : i + 1].double().cpu()
    coef = layer.scale_sp[i, j].double().cpu() * layer.coef[i, j].double().cpu()
    starts = knots[:, layer.k : knots.shape[-1] - layer.k - 1].contiguous()
    rows = []
    for order in range(layer.k + 1):
        degree = layer.k - order
        rows.append(coef @ spline.basis(starts, knots, degree)[0][0] / math.factorial(order))
        if degree:
            # The derivative of a spline is one of the next lower degree, on the knots without the outermost two.
            spans = knots[0, degree + 1 : -1] - knots[0, 1 : -degree - 1]
            coef, knots = degree * coef.diff() / spans, knots[:, 1:-1]
    base = sympy.Float(float(layer.scale_base[i, j])) * _BASES[layer.base_fun]
    return Curve(edge, starts[0], torch.stack(rows), base)
