"""A network is read as it is written: dead nodes, plain parameters, and the choice between two ways to write."""

from __future__ import annotations

import math

import pytest
import sympy
import torch

from kanlab.engine.network import Network
from kanlab.symbolic import fold
from kanlab.symbolic.library import get
from kanlab.symbolic.reading import formula_of, plainly, read_outputs

X = sympy.Symbol("x")


def network(a, b, c, d, name, samples):
    result = Network([1, 1])
    result.layer(0).fix(0, 0, get(name), (a, b, c, d))
    result.show(samples)
    return result


def test_a_dead_node_is_a_number():
    model = Network([1, 2, 1], grid=4)
    model.layer(0).remove(0, 1)
    formula = formula_of(model, ["x"])
    assert formula.spline_edges == ((0, 0, 0), (1, 0, 0))
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]
    torch.testing.assert_close(formula(x), model(x).detach(), rtol=1e-12, atol=1e-12)


def test_plain_parameters_stand_where_the_model_has_them():
    model = network(-2.0, 3.0, 0.5, 1.0, "sin", torch.zeros(1, 1))
    (form,), curves = read_outputs(model, [fold.variable(X)], plainly)
    assert form.expr() == 1 - 0.5 * sympy.sin(2 * X - 3)
    assert curves == {}
    (form,), _ = read_outputs(model, [fold.variable(X)])
    assert form.expr() == 0.5 * sympy.sin(2 * X - 3 + math.pi) + 1


def test_what_folding_would_spoil_is_written_plainly():
    # tan(a x + b) with a phase of many turns: bringing it into one turn loses digits that the steep slope needs.
    x = torch.linspace(0.9, 1.1, 200, dtype=torch.float64)[:, None]
    model = network(1e-7, math.pi / 2 - 1.1e-7 - 1e-9 + 1e6 * math.pi, 1.0, 0.0, "tan", x)
    folded, _ = read_outputs(model, [fold.variable(X)])
    plain, _ = read_outputs(model, [fold.variable(X)], plainly)
    assert folded[0].expr() != plain[0].expr()
    formula = formula_of(model, ["x"])
    assert formula.exprs[0] == plain[0].expr()
    assert formula.warning is None


@pytest.mark.parametrize("part", ["affine", "coef", "scale_base", "scale_sp"])
def test_parameters_that_are_not_finite_are_named(part):
    model = Network([1, 2])
    model.layer(0).fix(0, 1, get("exp"), (1.0, 0.0, 1.0, 0.0))
    edge = (0, 1) if part == "affine" else (0, 0)
    getattr(model.layer(0), part).data[edge] = math.inf
    with pytest.raises(ValueError, match=rf"edge \(0, 0, {edge[1]}\) has parameters that are not finite numbers"):
        formula_of(model)
