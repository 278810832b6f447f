r"""Write ``c f(a h + b) + d`` as people write it: algebra that changes the form and not the value.

A node of the network is kept as a *linear form*, ``sum_k w_k t_k + w_0`` with sympy expressions ``t_k`` that carry no
factor of their own. Putting a function on it moves factors and constants to where they are expected:

- ``(a h + b)^n``, roots, reciprocals, ``|.|``: the common factor of ``a h + b`` comes out with its power;
- products of exponentials, and powers of one, become one;
- ``log``: the factor comes out as a constant; ``exp``: the constant comes out as a factor, and ``exp(k log t)`` is
  ``t^k``;
- odd and even functions: the first coefficient is made positive;
- ``sin``, ``cos``: the phase is brought to the smallest one (``-sin(x - 3.14159)`` is ``sin(x + 0.00000)``), and a
  quarter turn changes the one into the other.

The numbers are doubles and stay as exact as double arithmetic leaves them. `tidy` is the one step that changes
values: it drops and rounds within a tolerance, and its caller checks what that did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import sympy
import torch

from kanlab.symbolic.constants import nearest
from kanlab.symbolic.function import SymbolicFunction
from kanlab.symbolic.real import real

#: Coefficients so near in size count as one common factor.
_COMMON = 0.02
#: A coefficient so near a constant, relatively, is that constant: what a fit left of it is rounding.
_WRITTEN = 1e-6
#: Degrees of the library's powers are fractions with denominators up to this.
_DENOMINATOR = 12
#: A phase so near a quarter turn makes a sine a cosine.
_QUARTER = 0.02
#: Beyond this a coefficient in an exponent cannot become the base of a power: it would leave the range of doubles.
_STEEP = 100.0
#: Logarithm of the largest factor taken out of an exponential.
_FACTOR = 600.0


@dataclass(frozen=True)
class Linear:
    """``sum weights[t] * t + constant``; the expressions ``t`` carry no numerical factor."""

    weights: Mapping[sympy.Expr, float]
    constant: float = 0.0

    def scaled(self, factor: float, offset: float = 0.0) -> Linear:
        """Return ``factor * self + offset``."""
        if factor == 0:
            return Linear({}, offset)
        return Linear({t: w * factor for t, w in self.weights.items()}, self.constant * factor + offset)

    def expr(self) -> sympy.Expr:
        """Return the sympy expression."""
        terms = [number(w) * t for t, w in self.weights.items()]
        return sympy.Add(*terms, number(self.constant))


def variable(symbol: sympy.Symbol) -> Linear:
    """Return the linear form of a variable."""
    return Linear({symbol: 1.0})


def add(parts: Sequence[Linear]) -> Linear:
    """Return the sum; equal terms are collected, terms that cancel are gone."""
    weights: dict[sympy.Expr, float] = {}
    for part in parts:
        for t, w in part.weights.items():
            weights[t] = weights.get(t, 0.0) + w
    return Linear({t: w for t, w in weights.items() if w != 0}, math.fsum(part.constant for part in parts))


def multiply(parts: Sequence[Linear]) -> Linear:
    """Return the product, with the factors of single terms in front; sums are not multiplied out."""
    factor, cores = 1.0, []
    for part in parts:
        if not part.weights:
            factor *= part.constant
            continue
        scale, rest = _factored(part, signed=True)
        factor *= scale
        cores.append(rest.expr())
    return _term(_merged(sympy.Mul(*cores)), factor, 0.0)


def _merged(product: sympy.Expr) -> sympy.Expr:
    """Write a product of exponentials as one."""
    factors = sympy.Mul.make_args(product)
    exponents = [cast(sympy.Expr, factor.args[0]) for factor in factors if isinstance(factor, sympy.exp)]
    if len(exponents) < 2:
        return product
    return sympy.Mul(*(f for f in factors if not isinstance(f, sympy.exp)), sympy.exp(sympy.Add(*exponents)))


def number(value: float) -> sympy.Expr:
    """Return a double as sympy's number: exactly, and as an integer where it is one.

    >>> number(2.0), number(0.5)
    (2, 0.500000000000000)
    """
    return sympy.Integer(int(value)) if value.is_integer() and abs(value) < 1e6 else sympy.Float(value)


def apply(function: SymbolicFunction, inner: Linear, c: float, d: float) -> Linear:
    """Return ``c f(inner) + d`` in its usual form."""
    name = function.name
    if name == "x":
        return inner.scaled(c, d)
    if c == 0 or name == "0":
        return Linear({}, d)
    if not inner.weights:
        value = function(torch.tensor(inner.constant, dtype=torch.float64))
        return Linear({}, c * float(value) + d)
    if name == "exp":
        return _exponential(inner, c, d)
    if name in ("sin", "cos"):
        return _wave(function, inner, c, d)
    if name == "log":
        scale, rest = _factored(inner, signed=False)
        return _term(sympy.log(rest.expr()), c, d + c * math.log(scale))
    if name == "gaussian":
        scale, rest = _factored(inner, signed=True)
        return _term(sympy.exp(-number(scale * scale) * rest.expr() ** 2), c, d)
    if function.degree is not None:
        scale, rest = _factored(inner, signed=function.parity != 0)
        sign = function.parity if scale < 0 else 1
        if scale > 0 and isinstance(rest.expr(), sympy.exp):
            degree = Fraction(function.degree).limit_denominator(_DENOMINATOR)
            power = cast(sympy.Expr, rest.expr().args[0]) * degree.numerator / degree.denominator
            return _term(sympy.exp(power), c * scale**function.degree, d)
        return _term(function.sympy_fn(rest.expr()), c * sign * abs(scale) ** function.degree, d)
    if name == "sigmoid" and abs(inner.constant) > _FACTOR:
        # sympy would take the constant out of exp, beyond the range of doubles.
        return _term(sympy.tanh(inner.scaled(0.5).expr()), 0.5 * c, d + 0.5 * c)
    if function.parity and _leading(inner) < 0:
        inner, c, d = inner.scaled(-1.0), c * function.parity, d + c * function.offset
    if name == "tan":
        inner = Linear(inner.weights, _reduced(inner.constant, math.pi))
    return _term(function.sympy_fn(inner.expr()), c, d)


def _term(core: sympy.Expr, c: float, d: float) -> Linear:
    """Return ``c core + d`` with the core's own factor taken into ``c`` (sympy may have moved a sign out)."""
    coefficient, rest = real(core).as_coeff_Mul()
    c *= float(coefficient)
    if rest == 1:
        return Linear({}, c + d)
    if isinstance(rest, sympy.Add) and coefficient == 1:
        return add([*(_term(part, c, 0.0) for part in rest.args), Linear({}, d)])
    return Linear({rest: c} if c != 0 else {}, d)


