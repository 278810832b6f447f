r"""Write expressions as source text: a Python function on numpy arrays, or SymPy statements.

Numbers are written so that they read back as the same doubles. Variables get identifiers of their own, whatever people
called them; the name stands beside each as a comment or a string literal, never as code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import sympy
from sympy.core.function import AppliedUndef
from sympy.printing.codeprinter import CodePrinter
from sympy.printing.numpy import SciPyPrinter
from sympy.printing.pycode import PythonCodePrinter
from sympy.printing.str import StrPrinter

from kanlab.symbolic.edge_curve import Curve
from kanlab.symbolic.names import identifiers

_TAKEN = ("numpy", "scipy", "sympy", "torch")
_SETTINGS = {"fully_qualified_modules": True, "allow_unknown_functions": True}
#: What torch calls as sympy does.
_OF_TORCH = (
    "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf",
)  # fmt: skip


class _ExactFloats:
    """Floats as Python writes them: the shortest text that reads back as the same double."""

    def _print_Float(self, expr: sympy.Float) -> str:
        return repr(float(expr))


class _NumpySource(_ExactFloats, SciPyPrinter):
    """Plain numpy; a function neither numpy nor scipy has appears under its own name."""


class _TorchSource(_ExactFloats, PythonCodePrinter):
    """Functions of torch; one that it does not have appears under its own name."""

    def __init__(self, settings: dict[str, bool]):
        super().__init__(settings)
        self.known_functions = {name: f"torch.{name}" for name in _OF_TORCH} | {"Abs": "torch.abs"}

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        return self._hprint_Pow(expr, rational=rational, sqrt="torch.sqrt")

    def _print_sign(self, e: sympy.Function) -> str:
        return f"torch.sign({self._print(e.args[0])})"

    def _print_besselj(self, expr: sympy.Function) -> str:
        order, argument = expr.args
        return f"torch.special.bessel_j{order}({self._print(argument)})"

    def _print_Pi(self, expr: sympy.NumberSymbol) -> str:
        return "torch.pi"

    def _print_Exp1(self, expr: sympy.NumberSymbol) -> str:
        return "torch.e"


class _SympySource(_ExactFloats, StrPrinter):
    """Expressions for SymPy, every name under ``sympy``; no ``1/2`` that Python would divide."""

    def _print_Rational(self, expr: sympy.Rational) -> str:
        return str(expr.p) if expr.q == 1 else f"sympy.Rational({expr.p}, {expr.q})"

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        if expr.exp == sympy.S.Half:
            return f"sympy.sqrt({self._print(expr.base)})"
        if expr.exp == -sympy.S.Half:
            return f"1/sympy.sqrt({self._print(expr.base)})"
        return super()._print_Pow(expr, rational=True)

    def _print_Function(self, expr: sympy.Function) -> str:
        name = expr.func.__name__
        head = f"sympy.Function({name!r})" if isinstance(expr, AppliedUndef) else f"sympy.{name}"
        return f"{head}({', '.join(self._print(argument) for argument in expr.args)})"

    def _print_Pi(self, expr: sympy.NumberSymbol) -> str:  # type: ignore[override]
        return "sympy.pi"

    def _print_Exp1(self, expr: sympy.NumberSymbol) -> str:  # type: ignore[override]
        return "sympy.E"


def python_source(
    exprs: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    name: str = "f",
    curves: Mapping[str, Curve] | None = None,
) -> str:
    """Return the definition of a function of numpy arrays; several expressions are returned as a tuple.

    Undetermined edges become functions of their own, exact to the last digit: polynomials, piece by piece. Without
    their curves they become further arguments: functions of one array.

    >>> x = sympy.Symbol("blood pressure")
    >>> print(python_source([sympy.exp(2 * x)], [x]))
    import numpy
    <BLANKLINE>
    <BLANKLINE>
    def f(blood_pressure):
        # blood_pressure: 'blood pressure'
        return numpy.exp(2*blood_pressure)
    """
    printer = _NumpySource(_SETTINGS)
    edges = undetermined(exprs)
    tables = [] if curves is None else [_python_curve(curves[edge], printer) for edge in edges]
    function = _function(printer, exprs, variables, name, edges if curves is None else [])
    modules = sorted(set(printer.module_imports) | {"numpy"})
    return "\n\n\n".join(["\n".join(f"import {module}" for module in modules), *tables, function])


def torch_source(exprs: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], name: str = "f") -> str:
    """Return the definition of a function of torch tensors, to be differentiated; undetermined edges are arguments.

    >>> x = sympy.Symbol("x")
    >>> print(torch_source([sympy.sin(x) / 3], [x]))
    import torch
    <BLANKLINE>
    <BLANKLINE>
    def f(x):
        return (1/3)*torch.sin(x)
    """
    function = _function(_TorchSource(_SETTINGS), exprs, variables, name, undetermined(exprs))
    return f"import torch\n\n\n{function}"


def _function(
    printer: CodePrinter,
    exprs: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    name: str,
    arguments: Sequence[str],
) -> str:
    """Write one function; ``arguments`` are the undetermined edges that are handed in."""
    edges = undetermined(exprs)
    (head,) = identifiers([name], [*_TAKEN, *edges])
    words = identifiers([symbol.name for symbol in variables], [*_TAKEN, head, *edges])
    bodies = [str(printer.doprint(expr)) for expr in renamed(exprs, variables, words)]
    notes = [
        f"    # {word}: {symbol.name!r}" for word, symbol in zip(words, variables, strict=True) if word != symbol.name
    ]
    notes += [f"    # {edge}: the curve of edge ({', '.join(edge.split('_')[1:])}), a function" for edge in arguments]
    result = bodies[0] if len(bodies) == 1 else f"({', '.join(bodies)})"
    return "\n".join([f"def {head}({', '.join([*words, *arguments])}):", *notes, f"    return {result}"])


def undetermined(exprs: Sequence[sympy.Expr]) -> list[str]:
    """Return the names of the undetermined functions that occur in the expressions, sorted."""
    return sorted({part.func.__name__ for expr in exprs for part in expr.atoms(AppliedUndef)})


def describe(curve: Curve) -> str:
    """Say in words what a curve is."""
    kind = f"spline of degree {len(curve.coef) - 1 + curve.order}"
    return f"edge {curve.edge}: " + (f"derivative {curve.order} of a {kind}" if curve.order else f"a {kind}")


def _python_curve(curve: Curve, printer: _NumpySource) -> str:
    """Write a curve as a function of an array: a table of Taylor coefficients, and Horner's scheme."""
    base = curve.base_expr()
    rows = ",\n        ".join(str(row) for row in curve.coef.tolist())
    lines = [
        f"def {curve.name}(u):",
        f"    # {describe(curve)}",
        f"    starts = numpy.array({curve.starts.tolist()})",
        f"    coef = numpy.array([\n        {rows},\n    ])",
        '    piece = numpy.searchsorted(starts[1:], u, side="right")',
        "    t = u - starts[piece]",
        f"    value = coef[{len(curve.coef) - 1}][piece]",
        *(f"    value = value*t + coef[{m}][piece]" for m in reversed(range(len(curve.coef) - 1))),
        "    return value" if base.is_zero else f"    return value + {printer.doprint(base)}",
    ]
    return "\n".join(lines)


