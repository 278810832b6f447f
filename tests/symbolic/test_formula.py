"""A network's formula agrees with the network, says so, and reads as its author would write it."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanlab import KAN
from kanlab.engine.network import Network
from kanlab.symbolic.formula import Formula
from kanlab.symbolic.library import get
from kanlab.symbolic.reading import formula_of
from kanlab.symbolic.reference import FormulaWarning
from kanlab.symbolic.shown import count_parts
from kanlab.symbolic.simplify import Forms


def samples(n_in, n=200, seed=0):
    return torch.rand(n, n_in, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


@pytest.fixture
def hello():
    """exp(sin(πx) + y²) as a fit leaves it: half a turn off, flipped signs, constants in the wrong places."""
    network = Network([2, 1, 1])
    network.layer(0).fix(0, 0, get("sin"), (-3.14159265, math.pi + 2e-10, 1.0000001, 1e-11))
    network.layer(0).fix(1, 0, get("x^2"), (-1.5, 3e-9, 1 / 2.25, 0.0))
    network.layer(1).fix(0, 0, get("exp"), (1.0, 0.3, 1.0000000003 * math.exp(-0.3), -2e-9))
    network.show(samples(2))
    return network


def dataset(network, seed=1):
    x, z = samples(network.n_in, seed=seed), samples(network.n_in, seed=seed + 1)
    return {"train_input": x, "train_label": network(x) + 0.5, "test_input": z, "test_label": network(z) - 0.25}


def test_hello_reads_as_its_author_wrote_it(hello):
    formula = formula_of(hello, ["x", "y"])
    x, y = sympy.symbols("x y")
    assert formula.latex() == r"e^{\sin\left(3.1416 x\right) + y^{2}}"
    assert formula.latex(equation=True) == r"f\left(x, y\right) = e^{\sin\left(3.1416 x\right) + y^{2}}"
    assert formula._repr_latex_().startswith(r"$\displaystyle f\left(x, y\right) = e^{")
    assert formula.shown() == (sympy.exp(sympy.sin(3.14159265 * x) + y**2),)
    assert formula.complexity == 9
    assert formula.spline_edges == ()
    assert formula.variables == (x, y)


def test_exact_expression_keeps_every_digit(hello):
    formula = formula_of(hello, ["x", "y"])
    assert formula.check().agreement < 1e-14
    numbers = {float(number) for number in formula.exprs[0].atoms(sympy.Float)}
    assert any(abs(number + 2e-9) < 1e-20 for number in numbers)
    assert r"10^{-9}" in formula.latex(digits=None)


def test_rounding_for_display_keeps_terms_that_matter(hello):
    hello.layer(1).affine.data[0, 0, 3] = 5e-4
    assert formula_of(hello).latex(digits=4).endswith(r"+ 0.0005")
    assert "0.0005" not in formula_of(hello).latex(digits=2)


@given(st.integers(0, 10**6))
@settings(max_examples=25)
def test_formula_of_any_mixture_agrees_with_the_network(seed):
    generator = torch.Generator().manual_seed(seed)
    network = Network([3, [2, 1], 2], grid=4, seed=seed)
    names = ["x", "x^2", "x^3", "exp", "sin", "cos", "tanh", "gaussian", "abs", "arctan", "sigmoid", "0"]
    for l, i, j in network.edges():
        kind = int(torch.randint(3, (), generator=generator))
        if kind == 0:
            network.layer(l).remove(i, j)
        if kind == 1:
            a, b, c, d = torch.randn(4, generator=generator).tolist()
            name = names[int(torch.randint(len(names), (), generator=generator))]
            network.layer(l).fix(i, j, get(name), (a, b, c, d))
    x = samples(3, seed=seed)
    formula = formula_of(network)
    torch.testing.assert_close(formula(x), network(x).detach(), rtol=1e-10, atol=1e-10)
    network.show(x)
    check = formula_of(network).check()
    assert check.agrees
    assert check.agreement < 1e-9
    for text in (formula.mathml(), formula.mathml(out=1, equation=True)):
        ElementTree.fromstring(text)


def test_check_reports_the_errors_of_the_formula_itself(hello):
    check = formula_of(hello).check(dataset(hello))
    assert check.train_rmse == pytest.approx(0.5)
    assert check.test_rmse == pytest.approx(0.25)
    assert check.agrees
    assert check.message is None


def test_check_says_when_formula_and_model_part(hello):
    formula = formula_of(hello)
    formula.model.layer(1).affine.data[0, 0, 2] *= 1.001
    check = formula.check(dataset(hello))
    assert not check.agrees
    assert 1e-4 < check.agreement < 1e-2
    assert "differs from the model" in (check.message or "")


def test_check_says_where_the_formula_is_no_number():
    network = Network([1, 1])
    network.layer(0).fix(0, 0, get("log"), (1.0, 0.0, 1.0, 0.0))
    formula = formula_of(network)
    x = torch.tensor([[-1.0], [1.0], [2.0]], dtype=torch.float64)
    assert formula.check({"train_input": x}).agrees
    formula.model.layer(0).fix(0, 0, get("x"), (1.0, 0.0, 1.0, 0.0))
    check = formula.check({"train_input": x})
    assert not check.agrees
    assert "1 of 3 samples" in (check.message or "")


def test_labels_of_another_shape_have_no_error(hello):
    data = dataset(hello)
    data["train_label"] = torch.zeros(200, dtype=torch.long)
    data.pop("test_label")
    check = formula_of(hello).check(data)
    assert check.train_rmse is None
    assert check.test_rmse is None


def test_formula_stays_what_it_was_while_training_goes_on():
    network = Network([2, 1], grid=4)
    x = samples(2)
    formula, before = formula_of(network), network(x).detach().clone()
    with torch.no_grad():
        network.layer(0).coef.add_(1.0)
    torch.testing.assert_close(formula(x), before)
    assert formula.check({"test_input": x}).agrees


def test_splines_appear_as_functions_and_removed_edges_not_at_all():
    network = Network([2, 2, 1])
    network.layer(0).remove(1, 0)
    network.layer(1).remove(1, 0)
    formula = formula_of(network, ["x", "y"])
    assert formula.spline_edges == ((0, 0, 0), (1, 0, 0))
    assert formula.latex() == r"\varphi_{1,0,0}\left(\varphi_{0,0,0}\left(x\right)\right)"
    for edge in network.edges():
        network.layer(edge[0]).remove(*edge[1:])
    assert formula_of(network).exprs == (sympy.S.Zero,)


def test_multiplication_nodes_multiply_their_subnodes():
    network = Network([2, [0, 1], 1], mult_arity=3)
    for j, (i, name) in enumerate([(0, "x"), (1, "x"), (0, "exp")]):
        network.layer(0).remove(1 - i, j)
        network.layer(0).fix(i, j, get(name), (1.0, 0.0, 2.0, 0.0))
    network.layer(1).fix(0, 0, get("x"), (0.5, 0.0, 1.0, 1.0))
    x, y = sympy.symbols("x y")
    formula = formula_of(network, [x, y])
    assert formula.exprs[0] == 4 * x * y * sympy.exp(x) + 1
    assert formula.check({"train_input": samples(2)}).agrees


def test_several_outputs_stand_below_each_other():
    formula = formula_of(Network([1, 2]), ["x"], ["u", "v"])
    assert formula.latex().count(r"\\") == 1
    assert formula.latex(out=1) == r"\varphi_{0,0,1}\left(x\right)"
    root = ElementTree.fromstring(formula.mathml())
    assert len(root[0]) == 2
    assert "return (phi_0_0_0(x), phi_0_0_1(x))" in formula.python()
    assert "def v(x):\n    return phi_0_0_1(x)" in formula.python(out=1)
    assert "phi_0_0_0" not in formula.python(out=1)
    assert "def v(x, phi_0_0_1)" in formula.python_outline(out=1)
    assert formula.sympy(out=0).endswith("u = sympy.Function('phi_0_0_0')(x)")


def test_default_names_are_numbered():
    formula = formula_of(Network([2, 2]))
    assert [symbol.name for symbol in formula.variables] == ["x_1", "x_2"]
    assert formula.outputs == ("f_1", "f_2")


def test_names_can_be_any_text(hello):
    formula = formula_of(hello, ["速度 <km/h>", "$\\hat y_1$"], ["I"])
    root = ElementTree.fromstring(formula.mathml(equation=True))
    assert "速度 <km/h>" in "".join(root.itertext())
    assert r"{\hat{y}}_{1}^{2}" in formula.latex()
    space: dict = {}
    exec(formula.python(), space)
    x = samples(2)
    got = torch.as_tensor(space["I"](*x.numpy().T))
    torch.testing.assert_close(got, hello(x)[:, 0].detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("var", "message"),
    [
        (["x"], "give 2 names"),
        (["x", "x"], "twice"),
        (["x", " "], "not blank"),
        (["x", 3], "must be text"),
        ("xy", "2"),
    ],
)
def test_bad_names_are_refused(var, message):
    with pytest.raises(ValueError, match=message):
        formula_of(Network([2, 1]), list(var) if var != "xy" else ["xy"])


def test_formula_too_long_to_read_is_refused():
    with pytest.raises(ValueError, match="more than limit=50: prune"):
        formula_of(Network([4, 5, 1]), limit=50)


def test_wrong_inputs_and_outputs_are_refused(hello):
    formula = formula_of(hello)
    with pytest.raises(ValueError, match=r"takes \[batch, 2\]"):
        formula(torch.zeros(3, 3))
    with pytest.raises(ValueError, match="1 outputs"):
        formula.latex(out=1)


def test_parts_are_counted_as_often_as_written():
    x, y = sympy.symbols("x y")
    assert count_parts(x + y + 1) == 5
    assert count_parts(sympy.exp(x) * sympy.exp(sympy.sin(x))) == 6
    assert count_parts((x + 1) ** 2 + sympy.sin(x + 1)) == 10


class TestValues:
    def test_numpy_takes_arrays_that_are_broadcast(self, hello):
        f = formula_of(hello, ["x", "y"]).numpy()
        x, y = numpy.linspace(-1, 1, 5)[:, None], numpy.linspace(-1, 1, 3)
        exact = numpy.exp(numpy.sin(numpy.pi * x) + y**2)
        numpy.testing.assert_allclose(f(x, y), exact, rtol=1e-6)
        assert f(1, 2).shape == ()

    def test_several_outputs_stand_in_the_last_dimension(self):
        formula = formula_of(Network([2, 3]))
        x = samples(2, 7)
        torch.testing.assert_close(formula.torch()(*x.unbind(-1)), formula(x))
        assert formula.numpy()(numpy.zeros((4, 1)), numpy.zeros(5)).shape == (4, 5, 3)

    def test_torch_can_be_differentiated(self, hello):
        x = samples(2).requires_grad_()
        formula_of(hello).torch()(*x.unbind(-1)).sum().backward()
        z = x.detach().clone().requires_grad_()
        hello(z).sum().backward()
        torch.testing.assert_close(x.grad, z.grad, rtol=1e-9, atol=1e-9)

    def test_another_number_of_values_is_refused(self, hello):
        with pytest.raises(ValueError, match="1 values were given; this formula takes 2: u, v"):
            formula_of(hello, ["u", "v"]).numpy()(1.0)


class TestWarning:
    @pytest.fixture
    def wrong(self, hello):
        formula = formula_of(hello, ["x", "y"])
        return replace(formula, exprs=(1.001 * formula.exprs[0],))

    @pytest.mark.parametrize(
        "export",
        [
            lambda f: f.latex(),
            lambda f: f.latex(out=0, equation=True),
            lambda f: f._repr_latex_(),
            lambda f: f.mathml(),
            lambda f: f.python(),
            lambda f: f.python_outline(),
            lambda f: f.c(),
            lambda f: f.sympy(),
        ],
        ids=["latex", "equation", "notebook", "mathml", "python", "outline", "c", "sympy"],
    )
    def test_no_export_of_a_formula_that_disagrees_is_without_it(self, wrong, export):
        with pytest.warns(FormulaWarning, match="differs from the model by up to"):
            text = export(wrong)
        assert "warning: the formula differs from the model by up to" in text

    @pytest.mark.parametrize("make", [Formula.numpy, Formula.torch, Formula.shown])
    def test_functions_and_expressions_are_not_given_out_without_it(self, wrong, make):
        with pytest.warns(FormulaWarning, match="differs from the model by up to"):
            make(wrong)

    def test_its_text_has_it(self, wrong, hello):
        assert "[warning: the formula differs from the model" in str(wrong)
        assert repr(formula_of(hello, ["x", "y"])) == "f = exp(y**2 + sin(3.14159265*x))"

    @pytest.mark.parametrize("digits", [None, 3])
    def test_symbolic_formula_warns(self, hello, wrong, digits, monkeypatch):
        model = KAN([1, 1])
        model.take_over(hello)
        monkeypatch.setattr("kanlab.symbolic.reading.formula_of", lambda *_, **__: wrong)
        with pytest.warns(FormulaWarning, match="differs from the model by up to"):
            model.symbolic_formula(floating_digit=digits)

    def test_other_forms_of_a_wrong_formula_are_wrong_too(self, wrong):
        for other in (wrong.derivative("x"), wrong.simplified(1e-3)):
            with pytest.warns(FormulaWarning, match="differs from the model by up to"):
                other.latex()

    def test_it_is_a_comment_that_changes_no_meaning(self, wrong):
        with pytest.warns(FormulaWarning):
            text = wrong.python()
        space: dict = {}
        exec(text, space)
        assert space["f"](0.0, 0.0) == pytest.approx(1.001, abs=1e-6)
        with pytest.warns(FormulaWarning):
            ElementTree.fromstring(wrong.mathml())
        with pytest.warns(FormulaWarning):
            assert wrong.latex().split("\n")[1] == r"1.001 e^{\sin\left(3.1416 x\right) + y^{2}}"

    def test_it_is_not_there_when_all_is_well(self, hello):
        formula = formula_of(hello)
        assert formula.warning is None
        assert "warning" not in formula.latex() + formula.python() + formula.c() + formula.mathml() + formula.sympy()

    def test_a_failed_check_on_other_data_is_remembered(self):
        network = Network([1, 1])
        network.layer(0).fix(0, 0, get("abs"), (1.0, 0.0, 1.0, 0.0))
        network.show(samples(1).abs())
        formula = formula_of(network)
        formula.model.layer(0).fix(0, 0, get("x"), (1.0, 0.0, 1.0, 0.0))
        assert formula.warning is None
        assert not formula.check({"train_input": samples(1)}).agrees
        for form in (formula, formula.simplified(1e-3), formula.derivative(formula.variables[0])):
            with pytest.warns(FormulaWarning, match="differs"):
                form.python()


class TestDerivative:
    @given(st.integers(0, 10**6))
    @settings(max_examples=10)
    def test_agrees_with_the_models_own(self, seed):
        model = KAN([2, [2, 1], 2], grid=4, seed=seed)
        model.fix_symbolic(0, 0, 1, "sin", fit_params_bool=False)
        model.fix_symbolic(0, 1, 2, "abs", fit_params_bool=False)
        model.show(samples(2, seed=seed))
        formula = model.formula(["x", "y"], ["u", "v"]).derivative("x")
        assert formula.outputs == ("du/dx", "dv/dx")
        assert formula.warning is None
        assert formula.derivative("y").check().agreement < 1e-9

    def test_is_exported_with_the_splines_derivatives(self):
        model = KAN([1, 1], grid=4)
        formula = model.formula(["t"]).derivative("t")
        assert formula.latex() == r"\varphi'_{0,0,0}\left(t\right)"
        space: dict = {}
        exec(formula.python(), space)
        t = samples(1)
        numpy.testing.assert_allclose(space["df_dt"](t[:, 0].numpy()), formula(t)[:, 0].numpy(), rtol=1e-12)
        assert "msubsup" in formula.mathml()

    def test_counts_normalisers(self):
        model = KAN.from_formula("x**2", ["x"])
        formula = model.formula(["x"], normalizer=(1.0, 2.0), output_normalizer=(0.0, 3.0)).derivative("x")
        assert float(formula(torch.tensor([[5.0]]))) == pytest.approx(3 * 2 * (5 - 1) / 2 / 2)
        assert formula.check().agrees

    def test_other_names_are_refused(self, hello):
        with pytest.raises(ValueError, match="'z' is not a variable of this formula: they are x, y"):
            formula_of(hello, ["x", "y"]).derivative("z")


class TestSimplified:
    def test_finds_the_short_form_and_keeps_the_values(self):
        model = KAN.from_formula("sin(x)**2 + cos(x)**2 + (x**2 - y**2)/(x + y)", ["x", "y"])
        formula = model.formula(["x", "y"]).simplified(30.0)
        x, y = sympy.symbols("x y")
        assert formula.exprs[0] == x - y + 1
        assert formula.remark is None
        assert formula.warning is None

    @pytest.mark.parametrize(
        ("text", "short"),
        [
            ("tanh(atanh(x) + atanh(y))", "(x + y)/(x*y + 1)"),
            ("tan(atan(x) - atan(y))", "(x - y)/(x*y + 1)"),
            ("exp(x)*exp(-2*y)", "exp(x - 2*y)"),
            ("(2*x + 2*y)/(4*y + 8)", "(x + y)/(2*(y + 2))"),
        ],
    )
    def test_offers_what_people_would_write(self, text, short):
        x = 0.9 * samples(2)
        model = KAN.from_formula(text, ["x", "y"], x)
        model.show(x)
        formula = model.formula(["x", "y"]).simplified(30.0)
        assert str(formula.shown()[0]) == short
        assert formula.check().agrees

    def test_a_form_with_other_values_is_not_taken(self, monkeypatch):
        model = KAN.from_formula("x + x**2", ["x"])
        x = sympy.Symbol("x")
        forms = [[x, x * (1 + x)]]
        monkeypatch.setattr("kanlab.symbolic.formula.simpler_forms", lambda *_: Forms(forms, None))
        assert model.formula(["x"]).simplified().exprs[0] in (x + x**2, x * (1 + x))

    def test_says_when_the_time_was_over(self, hello):
        formula = formula_of(hello).simplified(1e-3)
        assert formula.exprs == formula_of(hello).exprs
        assert "stopped, its 0.001 s were over: a shorter form may exist" in (formula.remark or "")

    def test_splines_stay(self):
        formula = formula_of(Network([1, 1])).simplified(30.0)
        assert formula.spline_edges == ((0, 0, 0),)


def test_parameters_that_are_no_numbers_are_named(hello):
    hello.layer(0).affine.data[1, 0, 2] = math.nan
    with pytest.raises(ValueError, match=r"edge \(0, 1, 0\) has parameters that are not finite"):
        formula_of(hello)


def test_reserved_names_of_sympy_are_variables_in_every_export():
    names = ["I", "E", "S", "N", "O", "Q", "beta", "lambda", "gamma", "zeta", "pi"]
    model = KAN.from_formula("+".join(f"{m + 1}*{name}" for m, name in enumerate(names)) + "*sin(1)", names)
    formula = model.formula(names, ["exp"])
    x = samples(len(names), 20)
    exact = model(x)[:, 0].detach()
    space: dict = {}
    exec(formula.python(), space)
    numpy.testing.assert_allclose(space["exp"](*x.numpy().T), exact, rtol=1e-13)
    space = {}
    exec(formula.sympy(), space)
    assert space["exp"] == formula.exprs[0]
    numpy.testing.assert_allclose(formula.numpy()(*x.numpy().T), exact, rtol=1e-13)
    for text in (formula.latex(None), "".join(ElementTree.fromstring(formula.mathml(None)).itertext())):
        assert text.count("I") == 1
