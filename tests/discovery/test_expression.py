import math

import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from kanlab.discovery.expression import (
    Call,
    Product,
    add,
    call,
    multiply,
    number,
    power,
    substitute,
    to_sympy,
    used,
    variable,
)
from kanlab.discovery.program import Program
from kanlab.symbolic import library

X = torch.rand(3, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.5
numbers = st.floats(0.3, 3.0)
UNARY = ["x", "x^2", "x^3", "sqrt", "1/x", "1/x^2", "1/sqrt(x)", "log", "exp", "sin", "tanh", "abs"]


def values(form):
    program = Program(form)
    return program(program.start, X)


def close(a, b):
    return torch.allclose(a, b, rtol=1e-12, atol=1e-12)


@given(st.sampled_from(UNARY), numbers, numbers, numbers)
def test_a_call_keeps_its_value_in_normal_form(name, a, b, c):
    function = library.get(name)
    form = call(function, variable(0).scaled(a, b)).scaled(c)
    assert close(values(form), c * function(a * X[0] + b))


@given(numbers, numbers, numbers)
def test_products_keep_their_value(a, b, c):
    factors = [variable(0).scaled(a, b), variable(1).scaled(c), call(library.get("exp"), variable(2).scaled(a))]
    factors += [call(library.get("exp"), variable(1)), number(b)]
    expected = (a * X[0] + b) * c * X[1] * (a * X[2]).exp() * X[1].exp() * b
    assert close(values(multiply(factors)), expected)


def test_exponentials_in_a_product_become_one():
    (term,) = multiply([call(library.get("exp"), variable(0)), call(library.get("exp"), variable(1))]).terms
    assert isinstance(term, Call)
    assert used(term.inner) == {0, 1}


def test_products_in_products_are_joined():
    inner = multiply([variable(0), variable(1)]).scaled(2.0)
    (term,) = multiply([inner, variable(2)]).terms
    assert isinstance(term, Product)
    assert len(term.factors) == 3


def test_a_factor_inside_is_not_a_free_number():
    assert Program(call(library.get("x^2"), variable(0).scaled(3.0, 1.0))).size == 2  # outer weight, inner constant
    assert Program(call(library.get("exp"), variable(0).scaled(3.0, 1.0))).size == 2  # outer and inner weight
    assert Program(call(library.get("sin"), variable(0).scaled(3.0, 1.0))).size == 3


def test_equal_terms_are_collected_and_cancel():
    form = add([variable(0).scaled(2.0), variable(1), variable(0).scaled(-2.0), number(1.0)])
    assert used(form) == {1}


@pytest.mark.parametrize("exponent", [1.0, 2.0, -1.0, -3.0, 0.5, -0.5, 1.5, 1 / 3, -2.25])
def test_powers_of_any_exponent(exponent):
    assert close(values(power(variable(0), exponent)), X[0] ** exponent)


def test_substitution_puts_a_form_for_each_input():
    form = call(library.get("sin"), add([variable(0), variable(1).scaled(2.0)]))
    ratio = multiply([variable(0), power(variable(2), -1.0)])
    assert close(values(substitute(form, [ratio, variable(1)])), torch.sin(X[0] / X[2] + 2 * X[1]))


def test_sympy_agrees():
    form = multiply([add([variable(0), number(2.0)]), call(library.get("log"), variable(1).scaled(3.0))])
    symbols = sympy.symbols("x y z")
    f = sympy.lambdify(symbols, to_sympy(form, symbols, sympy.Float), "numpy")
    assert close(values(form), torch.as_tensor(f(*X.numpy())))


def test_a_function_of_a_number_is_a_number():
    form = call(library.get("exp"), number(1.0))
    assert not form.terms
    assert form.constant == pytest.approx(math.e, rel=1e-15)
