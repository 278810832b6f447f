r"""Formulas as trees with numbers in them, kept in one normal form.

A *form* is ``sum_k w_k t_k + w_0``: what the edges into a node compute. Its terms are inputs, calls ``f(form)`` and
products. The normal form leaves no number that another could undo: where a function or a product lets a factor out
(``(w u)^2 = w^2 u^2``, ``exp(u + b) = e^b exp(u)``), it is out, and the first weight inside is 1. So the numbers that
are left can be fitted together, counted, and read one by one.

>>> form = call(library.get("sqrt"), variable(0).scaled(4.0, 8.0))
>>> form.weights, form.terms[0].inner
((2.0,), Form(terms=(Input(index=0),), weights=(1.0,), constant=2.0))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy
import torch

from kanlab.symbolic import library
from kanlab.symbolic.library import SymbolicFunction

#: Logarithm of the largest factor taken out of an exponential.
_FACTOR = 300.0


@dataclass(frozen=True, slots=True)
class Input:
    """A variable."""

    index: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a form."""

    function: SymbolicFunction
    inner: Form


@dataclass(frozen=True, slots=True)
class Product:
    """A product of at least two factors, each with first weight 1."""

    factors: tuple[Form, ...]


Term = Input | Call | Product


@dataclass(frozen=True, slots=True)
class Form:
    """``sum weights[k] * terms[k] + constant``."""

    terms: tuple[Term, ...]
    weights: tuple[float, ...]
    constant: float = 0.0

    def scaled(self, factor: float, offset: float = 0.0) -> Form:
        """Return ``factor * self + offset``."""
        if factor == 0:
            return Form((), (), offset)
        return Form(self.terms, tuple(w * factor for w in self.weights), self.constant * factor + offset)


def variable(index: int) -> Form:
    """Return the form of an input."""
    return Form((Input(index),), (1.0,))


def number(value: float) -> Form:
    """Return a constant."""
    return Form((), (), value)


def add(forms: Sequence[Form]) -> Form:
    """Return the sum of forms; equal terms are collected."""
    weights: dict[Term, float] = {}
    for form in forms:
        for term, weight in zip(form.terms, form.weights, strict=True):
            weights[term] = weights.get(term, 0.0) + weight
    kept = {term: weight for term, weight in weights.items() if weight != 0}
    return Form(tuple(kept), tuple(kept.values()), sum(form.constant for form in forms))


def multiply(forms: Sequence[Form]) -> Form:
    """Return the product of forms; numbers come out, products in it are joined, exponentials become one."""
    scale, factors, exponent = 1.0, [], number(0.0)
    for form in forms:
        if not form.terms:
            scale *= form.constant
            continue
        weight, rest = _unit(form)
        scale *= weight
        (single,) = rest.terms if len(rest.terms) == 1 and rest.constant == 0 else (None,)
        if isinstance(single, Product):
            factors.extend(single.factors)
        elif isinstance(single, Call) and single.function.name == "exp":
            exponent = add([exponent, single.inner])
        else:
            factors.append(rest)
    if exponent.terms:
        factors.append(_only(Call(library.get("exp"), exponent)))
    if scale == 0 or not factors:
        return number(scale)
    if len(factors) == 1:
        return factors[0].scaled(scale)
    return Form((Product(tuple(factors)),), (scale,))


def call(function: SymbolicFunction, inner: Form) -> Form:
    """Return ``function(inner)``, what can be outside of it outside."""
    if function.name == "x":
        return inner
    if not inner.terms:
        return number(float(function(torch.tensor(inner.constant, dtype=torch.float64))))
    if function.name == "exp" and abs(inner.constant) < _FACTOR:
        return _only(Call(function, inner.scaled(1.0, -inner.constant))).scaled(math.exp(inner.constant))
    if not lets_factors_out(function):
        return _only(Call(function, inner))
    size, rest = _unit(inner, signed=False)
    term = _only(Call(function, rest))
    if function.name == "log":
        return term.scaled(1.0, math.log(size))
    return term.scaled(size ** (function.degree or 0.0))


def power(form: Form, exponent: float) -> Form:
    """Return ``form ** exponent``: by a power of the library where it has it, else as ``exp(exponent log(form))``."""
    if exponent == 1:
        return form
    name = f"{'1/' if exponent < 0 else ''}x" + (f"^{abs(exponent):g}" if exponent != -1 else "")
    name = {"x^0.5": "sqrt", "1/x^0.5": "1/sqrt(x)"}.get(name, name)
    if name in library.names():
        return call(library.get(name), form)
    return call(library.get("exp"), call(library.get("log"), form).scaled(exponent))


def substitute(form: Form, inputs: Sequence[Form]) -> Form:
    """Put a form in place of each input."""
    parts = [_substituted(term, inputs).scaled(weight) for term, weight in zip(form.terms, form.weights, strict=True)]
    return add([*parts, number(form.constant)])


def used(form: Form) -> set[int]:
    """Return the indices of the inputs that occur."""
    found: set[int] = set()
    for term in form.terms:
        if isinstance(term, Input):
            found.add(term.index)
        elif isinstance(term, Call):
            found |= used(term.inner)
        else:
            found |= set().union(*map(used, term.factors))
    return found


def lets_factors_out(function: SymbolicFunction) -> bool:
    """Say whether a positive factor inside can stand outside, as a factor (powers) or as a constant (log)."""
    return function.gauge == "shift"


def to_sympy(form: Form, symbols: Sequence[sympy.Symbol], say: Callable[[float], sympy.Expr]) -> sympy.Expr:
    """Return the sympy expression; ``say`` writes a number."""

    def written(form: Form) -> sympy.Expr:
        terms = [say(w) * _written(term) for term, w in zip(form.terms, form.weights, strict=True)]
        return sympy.Add(*terms, say(form.constant))

    def _written(term: Term) -> sympy.Expr:
        if isinstance(term, Input):
            return symbols[term.index]
        if isinstance(term, Call):
            return term.function.sympy_fn(written(term.inner))
        return sympy.Mul(*map(written, term.factors))

    return written(form)


def _only(term: Term) -> Form:
    return Form((term,), (1.0,))


def _unit(form: Form, *, signed: bool = True) -> tuple[float, Form]:
    """Split a form into a factor and a form whose first weight is 1 (or, with a positive factor, -1) exactly."""
    first = form.weights[0]
    scale = first if signed else abs(first)
    rest = Form(form.terms, (first / scale, *(w / scale for w in form.weights[1:])), form.constant / scale)
    return scale, rest


def _substituted(term: Term, inputs: Sequence[Form]) -> Form:
    if isinstance(term, Input):
        return inputs[term.index]
    if isinstance(term, Call):
        return call(term.function, substitute(term.inner, inputs))
    return multiply([substitute(factor, inputs) for factor in term.factors])
