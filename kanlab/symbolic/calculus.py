r"""Differentiate the expressions of formulas: real ones, with curves of edges in them.

sympy alone would differentiate ``|u|`` as if ``u`` were complex, ``sgn u`` to a delta function, and a curve to a
`Derivative` nobody can evaluate. Here ``|u|' = sgn u``, ``(sgn u)' = 0``, and a curve's derivative is the next curve.
"""

from __future__ import annotations

import functools
import re
from typing import cast

import sympy
from sympy.core.function import AppliedUndef

#: What a curve is called in an expression: layer, input, output, and how often it was differentiated.
CURVE_NAME = re.compile(r"phi_(\d+)_(\d+)_(\d+)(?:_d(\d+))?")


class _Sign(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.S.Zero


class _Abs(sympy.Function):
    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return cast(sympy.Expr, _Sign(self.args[0]))


@functools.lru_cache(maxsize=1024)
def _curve_class(name: str) -> type[sympy.Function]:
    """Return a function that knows its derivative, in place of an undetermined one."""

    def fdiff(self: sympy.Function, argindex: int = 1) -> sympy.Expr:
        return cast(sympy.Expr, _curve_class(derivative_name(name))(self.args[0]))

    return cast("type[sympy.Function]", type(name, (sympy.Function,), {"fdiff": fdiff, "is_curve": True}))


def derivative_name(name: str) -> str:
    """Return the name of a curve's derivative.

    >>> derivative_name("phi_0_1_2"), derivative_name("phi_0_1_2_d1")
    ('phi_0_1_2_d1', 'phi_0_1_2_d2')
    """
    match = CURVE_NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} is not the name of an edge's curve, so it has no derivative here")
    l, i, j, order = match.groups()
    return f"phi_{l}_{i}_{j}_d{int(order or 0) + 1}"


def differentiate(expr: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:
    """Return the derivative of a real expression.

    >>> x = sympy.Symbol("x")
    >>> differentiate(sympy.Abs(x) * sympy.Function("phi_0_0_0")(x**2), x)
    2*x*phi_0_0_0_d1(x**2)*Abs(x) + phi_0_0_0(x**2)*sign(x)
    """
    known = cast(sympy.Expr, expr).replace(sympy.Abs, _Abs).replace(sympy.sign, _Sign)
    known = known.replace(
        lambda part: isinstance(part, AppliedUndef), lambda part: _curve_class(part.func.__name__)(*part.args)
    )
    slope = cast(sympy.Expr, known).diff(variable).replace(_Abs, sympy.Abs).replace(_Sign, sympy.sign)
    return cast(
        sympy.Expr,
        slope.replace(
            lambda part: hasattr(part.func, "is_curve"), lambda part: sympy.Function(part.func.__name__)(*part.args)
        ),
    )
