r"""The same formula as people would write it: algebra that holds where the data is.

An input that is positive throughout the data is taken as positive, so that ``sqrt(m^2 u)`` is ``m sqrt(u)``. Fractions
inside powers are brought together, addition theorems undone (``artanh`` inside ``tanh``), half angles joined
(``1 - cos 2x`` is ``2 sin(x)^2``). What comes out is taken only if it is no longer and gives the same numbers on the
data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import sympy
from jaxtyping import Float
from torch import Tensor

from kanlab.symbolic.evaluate import evaluate
from kanlab.symbolic.formula import count_parts

#: Formulas longer than this are left as they are: algebra with them takes long.
_LONGEST = 80
#: And those shorter than this have nothing to gain from fractions.
_SHORT = 10
#: Largest relative difference that is rounding.
_SAME = 1e-9


def rewritten(
    expr: sympy.Expr, variables: tuple[sympy.Symbol, ...], x: Float[Tensor, "n_in n"], numbers: int = 4
) -> sympy.Expr:
    """Return the shortest equal form that is found.

    Parameters
    ----------
    expr
        In the variables.
    x
        The data's inputs.
    numbers
        How many decimal numbers may occur; with more of them algebra only shuffles digits.
    """
    floats = sorted(expr.atoms(sympy.Float), key=float)
    if count_parts(expr) > _LONGEST or len(floats) > numbers:
        return expr
    there, back = _assumptions(variables, x, floats)
    start = cast(sympy.Expr, expr.xreplace(there))
    before = evaluate(expr, dict(zip(variables, x, strict=True)))
    scale = before.abs().max().clamp(min=1e-300)
    best, length = expr, _length(expr)
    for form in _forms(start):
        found = cast(sympy.Expr, form.xreplace(back))
        if found.has(sympy.I, sympy.zoo, sympy.nan) or not _length(found) < length:
            continue
        after = evaluate(found, dict(zip(variables, x, strict=True)))
        if bool(((after - before).abs() <= _SAME * scale).all()):
            best, length = found, _length(found)
    return best


def _length(expr: sympy.Expr) -> tuple[int, int]:
    """Return the number of parts, a sum of inverse functions inside their function counting more, and of divisions."""
    hidden = sum(isinstance(_added(call), sympy.Expr) for call in expr.atoms(sympy.tanh, sympy.tan))
    divisions = sum(bool(power.exp.is_negative) for power in expr.atoms(sympy.Pow))
    return count_parts(expr) + _LONGEST * hidden, divisions


def _assumptions(
    variables: tuple[sympy.Symbol, ...], x: Float[Tensor, "n_in n"], floats: list[sympy.Float]
) -> tuple[dict[sympy.Expr, sympy.Expr], dict[sympy.Expr, sympy.Expr]]:
    """Return symbols that know their sign in place of the variables and decimal numbers, and the way back."""
    there: dict[sympy.Expr, sympy.Expr] = {}
    back: dict[sympy.Expr, sympy.Expr] = {}
    for symbol, values in zip(variables, x, strict=True):
        known = (
            sympy.Dummy(symbol.name, positive=True) if bool((values > 0).all()) else sympy.Dummy(symbol.name, real=True)
        )
        there[symbol], back[known] = known, symbol
    for value in floats:
        known = sympy.Dummy("c", positive=True)
        there[value] = known if value > 0 else -known
        back[known] = abs(value)
    return there, back


def _forms(expr: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield equal forms."""
    yield expr
    joined = _everywhere(expr, _trigonometry)
    yield joined
    if count_parts(joined) < _SHORT:
        return
    yield _everywhere(joined, _into_roots)
    gathered = _everywhere(joined, _power_of_fraction)
    yield gathered
    together = cast(sympy.Expr, sympy.together(gathered))
    yield together
    yield cast(sympy.Expr, sympy.factor_terms(gathered))
    yield _everywhere(together, _power_of_fraction)
    yield cast(sympy.Expr, sympy.factor(sympy.together(joined)))


