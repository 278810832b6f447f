"""The numbers people write in formulas: whole ones, small fractions, and those with π, e and square roots.

Each has a cost, roughly the bits it takes to say it: given two that fit, the cheaper is the likelier. The table is
kept short on purpose: a dense one finds a "name" for any number.
"""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import sympy

#: What a factor adds to the cost of the number beside it.
_PI, _E, _ROOT, _LOG = 2.0, 2.5, 2.0, 3.0
#: The largest denominator of a number known exactly, and the largest product of numerator and denominator.
_DENOMINATOR, _DIGITS = 1000, 10_000


#: Bits by which saying a constant must be shorter than saying a number.
_CHANCE = 2.0


@dataclass(frozen=True)
class Constant:
    """A number with a name: exact, as a double, and its cost."""

    expr: sympy.Expr
    value: float
    cost: float


def worth_saying(constant: Constant, value: float, error: float) -> bool:
    """Whether a constant takes less to say than the number it may be, as far as its standard error tells that.

    The table has something near most numbers: what is said must be shorter by two bits, misfit included.

    >>> pi, odd = Constant(sympy.pi, math.pi, 2.0), Constant(5 / sympy.sqrt(2 * sympy.pi), 1.9947, 8.0)
    >>> worth_saying(pi, 3.1416, 1e-2), worth_saying(odd, 1.99, 1e-2), worth_saying(odd, 1.9947, 1e-6)
    (True, False, True)
    """
    if constant.value == 0 or error <= 0:
        return True
    return saying(constant, value, error) + _CHANCE < math.log2(max(abs(value) / error, 1e-300))


def saying(constant: Constant, value: float, error: float) -> float:
    """Return the bits that it takes to say a constant, and by how much it misses the number.

    >>> saying(Constant(sympy.pi, math.pi, 2.0), math.pi, 0.01)
    2.0
    """
    return constant.cost + ((constant.value - value) / error) ** 2 / (2 * math.log(2))


def nearest(value: float, rel_tol: float, *, abs_tol: float = 0.0) -> list[Constant]:
    """List the constants within ``rel_tol`` of ``value``, cheapest first, then nearest first.

    Parameters
    ----------
    value
        Any finite number; its sign is kept.
    rel_tol
        Largest difference relative to the constant.
    abs_tol
        0 is listed if ``|value| <= abs_tol``.

    Examples
    --------
    >>> [str(constant.expr) for constant in nearest(3.1416, 1e-4)]
    ['pi']
    >>> [str(constant.expr) for constant in nearest(-0.6667, 1e-3)]
    ['-2/3']
    """
    if not math.isfinite(value):
        raise ValueError(f"value is {value}: only a finite number lies near a constant")
    if not rel_tol >= 0 or not abs_tol >= 0:
        raise ValueError(f"tolerances must be at least 0: rel_tol is {rel_tol}, abs_tol {abs_tol}")
    size, table = abs(value), _table()
    keys = [constant.value for constant in table]
    low = bisect.bisect_left(keys, size / (1 + rel_tol) * (1 - 1e-15))
    high = len(keys) if rel_tol >= 1 else bisect.bisect_right(keys, size / (1 - rel_tol) * (1 + 1e-15))
    found = [constant for constant in table[low:high] if abs(constant.value - size) <= rel_tol * constant.value]
    if value < 0:
        found = [Constant(-constant.expr, -constant.value, constant.cost) for constant in found]
    if size <= abs_tol:
        found.append(Constant(sympy.S.Zero, 0.0, 0.0))
    return sorted(found, key=lambda constant: (constant.cost, abs(constant.value - value)))


def exactly(value: float, rel_tol: float = 1e-11) -> Constant | None:
    """Return the fraction, perhaps of π or e or under a root, that a number known to many digits is, or None.

    For numbers that are known exactly a dense table does no harm: only one number in 10^5 lies by chance within 1e-9
    of such a constant.

    Parameters
    ----------
    value
        Any finite number but 0; its sign is kept.
    rel_tol
        Largest relative difference; more than 1e-8 would find a name for any number.

    Examples
    --------
    >>> str(exactly(0.119366207318921466).expr), str(exactly(-1.24899959967968).expr)
    ('3/(8*pi)', '-sqrt(39)/5')
    """
    if not math.isfinite(value) or value == 0:
        return None
    size = abs(value)
    for unit, number, bits in _units():
        for power, root in ((1, 0.0), (2, _ROOT)):
            ratio = (size / number) if power == 1 else size * size / number
            fraction = Fraction(ratio).limit_denominator(_DENOMINATOR)
            known = fraction and fraction.numerator * fraction.denominator <= _DIGITS
            if known and math.isclose(ratio, float(fraction), rel_tol=power * rel_tol):
                square = _exact(fraction) * unit
                expr = (1 if value > 0 else -1) * (square if power == 1 else sympy.sqrt(square))
                return Constant(expr, float(expr), _bits(fraction) + bits + root)
    return None


