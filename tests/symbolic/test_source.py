"""The source text runs and gives the formula's values, whatever the variables are called."""

from __future__ import annotations

import numpy
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from kanlab.engine.layer import KANLayer
from kanlab.symbolic import library
from kanlab.symbolic.edge_curve import curves_of
from kanlab.symbolic.source import python_source, sympy_source, torch_source

X, Y = sympy.symbols("x y")
EXPRS = [
    sympy.exp(sympy.sin(sympy.pi * X) + Y**2),
    0.1 * X + sympy.Float(3.141592653589793) * Y / 3 - 1e-17,
    sympy.sqrt(X + 2) / sympy.sqrt(Y + 3) + sympy.Rational(1, 3) + sympy.E,
    sympy.Abs(X) + sympy.sign(Y) + sympy.erf(X) + sympy.atanh(X / 2) + sympy.asin(Y / 2),
    X ** sympy.Rational(2, 3) / Y - sympy.Rational(5, 7) * sympy.sqrt(2),
]


def run(text):
    space = {}
    exec(text, space)
    return space


def test_python_source_is_what_one_would_type():
    text = python_source([X**2 + sympy.sin(2 * Y)], [X, Y])
    assert text == "import numpy\n\n\ndef f(x, y):\n    return x**2 + numpy.sin(2*y)"


@pytest.mark.parametrize("expr", EXPRS)
def test_python_source_gives_the_values(expr):
    x, y = numpy.array([0.3, 0.7]), numpy.array([0.2, 1.1])
    got = run(python_source([expr], [X, Y]))["f"](x, y)
    exact = [float(expr.subs({X: a, Y: b}).evalf(20)) for a, b in zip(x, y, strict=True)]
    numpy.testing.assert_allclose(got, exact, rtol=1e-14)


@pytest.mark.parametrize("name", library.names())
def test_torch_source_gives_the_values_of_every_function_and_can_be_differentiated(name):
    function = library.get(name)
    x = torch.linspace(0.1, 0.9, 7, dtype=torch.float64) + (1.0 if name == "arccosh" else 0.0)
    x.requires_grad_()
    got = run(torch_source([function.sympy_fn(X) + X], [X]))["f"](x)
    torch.testing.assert_close(got, function(x) + x, rtol=1e-13, atol=1e-13)
    if name.startswith("J"):  # torch has no derivative of Bessel functions
        return
    (slope,) = torch.autograd.grad(got.sum(), x)
    torch.testing.assert_close(slope, function.derivative(x) + 1, rtol=1e-10, atol=1e-10)


def test_torch_source_takes_curves_as_arguments():
    phi = sympy.Function("phi_0_1_2")
    f = run(torch_source([2 * phi(X), Y / 3], [X, Y], "f"))["f"]
    assert f(1.5, 3.0, lambda u: u + 1) == (5.0, 1.0)


@pytest.mark.parametrize("expr", EXPRS)
def test_sympy_source_gives_the_same_expression(expr):
    assert run(sympy_source([expr], [X, Y], ["f"]))["f"] == expr


@pytest.mark.parametrize("base_fun", ["silu", "identity", "zero"])
@pytest.mark.parametrize("k", [0, 1, 3, 5])
def test_undetermined_edges_are_written_as_their_curves(k, base_fun):
    curve = curves_of(KANLayer(2, 3, grid=4, k=k, base_fun=base_fun), 0)[1, 2]
    phi = sympy.Function(curve.name)
    text = python_source([phi(X) + 1], [X], curves={curve.name: curve})
    x = numpy.linspace(-1.5, 1.5, 30).reshape(2, 15)
    exact = 1 + curve(torch.as_tensor(x)).numpy()
    space = run(text)
    numpy.testing.assert_allclose(space["f"](x), exact, rtol=1e-14)
    assert space["f"](x[0, 3]) == pytest.approx(exact[0, 3], rel=1e-14)
    assert run(sympy_source([phi(X) + 1], [X], ["f"]))["f"] == phi(X) + 1


def test_a_variable_called_as_a_curve_gets_another_name():
    curve = curves_of(KANLayer(1, 1), 0)[0, 0]
    symbol = sympy.Symbol(curve.name)
    space = run(python_source([sympy.Function(curve.name)(symbol)], [symbol], curve.name, {curve.name: curve}))
    u = torch.tensor([0.3], dtype=torch.float64)
    numpy.testing.assert_allclose(space["phi_0_0_0_2"](u.numpy()), curve(u), rtol=1e-14)


def test_without_their_curves_undetermined_edges_become_arguments():
    text = python_source([sympy.Function("phi_0_1_2")(X) + 1], [X])
    assert "phi_0_1_2: the curve of edge (0, 1, 2)" in text
    assert run(text)["f"](2.0, lambda u: u * 10) == 21.0


def test_several_outputs_are_a_tuple():
    text = python_source([X, Y], [X, Y])
    assert run(text)["f"](1, 2) == (1, 2)
    space = run(sympy_source([X, Y], [X, Y], ["f_1", "f 2"]))
    assert (space["f_1"], space["f_2"]) == (X, Y)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True))
def test_any_names_give_source_that_runs_and_nothing_else(names):
    symbols = [sympy.Symbol(name) for name in names]
    total = sympy.Add(*(sympy.Integer(10) ** k * symbol for k, symbol in enumerate(symbols)))
    space = run(python_source([total], symbols, "out"))
    assert set(space) == {"__builtins__", "numpy", "out"}
    assert space["out"](*range(1, len(names) + 1)) == sum((k + 1) * 10**k for k in range(len(names)))
    built = [value for value in run(sympy_source([total], symbols, ["out"])).values() if value == total]
    assert built


@pytest.mark.parametrize("name", ["numpy", "lambda", "f", "x\nimport os", "'''", "__builtins__"])
def test_hostile_names_stay_names(name):
    symbol = sympy.Symbol(name)
    space = run(python_source([2 * symbol], [symbol]))
    assert space["f"](3) == 6
    assert "os" not in space
    assert run(sympy_source([2 * symbol], [symbol], ["g"]))["g"] == 2 * symbol