def _everywhere(expr: sympy.Expr, rule: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
    """Apply a rule to every part, from the inside out."""
    if not expr.args:
        return expr
    args = [_everywhere(cast(sympy.Expr, arg), rule) for arg in expr.args]
    return rule(cast(sympy.Expr, expr.func(*args)))


def _power_of_fraction(expr: sympy.Expr) -> sympy.Expr:
    """Write the base of a power as one fraction in factors; take out of a root what is positive."""
    if not (isinstance(expr, sympy.Pow) and expr.exp.is_Rational and isinstance(expr.base, sympy.Add | sympy.Mul)):
        return expr
    above, below = (_shorter(part) for part in sympy.fraction(sympy.together(expr.base)))
    if below == 1:
        return cast(sympy.Expr, above**expr.exp)
    # Above and below have the same sign where the root is real, but which one is not known to the powers apart.
    if above.is_positive is False or (above.could_extract_minus_sign() and below.could_extract_minus_sign()):
        above, below = -above, -below
    return cast(sympy.Expr, above**expr.exp * below ** (-expr.exp))


def _shorter(expr: sympy.Expr) -> sympy.Expr:
    """Return the expression in factors or multiplied out, whichever is shorter."""
    return min((sympy.factor(expr), sympy.expand(expr)), key=count_parts)


def _into_roots(expr: sympy.Expr) -> sympy.Expr:
    """Take a factor under a root where it cancels: ``c sqrt(a / c^2 + b)`` is ``sqrt(a + b c^2)``."""
    if not isinstance(expr, sympy.Mul):
        return expr
    factors = list(expr.args)
    for place, root in enumerate(factors):
        if not (isinstance(root, sympy.Pow) and abs(root.exp) == sympy.S.Half and isinstance(root.base, sympy.Add)):
            continue
        rest = factors[:place] + factors[place + 1 :]
        inside = [f for f in rest if f.as_base_exp()[0].is_positive and root.base.has(1 / f, 1 / f**2)]
        if inside:
            base = sympy.expand(root.base * sympy.Mul(*inside) ** (1 / root.exp))
            return sympy.Mul(base**root.exp, *(f for f in rest if f not in inside))
    return expr


def _trigonometry(expr: sympy.Expr) -> sympy.Expr:
    added = _added(expr)
    if added is not None:
        return added
    return _half_angles(expr) if isinstance(expr, sympy.Add) else expr


def _added(expr: sympy.Expr) -> sympy.Expr | None:
    """Return ``(u + v) / (1 + u v)`` for ``tanh(artanh(u) + artanh(v))``, and likewise for tan; None for others."""
    if not isinstance(expr, sympy.tanh | sympy.tan):
        return None
    inverse, sign = (sympy.atanh, 1) if isinstance(expr, sympy.tanh) else (sympy.atan, -1)
    parts = [part.as_coeff_Mul() for part in sympy.Add.make_args(cast(sympy.Expr, expr.args[0]))]
    if len(parts) != 2 or not all(abs(c) == 1 and isinstance(part, inverse) for c, part in parts):
        return None
    u, v = (c * part.args[0] for c, part in parts)
    return (u + v) / (1 + sign * u * v)


def _half_angles(total: sympy.Add) -> sympy.Expr:
    """Join ``c + c cos(2u)`` to ``2 c cos(u)^2``, ``c - c cos(2u)`` to ``2 c sin(u)^2``."""
    terms = list(total.args)
    for wave in terms:
        cosine = next((f for f in sympy.Mul.make_args(wave) if isinstance(f, sympy.cos)), None)
        if cosine is None:
            continue
        core = wave / cosine
        for other in terms:
            sign = 1 if other == core else -1 if other == -core else 0
            if sign:
                half = cast(sympy.Expr, cosine.args[0]) / 2
                square = 2 * other * (sympy.cos(half) if sign > 0 else sympy.sin(half)) ** 2
                return sympy.Add(*(t for t in terms if t not in (wave, other)), square)
    return total
