r"""Write expressions as C: plain functions of doubles that need ``math.h`` and nothing else.

Variables get ASCII identifiers of their own, Greek letters their names; what a variable was called stands beside it in
a comment. Undetermined edges are tables of polynomials. ``j0``, ``j1`` and ``jn`` are POSIX, the rest is C99.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import sympy
from sympy.printing.c import C99CodePrinter

from kanlab.symbolic.edge_curve import Curve
from kanlab.symbolic.names import ascii_words
from kanlab.symbolic.source import describe, renamed, undetermined

_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main bool "
    "asm typeof nullptr true false constexpr thread_local alignas alignof static_assert"
)
#: Names of math.h that a formula may use or that compilers know by themselves.
_MATH = (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim floor fma "
    "fmax fmin fmod frexp gamma hypot ilogb isfinite isinf isnan j0 j1 jn ldexp lgamma log log10 log1p log2 logb modf "
    "nan pow remainder rint round signbit sin sinh sqrt tan tanh tgamma trunc y0 y1 yn signgam INFINITY NAN HUGE_VAL"
)
_TAKEN = (*_KEYWORDS.split(), *_MATH.split())
#: Whole numbers beyond this would not fit C's int.
_INT = 2**31


class _CSource(C99CodePrinter):
    """Doubles as the shortest text that reads back; no macro that C99 does not have."""

    def _print_Float(self, flt: sympy.Float) -> str:
        return _double(float(flt))

    def _print_Integer(self, expr: sympy.Integer) -> str:
        return str(int(expr)) if abs(int(expr)) < _INT else _double(float(expr))

    def _print_NumberSymbol(self, expr: sympy.NumberSymbol) -> str:
        return _double(float(expr))

    _print_Pi = _print_Exp1 = _print_NumberSymbol

    def _print_besselj(self, expr: sympy.Function) -> str:
        order, argument = expr.args
        inside = self._print(argument)
        return f"j{order}({inside})" if order in (0, 1) else f"jn({order}, {inside})"


def _double(value: float) -> str:
    if not math.isfinite(value):
        return "NAN" if math.isnan(value) else "INFINITY" if value > 0 else "(-INFINITY)"
    return repr(value)


def c_source(
    exprs: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    names: Sequence[str],
    curves: Mapping[str, Curve] | None = None,
) -> str:
    """Return C99 source with one function of doubles for each expression.

    >>> x = sympy.Symbol("θ")
    >>> print(c_source([sympy.sin(x) ** 2 / 3], [x], ["f"]))
    #include <math.h>
    <BLANKLINE>
    /* theta: '\u03b8' */
    double f(double theta) {
        return (1.0/3.0)*pow(sin(theta), 2);
    }

    Raises
    ------
    ValueError
        For a function that C does not have.
    KeyError
        For an undetermined function without a curve.
    """
    edges = undetermined(exprs)
    taken = [*_TAKEN, *edges]
    heads = ascii_words(names, taken)
    words = ascii_words([symbol.name for symbol in variables], [*taken, *heads])
    printer = _CSource({"allow_unknown_functions": True, "math_macros": {}})
    notes = [
        f"/* {word}: {_comment(symbol.name)} */\n"
        for word, symbol in zip(words, variables, strict=True)
        if word != symbol.name
    ]
    parameters = ", ".join(f"double {word}" for word in words)
    functions = [
        f"{''.join(notes)}double {head}({parameters}) {{\n    return {_body(printer, expr)};\n}}"
        for head, expr in zip(heads, renamed(exprs, variables, words), strict=True)
    ]
    return "\n\n".join(["#include <math.h>", *(_c_curve((curves or {})[edge], printer) for edge in edges), *functions])


def _body(printer: _CSource, expr: sympy.Expr) -> str:
    unknown = [part.func.__name__ for part in expr.atoms(sympy.Function) if not _has_c(printer, part)]
    if unknown:
        raise ValueError(f"the function {unknown[0]} cannot be written in C")
    return str(printer.doprint(expr))


def _has_c(printer: _CSource, part: sympy.Basic) -> bool:
    name = part.func.__name__
    return name in printer.known_functions or hasattr(printer, f"_print_{name}") or name.startswith("phi_")


def _comment(name: str) -> str:
    """Return a name for a comment: in ASCII, and unable to end it."""
    return ascii(name).replace("*/", "* /").replace("/*", "/ *").replace("??/", "? ?/")


def _c_curve(curve: Curve, printer: _CSource) -> str:
    """Write a curve as a function of a double: a table of Taylor coefficients, and Horner's scheme."""
    degree, pieces = curve.coef.shape[0] - 1, curve.coef.shape[1]
    rows = ",\n        ".join(f"{{{', '.join(map(_double, row))}}}" for row in curve.coef.T.tolist())
    horner = f"coef[n][{degree}]"
    for m in reversed(range(degree)):
        horner = f"({horner})*t + coef[n][{m}]" if m < degree - 1 else f"{horner}*t + coef[n][{m}]"
    expr = curve.base_expr()
    base = "" if expr.is_zero else f" + {printer.doprint(expr)}"
    return "\n".join(
        [
            f"/* {describe(curve)} */",
            f"static double {curve.name}(double u) {{",
            f"    static const double starts[{pieces}] = {{{', '.join(map(_double, curve.starts.tolist()))}}};",
            f"    static const double coef[{pieces}][{degree + 1}] = {{\n        {rows}\n    }};",
            "    int n = 0;",
            f"    while (n < {pieces - 1} && u >= starts[n + 1]) ++n;",
            *(["    double t = u - starts[n];"] if degree else []),
            f"    return {horner}{base};",
            "}",
        ]
    )
