r"""Take an expression apart into what a KAN is made of: sums of functions of single nodes, and products.

A *form* is ``sum_k w_k f_k(a_k n_k + b_k) + w_0`` over nodes ``n_k``: what the edges into one subnode compute. A *node*
is an input, a sum node (one form) or a multiplication node (several). Scales, shifts and linear combinations live in
the affine parameters of the edges, and equal parts are one node, so the circuit stays small: ``exp(sin(pi x) + y^2)``
has one node besides its inputs.

>>> x, y = sympy.symbols("x y")
>>> circuit = Circuit([x, y])
>>> form = circuit.read(sympy.exp(sympy.sin(sympy.pi * x) + y**2))
>>> [(term.function, term.node) for term in form.weights], len(circuit.nodes)
([('exp', 2)], 3)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import sympy
import torch

from kanlab.symbolic import library
from kanlab.symbolic.evaluate import evaluate

#: Largest whole exponent that is built from the library's powers.
MAX_EXPONENT = 1000
#: Logarithm of the largest factor taken out of an exponential.
_FACTOR = 600.0
#: The argument in the library's expressions, by which their functions are found.
_U = sympy.Symbol("u")


@dataclass(frozen=True, order=True)
class Term:
    """``f(a n + b)`` of one node."""

    function: str
    node: int
    a: float = 1.0
    b: float = 0.0


@dataclass(frozen=True)
class Form:
    """``sum weights[t] * t + constant``."""

    weights: Mapping[Term, float]
    constant: float = 0.0

    def scaled(self, factor: float, offset: float = 0.0) -> Form:
        """Return ``factor * self + offset``."""
        return Form({t: w * factor for t, w in self.weights.items()}, self.constant * factor + offset)

    @property
    def key(self) -> tuple:
        """What two equal forms have in common."""
        return frozenset(self.weights.items()), self.constant

    @property
    def line(self) -> tuple[int, float, float] | None:
        """The node ``n`` and ``a, b`` if the form is just ``a n + b``."""
        if len(self.weights) != 1:
            return None
        ((term, weight),) = self.weights.items()
        return (term.node, weight, self.constant) if term.function == "x" else None


@dataclass(frozen=True)
class Node:
    """An input (no factors), a sum (one) or a product (several), and the first level it can stand on."""

    factors: tuple[Form, ...]
    level: int


@dataclass
class Circuit:
    """The nodes that have been needed so far; the inputs come first.

    Parameters
    ----------
    variables
        The symbol of each input.
    """

    variables: Sequence[sympy.Symbol]
    nodes: list[Node] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = [Node((), 0) for _ in self.variables]
        self.functions = _functions()
        self.powers = _powers(self.functions)
        self._places: dict[tuple, int] = {}
        self._forms: dict[sympy.Basic, Form] = {
            symbol: Form({Term("x", m): 1.0}) for m, symbol in enumerate(self.variables)
        }

    def height(self, form: Form) -> int:
        """Return the first level on which a subnode can hold the form."""
        return 1 + max((self.nodes[term.node].level for term in form.weights), default=0)

    def read(self, expr: sympy.Expr) -> Form:
        """Return the form of an expression.

        Raises
        ------
        ValueError
            For an unknown symbol, a constant that is no finite real number, or a function the library does not have.
        """
        known = self._forms.get(expr)
        if known is None:
            known = self._forms[expr] = self._read(expr)
        return known

    def _read(self, expr: sympy.Expr) -> Form:
        if not isinstance(expr, sympy.Expr):
            raise ValueError(f"{expr} is a {type(expr).__name__}, not a formula of real numbers")
        if isinstance(expr, sympy.Symbol):
            listed = ", ".join(symbol.name for symbol in self.variables)
            raise ValueError(f"{expr.name!r} is not one of the variables: they are {listed}")
        if not expr.free_symbols:
            return Form({}, _constant(expr))
        if isinstance(expr, sympy.Add):
            return _sum([self.read(cast(sympy.Expr, arg)) for arg in expr.args])
        if isinstance(expr, sympy.Mul):
            return self.multiply([self.read(cast(sympy.Expr, arg)) for arg in expr.args])
        if isinstance(expr, sympy.Pow):
            return self._power(cast(sympy.Expr, expr.base), cast(sympy.Expr, expr.exp))
        if expr.func in _REWRITTEN:
            return self.read(_REWRITTEN[expr.func](*expr.args))
        moving = [position for position, arg in enumerate(expr.args) if arg.free_symbols]
        if len(moving) == 1:
            place = moving[0]
            name = self.functions.get(_with(expr, place))
            if name is not None:
                return self.apply(name, self.read(cast(sympy.Expr, expr.args[place])))
        raise ValueError(
            f"{expr.func.__name__} is not in the library, which has {', '.join(library.names())}: "
            "kanlab.register adds a function"
        )

    # --- building

    def apply(self, name: str, form: Form) -> Form:
        """Return the form of a library function of a form."""
        if name == "x":
            return form
        if not form.weights:
            value = library.get(name)(torch.tensor(form.constant, dtype=torch.float64))
            return Form({}, _finite(float(value), f"{name} at {form.constant}"))
        bell = _bell(form) if name == "exp" else None
        if bell:
            return bell
        return Form({Term(name, *self.line(form)): 1.0})

    def line(self, form: Form) -> tuple[int, float, float]:
        """Return a node ``n`` and ``a, b`` such that the form is ``a n + b``; a sum node is made if one is needed."""
        if form.line:
            return form.line
        # Multiples of one sum share a node.
        scale = form.weights[min(form.weights)]
        bare = Form({t: w / scale for t, w in form.weights.items()})
        return self.sum_node(bare), scale, form.constant

    def sum_node(self, form: Form) -> int:
        """Return the node that holds a form; it is made if there is none."""
        return self._place((self.subnode(form),))

    def known_sum(self, form: Form) -> int | None:
        """Return the node that holds a form if there is one."""
        return self._places.get((form.key,))

    def subnode(self, form: Form) -> Form:
        """Return the form with one term per node at most: between two nodes there is one edge."""
        packs: list[dict[Term, float]] = []
        for term, weight in sorted(form.weights.items()):
            number = sum(other.node == term.node for pack in packs for other in pack)
            if number == len(packs):
                packs.append({})
            packs[number][term] = weight
        if len(packs) < 2:
            return form
        parts = [Form(pack) for pack in packs]
        lines = [part.line or (self.sum_node(part), 1.0, 0.0) for part in parts]
        return Form({Term("x", node): weight for node, weight, _ in lines}, form.constant)

    def multiply(self, forms: Sequence[Form]) -> Form:
        """Return the form of a product."""
        scale = math.prod(form.constant for form in forms if not form.weights)
        moving = [form for form in forms if form.weights]
        if scale == 0 or not moving:
            return Form({}, scale)
        if len(moving) == 1:
            return moving[0].scaled(scale)
        # Sorted, so that x y and y x are one node.
        ordered = sorted(map(self.subnode, moving), key=lambda form: (self.height(form), str(form)))
        return Form({Term("x", self._place(tuple(ordered))): scale})

    def _place(self, factors: tuple[Form, ...]) -> int:
        key = tuple(form.key for form in factors)
        if key not in self._places:
            self._places[key] = len(self.nodes)
            self.nodes.append(Node(factors, max(map(self.height, factors))))
        return self._places[key]

    # --- powers

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Form:
        if exponent.free_symbols:
            # a^b = e^(b log a); sympy would fold exp(b log a) back if it saw it.
            below = self.read(base)
            if not below.weights and below.constant <= 0:
                raise ValueError(
                    f"({base})**({exponent}) is not a real number for all exponents: {base} is not positive"
                )
            return self.apply("exp", self.multiply([self.read(exponent), self.apply("log", below)]))
        form, value = self.read(base), _constant(exponent)
        fraction = _fraction(exponent, value)
        if fraction is None:
            return self._real_power(form, value)
        logistic = _logistic(form) if fraction == -1 else None
        return logistic or self._rational_power(form, fraction)

    def _rational_power(self, form: Form, exponent: Fraction) -> Form:
        name = self.powers.get(exponent)
        if name:
            return self.apply(name, form)
        root = self.powers.get(Fraction(1, exponent.denominator))
        if exponent.denominator > 1:
            if root is None:
                return self._real_power(form, float(exponent))
            return self._rational_power(self.apply(root, form), Fraction(exponent.numerator))
        if exponent < 0:
            return self.apply("1/x", self._rational_power(form, -exponent))
        if exponent > MAX_EXPONENT:
            raise ValueError(f"the exponent {exponent} is too large: at most {MAX_EXPONENT} is allowed")
        # x^23 = (x^5)^4 x^3
        best = max((n for n in self.powers if n.denominator == 1 and n < exponent), default=Fraction(1))
        times, rest = divmod(int(exponent), int(best))
        power = self._rational_power(self._rational_power(form, best), Fraction(times))
        return self.multiply([power, self._rational_power(form, Fraction(rest))]) if rest else power

    def _real_power(self, form: Form, exponent: float) -> Form:
        """Return ``u^p = e^(p log u)``, which is real for ``u > 0`` only, as the power is."""
        return self.apply("exp", self.apply("log", form).scaled(exponent))


#: Functions that are written with others.
_REWRITTEN = {
    sympy.cot: lambda u: 1 / sympy.tan(u),
    sympy.sec: lambda u: 1 / sympy.cos(u),
    sympy.csc: lambda u: 1 / sympy.sin(u),
    sympy.coth: lambda u: 1 / sympy.tanh(u),
    sympy.sech: lambda u: 1 / sympy.cosh(u),
    sympy.csch: lambda u: 1 / sympy.sinh(u),
    sympy.sinc: lambda u: sympy.sin(u) / u,
    sympy.Max: lambda u, *rest: _extreme(u, rest, 1),
    sympy.Min: lambda u, *rest: _extreme(u, rest, -1),
}


def _extreme(u: sympy.Expr, rest: Sequence[sympy.Expr], sign: int) -> sympy.Expr:
    """Write a maximum (``sign`` 1) or minimum (-1) with absolute values."""
    return functools.reduce(lambda p, q: (p + q + sign * sympy.Abs(p - q)) / 2, rest, u)


def _sum(forms: Sequence[Form]) -> Form:
    weights: dict[Term, float] = {}
    for form in forms:
        for term, weight in form.weights.items():
            weights[term] = weights.get(term, 0.0) + weight
    return Form({t: w for t, w in weights.items() if w != 0}, math.fsum(form.constant for form in forms))


def _bell(form: Form) -> Form | None:
    """Return ``exp(w (a n + b)^2 + w_0)`` with ``w < 0`` as a gaussian."""
    if len(form.weights) != 1:
        return None
    ((term, weight),) = form.weights.items()
    if term.function != "x^2" or weight >= 0 or abs(form.constant) > _FACTOR:
        return None
    root = math.sqrt(-weight)
    return Form({Term("gaussian", term.node, root * term.a, root * term.b): math.exp(form.constant)})


def _logistic(form: Form) -> Form | None:
    """Return ``1 / (w_0 + w e^(a n + b))`` with ``w, w_0 > 0`` as a sigmoid."""
    if len(form.weights) != 1 or form.constant <= 0:
        return None
    ((term, weight),) = form.weights.items()
    if term.function != "exp" or weight <= 0:
        return None
    shift = term.b + math.log(weight / form.constant)
    return Form({Term("sigmoid", term.node, -term.a, -shift): 1 / form.constant})


def _constant(expr: sympy.Expr) -> float:
    return _finite(float(evaluate(expr, {})), str(expr))


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{what} is not a finite real number")
    return value


def _fraction(exact: sympy.Expr, value: float) -> Fraction | None:
    """Return an exponent as a fraction if it is one with a small denominator."""
    if isinstance(exact, sympy.Rational):
        return Fraction(exact.p, exact.q)
    near = Fraction(value).limit_denominator(12)
    return near if float(near) == value else None


def _with(expr: sympy.Expr, place: int) -> sympy.Basic:
    """Return a function with ``u`` in place of one argument."""
    return expr.func(*expr.args[:place], _U, *expr.args[place + 1 :])


def _functions() -> dict[sympy.Basic, str]:
    """Return the library's functions by their expression in ``u``."""
    table: dict[sympy.Basic, str] = {}
    for name in library.names():
        table.setdefault(library.get(name).sympy_fn(_U), name)
    return table


def _powers(functions: Mapping[sympy.Basic, str]) -> dict[Fraction, str]:
    """Return the library's powers by their exponent."""
    found = ((cast(sympy.Expr, expr).as_base_exp(), name) for expr, name in functions.items())
    return {
        Fraction(exponent.p, exponent.q): name
        for (base, exponent), name in found
        if base == _U and isinstance(exponent, sympy.Rational)
    }
