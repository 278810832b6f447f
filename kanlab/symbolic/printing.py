r"""Set expressions as LaTeX and as presentation MathML.

One walk over the tree decides what is written (order of terms, fractions, roots, brackets); two writers say how. The
expression stays exact: rounding numbers to ``digits`` places after the first belongs to the printer. Variables appear
under the names people gave them (`kanlab.symbolic.names`), undetermined edges as φ with the edge's indices.

>>> x, y = sympy.symbols("x y")
>>> print(latex(sympy.exp(sympy.sin(3.14159265 * x) + y**2)))
e^{\sin\left(3.1416 x\right) + y^{2}}
"""

from __future__ import annotations

import itertools
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import sympy
from sympy.core.function import AppliedUndef

from kanlab.symbolic.calculus import CURVE_NAME
from kanlab.symbolic.names import latex_name, mathml_name, parse_name, xml_text

MATHML_NAMESPACE = "http://www.w3.org/1998/Math/MathML"

#: How tightly parts bind: what is weaker than its place needs brackets.
_SUM, _PRODUCT, _POWER, _ATOM = range(4)

_FUNCTION_NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arsinh", "acosh": "arcosh", "atanh": "artanh",
    "sign": "sgn",
}  # fmt: skip
#: Functions LaTeX has a command for.
_LATEX_FUNCTIONS = ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "exp")


def latex(
    expr: sympy.Expr,
    names: Mapping[sympy.Symbol, str] | None = None,
    digits: int | None = 4,
) -> str:
    """Return LaTeX for mathematical mode.

    Parameters
    ----------
    expr
        What to set.
    names
        The name to show for each symbol; its own if not given.
    digits
        Places after the first digit, trailing zeros dropped; ``None`` for all that a double holds.
    """
    return _LatexWriter(names or {}, expr, digits).write(expr)


def mathml(
    expr: sympy.Expr,
    names: Mapping[sympy.Symbol, str] | None = None,
    digits: int | None = 4,
) -> str:
    """Return a ``<math>`` element of its own. For the parameters see `latex`.

    >>> mathml(sympy.Symbol("x_1") / 2).removeprefix(f'<math xmlns="{MATHML_NAMESPACE}" display="block">')
    '<mfrac><msub><mi>x</mi><mn>1</mn></msub><mn>2</mn></mfrac></math>'
    """
    return math_element(mathml_row(expr, names, digits))


def mathml_row(
    expr: sympy.Expr,
    names: Mapping[sympy.Symbol, str] | None = None,
    digits: int | None = 4,
    places: Mapping[float, Place] | None = None,
) -> str:
    """Return the MathML that stands inside ``<math>``. For the parameters see `latex`.

    A number that has a place is marked by it: ``<mn data-number="0">``.
    """
    writer = _MathmlWriter(names or {}, expr, digits)
    writer.places = places or {}
    return writer.write(expr)


def math_element(inside: str) -> str:
    """Wrap MathML in a displayed ``<math>`` element."""
    return f'<math xmlns="{MATHML_NAMESPACE}" display="block">{inside}</math>'


def round_number(value: float, digits: int | None) -> tuple[str, int]:
    """Return a decimal text and a power of ten; the power is 0 where the number is written out.

    >>> round_number(3.14159, 4), round_number(1.0000002, 4), round_number(-2.5e-7, 4)
    (('3.1416', 0), ('1', 0), ('-2.5', -7))
    """
    if digits is None:
        mantissa, _, power = repr(value).partition("e")
        return mantissa.removesuffix(".0"), int(power or 0)
    mantissa, _, power = f"{value:.{digits}e}".partition("e")
    if -4 <= int(power) < 7:
        text = f"{float(f'{mantissa}e{power}'):.{max(0, digits - int(power))}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text), 0
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa), int(power)


