"""Random formulas over the library become KANs, their formulas, files and source, and stay the same function."""

from __future__ import annotations

from typing import cast

import numpy
import pytest
import sympy
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kanlab import KAN
from kanlab.symbolic import library
from kanlab.symbolic.evaluate import evaluate
from kanlab.symbolic.parser import parse
from kanlab.symbolic.real import real

X, Y = sympy.symbols("x y")
ROWS = 100

leaves = st.sampled_from([X, Y, X, Y, sympy.pi, sympy.E, sympy.Rational(1, 3), sympy.Integer(2)]) | st.floats(
    -3, 3, allow_subnormal=False
).filter(lambda value: abs(value) > 1e-2).map(sympy.Float)
powers = st.sampled_from(
    [2, 3, -1, -2, 6, 7, sympy.S.Half, -sympy.S.Half, sympy.Rational(3, 2), sympy.Rational(2, 3), 2.7]
)


def larger(parts: st.SearchStrategy) -> st.SearchStrategy:
    """Join smaller formulas."""
    # Functions that repeat exp or powers of the library would only overflow sooner.
    functions = [library.get(name).sympy_fn for name in library.names() if library.get(name).gauge != "constant"]
    return st.one_of(
        st.tuples(parts, parts).map(sum),
        st.tuples(parts, parts).map(lambda pair: pair[0] * pair[1]),
        st.tuples(parts, parts).map(lambda pair: pair[0] / pair[1]),
        st.tuples(parts, parts).map(lambda pair: pair[0] ** pair[1]),
        st.tuples(parts, powers).map(lambda pair: pair[0] ** pair[1]),
        st.tuples(st.sampled_from(functions), parts).map(lambda pair: pair[0](pair[1])),
    )


formulas = st.recursive(leaves, larger, max_leaves=6)


def at(expr: sympy.Basic, x: torch.Tensor) -> torch.Tensor:
    return evaluate(real(cast(sympy.Expr, expr)), {X: x[:, 0], Y: x[:, 1]}).expand(len(x))


def well_conditioned(expr: sympy.Expr, x: torch.Tensor) -> torch.Tensor:
    """Say where every part is of moderate size, and rounding the inputs changes the value by less than 1e-11 of it."""
    sizes = torch.stack([at(part, x).abs() for part in sympy.preorder_traversal(expr)])
    values = at(expr, x)
    change = torch.stack([(at(expr, x * (1 + h)) - values).abs() for h in (1e-14, -1e-14)]).amax(0)
    moderate = (sizes < 1e30) & ((sizes > 1e-30) | (sizes == 0))
    return moderate.all(0) & (change <= 1e-11 * values.abs())


def is_real(expr: sympy.Expr) -> bool:
    """Whether nothing in it needs complex numbers, as (-1)^x does."""
    odd = [power for power in expr.atoms(sympy.Pow) if power.base.is_number and power.exp.free_symbols]
    return not expr.has(sympy.zoo, sympy.nan, sympy.I) and all(power.base.is_positive for power in odd)


@pytest.fixture(scope="module")
def samples() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 0.1 + 1.6 * torch.rand(ROWS, 2, generator=generator, dtype=torch.float64)


@given(expr=formulas)
@settings(max_examples=30)
def test_random_formulas_are_the_same_function_all_the_way(expr, samples, tmp_path_factory):
    rows = samples[well_conditioned(expr, samples)]
    assume(len(rows) > 20 and is_real(expr))
    exact = at(expr, rows)
    model = KAN.from_formula(expr, [X, Y], rows)
    torch.testing.assert_close(model(rows)[:, 0].detach(), exact, rtol=1e-9, atol=1e-12)
    formula = model.formula(["x", "y"])
    if formula.warning is None:
        torch.testing.assert_close(formula(rows)[:, 0], exact, rtol=1e-8, atol=1e-11)
    path = tmp_path_factory.mktemp("kan") / "m.kan"
    model.save(path)
    assert KAN.load(path).formula(["x", "y"]).exprs == formula.exprs
    numpy.testing.assert_allclose(formula.numpy()(*rows.numpy().T).ravel(), formula(rows)[:, 0].numpy())


@given(expr=formulas)
@settings(max_examples=30)
def test_what_sympy_writes_is_read_as_the_same_function(expr, samples):
    rows = samples[well_conditioned(expr, samples)]
    assume(len(rows) > 20 and is_real(expr))
    # sympy writes 15 digits.
    torch.testing.assert_close(at(parse(str(real(expr)), ["x", "y"]), rows), at(expr, rows), rtol=1e-9, atol=1e-12)


@given(expr=formulas, other=formulas)
@settings(max_examples=20)
def test_several_outputs_share_their_parts(expr, other, samples):
    exprs = [
        expr,
        sympy.sin(expr) + other,
        sympy.sin(sympy.sin(expr)) + expr,
        expr * other,
        sympy.tanh(other) + 2 * expr,
    ]
    real_ones = torch.stack([well_conditioned(part, samples) for part in exprs]).all(0)
    rows = samples[real_ones]
    assume(len(rows) > 10 and all(map(is_real, exprs)))
    model = KAN.from_formula(exprs, [X, Y], rows)
    exact = torch.stack([at(part, rows) for part in exprs], -1)
    torch.testing.assert_close(model(rows).detach(), exact, rtol=1e-9, atol=1e-12)