@functools.lru_cache(maxsize=1)
def _units() -> list[tuple[sympy.Expr, float, float]]:
    """Return what fractions are taken of, with its value and cost, the cheapest first."""
    units = [(sympy.S.One, 0.0), (sympy.pi, _PI), (1 / sympy.pi, _PI + 1.5), (sympy.pi**2, _PI + 1.5)]
    units += [(1 / sympy.pi**2, _PI + 3.0), (sympy.E, _E), (1 / sympy.E, _E + 1.5)]
    return [(unit, float(unit), cost) for unit, cost in units]


def _bits(fraction: Fraction) -> float:
    """Return the cost of a fraction: 0 for 1, growing with its digits; a denominator costs more than a numerator."""
    return round(_length(fraction.numerator) + 1.5 * _length(fraction.denominator), 3)


def _length(whole: int) -> float:
    """Return how much it takes to say a whole number; a zero at its end takes less than another digit."""
    zeros = 0
    while whole >= 100 and whole % 10 == 0:
        whole, zeros = whole // 10, zeros + 1
    return math.log2(whole) + 1.5 * zeros


def _exact(fraction: Fraction) -> sympy.Expr:
    return sympy.Integer(fraction.numerator) / fraction.denominator


def _entries() -> Iterator[tuple[sympy.Expr, float]]:
    """Yield positive constants and what they cost."""
    whole = [Fraction(n) for n in (*range(1, 21), 24, 25, 30, 32, 36, 40, 48, 50, 60, 64, 100, 1000, 10000)]
    fractions = [Fraction(p, q) for q in (2, 3, 4, 5, 6, 8, 10) for p in range(1, 3 * q) if math.gcd(p, q) == 1]
    fractions += [Fraction(1, n) for n in (7, 9, 12, 16, 20, 24, 32, 100, 1000)]
    for fraction in (*whole, *fractions):
        yield _exact(fraction), _bits(fraction)
    small = [Fraction(p, q) for q in (1, 2, 3, 4, 6) for p in range(1, 9) if math.gcd(p, q) == 1]
    for fraction in small:
        number, cost = _exact(fraction), _bits(fraction)
        yield number * sympy.pi, cost + _PI
        yield number / sympy.pi, cost + _PI + 1.5
        if cost > 2.5:
            continue
        for n in (2, 3, 5):
            yield number * sympy.sqrt(n), cost + _ROOT + math.log2(n) / 2
            yield number / sympy.sqrt(n), cost + _ROOT + math.log2(n) / 2 + 0.5
        for root in (sympy.sqrt(sympy.pi), sympy.sqrt(2 * sympy.pi)):
            yield number * root, cost + _PI + _ROOT
            yield number / root, cost + _PI + _ROOT + 0.5
    for n in (1, 2, 3):
        yield sympy.exp(n), _E + n - 1
        yield sympy.exp(-n), _E + n - 0.5
    yield sympy.sqrt(sympy.E), _E + _ROOT
    yield sympy.pi**2, _PI + 1.5
    yield 4 * sympy.pi**2, _PI + 3.5
    for n in (2, 3, 10):
        yield sympy.log(n), _LOG + math.log2(n) / 2
        yield 1 / sympy.log(n), _LOG + math.log2(n) / 2 + 1
    yield sympy.GoldenRatio, 5.0
    for n in (7, 6, 10):
        yield sympy.sqrt(n), _ROOT + math.log2(n)


@functools.lru_cache(maxsize=1)
def _table() -> tuple[Constant, ...]:
    """Return all constants in order of size; where two are equal the cheaper stays."""
    best: dict[sympy.Expr, Constant] = {}
    for expr, cost in _entries():
        if expr not in best or cost < best[expr].cost:
            best[expr] = Constant(expr, float(expr), cost)
    return tuple(sorted(best.values(), key=lambda constant: constant.value))
