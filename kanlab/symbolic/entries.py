r"""The built-in functions, one record each.

Names and complexities are pykan's where pykan has them. Powers run over whole and half exponents up to 12 and their
inverses; half powers are real on the half line only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import sympy
import torch
from torch import Tensor

from kanlab.symbolic import bessel
from kanlab.symbolic.function import Domain, SymbolicFunction, Twin

#: Largest exponent.
HIGHEST = 12

_HALF_LINE = Domain(low=0.0, closed=True)
_POSITIVE = Domain(low=0.0)
_NOT_ZERO = Domain(pole=0.0)
_UNIT = Domain(low=-1.0, high=1.0, closed=True)
_OPEN_UNIT = Domain(low=-1.0, high=1.0)
_FROM_ONE = Domain(low=1.0, closed=True)
_TURN = 2 * math.pi
_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Power:
    """``u^p`` for a fixed exponent.

    >>> Power(2.5)(torch.tensor([4.0]))
    tensor([32.])
    """

    exponent: float

    def __call__(self, u: Tensor) -> Tensor:
        """Evaluate elementwise."""
        return torch.pow(u, self.exponent)

    def derivative(self, u: Tensor) -> Tensor:
        """Return ``p u^(p-1)``; at 0 it is 0 where it would be infinite."""
        slope = self.exponent * torch.pow(u, self.exponent - 1)
        return torch.where(u == 0, 0.0, slope) if 0 < self.exponent < 1 else slope


def _power(exponent: Fraction, complexity: float) -> SymbolicFunction:
    """Return ``x^p`` for a positive or negative whole or half exponent."""
    size, inverse = abs(exponent), exponent < 0
    whole = size.denominator == 1
    name = "x" if size == 1 else f"x^{float(size):g}"
    text = name if not whole else "x" + (str(size).translate(_RAISED) if size != 1 else "")
    name, text = _ROOTS.get(exponent, (f"1/{name}", f"1/{text}") if inverse else (name, text))
    if whole:
        domain = _NOT_ZERO if inverse else Domain()
    else:
        domain = _POSITIVE if inverse else _HALF_LINE
    fn = Power(float(exponent))
    power = sympy.Rational(exponent.numerator, exponent.denominator)
    return SymbolicFunction(
        name,
        text,
        fn,
        fn.derivative,
        lambda u: u**power,
        complexity,
        domain=domain,
        gauge="shift",
        degree=float(exponent),
        parity=0 if not whole else -1 if size % 2 else 1,
    )


_ROOTS = {Fraction(1, 2): ("sqrt", "√x"), Fraction(-1, 2): ("1/sqrt(x)", "1/√x")}


def _powers(exponents: Iterable[Fraction]) -> list[SymbolicFunction]:
    """Return the powers, each with its cost."""
    costs = {
        **{Fraction(n): cost for n, cost in ((2, 2), (3, 3), (4, 3), (5, 3), (6, 4), (7, 4), (8, 4))},
        **{Fraction(-n): cost for n, cost in ((1, 2), (2, 2), (3, 3), (4, 4), (5, 5), (6, 5))},
        **{sign * Fraction(n, 2): cost for n, cost in ((1, 2), (3, 4), (5, 5)) for sign in (1, -1)},
    }
    return [_power(p, costs.get(p, 5 if p > 0 and p.denominator == 1 else 6)) for p in exponents]


def _whole(low: int, high: int) -> list[Fraction]:
    return [Fraction(n) for n in range(low, high + 1)]


def _half(low: int, high: int) -> list[Fraction]:
    return [Fraction(2 * n + 1, 2) for n in range(low, high + 1)]


def _inverse(exponents: Iterable[Fraction]) -> list[Fraction]:
    return [-p for p in exponents]


def _cube_root(u: Tensor) -> Tensor:
    return torch.sgn(u) * torch.pow(u.abs(), 1 / 3)


def _cube_root_derivative(u: Tensor) -> Tensor:
    return torch.where(u == 0, 0.0, torch.pow(u.abs(), -2 / 3) / 3)


def _root_below(v: Tensor) -> Tensor:
    """Return ``v^(-1/2)``, and 0 at 0."""
    return torch.where(v == 0, 0.0, torch.rsqrt(v))


# fmt: off
_BEFORE_POWERS = (
    SymbolicFunction("0", "0", torch.zeros_like, torch.zeros_like, lambda u: sympy.S.Zero, 0, gauge="constant"),
    SymbolicFunction("1", "1", torch.ones_like, torch.zeros_like, lambda u: sympy.S.One, 0, gauge="constant"),
    SymbolicFunction("x", "x", lambda u: u, torch.ones_like, lambda u: u, 1, gauge="linear", degree=1, parity=-1),
)
_AFTER_POWERS = (
    SymbolicFunction("cbrt", "∛x", _cube_root, _cube_root_derivative,
                     lambda u: sympy.sign(u) * sympy.Abs(u) ** sympy.Rational(1, 3), 3,
                     gauge="shift", degree=1 / 3, parity=-1),
    SymbolicFunction("exp", "eˣ", torch.exp, torch.exp, sympy.exp, 2, gauge="scale"),
    SymbolicFunction("log", "log x", torch.log, torch.reciprocal, sympy.log, 2, domain=_POSITIVE, gauge="shift"),
    SymbolicFunction("sin", "sin x", torch.sin, torch.cos, sympy.sin, 2,
                     gauge="phase", parity=-1, period=_TURN, alternates=True, waves=True),
    SymbolicFunction("cos", "cos x", torch.cos, lambda u: -torch.sin(u), sympy.cos, 2,
                     gauge="phase", parity=1, period=_TURN, alternates=True, waves=True,
                     twin=Twin("sin", 1.0, math.pi / 2, 1.0, 0.0)),
    SymbolicFunction("tan", "tan x", torch.tan, lambda u: 1 + torch.tan(u) ** 2, sympy.tan, 3,
                     domain=Domain(pole=math.pi / 2, period=math.pi), parity=-1, period=math.pi),
    SymbolicFunction("arcsin", "arcsin x", torch.arcsin, lambda u: _root_below(1 - u * u), sympy.asin, 4,
                     domain=_UNIT, parity=-1),
    SymbolicFunction("arccos", "arccos x", torch.arccos, lambda u: -_root_below(1 - u * u), sympy.acos, 4,
                     domain=_UNIT, parity=-1, offset=math.pi,
                     twin=Twin("arcsin", 1.0, 0.0, -1.0, math.pi / 2)),
    SymbolicFunction("arctan", "arctan x", torch.arctan, lambda u: 1 / (1 + u * u), sympy.atan, 4, parity=-1),
    SymbolicFunction("sinh", "sinh x", torch.sinh, torch.cosh, sympy.sinh, 3, parity=-1),
    SymbolicFunction("cosh", "cosh x", torch.cosh, torch.sinh, sympy.cosh, 3, parity=1),
    SymbolicFunction("tanh", "tanh x", torch.tanh, lambda u: torch.cosh(u) ** -2, sympy.tanh, 3, parity=-1),
    SymbolicFunction("arcsinh", "arsinh x", torch.arcsinh, lambda u: torch.rsqrt(1 + u * u), sympy.asinh, 4,
                     parity=-1),
    SymbolicFunction("arccosh", "arcosh x", torch.arccosh, lambda u: _root_below((u - 1) * (u + 1)), sympy.acosh, 4,
                     domain=_FROM_ONE),
    SymbolicFunction("arctanh", "artanh x", torch.arctanh, lambda u: 1 / (1 - u * u), sympy.atanh, 4,
                     domain=_OPEN_UNIT, parity=-1),
    SymbolicFunction("gaussian", "e^(−x²)", lambda u: torch.exp(-u * u), lambda u: -2 * u * torch.exp(-u * u),
                     lambda u: sympy.exp(-(u**2)), 3, parity=1),
    SymbolicFunction("abs", "|x|", torch.abs, torch.sgn, sympy.Abs, 3, gauge="shift", degree=1, parity=1),
    SymbolicFunction("sgn", "sgn x", torch.sgn, torch.zeros_like, sympy.sign, 3, gauge="step", degree=0, parity=-1),
    SymbolicFunction("sigmoid", "σ(x)", torch.sigmoid, lambda u: torch.sigmoid(u) * torch.sigmoid(-u),
                     lambda u: 1 / (1 + sympy.exp(-u)), 3, parity=-1, offset=1.0,
                     twin=Twin("tanh", 0.5, 0.0, 0.5, 0.5)),
    SymbolicFunction("erf", "erf x", torch.erf, lambda u: _TWO_BY_ROOT_PI * torch.exp(-u * u), sympy.erf, 4,
                     parity=-1),
    SymbolicFunction("J0", "J₀(x)", bessel.j0, bessel.j0_derivative, lambda u: sympy.besselj(0, u), 5,
                     parity=1, waves=True),
    SymbolicFunction("J1", "J₁(x)", bessel.j1, bessel.j1_derivative, lambda u: sympy.besselj(1, u), 5,
                     parity=-1, waves=True),
)
# fmt: on

#: All built-in functions, in the order in which menus show them: the powers nobody looks for come last.
ENTRIES = (
    *_BEFORE_POWERS,
    *_powers([*_whole(2, 5), *_inverse(_whole(1, 5)), *_half(0, 1), *_inverse(_half(0, 0))]),
    *_AFTER_POWERS,
    *_powers([*_whole(6, HIGHEST), *_inverse(_whole(6, HIGHEST))]),
    *_powers([*_half(2, HIGHEST - 1), *_inverse(_half(1, HIGHEST - 1))]),
)

#: Second names, pykan's first.
ALIASES = {
    "x^0.5": "sqrt",
    "1/x^0.5": "1/sqrt(x)",
    "x^1": "x",
    "1/x^1": "1/x",
    "sign": "sgn",
    "arsinh": "arcsinh",
    "arcosh": "arccosh",
    "artanh": "arctanh",
    "ln": "log",
}
