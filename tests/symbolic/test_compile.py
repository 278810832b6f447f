"""The KAN of a formula equals the formula, stays small, and can be trained, saved and unnamed."""

from __future__ import annotations

import pytest
import sympy
import torch

from kanlab import KAN, Session
from kanlab.problems import feynman
from kanlab.symbolic import library
from kanlab.symbolic.evaluate import evaluate
from kanlab.symbolic.parser import parse


def compiled(text, names):
    """Return the KAN, the formula's own values on its samples, and the KAN's."""
    symbols = {name: sympy.Symbol(name) for name in names}
    model = KAN.from_formula(text, names)
    x = model.seen()
    return (
        model,
        evaluate(parse(text, symbols), dict(zip(symbols.values(), x.unbind(-1), strict=True))),
        model(x)[:, 0].detach(),
    )


@pytest.mark.parametrize("name", feynman.ROWS)
def test_feynman_formulas_are_compiled_to_rounding(name):
    row, data = feynman.ROWS[name], feynman.dataset(name, train_num=500, test_num=10)
    model = KAN.from_formula(row.text, row.variables, data["train_input"])
    torch.testing.assert_close(model(data["train_input"]).detach(), data["train_label"], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "text",
    ["h*w/(exp(h*w/(k*T)) - 1)", "h*w**3/(pi**2*c**2*(exp(h*w/(k*T)) - 1))", "1 + n*a/(1 - n*a/3)"],
    ids=["III.4.33", "I.41.16", "II.11.28"],
)
def test_more_of_feynmans_formulas(text):
    _, values, outputs = compiled(text, ["h", "w", "k", "T", "c", "n", "a"])
    torch.testing.assert_close(outputs, values, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "names", "width"),
    [
        ("exp(sin(pi*x) + y**2)", "x y", [[2, 0], [1, 0], [1, 0]]),
        ("x*y", "x y", [[2, 0], [0, 1]]),
        ("2*x*y", "x y", [[2, 0], [0, 1]]),
        ("x*y + 1", "x y", [[2, 0], [0, 1], [1, 0]]),
        ("x*y*z", "x y z", [[3, 0], [0, 1]]),
        ("(x + 1)*(y - 2)/z", "x y z", [[3, 0], [0, 1]]),
        ("(2*x - 3*y + 1)**2", "x y", [[2, 0], [1, 0], [1, 0]]),
        ("3*sin(2*x + 1) - 2*y + 4", "x y", [[2, 0], [1, 0]]),
        ("sin(x) + x**2", "x", [[1, 0], [2, 0], [1, 0]]),
        ("exp(2*(x*y + z)) + sin(x*y + z)", "x y z", [[3, 0], [1, 1], [1, 0], [2, 0], [1, 0]]),
        ("exp(sin(exp(x))) + y + 2*z", "x y z", [[3, 0], [2, 0], [2, 0], [1, 0]]),
        ("exp(-3*(x - 1)**2)", "x", [[1, 0], [1, 0]]),
        ("2/(4 + 3*exp(-5*x))", "x", [[1, 0], [1, 0]]),
        ("cos(x) + y*cos(x)**2", "x y", [[2, 0], [2, 0], [1, 1], [1, 0]]),
        ("x", "x y", [[2, 0], [1, 0]]),
        ("2", "x", [[1, 0], [1, 0]]),
        ("0", "x y", [[2, 0], [1, 0]]),
    ],
)
def test_networks_are_small(text, names, width):
    model, values, outputs = compiled(text, names.split())
    assert model.width == width
    torch.testing.assert_close(outputs, values, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "text",
    [
        "x**6 + x**7 - x**23",
        "x**-6 + y**-11",
        "x**(1/3) + y**2.7 + x**(5/2) + y**(-3/2) + x**(-2/3)",
        "x**y + 2**x + y**(x + 1)",
        "|x| + sgn(y - 1/2) + cosh(x) + sinh(y)",
        "1/sqrt(x) + sqrt(sqrt(y))",
        "cot(x) + sec(y) + csc(x) + coth(y) + sech(x) + csch(y)",
        "max(x, y, 1/2)*min(x, y)",
        "sigmoid(x)*gaussian(y) + erf(x*y)",
        "tan(x) + arctan(y) + arccos(x/2) + artanh(y/2)",
        "e**x*pi**y + pi/e - sqrt(2)*x",
        "sin(sin(sin(sin(x)))) * sin(sin(x)) * y",
        "(x + y)**4/(x + y + 1) + (x + y)*exp(x + y)",
        "1/(1/x + 1/y)",
        "exp(x)*exp(-y)*exp(x*y)",
    ],
)
def test_everything_over_the_library_is_compiled(text):
    _, values, outputs = compiled(text, ["x", "y"])
    torch.testing.assert_close(outputs, values, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [name for name in library.names() if library.get(name).gauge != "constant"])
def test_every_function_of_the_library_is_compiled_and_written(name):
    x, y = sympy.symbols("x y")
    expr = library.get(name).sympy_fn(x / 2 + y / 4 + sympy.Float(0.3))
    rows = 0.1 + 0.5 * torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows = rows + (3 if name == "arccosh" else 0)
    model = KAN.from_formula(expr, [x, y], rows)
    exact = evaluate(expr, {x: rows[:, 0], y: rows[:, 1]})
    torch.testing.assert_close(model(rows)[:, 0].detach(), exact, rtol=1e-12, atol=1e-13)
    formula = model.formula([x, y])
    assert formula.warning is None
    assert formula.derivative(x).warning is None
    assert formula.c().startswith("#include <math.h>")
    assert formula.python().startswith("import ")


