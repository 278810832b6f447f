"""An expression comes apart into few nodes, and equal parts are one node."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import sympy

from kanlab.symbolic.circuit import Circuit, Form, Term

X, Y, Z = sympy.symbols("x y z")


@pytest.fixture
def circuit():
    return Circuit([X, Y, Z])


def made(circuit):
    """Return the nodes besides the inputs."""
    return circuit.nodes[3:]


def test_factors_and_shifts_live_on_the_edges(circuit):
    form = circuit.read(3 * sympy.sin(2 * X + 1) - 2 * Y + 4)
    assert form.weights == {Term("sin", 0, 2.0, 1.0): 3.0, Term("x", 1): -2.0}
    assert form.constant == 4.0
    assert not made(circuit)


def test_multiples_of_one_sum_are_one_node(circuit):
    first = circuit.read(sympy.exp(2 * X + 4 * Y))
    second = circuit.read(sympy.sin(3 * X + 6 * Y + 1))
    assert len(made(circuit)) == 1
    assert [*first.weights, *second.weights] == [Term("exp", 3, 2.0, 0.0), Term("sin", 3, 3.0, 1.0)]


def test_products_are_one_node_in_any_order(circuit):
    assert circuit.read(X * sympy.sin(Y)) == circuit.read(sympy.sin(Y) * X)
    assert [len(node.factors) for node in made(circuit)] == [2]


def test_two_functions_of_one_node_need_a_node_between(circuit):
    form = circuit.subnode(circuit.read(sympy.sin(X) + X**2 + Y))
    assert len({term.node for term in form.weights}) == len(form.weights) == 2
    assert [node.level for node in made(circuit)] == [1, 1]


def test_levels_count_the_edges_below(circuit):
    assert circuit.height(circuit.read(X)) == 1
    assert circuit.height(circuit.read(sympy.exp(sympy.sin(X) + Y))) == 2
    assert circuit.height(circuit.read(X * Y + sympy.exp(sympy.sin(X * Y)))) == 3


@pytest.mark.parametrize(
    ("expr", "term"),
    [
        (sympy.exp(-4 * X**2), Term("gaussian", 0, 2.0, 0.0)),
        (1 / (1 + sympy.exp(-X)), Term("sigmoid", 0, 1.0, 0.0)),
        (1 / sympy.sqrt(X), Term("1/sqrt(x)", 0)),
        (X**0.5, Term("sqrt", 0)),
        (X**-3.0, Term("1/x^3", 0)),
    ],
)
def test_forms_the_library_has_are_found(circuit, expr, term):
    assert list(circuit.read(expr).weights) == [term]


def test_a_flat_bell_keeps_its_height(circuit):
    (weight,) = circuit.read(sympy.exp(3 - X**2)).weights.values()
    assert weight == pytest.approx(math.exp(3))
    assert [term.function for term in circuit.read(sympy.exp(2000 - X**2)).weights] == ["exp"]


def test_constants_need_no_node(circuit):
    assert circuit.read(sympy.pi * sympy.sqrt(2)) == Form({}, math.pi * math.sqrt(2))
    assert circuit.apply("sin", Form({}, 1.0)) == Form({}, math.sin(1.0))
    assert circuit.multiply([Form({}, 2.0), Form({}, 0.0), circuit.read(X)]) == Form({}, 0.0)
    assert not made(circuit)


def test_exponents_of_the_library_are_known(circuit):
    assert circuit.powers[Fraction(1, 2)] == "sqrt"
    assert circuit.powers[Fraction(-1)] == "1/x"
    assert circuit.powers[Fraction(1)] == "x"
