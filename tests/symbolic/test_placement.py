"""Every node of a circuit gets a place below what needs it, and outputs keep their order."""

from __future__ import annotations

import pytest
import sympy
import torch

from kanlab.engine.network import Network
from kanlab.symbolic.circuit import Circuit
from kanlab.symbolic.placement import Plan

X, Y = sympy.symbols("x y")


def network_of(*exprs):
    circuit = Circuit([X, Y])
    return Plan(circuit, [circuit.subnode(circuit.read(expr)) for expr in exprs]).network(Network, {"grid": 2})


def present(network):
    return [(l, i, j, network.layer(l).fixed[i, j].name) for l, i, j in network.edges() if network.layer(l).mask[i, j]]


def test_edges_that_are_not_part_of_the_formula_are_removed():
    network = network_of(sympy.exp(sympy.sin(X) + 2 * X * Y))
    assert network.width == [[2, 0], [1, 1], [1, 0], [1, 0]]
    assert present(network) == [
        (0, 0, 0, "x"), (0, 0, 1, "x"), (0, 1, 2, "x"), (1, 0, 0, "sin"), (1, 1, 0, "x"), (2, 0, 0, "exp"),
    ]  # fmt: skip


def test_what_waits_together_is_passed_on_as_one_sum():
    network = network_of(sympy.exp(sympy.exp(sympy.exp(X))) + X + 2 * Y)
    assert network.width == [[2, 0], [2, 0], [2, 0], [1, 0]]


def test_a_node_that_is_there_is_passed_on_rather_than_its_input():
    network = network_of(sympy.exp(sympy.sin(sympy.exp(X)) + Y) + 2 * sympy.exp(X))
    assert network.width == [[2, 0], [2, 0], [2, 0], [1, 0]]
    assert (2, 1, 0, "x") in present(network)


@pytest.mark.parametrize(
    "expr",
    [
        sympy.sin(sympy.exp(X)) + sympy.exp(X),
        sympy.sin(X + Y) + X + Y,
        sympy.exp(X * Y) + (X * Y) ** 2 + X * Y,
        sympy.exp(sympy.exp(sympy.sin(X) + sympy.sin(sympy.sin(X)) + Y)) + sympy.sin(X) + sympy.sin(sympy.sin(X)),
    ],
)
def test_no_two_edges_join_the_same_nodes(expr):
    x = torch.tensor([[0.3, 0.7]], dtype=torch.float64)
    deep = sympy.exp(sympy.exp(sympy.exp(X)))
    values = network_of(expr, deep)(x)[0].detach().tolist()
    assert values == pytest.approx([float(e.subs({X: 0.3, Y: 0.7})) for e in (expr, deep)], rel=1e-14)


@pytest.mark.parametrize(
    ("exprs", "last"),
    [((X * Y,), [0, 1]), ((X, X * Y), [1, 1]), ((X * Y, X), [2, 0]), ((X * Y, sympy.exp(X * Y)), [2, 0])],
)
def test_products_at_the_end_are_multiplication_nodes_where_the_order_allows(exprs, last):
    network = network_of(*exprs)
    assert network.width[-1] == last
    x = torch.tensor([[0.3, 0.7]], dtype=torch.float64)
    exact = [float(expr.subs({X: 0.3, Y: 0.7})) for expr in exprs]
    torch.testing.assert_close(network(x)[0].detach(), torch.tensor(exact, dtype=torch.float64))


def test_a_constant_output_is_an_edge_that_is_constant():
    network = network_of(sympy.Integer(3), sympy.exp(sympy.exp(X)))
    x = torch.tensor([[0.0, 5.0]], dtype=torch.float64)
    assert network(x)[0, 0] == 3
    assert "0" in {name for *_, name in present(network)}