def test_several_outputs_of_different_depth_keep_their_order():
    texts = ["x*y", "exp(sin(x))", "y", "3", "x/y"]
    model = KAN.from_formula(texts, ["x", "y"])
    x, y = sympy.symbols("x y")
    columns = dict(zip((x, y), model.seen().unbind(-1), strict=True))
    values = torch.stack([evaluate(parse(text, ["x", "y"]), columns) for text in texts], -1)
    torch.testing.assert_close(model(model.seen()), values, rtol=1e-12, atol=1e-13)
    assert KAN.from_formula(["x", "x*y"], ["x", "y"]).width == [[2, 0], [1, 1]]


def test_sympy_expressions_are_taken_whatever_is_assumed_of_their_symbols():
    x, y = sympy.Symbol("x", positive=True), sympy.Symbol("lambda", real=True)
    model = KAN.from_formula(sympy.sqrt(x) * y + sympy.Rational(1, 3), ["lambda", x])
    z = torch.tensor([[2.0, 9.0]], dtype=torch.float64)
    assert float(model(z).detach()) == pytest.approx(6 + 1 / 3, rel=1e-15)


def test_formula_of_the_kan_is_the_formula_again():
    x, y = sympy.symbols("x y")
    model = KAN.from_formula("exp(sin(pi*x) + y**2)", ["x", "y"])
    assert model.formula(["x", "y"]).shown() == (sympy.exp(sympy.sin(sympy.pi * x) + y**2),)
    assert model.formula().check().agrees


def test_grids_lie_over_the_samples_and_the_options_reach_the_model():
    x = torch.linspace(2, 5, 50, dtype=torch.float64)[:, None]
    model = KAN.from_formula("log(x)", ["x"], x, grid=7, k=2, base_fun="zero")
    layer = model.layer(0)
    assert (layer.grid, layer.k, layer.base_fun) == (7, 2, "zero")
    assert layer.knots[0, [2, -3]].tolist() == [2.0, 5.0]
    torch.testing.assert_close(model.seen(), x)


def test_an_edge_that_loses_its_name_goes_on_as_it_was():
    model = KAN.from_formula("exp(sin(pi*x) + y**2)", ["x", "y"], grid=20)
    before = model(model.seen()).detach()
    for edge in model.edges():
        model.unfix_symbolic(*edge)
    assert not any(layer.fixed for layer in model.kan_layers())
    torch.testing.assert_close(model(model.seen()), before, rtol=0, atol=1e-3)
    assert not torch.equal(model(model.seen()), before)


def test_a_compiled_kan_learns_other_constants():
    model = KAN.from_formula("a*exp(-b) + 1", ["a", "b"])
    x = torch.rand(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1
    y = 2 * x[:, :1] * torch.exp(-0.5 * x[:, 1:]) - 3
    model.fit({"train_input": x, "train_label": y, "test_input": x, "test_label": y}, steps=60, log=0)
    assert float((model(x) - y).detach().square().mean().sqrt()) < 1e-6


def test_a_session_goes_on_from_a_compiled_kan():
    data = feynman.dataset("I.29.16", train_num=200, test_num=50)
    row = feynman.ROWS["I.29.16"]
    session = Session(KAN.from_formula(row.text, row.variables, data["train_input"]), data, list(row.variables))
    assert max(session.losses()) < 1e-14
    assert session.formula().exprs[0].free_symbols == {sympy.Symbol(name) for name in row.variables}
    session.unfix_symbolic(1, 0, 0)
    session.fit(steps=5)
    assert max(session.losses()) < 1e-3


def test_a_kan_in_single_precision_is_compiled_too():
    model = KAN.from_formula("exp(sin(pi*x) + y**2)", ["x", "y"], dtype=torch.float32)
    x = model.seen()
    assert model(x).dtype == torch.float32
    exact = torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)
    torch.testing.assert_close(model(x)[:, 0].detach(), exact, rtol=1e-5, atol=1e-6)
    assert model.formula().warning is None


def test_multiplication_nodes_have_the_arity_of_their_product():
    model = KAN.from_formula("x*y*z + x*y", ["x", "y", "z"])
    assert model.mult_arity == [[], [2, 3], []]


def test_a_compiled_kan_is_saved_and_read(tmp_path):
    model = KAN.from_formula("x*y*z + x*y/(1 + x**2)", ["x", "y", "z"])
    model.save(tmp_path / "m.kan")
    other = KAN.load(tmp_path / "m.kan")
    assert torch.equal(other(model.seen()), model(model.seen()))
    assert other.formula().exprs == model.formula().exprs


@pytest.mark.parametrize(
    ("formula", "names", "message"),
    [
        ("zeta(x)", ["x"], "'zeta' is neither"),
        (sympy.zeta(sympy.Symbol("x")), ["x"], "zeta is not in the library"),
        (sympy.Symbol("z") + 1, ["x"], "'z' is not one of the variables: they are x"),
        (sympy.I * sympy.Symbol("x"), ["x"], "not a finite real number"),
        (sympy.Symbol("x") + sympy.oo, ["x"], "not a finite real number"),
        ((-2) ** sympy.Symbol("x"), ["x"], "-2 is not positive"),
        (sympy.Symbol("x") ** 5000, ["x"], "5000 is too large"),
        ("sqrt(-1 - x**2)", ["x"], "at none of 1000 samples are the formula and all its parts finite"),
        (sympy.Symbol("x") > 1, ["x"], "must be text"),
        ([], ["x"], "no formula"),
        ("x", [], "give a list"),
        ("x", "x", "give a list"),
        ("x", ["x", "x"], "twice"),
        ("x", ["x", " "], "not blank"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_its_name(formula, names, message):
    with pytest.raises((ValueError, TypeError), match=message):
        KAN.from_formula(formula, names)
