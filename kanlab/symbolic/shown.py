"""What is shown of an exact expression: constants by their names, and nothing that rounding hides."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.symbolic import fold
from kanlab.symbolic.constants import nearest


def named(expr: sympy.Expr) -> sympy.Expr:
    """Put names for the numbers that are, to the last bit, those of the table of constants.

    >>> x = sympy.Symbol("x")
    >>> named(3.141592653589793 * x + 0.5), named(3.1415926 * x)
    (pi*x + 1/2, 3.1415926*x)
    """
    names = {}
    for number in expr.atoms(sympy.Float):
        value = float(number)
        exact = [c for c in nearest(value, 1e-15) if c.value == value] if math.isfinite(value) else []
        if exact:
            names[number] = exact[0].expr
    return cast(sympy.Expr, expr.xreplace(names))


def tidied(
    expr: sympy.Expr,
    values: Callable[[sympy.Expr], Tensor],
    allowed: float | Float[Tensor, ""],
    digits: int,
) -> sympy.Expr:
    """Drop and round in an expression as far as its values change by no more than ``allowed``.

    ``values`` evaluates an expression where it matters; ``digits`` says how much to try first.
    """
    exact = values(expr)
    for tol in (0.5 * 10.0**-digits, 1e-2 * 10.0**-digits, 1e-4 * 10.0**-digits):
        tidy = fold.tidy(expr, tol)
        if tidy == expr or bool(((values(tidy) - exact).abs() <= allowed).all()):
            return tidy
    return expr


def same_values(one: Tensor, other: Tensor, allowed: float | Tensor) -> bool:
    """Whether two sets of values are finite at the same places and differ there by no more than ``allowed``."""
    finite = one.isfinite()
    return torch.equal(finite, other.isfinite()) and bool(((one - other)[finite].abs() <= allowed).all())


def count_parts(expr: sympy.Basic) -> int:
    """Count operations, functions, numbers and variables, as often as they are written.

    >>> count_parts(sympy.Symbol("x") + 1)
    3
    """
    known: dict[sympy.Basic, int] = {}

    def count(part: sympy.Basic) -> int:
        if part not in known:
            joins = len(part.args) - 1 if isinstance(part, sympy.Add | sympy.Mul) else bool(part.args)
            known[part] = joins + sum(map(count, part.args)) if part.args else 1
        return known[part]

    return count(expr)


#: What a function of its own inverse counts, whose algebraic form is what people want to see.
_HIDDEN = 30
_INVERSES: dict[type, type] = {
    sympy.tanh: sympy.atanh,
    sympy.sinh: sympy.asinh,
    sympy.cosh: sympy.acosh,
    sympy.tan: sympy.atan,
    sympy.sin: sympy.asin,
    sympy.cos: sympy.acos,
}


def reading_length(expr: sympy.Expr) -> int:
    """Count parts, and many for each function of a sum with its own inverse.

    >>> x, y = sympy.symbols("x y")
    >>> reading_length((x + y) / (x * y + 1)) < reading_length(sympy.tanh(sympy.atanh(x) + sympy.atanh(y)))
    True
    """
    hidden = (part for part in sympy.preorder_traversal(expr) if type(part) in _INVERSES and _hides(part))
    return count_parts(expr) + _HIDDEN * sum(1 for _ in hidden)


def _hides(call: sympy.Basic) -> bool:
    terms = sympy.Add.make_args(cast(sympy.Expr, call.args[0]))
    return any(term.as_coeff_Mul()[1].func is _INVERSES[type(call)] for term in terms)


def rounded(expr: sympy.Expr, digits: int) -> sympy.Expr:
    """Round every number in an expression to ``digits`` decimals, π and its like included."""
    numbers = expr.atoms(sympy.Float, sympy.NumberSymbol)
    rounded = {number: sympy.Float(round(float(number), digits)) for number in numbers}
    return cast(sympy.Expr, expr.xreplace(rounded))
