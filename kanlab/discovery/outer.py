r"""The functions tried on the outside: ``y = F(z)`` with ``z = theta(y)``.

If ``theta(y)`` is a sum or a product of functions of single inputs, a linear fit finds it, however curved ``F`` is.
Errors of ``z`` are weighed by ``1 / |theta'(y)|``, which makes them errors of ``y`` to first order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form, call
from kanlab.discovery.problem import Problem
from kanlab.symbolic import library

#: Where tan is inverted by arctan, and the like: strictly inside.
_INSIDE = 1 - 1e-9


@dataclass(frozen=True)
class Outer:
    """One outer function by its inverse.

    Attributes
    ----------
    name
        Of ``F`` in the library; ``x`` for none.
    inverse, slope
        ``theta`` and its derivative.
    low, high
        The values of ``y`` it is for.
    signed
        Whether a negative ``y`` is for ``-y``.
    """

    name: str
    inverse: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    low: float = -math.inf
    high: float = math.inf
    signed: bool = False

    def sign(self, y: Float[Tensor, " n"]) -> float | None:
        """Return the sign under which all of ``y`` can be inverted, or None."""
        for sign in (1.0, -1.0) if self.signed else (1.0,):
            if bool((sign * y > self.low).all()) and bool((sign * y < self.high).all()):
                return sign
        return None

    def applied(self, problem: Problem) -> Problem | None:
        """Return the problem for ``theta(y)``, or None where that does not exist."""
        sign = self.sign(problem.y)
        if sign is None:
            return None
        y = sign * problem.y
        z = self.inverse(y)
        return problem.mapped(z, self.slope(y)) if bool(z.isfinite().all()) else None

    def direction(self, y: Float[Tensor, " n"]) -> float:
        """Return the sign of the derivative of ``theta(y)`` by ``y``, with the sign under which ``y`` is inverted."""
        sign = self.sign(y) or 1.0
        return sign * float(self.slope(sign * y).sign().median())

    def wrap(self, inner: Form, y: Float[Tensor, " n"]) -> Form:
        """Return ``F(inner)`` with the sign that ``y`` has."""
        return call(library.get(self.name), inner).scaled(self.sign(y) or 1.0)

    @property
    def cost(self) -> float:
        """What the function costs in a formula."""
        return 0.0 if self.name == "x" else library.get(self.name).complexity


IDENTITY = Outer("x", lambda y: y, torch.ones_like)

#: The simplest first.
OUTERS = (
    IDENTITY,
    Outer("exp", torch.log, torch.reciprocal, low=0.0, signed=True),
    Outer("sqrt", torch.square, lambda y: 2 * y, low=-1e-12, signed=True),
    Outer("1/x", torch.reciprocal, lambda y: -(y**-2), low=0.0, signed=True),
    Outer("1/sqrt(x)", lambda y: y**-2, lambda y: -2 * y**-3, low=0.0, signed=True),
    Outer("x^2", torch.sqrt, lambda y: 0.5 * torch.rsqrt(y), low=-1e-300, signed=True),
    Outer("log", torch.exp, torch.exp, low=-12.0, high=12.0),
    Outer("tanh", torch.arctanh, lambda y: 1 / (1 - y * y), low=-1.0, high=1.0),
    Outer("sin", torch.arcsin, lambda y: torch.rsqrt(1 - y * y), low=-1.0, high=1.0),
    Outer("arctan", torch.tan, lambda y: 1 + torch.tan(y) ** 2, low=-math.pi / 2 * _INSIDE, high=math.pi / 2 * _INSIDE),
    Outer("arcsin", torch.sin, torch.cos, low=-math.pi / 2 * (1 + 1e-12), high=math.pi / 2 * (1 + 1e-12)),
    Outer("arccos", torch.cos, lambda y: -torch.sin(y), low=-1e-12, high=math.pi * (1 + 1e-12)),
    Outer("1/x^2", torch.rsqrt, lambda y: -0.5 * torch.rsqrt(y) / y, low=0.0, signed=True),
    Outer("arctanh", torch.tanh, lambda y: torch.cosh(y) ** -2, low=-12.0, high=12.0),
)