def _leading(form: Linear) -> float:
    """Return the coefficient of the term that is written first."""
    return form.weights[min(form.weights, key=lambda t: (sorted(map(str, t.free_symbols)), sympy.default_sort_key(t)))]


def _factored(form: Linear, *, signed: bool) -> tuple[float, Linear]:
    """Split off a factor, so that the first coefficient is 1: inside and outside it would stand twice.

    ``2 x + 3 y`` stays as it is, since people would write it, and ``4 x + 8 y + 12`` is ``4 (x + 2 y + 3)``.
    """
    sizes = [abs(w) for w in form.weights.values()]
    lead = _leading(form)
    if max(sizes) > (1 + _COMMON) * min(sizes) and all(nearest(size, _WRITTEN) for size in sizes):
        scale = math.copysign(_common_factor([*sizes, abs(form.constant)]), lead)
    else:
        scale = lead
    scale = scale if signed else abs(scale)
    # Dividing by itself gives exactly 1, so a single term comes out bare.
    return scale, Linear({t: w / scale for t, w in form.weights.items()}, form.constant / scale)


def _common_factor(sizes: Sequence[float]) -> float:
    """Return the smallest of the sizes if all are whole multiples of it, else 1; 0 is a multiple of all.

    >>> _common_factor([4.0, 8.0, 0.0]), _common_factor([2.0, 3.0])
    (4.0, 1.0)
    """
    least = min(size for size in sizes if size)
    ratios = [size / least for size in sizes]
    return least if all(abs(ratio - round(ratio)) <= _WRITTEN * ratio for ratio in ratios) else 1.0


