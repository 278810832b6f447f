r"""Single rules of algebra, each for one part of a formula: what is inside has been rewritten already.

They hold where the data is: symbols know their sign (see `kanlab.discovery.rewrite`), and what comes out is compared
with what went in on the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import sympy

from kanlab.symbolic.formula import count_parts


def everywhere(expr: sympy.Expr, rule: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
    """Apply a rule to every part, from the inside out."""
    if not expr.args:
        return expr
    args = [everywhere(cast(sympy.Expr, arg), rule) for arg in expr.args]
    return rule(cast(sympy.Expr, expr.func(*args)))


def algebra(operation: Callable[[sympy.Expr], sympy.Basic], expr: sympy.Expr) -> sympy.Expr:
    """Apply algebra to an expression in which functions are symbols.

    Else ``exp(49 x)`` would be a polynomial of degree 49 in ``exp(x)``, and to factor it take hours.
    """
    calls = [*expr.atoms(sympy.Function), *(p for p in expr.atoms(sympy.Pow) if not p.exp.is_Rational)]
    there = {call: sympy.Dummy(real=True, positive=call.is_positive) for call in calls}
    plain = cast(sympy.Expr, expr.xreplace(there))
    return cast(sympy.Expr, operation(plain).xreplace({symbol: call for call, symbol in there.items()}))


def power_of_fraction(expr: sympy.Expr) -> sympy.Expr:
    """Write the base of a power as one fraction in factors; take out of a root what is positive."""
    if not (isinstance(expr, sympy.Pow) and expr.exp.is_Rational and isinstance(expr.base, sympy.Add | sympy.Mul)):
        return expr
    above, below = (_shorter(part) for part in sympy.fraction(algebra(sympy.together, expr.base)))
    if below == 1:
        return cast(sympy.Expr, above**expr.exp)
    # Above and below have the same sign where the root is real, but which one is not known to the powers apart.
    if above.is_positive is False or (above.could_extract_minus_sign() and below.could_extract_minus_sign()):
        above, below = -above, -below
    return cast(sympy.Expr, above**expr.exp * below ** (-expr.exp))


def _shorter(expr: sympy.Expr) -> sympy.Expr:
    """Return the expression in factors or multiplied out, whichever is shorter."""
    return min((algebra(sympy.expand, expr), algebra(sympy.factor, expr)), key=count_parts)


def into_roots(expr: sympy.Expr) -> sympy.Expr:
    """Take factors under a root where they cancel: ``c sqrt(a / c^2 + b)`` is ``sqrt(a + b c^2)``."""
    for rest, root in _roots(expr):
        inside = [f for f in rest if f.as_base_exp()[0].is_positive and root.base.has(1 / f, 1 / f**2)]
        if inside:
            return _inside(root, inside, rest)
    return expr


def number_into_root(expr: sympy.Expr) -> sympy.Expr:
    """Take the number before a root under it: ``sqrt(3/2) sqrt(2 a + 2 b / 3)`` is ``sqrt(3 a + b)``."""
    for rest, root in _roots(expr):
        number = sympy.Mul(*(f for f in rest if f.is_number))
        if number != 1 and number.is_positive:
            return _inside(root, [number], [f for f in rest if not f.is_number] + [number])
    return expr


def _roots(expr: sympy.Expr) -> Iterator[tuple[list[sympy.Expr], sympy.Pow]]:
    """Yield each square root of a sum in a product, or one over it, with the other factors."""
    factors = list(expr.args) if isinstance(expr, sympy.Mul) else []
    for place, root in enumerate(factors):
        if isinstance(root, sympy.Pow) and abs(root.exp) == sympy.S.Half and isinstance(root.base, sympy.Add):
            yield factors[:place] + factors[place + 1 :], root


def _inside(root: sympy.Pow, inside: list[sympy.Expr], rest: list[sympy.Expr]) -> sympy.Expr:
    base = algebra(sympy.expand, root.base * sympy.Mul(*inside) ** (1 / root.exp))
    return sympy.Mul(base**root.exp, *(f for f in rest if f not in inside))


def roots_together(expr: sympy.Expr) -> sympy.Expr:
    """Join roots: ``sqrt(a - b) sqrt(a + b)`` is ``sqrt(a^2 - b^2)``."""
    if not isinstance(expr, sympy.Mul):
        return expr
    bases: dict[sympy.Expr, list[sympy.Expr]] = {}
    rest: list[sympy.Expr] = []
    for factor in expr.args:
        base, exponent = factor.as_base_exp()
        if exponent.is_Rational and not exponent.is_Integer and isinstance(base, sympy.Add):
            bases.setdefault(exponent, []).append(base)
        else:
            rest.append(factor)
    return sympy.Mul(
        *rest, *(algebra(sympy.expand, sympy.Mul(*several)) ** exponent for exponent, several in bases.items())
    )


def divided(expr: sympy.Expr) -> sympy.Expr:
    """Divide a polynomial by another: ``(a T + a c - b) / (T + c)`` is ``a - b / (T + c)``."""
    above, below = sympy.fraction(expr)
    if not (isinstance(above, sympy.Add) and isinstance(below, sympy.Add)):
        return expr
    symbols = sorted(below.free_symbols, key=str)
    if not symbols or not (above.is_polynomial(*symbols) and below.is_polynomial(*symbols)):
        return expr
    quotient, left = sympy.div(above, below, *symbols)
    return quotient + left / below


def trigonometry(expr: sympy.Expr) -> sympy.Expr:
    """Undo addition theorems, join half angles."""
    added = without_inverse(expr)
    if added is not None:
        return added
    return _half_angles(expr) if isinstance(expr, sympy.Add) else expr


def without_inverse(expr: sympy.Expr) -> sympy.Expr | None:
    """Return the algebraic form of a function of inverse functions; None for others.

    ``tanh(artanh u + artanh v) = (u + v) / (1 + u v)``, likewise for tan, and
    ``exp(c artanh u) = ((1 + u) / (1 - u))^(c / 2)``.
    """
    if isinstance(expr, sympy.exp):
        c, call = cast(sympy.Expr, expr.args[0]).as_coeff_Mul()
        if not (isinstance(call, sympy.atanh) and c.is_Rational):
            return None
        u = cast(sympy.Expr, call.args[0])
        return (1 + u) ** (c / 2) * (1 - u) ** (-c / 2)
    if not isinstance(expr, sympy.tanh | sympy.tan):
        return None
    inverse, sign = (sympy.atanh, 1) if isinstance(expr, sympy.tanh) else (sympy.atan, -1)
    parts = [part.as_coeff_Mul() for part in sympy.Add.make_args(cast(sympy.Expr, expr.args[0]))]
    if len(parts) != 2 or not all(abs(c) == 1 and isinstance(part, inverse) for c, part in parts):
        return None
    u, v = (c * part.args[0] for c, part in parts)
    return (u + v) / (1 + sign * u * v)


def _half_angles(total: sympy.Add) -> sympy.Expr:
    """Join ``c + c cos(2u)`` to ``2 c cos(u)^2``, ``c - c cos(2u)`` to ``2 c sin(u)^2``, and likewise for cosh."""
    terms = list(total.args)
    for wave in terms:
        cosine = next((f for f in sympy.Mul.make_args(wave) if isinstance(f, sympy.cos | sympy.cosh)), None)
        if cosine is None:
            continue
        core, circular = wave / cosine, isinstance(cosine, sympy.cos)
        cos, sin = (sympy.cos, sympy.sin) if circular else (sympy.cosh, sympy.sinh)
        for other in terms:
            sign = 1 if other == core else -1 if other == -core else 0
            if sign:
                half = cast(sympy.Expr, cosine.args[0]) / 2
                square = 2 * core * cos(half) ** 2 if sign > 0 else (-2 if circular else 2) * core * sin(half) ** 2
                return sympy.Add(*(t for t in terms if t not in (wave, other)), square)
    return total


def double_angles(expr: sympy.Expr) -> sympy.Expr:
    """Write ``a + b cos(2u)`` as ``a - b + 2 b cos(u)^2``, for numbers ``a`` and ``b``."""
    if not isinstance(expr, sympy.Add):
        return expr
    number, rest = expr.as_coeff_Add()
    b, wave = rest.as_coeff_Mul()
    if not (number and isinstance(wave, sympy.cos)):
        return expr
    return (number - b) + 2 * b * sympy.cos(cast(sympy.Expr, wave.args[0]) / 2) ** 2


def signs(expr: sympy.Expr) -> sympy.Expr:
    """Turn sums that are mostly negative: ``-a b / (-c - d)`` is ``a b / (c + d)``, ``-(e - 1)`` is ``1 - e``."""
    if not isinstance(expr, sympy.Mul | sympy.Pow):
        return expr
    number, factors = expr.as_coeff_mul()
    turned = []
    for factor in factors:
        base, exponent = factor.as_base_exp()
        if exponent.is_Integer and isinstance(base, sympy.Add) and _is_mostly_negative(base):
            number, factor = number * (-1) ** exponent, (-base) ** exponent
        turned.append(factor)
    if number.is_negative:
        for place, factor in enumerate(turned):
            if isinstance(factor, sympy.Add) and any(term.could_extract_minus_sign() for term in factor.args):
                number, turned[place] = -number, -factor
                break
    return sympy.Mul(number, *turned)


def _is_mostly_negative(total: sympy.Add) -> bool:
    terms = cast(list[sympy.Expr], total.as_ordered_terms())
    negative = [term.could_extract_minus_sign() for term in terms]
    if 2 * sum(negative) == len(terms):
        return negative[0] and not any(term.is_number for term in terms)
    return 2 * sum(negative) > len(terms)
