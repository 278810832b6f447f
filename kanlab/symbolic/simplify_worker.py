"""Simplify expressions in a process of its own, which can be stopped at any moment: run as a script.

Reads one line of JSON, a list of expressions, and writes a line ``[place, expression]`` for every form it finds. It
imports sympy and nothing of the package, so that it starts fast. Expressions travel as nested lists, never as code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, cast

import sympy
from sympy.core.function import AppliedUndef

#: What may stand at the head of a list: the class of that name in sympy.
HEADS = (
    "Add", "Mul", "Pow", "exp", "log", "sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "acot", "sinh",
    "cosh", "tanh", "coth", "sech", "csch", "asinh", "acosh", "atanh", "acoth", "Abs", "sign", "erf", "erfc", "besselj",
    "gamma", "loggamma", "Max", "Min", "sinc", "floor", "ceiling",
)  # fmt: skip
_CONSTANTS = {"pi": sympy.pi, "E": sympy.E, "GoldenRatio": sympy.GoldenRatio}


def to_tree(expr: sympy.Basic) -> list[Any]:
    """Return an expression as nested lists.

    >>> to_tree(sympy.Symbol("x") ** 2 + 0.5)
    ['Add', ['Float', '0.5'], ['Pow', ['Symbol', 'x'], ['Integer', '2']]]

    Raises
    ------
    ValueError
        For anything but numbers, symbols and the functions in `HEADS`.
    """
    if isinstance(expr, sympy.Symbol):
        return ["Symbol", expr.name]
    if isinstance(expr, sympy.Integer):
        return ["Integer", str(expr)]
    if isinstance(expr, sympy.Rational):
        return ["Rational", str(expr.p), str(expr.q)]
    if isinstance(expr, sympy.Float):
        return ["Float", repr(float(expr))]
    for name, constant in _CONSTANTS.items():
        if expr == constant:
            return [name]
    head = expr.func.__name__
    if isinstance(expr, AppliedUndef):
        return ["Function", head, *map(to_tree, expr.args)]
    if head not in HEADS:
        raise ValueError(f"{head} cannot be sent")
    return [head, *map(to_tree, expr.args)]


def from_tree(tree: list[Any]) -> sympy.Expr:
    """Return the expression that `to_tree` described."""
    head, *rest = tree
    if head == "Symbol":
        return sympy.Symbol(rest[0])
    if head == "Integer":
        return sympy.Integer(rest[0])
    if head == "Rational":
        return sympy.Rational(int(rest[0]), int(rest[1]))
    if head == "Float":
        return sympy.Float(float(rest[0]))
    if head in _CONSTANTS:
        return _CONSTANTS[head]
    if head == "Function":
        return cast(sympy.Expr, sympy.Function(rest[0])(*map(from_tree, rest[1:])))
    if head not in HEADS:
        raise ValueError(f"{head!r} is no expression")
    return getattr(sympy, head)(*map(from_tree, rest))


_STEPS: tuple[Callable[[sympy.Expr], sympy.Expr], ...] = (
    sympy.powsimp,
    sympy.expand_trig,  # undoes tanh(artanh u + artanh v)
    sympy.expand,
    sympy.together,
    sympy.factor,
    sympy.cancel,
    sympy.trigsimp,
    sympy.simplify,
    lambda expr: sympy.simplify(sympy.expand(expr)),
)


def main() -> None:
    """Serve one request."""
    exprs = [from_tree(tree) for tree in json.loads(sys.stdin.readline())]
    for step in _STEPS:
        for place, expr in enumerate(exprs):
            try:
                line = json.dumps([place, to_tree(step(expr))])
            except Exception:  # sympy's steps fail in many ways; the others may still work
                continue
            print(line, flush=True)  # noqa: T201  what the parent reads


if __name__ == "__main__":
    main()