def sympy_source(exprs: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], names: Sequence[str]) -> str:
    """Return SymPy statements that build the expressions under the given names.

    >>> x = sympy.Symbol("x")
    >>> print(sympy_source([sympy.sin(sympy.pi * x)], [x], ["f"]))
    import sympy
    <BLANKLINE>
    x = sympy.Symbol('x')
    f = sympy.sin(sympy.pi*x)
    """
    words = identifiers([symbol.name for symbol in variables], _TAKEN)
    heads = identifiers(names, [*_TAKEN, *words])
    printer = _SympySource()
    symbols = [f"{word} = sympy.Symbol({symbol.name!r})" for word, symbol in zip(words, variables, strict=True)]
    bodies = [str(printer.doprint(expr)) for expr in renamed(exprs, variables, words)]
    return "\n".join(["import sympy", "", *symbols, *(f"{h} = {b}" for h, b in zip(heads, bodies, strict=True))])


class _PlainText(_ExactFloats, StrPrinter):
    """Expressions as people type them, which `kanlab.symbolic.parser` reads."""


def formula_text(exprs: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]) -> list[str]:
    """Return one line of text for each expression that reads back as the same; variables become identifiers.

    >>> x = sympy.Symbol("blood pressure")
    >>> formula_text([sympy.exp(0.1 * x) + sympy.pi], [x])
    ['exp(0.1*blood_pressure) + pi']
    """
    words = identifiers([symbol.name for symbol in variables])
    return [str(_PlainText().doprint(expr)) for expr in renamed(exprs, variables, words)]


def renamed(exprs: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], words: Sequence[str]) -> list[sympy.Expr]:
    """Put the symbol of each word for the variable it stands for."""
    words_of = {symbol: sympy.Symbol(word) for symbol, word in zip(variables, words, strict=True)}
    return [cast(sympy.Expr, expr.xreplace(words_of)) for expr in exprs]
