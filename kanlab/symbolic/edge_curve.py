r"""An edge without a name as mathematics that can be written down: pieces of polynomials, and the base function.

``phi(u) = base(u) + sum_m coef[m, p] (u - starts[p])^m`` on piece ``p``, where ``starts[p] <= u < starts[p + 1]``; the
first and the last piece go on beyond the grid, as the engine's splines do. The coefficients are Taylor's: the spline's
derivatives at the left end of each interval (de Boor, *A Practical Guide to Splines*, ch. X).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine import spline
from kanlab.engine.base import BaseFunction
from kanlab.engine.layer import KANLayer
from kanlab.symbolic.calculus import differentiate
from kanlab.symbolic.evaluate import evaluate

#: The argument of base functions.
U = sympy.Symbol("u")
#: Base functions, by names torch gives them, as mathematics.
_BASES: dict[str, sympy.Expr] = {
    "silu": U / (1 + sympy.exp(-U)),
    "identity": U,
    "zero": sympy.S.Zero,
    "relu": (U + sympy.Abs(U)) / 2,
    "gelu": U * (1 + sympy.erf(U / sympy.sqrt(2))) / 2,
    "softplus": sympy.log(1 + sympy.exp(U)),
    "sigmoid": 1 / (1 + sympy.exp(-U)),
    "tanh": sympy.tanh(U),
    "sin": sympy.sin(U),
    "cos": sympy.cos(U),
    "exp": sympy.exp(U),
    "abs": sympy.Abs(U),
    "square": U**2,
}
#: Where torch and sympy are compared before a name is believed.
_POINTS = torch.tensor([-2.3, -0.7, -0.1, 0.2, 0.9, 1.7], dtype=torch.float64)
#: The engine evaluates derivatives of base functions up to this.
_MOST = 3


@dataclass(frozen=True, eq=False)
class Curve:
    """The curve of an edge; calling it evaluates it.

    Attributes
    ----------
    edge
        ``(l, i, j)``.
    starts : ``[pieces]``
    coef : ``[degree + 1, pieces]``
    base, scale_base
        The base function beside the polynomials, and what multiplies it.
    order
        How often the edge was differentiated; ``coef`` already is.
    """

    edge: tuple[int, int, int]
    starts: Float[Tensor, " pieces"]
    coef: Float[Tensor, "degree1 pieces"]
    base: BaseFunction
    scale_base: float
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
        if self.order > _MOST:
            return value + evaluate(self.base_expr(), {U: u})
        return value + self.scale_base * self.base.evaluate(u, self.order)[self.order]

    def base_expr(self) -> sympy.Expr:
        """Return the scaled base function, differentiated, as an expression in `U`.

        Raises
        ------
        ValueError
            If sympy knows nothing that equals it.
        """
        expr = _BASES.get(self.base.name.lower())
        if expr is None or not _is(self.base, expr):
            raise ValueError(
                f"edge {self.edge} has the base function {self.base.name!r}, which cannot be written as a formula: "
                f"export needs one of {', '.join(_BASES)}"
            )
        for _ in range(self.order):
            expr = differentiate(expr, U)
        return sympy.Float(self.scale_base) * expr

    def derivative(self) -> Curve:
        """Return the curve of the derivative."""
        powers = torch.arange(1, len(self.coef), dtype=self.coef.dtype)
        coef = self.coef[1:] * powers[:, None] if len(self.coef) > 1 else torch.zeros_like(self.coef)
        return replace(self, coef=coef, order=self.order + 1)


def with_derivatives(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """Return the curves and the derivative of each."""
    slopes = [curve.derivative() for curve in curves.values()]
    return {**curves, **{slope.name: slope for slope in slopes}}


def _is(base: BaseFunction, expr: sympy.Expr) -> bool:
    """Whether a base function is what its name says."""
    return torch.allclose(base.evaluate(_POINTS, 0)[0], evaluate(expr, {U: _POINTS}), rtol=1e-12, atol=1e-12)


@torch.no_grad()
def curves_of(layer: KANLayer, l: int) -> dict[tuple[int, int], Curve]:
    """Return the curves of a layer's spline edges by ``(i, j)``, in double precision; ``l`` is the layer's number.

    >>> layer = KANLayer(1, 1, grid=4, base_fun="zero", generator=torch.Generator().manual_seed(0))
    >>> x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    >>> bool((curves_of(layer, 0)[0, 0](x) - layer.edge(0, 0, x)).abs().max() < 1e-13)
    True
    """
    starts, coef = _taylor(layer)
    base = layer.scale_base.double().tolist()
    return {
        (i, j): Curve((l, i, j), starts[i], coef[:, i, j], layer.base, base[i][j])
        for i, j in layer.spline_mask().nonzero().tolist()
    }


def _taylor(layer: KANLayer) -> tuple[Float[Tensor, "i pieces"], Float[Tensor, "degree1 i o pieces"]]:
    """Return the left ends of the intervals, and all edges' Taylor coefficients there."""
    knots = layer.knots.double().cpu()
    coef = (layer.scale_sp.double().unsqueeze(-1) * layer.coef.double()).cpu()
    starts = knots[:, layer.k : knots.shape[-1] - layer.k - 1].contiguous()
    rows = []
    for order in range(layer.k + 1):
        degree = layer.k - order
        rows.append(spline.curve(coef, spline.basis(starts, knots, degree)[0]) / math.factorial(order))
        if degree:
            # The derivative of a spline is one of the next lower degree, on the knots without the outermost two.
            spans = knots[:, degree + 1 : -1] - knots[:, 1 : -degree - 1]
            coef, knots = degree * coef.diff() / spans[:, None], knots[:, 1:-1]
    return starts, torch.stack(rows)