class _Writer(ABC):
    """The walk; subclasses supply the marks."""

    def __init__(self, names: Mapping[sympy.Symbol, str], expr: sympy.Basic, digits: int | None):
        self.names = names
        self.digits = digits
        # Terms are ordered by the variables' order: the given one, then the alphabet.
        rest = sorted((s for s in expr.free_symbols if s not in names), key=lambda symbol: str(symbol))
        self.rank = {symbol: position for position, symbol in enumerate([*names, *rest])}

    def write(self, expr: sympy.Basic, place: int = _SUM) -> str:
        """Write an expression, in brackets if it binds less tightly than its place."""
        text, strength = self.parts(expr)
        return text if strength >= place else self.brackets(text)

    def parts(self, expr: sympy.Basic) -> tuple[str, int]:
        """Return an expression's text and how tightly it binds."""
        if isinstance(expr, sympy.Symbol):
            return self.symbol(self.names.get(expr, expr.name)), _ATOM
        if isinstance(expr, sympy.Rational | sympy.Float):
            return self.number(expr)
        if isinstance(expr, sympy.Add):
            return self.sum(expr), _SUM
        if isinstance(expr, sympy.Mul):
            return self.product(expr)
        if isinstance(expr, sympy.exp):
            return self.power(self.constant("e"), self.write(expr.args[0])), _POWER
        if isinstance(expr, sympy.Pow):
            return self.pow(expr)
        if isinstance(expr, sympy.Abs):
            return self.bars(self.write(expr.args[0])), _ATOM
        if isinstance(expr, sympy.Function) and all(isinstance(argument, sympy.Expr) for argument in expr.args):
            return self.function(expr), _ATOM
        constant = {sympy.pi: "pi", sympy.E: "e", sympy.oo: "infty", sympy.I: "i"}.get(cast(sympy.Expr, expr))
        return (self.constant(constant), _ATOM) if constant else (self.other(expr), _SUM)

    def number(self, expr: sympy.Rational | sympy.Float) -> tuple[str, int]:
        if isinstance(expr, sympy.Rational) and expr.q != 1:
            whole = self.fraction(self.digits_text(str(abs(expr.p))), self.digits_text(str(expr.q)))
            return (self.negative(whole), _SUM) if expr.p < 0 else (whole, _PRODUCT)
        if isinstance(expr, sympy.Integer) and abs(expr) < 10**15:
            text, power = str(abs(int(expr))), 0
        elif math.isfinite(float(expr)):
            text, power = round_number(abs(float(expr)), self.digits)
        else:
            return self.other(expr), _SUM
        shown = self.digits_text(text)
        strength = _ATOM
        if power:
            ten = self.power(self.digits_text("10"), self.signed(power))
            shown, strength = (ten, _POWER) if text == "1" else (self.times(shown, ten), _PRODUCT)
        return (self.negative(shown), _SUM) if expr < 0 else (shown, strength)

    def signed(self, whole: int) -> str:
        return self.negative(self.digits_text(str(-whole))) if whole < 0 else self.digits_text(str(whole))

    # --- sums

    def sum(self, expr: sympy.Add) -> str:
        terms = sorted(expr.args, key=self.sum_key)
        # A sum does not begin with a minus if it need not: 1 - x, not -x + 1.
        first = next((position for position, term in enumerate(terms) if not _is_negative(term)), 0)
        terms.insert(0, terms.pop(first))
        text = self.write(terms[0])
        for term in terms[1:]:
            negative = _is_negative(term)
            text = self.join(text, "-" if negative else "+", self.write(-term if negative else term, _PRODUCT))
        return text

    def sum_key(self, term: sympy.Basic) -> tuple:
        """Order: by first variable; its powers from the highest down, then functions of it; numbers last."""
        _, core = cast(sympy.Expr, term).as_coeff_Mul()
        ranks = sorted(self.rank[symbol] for symbol in core.free_symbols)
        plain = core.is_polynomial(*core.free_symbols) if ranks else True
        degree = sympy.total_degree(core) if ranks and plain else 0
        return (not ranks, ranks[:1], not plain, -degree, ranks, sympy.default_sort_key(core))

    # --- products

    def product(self, expr: sympy.Mul) -> tuple[str, int]:
        coefficient, _ = expr.as_coeff_Mul()
        if coefficient.is_negative:
            return self.negative(self.write(-expr, _PRODUCT)), _SUM
        above, below = [], []
        for factor in expr.args:
            if isinstance(factor, sympy.Rational) and factor.q != 1:
                above += [sympy.Integer(factor.p)] if factor.p != 1 else []
                below.append(sympy.Integer(factor.q))
            elif isinstance(factor, sympy.Pow) and factor.exp.is_number and factor.exp.is_negative:
                below.append(sympy.Pow(factor.base, -factor.exp))
            else:
                above.append(factor)
        if not below:
            return self.factors(above), _PRODUCT
        # A decimal stands before the fraction: 0.5 x/y, not (0.5 x)/y.
        front = [factor for factor in above if isinstance(factor, sympy.Float) and not self.is_one(factor)]
        rest = [factor for factor in above if factor not in front]
        fraction = self.fraction(self.factors(rest), self.factors(below))
        return (self.adjoin(self.factors(front), fraction) if front else fraction), _PRODUCT

    def factors(self, factors: Iterable[sympy.Basic]) -> str:
        ordered = sorted((f for f in factors if not self.is_one(f)), key=self.factor_key)
        if not ordered:
            return self.digits_text("1")
        if len(ordered) == 1:
            return self.write(ordered[0], _PRODUCT)
        text = self.write(ordered[0], _PRODUCT)
        for before, factor in itertools.pairwise(ordered):
            dotted = _begins_with_digit(factor) or (before.is_Number and _begins_with_digit(factor))
            join = self.times if dotted else self.adjoin
            text = join(text, self.write(factor, _POWER))
        return text

    def is_one(self, factor: sympy.Basic) -> bool:
        """Say whether a factor reads as 1 at this rounding."""
        return factor == 1 or (isinstance(factor, sympy.Float) and round_number(float(factor), self.digits) == ("1", 0))

    def factor_key(self, factor: sympy.Basic) -> tuple:
        """Order: numbers, constants, powers of variables, sums, functions."""
        base = factor.base if isinstance(factor, sympy.Pow) else factor
        kind = 0 if base.is_Number else 1 if not base.free_symbols else 2 if base.is_Symbol else 4 - base.is_Add
        ranks = sorted(self.rank[symbol] for symbol in factor.free_symbols)
        return (kind, ranks, sympy.default_sort_key(factor))

    # --- powers and functions

    def pow(self, expr: sympy.Pow) -> tuple[str, int]:
        base, exponent = cast(sympy.Expr, expr.base), cast(sympy.Expr, expr.exp)
        if exponent.is_number and exponent.is_negative:
            return self.fraction(self.digits_text("1"), self.write(sympy.Pow(base, -exponent))), _PRODUCT
        if isinstance(exponent, sympy.Rational) and exponent.p == 1:
            return self.root(self.write(base), None if exponent.q == 2 else str(exponent.q)), _ATOM
        if isinstance(exponent, sympy.Float) and self.is_one(exponent):
            return self.parts(base)
        shown = self.write(exponent)
        if isinstance(base, sympy.Function) and not isinstance(base, sympy.exp | sympy.Abs | AppliedUndef):
            return self.function(base, shown), _ATOM
        return self.power(self.write(base, _ATOM), shown), _POWER

    def function(self, expr: sympy.Function, power: str | None = None) -> str:
        arguments = self.list([self.write(argument) for argument in expr.args])
        name = expr.func.__name__
        edge = CURVE_NAME.fullmatch(name)
        head = self.edge(edge.groups()) if edge else self.function_name(_FUNCTION_NAMES.get(name, name))
        return self.apply(self.power(head, power) if power else head, self.brackets(arguments))

    # --- marks

    @abstractmethod
    def symbol(self, name: str) -> str: ...
    @abstractmethod
    def constant(self, name: str) -> str: ...
    @abstractmethod
    def digits_text(self, digits: str) -> str: ...
    @abstractmethod
    def function_name(self, name: str) -> str: ...
    @abstractmethod
    def edge(self, indices: Sequence[str | None]) -> str: ...
    @abstractmethod
    def brackets(self, text: str) -> str: ...
    @abstractmethod
    def bars(self, text: str) -> str: ...
    @abstractmethod
    def negative(self, text: str) -> str: ...
    @abstractmethod
    def join(self, left: str, sign: str, right: str) -> str: ...
    @abstractmethod
    def times(self, left: str, right: str) -> str: ...
    @abstractmethod
    def adjoin(self, left: str, right: str) -> str: ...
    @abstractmethod
    def apply(self, head: str, arguments: str) -> str: ...
    @abstractmethod
    def list(self, parts: list[str]) -> str: ...
    @abstractmethod
    def fraction(self, above: str, below: str) -> str: ...
    @abstractmethod
    def power(self, base: str, exponent: str) -> str: ...
    @abstractmethod
    def root(self, text: str, degree: str | None) -> str: ...
    @abstractmethod
    def other(self, expr: sympy.Basic) -> str: ...


