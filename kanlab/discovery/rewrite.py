r"""The same formula as people would write it: algebra that holds where the data is.

An input that is positive throughout the data is taken as positive, so that ``sqrt(m^2 u)`` is ``m sqrt(u)``. The
rules stand in `kanlab.discovery.rules`. What comes out is taken only if it is shorter and gives the same numbers on
the data.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import cast

import sympy
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery import rules
from kanlab.discovery.clock import Clock, OutOfTimeError
from kanlab.discovery.rules import algebra, everywhere
from kanlab.symbolic.evaluate import evaluate
from kanlab.symbolic.formula import count_parts

#: Formulas longer than this are left as they are: algebra with them takes long.
_LONGEST = 80
#: And those shorter than this have nothing to gain from fractions.
_SHORT = 10
#: How often the shortest form so far is rewritten again.
_ROUNDS = 3
#: Largest relative difference that is rounding.
_SAME = 1e-9


def rewritten(
    expr: sympy.Expr, variables: tuple[sympy.Symbol, ...], x: Float[Tensor, "n_in n"], clock: Clock, numbers: int = 4
) -> sympy.Expr:
    """Return the shortest equal form that is found in time, with the signs where people write them.

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
    before = evaluate(expr, dict(zip(variables, x, strict=True)))
    scale = before.abs().max().clamp(min=1e-300)

    def plain(form: sympy.Expr) -> sympy.Expr | None:
        """Return the form in the variables if it is equal on the data."""
        found = cast(sympy.Expr, form.xreplace(back))
        if found.has(sympy.I, sympy.zoo, sympy.nan):
            return None
        after = evaluate(found, dict(zip(variables, x, strict=True)))
        return found if bool(((after - before).abs() <= _SAME * scale).all()) else None

    best, start = expr, cast(sympy.Expr, expr.xreplace(there))
    with contextlib.suppress(OutOfTimeError):
        for _ in range(_ROUNDS):
            found = _shortest(start, best, plain, clock)
            if found is None:
                break
            start, best = found
    turned = plain(everywhere(start, rules.signs))
    return best if turned is None or count_parts(turned) > count_parts(best) else turned


def _shortest(
    start: sympy.Expr, best: sympy.Expr, plain: Callable[[sympy.Expr], sympy.Expr | None], clock: Clock
) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Return the shortest form that is shorter than the best so far, or None."""
    shortest = None
    for form in _forms(start):
        clock.check()
        found = plain(form) if _length(form) < _length(best) else None
        if found is not None and _length(found) < _length(best):
            shortest, best = form, found
    return None if shortest is None else (shortest, best)


def _length(expr: sympy.Expr) -> tuple[int, int]:
    """Return the number of parts as a reader counts them, and of divisions.

    A minus sign is no part, a fraction and a division are one more, a function of its own inverse many more.
    """
    minus, divisions, fractions, hidden = 0, 0, 0, 0
    for part in sympy.preorder_traversal(expr):
        if isinstance(part, sympy.Mul):
            minus += part.args[0] == -1
        elif isinstance(part, sympy.Pow):
            divisions += bool(part.exp.is_negative)
            fractions -= part.exp.is_Rational and not part.exp.is_Integer
        elif isinstance(part, sympy.Rational):
            fractions += not part.is_Integer
        elif isinstance(part, sympy.tanh | sympy.tan | sympy.exp):
            hidden += rules.without_inverse(part) is not None
    return count_parts(expr) + _LONGEST * hidden + divisions + fractions - 2 * minus, divisions


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
    joined = everywhere(expr, rules.trigonometry)
    yield joined
    if count_parts(joined) < _SHORT:
        return
    for rule in (rules.into_roots, rules.number_into_root, rules.roots_together, rules.divided):
        yield everywhere(joined, rule)
    yield everywhere(everywhere(joined, rules.number_into_root), rules.double_angles)
    gathered = everywhere(joined, rules.power_of_fraction)
    yield gathered
    together = algebra(sympy.together, gathered)
    yield together
    yield algebra(sympy.factor_terms, gathered)
    yield everywhere(together, rules.power_of_fraction)
    yield algebra(sympy.factor, algebra(sympy.together, joined))
