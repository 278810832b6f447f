"""What the names in a typed formula mean: constants, and functions by any name people have for them."""

from __future__ import annotations

import functools
from collections.abc import Callable

import sympy

from kanlab.symbolic import library
from kanlab.symbolic.tokens import NAME

CONSTANTS: dict[str, sympy.Expr] = {"pi": sympy.pi, "π": sympy.pi, "e": sympy.E, "E": sympy.E}


def _log(u: sympy.Expr, base: sympy.Expr | None = None) -> sympy.Expr:
    return sympy.log(u) if base is None else sympy.log(u) / sympy.log(base)


class UnknownError(Exception):
    """A function has no meaning for these arguments."""


def _bessel(order: sympy.Expr, u: sympy.Expr) -> sympy.Expr:
    if order not in (0, 1):
        raise UnknownError(f"of the Bessel functions only those of order 0 and 1 are known, not {order}")
    return sympy.besselj(order, u)


#: Makes the expression.
Builder = Callable[..., sympy.Expr]
#: How many arguments a function takes.
_ONE, _TWO, _MANY = range(1, 2), range(2, 3), range(1, 20)
_OF_SYMPY = (
    "exp", "sqrt", "cbrt", "sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "coth", "sech", "csch", "asinh", "acosh", "atanh", "sign", "Abs", "erf", "sinc",
)  # fmt: skip
_LONG_NAMES = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "abs": "Abs", "sgn": "sign", "ln": "log",
}  # fmt: skip
_FUNCTIONS: dict[str, tuple[range, Builder]] = {
    **{name: (_ONE, getattr(sympy, name)) for name in _OF_SYMPY},
    "log": (range(1, 3), _log),
    "log2": (_ONE, lambda u: _log(u, sympy.Integer(2))),
    "log10": (_ONE, lambda u: _log(u, sympy.Integer(10))),
    "log1p": (_ONE, lambda u: sympy.log(1 + u)),
    "expm1": (_ONE, lambda u: sympy.exp(u) - 1),
    "square": (_ONE, lambda u: u**2),
    "pow": (_TWO, sympy.Pow),
    "root": (_TWO, lambda u, n: u ** (1 / n)),
    "hypot": (_TWO, lambda u, v: sympy.sqrt(u**2 + v**2)),
    "gaussian": (_ONE, lambda u: sympy.exp(-(u**2))),
    "sigmoid": (_ONE, lambda u: 1 / (1 + sympy.exp(-u))),
    # Which of them is the largest is asked of numbers only: sympy takes long to compare expressions.
    "max": (_MANY, functools.partial(sympy.Max, evaluate=False)),
    "min": (_MANY, functools.partial(sympy.Min, evaluate=False)),
    "besselj": (_TWO, _bessel),
    "jv": (_TWO, _bessel),
    **{name: (_ONE, functools.partial(sympy.besselj, n)) for n in (0, 1) for name in (f"J{n}", f"j{n}", f"J_{n}")},
}
_FUNCTIONS |= {long: _FUNCTIONS[short] for long, short in _LONG_NAMES.items()}


def functions() -> dict[str, tuple[range, Builder]]:
    """Return how many arguments each function takes, and what makes it; the library's own are among them.

    >>> functions()["arcsin"][1](sympy.Symbol("x"))
    asin(x)
    """
    # "x" is the library's name for nothing at all.
    own = [name for name in library.names() if NAME.fullmatch(name) and name != "x"]
    return {**{name: (_ONE, library.get(name).sympy_fn) for name in own}, **_FUNCTIONS}