def _is_negative(term: sympy.Basic) -> bool:
    return bool(cast(sympy.Expr, term).as_coeff_Mul()[0].is_negative)


def _begins_with_digit(factor: sympy.Basic) -> bool:
    base = factor.base if isinstance(factor, sympy.Pow) else factor
    return bool(base.is_Number)


class _LatexWriter(_Writer):
    def symbol(self, name: str) -> str:
        return latex_name(parse_name(name))

    def constant(self, name: str) -> str:
        return name if len(name) == 1 else f"\\{name}"

    def digits_text(self, digits: str) -> str:
        return digits

    def function_name(self, name: str) -> str:
        if name in _LATEX_FUNCTIONS:
            return f"\\{name}"
        plain = name.isascii() and name.isalnum()
        return rf"\operatorname{{{name}}}" if plain else latex_name(parse_name(name))

    def edge(self, indices: Sequence[str | None]) -> str:
        *place, order = indices
        return rf"\varphi{int(order or 0) * chr(39)}_{{{','.join(map(str, place))}}}"

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)"

    def bars(self, text: str) -> str:
        return rf"\left|{text}\right|"

    def negative(self, text: str) -> str:
        return f"-{text}"

    def join(self, left: str, sign: str, right: str) -> str:
        return f"{left} {sign} {right}"

    def times(self, left: str, right: str) -> str:
        return rf"{left} \cdot {right}"

    def adjoin(self, left: str, right: str) -> str:
        return f"{left} {right}"

    def apply(self, head: str, arguments: str) -> str:
        return f"{head}{arguments}"

    def list(self, parts: list[str]) -> str:
        return ", ".join(parts)

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, base: str, exponent: str) -> str:
        # A name with an index already up there (x' ^ 2) must not get a second superscript.
        return (
            f"{{{base}}}^{{{exponent}}}" if "^" in base and not base.startswith("\\left") else f"{base}^{{{exponent}}}"
        )

    def root(self, text: str, degree: str | None) -> str:
        return rf"\sqrt[{degree}]{{{text}}}" if degree else rf"\sqrt{{{text}}}"

    def other(self, expr: sympy.Basic) -> str:
        symbols = [symbol for symbol in expr.free_symbols if isinstance(symbol, sympy.Symbol)]
        return sympy.latex(expr, symbol_names={s: self.symbol(self.names.get(s, s.name)) for s in symbols})


