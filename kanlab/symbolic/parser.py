r"""Read a formula that a person typed: text in, a sympy expression out. Nothing of the text is ever evaluated as code.

A grammar of its own, by recursive descent::

    sum     = product (("+" | "-") product)*
    product = factor (("*" | "·" | "×" | "/" | "÷" | nothing, as in 2x) factor)*
    factor  = ("+" | "-" | "√") factor | atom [superscript] [("**" | "^") factor]
    atom    = number | variable | constant | function "(" sum ("," sum)* ")" | "(" sum ")" | "|" sum "|"

Variables are the names that were given, of any script, blanks included; where one is also the name of a constant or of
a function (``e``, ``beta``, ``I``), it is the variable. Every number that arises on the way must be real and finite, so
``9**9**9`` is an error and no hour of arithmetic.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import NoReturn

import sympy
import torch

from kanlab.symbolic.evaluate import evaluate
from kanlab.symbolic.real import real
from kanlab.symbolic.tokens import SUPERSCRIPTS, Token, fail, listed, tokenise
from kanlab.symbolic.vocabulary import CONSTANTS, Builder, UnknownError, functions

#: Longest text, deepest nesting, largest whole exponent.
MAX_LENGTH = 5_000
MAX_DEPTH = 50
MAX_EXPONENT = 1000
#: Whole numbers with more digits than this are read as decimals.
_WHOLE_DIGITS = 15
#: Roots of whole numbers beyond this are decimals: sympy would look for their prime factors.
_ROOTED = 10**6
#: Whole numbers up to this can do no harm.
_ORDER = 10
_CLOSING = {"(": ")", "[": "]", "|": "|"}
_STRANGE = (sympy.I, sympy.nan, sympy.zoo, sympy.oo, sympy.S.NegativeInfinity)
_NOT_REAL = "this is not a real number that a double can hold"


def parse(text: str, variables: Mapping[str, sympy.Symbol] | Sequence[str]) -> sympy.Expr:
    """Read a formula.

    Parameters
    ----------
    text
        Such as ``"exp(sin(pi*x) + y**2)"`` or ``"√(x² + 1) · |y|"``; at most 5,000 characters.
    variables
        The names that may occur, or the symbol to put for each.

    Returns
    -------
    sympy.Expr
        With exact whole numbers and fractions; decimals are doubles.

    Raises
    ------
    ValueError
        With the position, what stands there and what is allowed.

    Examples
    --------
    >>> parse("exp(sin(pi*x) + y**2)", ["x", "y"])
    exp(y**2 + sin(pi*x))
    >>> parse("2πr/√3", ["r"])
    2*sqrt(3)*pi*r/3
    >>> parse("x.real", ["x"])
    Traceback (most recent call last):
    ...
    ValueError: 'x.real', position 2: '.' is not part of a formula: ...
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula must be text, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the formula has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    symbols = dict(variables) if isinstance(variables, Mapping) else {name: sympy.Symbol(name) for name in variables}
    return _Parser(text, symbols).whole()


