"""Evaluate a sympy expression on torch tensors by walking its tree.

No source text is made and nothing is compiled; each subexpression is evaluated once however often it occurs. Functions
without a torch form are evaluated by sympy, value by value: slow and right.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import cast

import sympy
import torch
from sympy.core.function import AppliedUndef
from torch import Tensor

from kanlab.symbolic import bessel

Value = Tensor | float

_FUNCTIONS: dict[type, Callable[[Tensor], Tensor]] = {
    sympy.exp: torch.exp,
    sympy.log: torch.log,
    sympy.sin: torch.sin,
    sympy.cos: torch.cos,
    sympy.tan: torch.tan,
    sympy.asin: torch.arcsin,
    sympy.acos: torch.arccos,
    sympy.atan: torch.arctan,
    sympy.cot: lambda u: 1 / torch.tan(u),
    sympy.sec: lambda u: 1 / torch.cos(u),
    sympy.csc: lambda u: 1 / torch.sin(u),
    sympy.coth: lambda u: 1 / torch.tanh(u),
    sympy.sech: lambda u: 1 / torch.cosh(u),
    sympy.csch: lambda u: 1 / torch.sinh(u),
    sympy.sinh: torch.sinh,
    sympy.cosh: torch.cosh,
    sympy.tanh: torch.tanh,
    sympy.asinh: torch.arcsinh,
    sympy.acosh: torch.arccosh,
    sympy.atanh: torch.arctanh,
    sympy.Abs: torch.abs,
    sympy.sign: torch.sgn,
    sympy.erf: torch.erf,
    sympy.erfc: torch.erfc,
    sympy.gamma: lambda u: torch.exp(torch.lgamma(u)) * _gamma_sign(u),
    sympy.loggamma: torch.lgamma,
    sympy.floor: torch.floor,
    sympy.ceiling: torch.ceil,
}

#: Bessel functions of the first kind, by order.
_BESSEL = {sympy.S.Zero: bessel.j0, sympy.S.One: bessel.j1}


def _gamma_sign(u: Tensor) -> Tensor:
    """Return the sign of the gamma function: it alternates between the poles below 0."""
    return torch.where((u < 0) & (u.floor().remainder(2) != 0), -1.0, 1.0).to(u.dtype)


def evaluate(
    expr: sympy.Expr,
    values: Mapping[sympy.Symbol, Tensor],
    functions: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
) -> Tensor:
    """Evaluate ``expr`` where its symbols have these values.

    Parameters
    ----------
    expr
        A real expression. Where it has no real value the result is NaN.
    values
        A tensor for each free symbol; they are broadcast against each other.
    functions
        What stands for each undefined function, by the function's name.

    Returns
    -------
    Tensor
        Of the values' common shape; a scalar if there are none.

    Raises
    ------
    ValueError
        If a symbol or an undefined function has no value.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> evaluate(sympy.exp(x) + x**2, {x: torch.tensor([0.0, 1.0])})
    tensor([1.0000, 3.7183])
    """
    return evaluate_all([expr], values, functions)[0]


def evaluate_all(
    exprs: list[sympy.Expr],
    values: Mapping[sympy.Symbol, Tensor],
    functions: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
) -> list[Tensor]:
    """Evaluate several expressions; what they have in common is evaluated once. See `evaluate`."""
    like = next(iter(values.values()), torch.zeros((), dtype=torch.float64))
    shape = torch.broadcast_shapes(*(value.shape for value in values.values()))
    walk = _Walk(values, functions or {}, like)
    return [walk.tensor(walk(expr)).expand(shape) for expr in exprs]


class _Walk:
    """One evaluation: the values of the subexpressions met so far. Numbers stay numbers until they meet a tensor."""

    def __init__(self, values: Mapping, functions: Mapping, like: Tensor):
        self.known: dict[sympy.Basic, Value] = dict(values)
        self.functions = functions
        self.like = like

    def tensor(self, value: Value) -> Tensor:
        return value if isinstance(value, Tensor) else torch.full_like(self.like, value)

    def __call__(self, expr: sympy.Basic) -> Value:
        value = self.known.get(expr)
        if value is None:
            value = self.known[expr] = self.compute(expr)
        return value

    def compute(self, expr: sympy.Basic) -> Value:
        if isinstance(expr, sympy.Symbol):
            known = ", ".join(str(symbol) for symbol in self.known if isinstance(symbol, sympy.Symbol))
            raise ValueError(f"the symbol {expr} has no value; given are {known or 'none'}")
        if not expr.args:
            return _number(expr)
        if isinstance(expr, sympy.Add):
            return functools.reduce(lambda p, q: p + q, map(self, expr.args))
        if isinstance(expr, sympy.Mul):
            return functools.reduce(lambda p, q: p * q, map(self, expr.args))
        arguments = [self.tensor(self(argument)) for argument in expr.args]
        if isinstance(expr, sympy.Pow):
            return _power(arguments[0], arguments[1], expr.exp)
        if isinstance(expr, AppliedUndef):
            name = expr.func.__name__
            if name not in self.functions:
                raise ValueError(f"the function {name} is not known; given are {', '.join(self.functions) or 'none'}")
            return self.functions[name](*arguments)
        if len(arguments) == 1 and expr.func in _FUNCTIONS:
            return _FUNCTIONS[expr.func](arguments[0])
        if isinstance(expr, sympy.besselj) and expr.args[0] in _BESSEL:
            return _BESSEL[expr.args[0]](arguments[1])
        return _by_sympy(expr, arguments)


def _power(base: Tensor, exponent: Tensor, exact: sympy.Basic) -> Tensor:
    """Raise to a power; where the exponent is a known number, as it is usually written."""
    if exact == sympy.S.Half:
        return torch.sqrt(base)
    if exact == -sympy.S.Half:
        return torch.rsqrt(base)
    return torch.pow(base, int(exact)) if isinstance(exact, sympy.Integer) else torch.pow(base, exponent)


def _number(expr: sympy.Basic) -> float:
    """Return a constant expression's value, NaN if it is not a real number."""
    value = cast(sympy.Expr, expr).evalf(17)
    return float(value) if value.is_extended_real and value.is_number and not value.is_Symbol else math.nan


def _by_sympy(expr: sympy.Basic, arguments: list[Tensor]) -> Tensor:
    """Evaluate a function torch does not have, one value at a time."""
    columns = torch.broadcast_tensors(*arguments)
    rows = zip(*(column.detach().flatten().tolist() for column in columns), strict=True)
    values = [_number(expr.func(*(sympy.Float(value, 17) for value in row))) for row in rows]
    return columns[0].new_tensor(values).reshape(columns[0].shape)