@dataclass(frozen=True)
class Place:
    """Which of an expression's movable numbers it is (`kanlab.symbolic.tune`), and the fraction to write for it."""

    index: int
    fraction: sympy.Rational | None = None


class _MathmlWriter(_Writer):
    #: Numbers that have a place, by their size: each is marked by it with ``data-number``.
    places: Mapping[float, Place] = MappingProxyType({})

    def number(self, expr: sympy.Rational | sympy.Float) -> tuple[str, int]:
        place = self.places.get(abs(float(expr)))
        if place is not None and place.fraction is not None:
            positive = expr > 0
            expr = place.fraction if positive == (place.fraction > 0) else cast(sympy.Rational, -place.fraction)
        text, strength = super().number(expr)
        return self.marked(text, place), strength

    def marked(self, text: str, place: Place | None) -> str:
        """Mark the first number, fraction, or name of a number in a text."""
        if place is None:
            return text
        return re.sub("<(mn|mi|mfrac)>", rf'<\1 data-number="{place.index}">', text, count=1)

    def symbol(self, name: str) -> str:
        return mathml_name(parse_name(name))

    def constant(self, name: str) -> str:
        text = f"<mi>{ {'pi': 'π', 'infty': '∞'}.get(name, name) }</mi>"
        return self.marked(text, self.places.get(math.pi)) if name == "pi" else text

    def digits_text(self, digits: str) -> str:
        return f"<mn>{digits}</mn>"

    def function_name(self, name: str) -> str:
        return f"<mi>{xml_text(name)}</mi>" if len(name) > 1 else f'<mi mathvariant="normal">{xml_text(name)}</mi>'

    def edge(self, indices: Sequence[str | None]) -> str:
        *place, order = indices
        row = f"<mrow>{self.list([self.digits_text(str(index)) for index in place])}</mrow>"
        if not order:
            return f"<msub><mi>φ</mi>{row}</msub>"
        return f"<msubsup><mi>φ</mi>{row}<mo>{int(order) * '′'}</mo></msubsup>"

    def brackets(self, text: str) -> str:
        return f'<mrow><mo fence="true">(</mo>{text}<mo fence="true">)</mo></mrow>'

    def bars(self, text: str) -> str:
        return f'<mrow><mo fence="true">|</mo>{text}<mo fence="true">|</mo></mrow>'

    def negative(self, text: str) -> str:
        return f'<mrow><mo form="prefix">−</mo>{text}</mrow>'

    def join(self, left: str, sign: str, right: str) -> str:
        return f"{left}<mo>{'−' if sign == '-' else sign}</mo>{right}"

    def times(self, left: str, right: str) -> str:
        return f"{left}<mo>⋅</mo>{right}"

    def adjoin(self, left: str, right: str) -> str:
        return f"{left}<mo>\N{INVISIBLE TIMES}</mo>{right}"

    def apply(self, head: str, arguments: str) -> str:
        return f"<mrow>{head}<mo>\N{FUNCTION APPLICATION}</mo>{arguments}</mrow>"

    def list(self, parts: list[str]) -> str:
        return '<mo separator="true">,</mo>'.join(parts)

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac>{_one(above)}{_one(below)}</mfrac>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{_one(base)}{_one(exponent)}</msup>"

    def root(self, text: str, degree: str | None) -> str:
        return f"<mroot>{_one(text)}<mn>{degree}</mn></mroot>" if degree else f"<msqrt>{text}</msqrt>"

    def other(self, expr: sympy.Basic) -> str:
        return f"<mtext>{xml_text(str(expr))}</mtext>"


_ELEMENT = re.compile(r"<(/?)\w+[^>]*>")


def _one(text: str) -> str:
    """Make one element of a row, for elements that count their children."""
    depth = 0
    for match in _ELEMENT.finditer(text):
        depth += -1 if match[1] else 1
        if depth == 0:
            return text if match.end() == len(text) else f"<mrow>{text}</mrow>"
    return text