class _Parser:
    """One text on its way to an expression."""

    def __init__(self, text: str, symbols: Mapping[str, sympy.Symbol]):
        self.text, self.symbols = text, symbols
        self.tokens = tokenise(text, list(symbols))
        self.functions = functions()
        self.at, self.depth = 0, 0

    def fail(self, start: int, message: str) -> NoReturn:
        fail(self.text, start, message)

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self, *kinds: str) -> Token | None:
        """Go past the next token if it is one of these."""
        token = self.token
        if token.kind not in kinds:
            return None
        self.at += 1
        return token

    def require(self, kind: str, where: str) -> None:
        if not self.take(kind):
            found = f"{self.token.text!r} stands" if self.token.text else "the text ends"
            self.fail(self.token.start, f"{found} where {kind!r} is expected {where}")

    def whole(self) -> sympy.Expr:
        expr = self.sum()
        if self.token.kind != "end":
            self.fail(self.token.start, f"{self.token.text!r} is not expected here: an operator such as + or * is")
        return expr

    def sum(self) -> sympy.Expr:
        start, terms = self.token.start, [self.product()]
        while sign := self.take("+", "-"):
            term = self.product()
            terms.append(-term if sign.kind == "-" else term)
        return self.allowed(start, sympy.Add(*terms))

    def product(self) -> sympy.Expr:
        start, factors, divided = self.token.start, [self.factor()], False
        while True:
            place = self.token
            if sign := self.take("*", "/"):
                factor = self.factor()
                divided = sign.kind == "/"
                if divided and factor.is_zero:
                    self.fail(place.start, "this divides by zero")
                factors.append(1 / factor if divided else factor)
            elif self.adjoins():
                if divided:
                    self.fail(place.start, "a/b c can be read in two ways: write a/(b*c) or a/b*c")
                factors.append(self.factor())
            else:
                return self.allowed(start, sympy.Mul(*factors))

    def adjoins(self) -> bool:
        """Whether the next factor follows without a sign, as in 2x, 3(x + 1), πx or (x + 1)(x - 1)."""
        before, token = self.tokens[self.at - 1], self.token
        if token.kind not in ("number", "variable", "name", "(", "[", "√"):
            return False
        closed = before.kind in ("number", ")", "]", "power") or before.text == "π"
        return closed and not (token.kind == "number" and before.kind == "number")

    def factor(self) -> sympy.Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(self.token.start, f"this is nested more than {MAX_DEPTH} deep")
        sign = self.take("+", "-", "√")
        if sign:
            inner = self.factor()
            expr = inner if sign.kind == "+" else -inner if sign.kind == "-" else self.call(sign, "sqrt", [inner])
        else:
            expr = self.powers()
        self.depth -= 1
        return expr

    def powers(self) -> sympy.Expr:
        start, expr = self.token.start, self.atom()
        if sign := self.take("power"):
            text = "".join("-" if char == "⁻" else str(SUPERSCRIPTS.index(char)) for char in sign.text[:8])
            expr = self.power(start, expr, sympy.Integer(int(text)))
        if self.take("**"):
            expr = self.power(start, expr, self.factor())
        return expr

    def power(self, start: int, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        if exponent.is_number and abs(_value(exponent)) > MAX_EXPONENT:
            self.fail(start, f"the exponent {exponent} is too large: at most {MAX_EXPONENT} is allowed")
        # sympy raises numerical factors at once: ((3 x)^1000)^1000 would be a number of half a million digits.
        factor = sympy.Mul(*(part for part in sympy.Mul.make_args(base) if part.is_number))
        self.check(start, sympy.Pow, [factor, exponent])
        if isinstance(base, sympy.Integer) and abs(base) > _ROOTED and not exponent.is_integer:
            base = sympy.Float(base)
        return self.allowed(start, base**exponent)

    def atom(self) -> sympy.Expr:
        token = self.token
        self.at += 1
        if token.kind == "number":
            return self.number(token)
        if token.kind == "variable":
            if self.token.kind in ("(", "["):
                self.fail(token.start, f"{token.text!r} is a variable, not a function: write {token.text}*(...)")
            return self.symbols[token.text]
        if token.kind == "name":
            return self.named(token)
        if token.kind in _CLOSING:
            expr = self.sum()
            self.require(_CLOSING[token.kind], f"to close position {token.start + 1}")
            return self.allowed(token.start, sympy.Abs(expr)) if token.kind == "|" else expr
        found = f"{token.text!r} stands" if token.text else "the text ends"
        self.fail(token.start, f"{found} where a number, a variable, a function or a bracket is expected")

    def number(self, token: Token) -> sympy.Expr:
        if token.text.isdigit() and len(token.text) <= _WHOLE_DIGITS:
            return sympy.Integer(int(token.text))
        value = float(token.text)
        if math.isinf(value):
            self.fail(token.start, f"{token.text} is too large for a double")
        return sympy.Float(value)

    def named(self, token: Token) -> sympy.Expr:
        if token.text in self.functions:
            if self.token.kind == "(":
                return self.call(token, token.text, self.arguments(token))
            self.fail(token.start, f"{token.text!r} is a function: write {token.text}(...)")
        if token.text in CONSTANTS:
            return CONSTANTS[token.text]
        known = [*self.symbols, *CONSTANTS, *self.functions]
        close = difflib.get_close_matches(token.text, known, n=3, cutoff=0.6)
        meant = f"did you mean {' or '.join(map(repr, close))}?"
        hint = meant if close else f"the variables are {listed(list(self.symbols))}"
        self.fail(token.start, f"{token.text!r} is neither a variable nor a function: {hint}")

    def arguments(self, head: Token) -> list[sympy.Expr]:
        self.require("(", f"after {head.text}")
        found = [self.sum()]
        while self.take(","):
            found.append(self.sum())
        self.require(")", f"to close {head.text}(")
        return found

    def call(self, head: Token, name: str, arguments: list[sympy.Expr]) -> sympy.Expr:
        counts, build = self.functions[name]
        if len(arguments) not in counts:
            allowed = " or ".join(map(str, counts))
            self.fail(head.start, f"{name} takes {allowed} argument{'s'[: counts[-1] > 1]}, not {len(arguments)}")
        try:
            self.check(head.start, build, arguments)
            expr = build(*arguments)
        except UnknownError as error:
            self.fail(head.start, str(error))
        return self.allowed(head.start, expr)

    # --- numbers on the way

    def check(self, start: int, build: Builder, arguments: Sequence[sympy.Expr]) -> None:
        """Try a function of constants in floating point first: what overflows there could keep sympy busy for hours."""
        if not all(argument.is_number for argument in arguments):
            return
        # Small whole numbers stay: they may be the order of a function.
        small = [argument.is_Integer and abs(int(argument)) <= _ORDER for argument in arguments]
        places = [argument if keep else sympy.Dummy() for argument, keep in zip(arguments, small, strict=True)]
        pairs = zip(places, arguments, strict=True)
        value = _value(build(*places), {p: _value(a) for p, a in pairs if isinstance(p, sympy.Dummy)})
        # A power that vanishes would be a fraction with thousands of digits.
        vanished = value == 0 and build is sympy.Pow and _value(arguments[0]) != 0
        if vanished or not math.isfinite(value):
            self.fail(start, _NOT_REAL)

    def allowed(self, start: int, expr: sympy.Expr) -> sympy.Expr:
        """Return the expression if it is, or can be, a real and finite number."""
        expr = real(expr)
        if expr.has(*_STRANGE) or (expr.is_number and not math.isfinite(_value(expr))):
            self.fail(start, _NOT_REAL)
        return expr


def _value(expr: sympy.Expr, values: Mapping[sympy.Symbol, float] | None = None) -> float:
    """Return a constant expression's value in double precision, NaN or infinity included."""
    tensors = {symbol: torch.tensor(value, dtype=torch.float64) for symbol, value in (values or {}).items()}
    return float(evaluate(expr, tensors))
