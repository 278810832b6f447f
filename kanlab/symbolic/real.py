"""Tell sympy that symbols are real, after the fact.

Symbols carry no assumptions here, so that equal names are equal symbols. sympy then takes them for complex: ``|e^x|``
becomes ``e^re(x)``.
"""

from __future__ import annotations

from typing import cast

import sympy


def real(expr: sympy.Expr) -> sympy.Expr:
    """Return an expression without real and imaginary parts and conjugates.

    >>> x = sympy.Symbol("x")
    >>> sympy.Abs(sympy.exp(x)), real(sympy.Abs(sympy.exp(x)))
    (exp(re(x)), exp(x))
    """
    if not expr.has(sympy.re, sympy.im, sympy.conjugate):
        return expr
    expr = cast(sympy.Expr, expr.replace(sympy.re, lambda u: u))
    expr = cast(sympy.Expr, expr.replace(sympy.conjugate, lambda u: u))
    return cast(sympy.Expr, expr.replace(sympy.im, lambda _: sympy.S.Zero))
