"""Every function one can type has the values of its name, and those a user registers are there at once."""

from __future__ import annotations

import numpy
import pytest
import scipy.special
import sympy
import torch

import kanlab
from kanlab.symbolic import library
from kanlab.symbolic.evaluate import evaluate
from kanlab.symbolic.vocabulary import UnknownError, functions

X = sympy.Symbol("x")
U = numpy.array([0.2, 0.6, 0.9])
NAMES = {
    "ln": numpy.log, "log2": numpy.log2, "log10": numpy.log10, "log1p": numpy.log1p, "expm1": numpy.expm1,
    "square": numpy.square, "cbrt": numpy.cbrt, "arcsin": numpy.arcsin, "acos": numpy.arccos, "arctan": numpy.arctan,
    "arsinh": numpy.arcsinh, "artanh": numpy.arctanh, "arctanh": numpy.arctanh, "sgn": numpy.sign, "abs": numpy.abs,
    "gaussian": lambda u: numpy.exp(-u * u), "sigmoid": scipy.special.expit, "erf": scipy.special.erf,
    "J0": scipy.special.j0, "j1": scipy.special.j1, "sinc": lambda u: numpy.sin(u) / u,
    "sech": lambda u: 1 / numpy.cosh(u),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_have_the_values_of_numpy(name):
    values = evaluate(functions()[name][1](X), {X: torch.from_numpy(U)})
    numpy.testing.assert_allclose(values, NAMES[name](U), rtol=1e-13)


@pytest.mark.parametrize("name", functions())
def test_every_function_makes_an_expression_for_each_number_of_arguments(name):
    counts, build = functions()[name]
    for count in (counts[0], counts[-1]):
        arguments = [sympy.S.Zero if name in ("jv", "besselj") else sympy.Symbol(f"a{m}") for m in range(count)]
        assert isinstance(build(*arguments), sympy.Expr)


def test_orders_that_are_not_there_are_told():
    with pytest.raises(UnknownError, match="order 0 and 1 are known, not 2"):
        functions()["jv"][1](sympy.Integer(2), X)


def test_registered_functions_can_be_typed():
    kanlab.register("wobble", lambda u: torch.sin(u) ** 3, lambda u: sympy.sin(u) ** 3)
    try:
        model = kanlab.KAN.from_formula("2*wobble(x) + 1", ["x"])
        x = model.seen()
        torch.testing.assert_close(model(x).detach(), 2 * torch.sin(x) ** 3 + 1, rtol=1e-13, atol=1e-14)
    finally:
        library.unregister("wobble")