def _exponential(inner: Linear, c: float, d: float) -> Linear:
    """Write ``c exp(sum w_k t_k + w_0)``: ``log`` terms become powers, the constant a factor."""
    powers = [sympy.Pow(t.args[0], number(w)) for t, w in inner.weights.items() if isinstance(t, sympy.log)]
    rest = Linear({t: w for t, w in inner.weights.items() if not isinstance(t, sympy.log)})
    size = inner.constant + math.log(abs(c))
    if abs(size) < _FACTOR or not rest.weights:
        return _term(sympy.Mul(*powers, sympy.exp(rest.expr())), math.copysign(math.exp(min(size, 700.0)), c), d)
    # As a factor it would leave the range of doubles, and sympy takes it out of exp by itself: 20.1^(x - 1000).
    slope = _leading(rest)
    if abs(slope) > _STEEP:
        slope = 1.0
    power = sympy.Pow(sympy.Float(math.exp(slope)), rest.scaled(1 / slope, size / slope).expr())
    return _term(sympy.Mul(*powers, power), math.copysign(1.0, c), d)


def _wave(function: SymbolicFunction, inner: Linear, c: float, d: float) -> Linear:
    """Write ``c sin`` or ``c cos`` with the first coefficient positive and the phase as small as a sign can make it."""
    name = function.name
    if _leading(inner) < 0:
        inner, c = inner.scaled(-1.0), c * function.parity
    phase = _reduced(inner.constant, 2 * math.pi)
    if abs(phase) > math.pi / 2:
        phase, c = phase - math.copysign(math.pi, phase), -c
    if abs(abs(phase) - math.pi / 2) < _QUARTER:
        # sin(u + q) = cos(u), cos(u + q) = -sin(u), and the other way round at -q.
        sign = math.copysign(1.0, phase)
        c *= sign if name == "sin" else -sign
        phase -= sign * math.pi / 2
        name = "cos" if name == "sin" else "sin"
    argument = Linear(inner.weights, phase).expr()
    return _term(sympy.sin(argument) if name == "sin" else sympy.cos(argument), c, d)


def _reduced(phase: float, period: float) -> float:
    """Bring a phase into ``(-period / 2, period / 2]``."""
    return phase - period * math.ceil(phase / period - 0.5)


# --- rounding --------------------------------------------------------------------------------------------------------


def tidy(expr: sympy.Expr, tol: float) -> sympy.Expr:
    """Drop and round what is within a tolerance of nothing or of a whole number.

    In each sum, terms whose coefficient is below ``tol`` times the largest are dropped; factors and exponents within
    ``tol`` of a whole number (exponents: or of a half) become it. How much that changes the value depends on where the
    expression is evaluated: check it there.

    >>> x, y = sympy.symbols("x y")
    >>> tidy(1.0000000003 * sympy.exp(0.9999999 * sympy.sin(3.1 * x - 2e-10) + (y + 3e-9) ** 2) - 2e-9, 1e-6)
    exp(y**2 + sin(3.1*x))
    """
    if not expr.args:
        return _whole(expr, tol) if isinstance(expr, sympy.Float) else expr
    args = [tidy(cast(sympy.Expr, arg), tol) for arg in expr.args]
    if isinstance(expr, sympy.Add):
        sizes = [_size(arg) for arg in args]
        largest = max((size for arg, size in zip(args, sizes, strict=True) if not arg.is_number), default=max(sizes))
        args = [arg for arg, size in zip(args, sizes, strict=True) if size > tol * largest]
        return sympy.Add(*args)
    if isinstance(expr, sympy.Pow) and isinstance(args[1], sympy.Float):
        half = _whole(sympy.Float(2 * float(args[1])), tol)
        args[1] = half / 2 if isinstance(half, sympy.Integer) and half != 0 else args[1]
    return cast(sympy.Expr, expr.func(*args))


def _size(term: sympy.Expr) -> float:
    coefficient = term if term.is_number else term.as_coeff_Mul()[0]
    value = abs(complex(coefficient))
    return value if math.isfinite(value) else math.inf


def _whole(value: sympy.Float, tol: float) -> sympy.Expr:
    nearest = round(float(value)) if math.isfinite(float(value)) and abs(float(value)) < 1e6 else 0
    return sympy.Integer(nearest) if nearest and abs(float(value) - nearest) <= tol * abs(nearest) else value
