"""Expressions are set as their author would write them, in LaTeX and in MathML, under any names."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from kanlab.symbolic.printing import MATHML_NAMESPACE, latex, mathml, round_number

X, Y = sympy.symbols("x y")
PHI = sympy.Function("phi_0_1_2")

LATEX = [
    (sympy.exp(sympy.sin(sympy.pi * X) + Y**2), r"e^{\sin\left(\pi x\right) + y^{2}}"),
    (1.0000000003 * sympy.exp(1.0 * sympy.sin(3.14159265 * X) + Y**2), r"e^{\sin\left(3.1416 x\right) + y^{2}}"),
    (X**3 - 2 * X * Y + Y, "x^{3} - 2 x y + y"),
    (1 - X**2, "1 - x^{2}"),
    (-X - Y, "-x - y"),
    (sympy.sin(X) + X**2 - 3, r"x^{2} + \sin\left(x\right) - 3"),
    (X / Y / 2, r"\frac{x}{2 y}"),
    (0.5 * X / Y, r"0.5 \frac{x}{y}"),
    (1 / sympy.sqrt(1 - X**2), r"\frac{1}{\sqrt{1 - x^{2}}}"),
    (X * sympy.exp(-X / Y), r"x e^{-\frac{x}{y}}"),
    (-(X**2), "-x^{2}"),
    ((-2) ** X, r"\left(-2\right)^{x}"),
    (sympy.exp(X) ** 2, "e^{2 x}"),
    (sympy.sin(X) ** 2, r"\sin^{2}\left(x\right)"),
    ((X + Y) ** 2, r"\left(x + y\right)^{2}"),
    (sympy.Mul(2.5, X + Y, evaluate=False), r"2.5 \left(x + y\right)"),
    (sympy.Mul(1.0, X + Y, evaluate=False) * X, r"x \left(x + y\right)"),
    (sympy.Abs(X) ** 2, r"\left|x\right|^{2}"),
    (X**2.5, "x^{2.5}"),
    (X**1.0000001, "x"),
    (2 * X**sympy.Rational(1, 3), r"2 \sqrt[3]{x}"),
    (3 * sympy.pi * X / 4, r"\frac{3 \pi x}{4}"),
    (sympy.sqrt(2) * X, r"\sqrt{2} x"),
    (3 * 2**X, r"3 \cdot 2^{x}"),
    (2.5e-9 * X, r"2.5 \cdot 10^{-9} x"),
    (X**2 - sympy.Float("1e-9"), r"x^{2} - 10^{-9}"),
    (sympy.asin(X) + sympy.sign(X), r"\arcsin\left(x\right) + \operatorname{sgn}\left(x\right)"),
    (sympy.besselj(0, X), r"\operatorname{besselj}\left(0, x\right)"),
    (PHI(X + Y) ** 2, r"\varphi_{0,1,2}\left(x + y\right)^{2}"),
    (sympy.S.Zero, "0"),
    (sympy.Float(-3.5), "-3.5"),
    (-sympy.Rational(1, 3), r"-\frac{1}{3}"),
    (sympy.Piecewise((X, X > 0), (0, True)), sympy.latex(sympy.Piecewise((X, X > 0), (0, True)))),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "text"), LATEX, ids=[text for _, text in LATEX])
def test_latex_reads_as_written_by_hand(expr, text):
    assert latex(expr) == text


def elements(text):
    root = ElementTree.fromstring(text)
    assert root.tag == f"{{{MATHML_NAMESPACE}}}math"
    assert root.get("display") == "block"
    return root


def words(text):
    return "".join(elements(text).itertext()).replace("\N{INVISIBLE TIMES}", "").replace("\N{FUNCTION APPLICATION}", "")


CHILDREN = {"msup": 2, "msub": 2, "mfrac": 2, "mroot": 2, "mover": 2, "msubsup": 3}


@pytest.mark.parametrize("expr", [expr for expr, _ in LATEX], ids=[text for _, text in LATEX])
def test_mathml_is_well_formed_and_its_elements_have_their_children(expr):
    for element in elements(mathml(expr)).iter():
        name = element.tag.removeprefix(f"{{{MATHML_NAMESPACE}}}")
        if name in CHILDREN:
            assert len(element) == CHILDREN[name]
        if name in ("mi", "mn", "mo", "mtext"):
            assert len(element) == 0
            assert element.text


def test_mathml_says_what_latex_says():
    expr = 1.0000000003 * sympy.exp(sympy.sin(3.14159265 * X) + Y**2) - 0.5
    assert words(mathml(expr)) == "esin(3.1416x)+y2−0.5"


def test_names_are_shown_for_symbols_and_set_the_order():
    names = {Y: "theta", X: "<b>"}
    assert latex(X + Y, names) == r"\theta + \text{\textless{}b\textgreater{}}"
    assert words(mathml(X + Y, names)) == "θ+<b>"


@pytest.mark.parametrize("name", ["I", "E", "S", "N", "O", "Q", "beta", "lambda", "pi", "zoo", "sin"])
def test_names_sympy_reserves_are_variables_like_any_other(name):
    symbol = sympy.Symbol(name)
    assert latex(symbol**2 + 1).endswith("^{2} + 1")
    assert len(words(mathml(symbol * 2))) >= 2


def test_expression_is_not_rounded_only_its_picture():
    expr = 3.14159265 * X
    assert (latex(expr), latex(expr, digits=2), latex(expr, digits=None)) == ("3.1416 x", "3.14 x", "3.14159265 x")


@given(st.floats(-1e300, 1e300), st.integers(0, 15))
def test_rounded_number_is_within_half_a_unit_of_its_last_place(value, digits):
    text, power = round_number(value, digits)
    shown = float(f"{text}e{power}")
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - digits) if value else 0.0
    assert abs(shown - value) <= 0.51 * unit + 1e-15 * abs(value)
    assert len(text.lstrip("-").replace(".", "").strip("0")) <= digits + 1
    exact, power = round_number(value, None)
    assert float(f"{exact}e{power}") == value


@given(
    st.recursive(
        st.sampled_from([X, Y, sympy.Integer(2), sympy.Float(-0.75), sympy.Rational(-2, 3), sympy.pi]),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
            st.tuples(inner, st.sampled_from([2, -1, sympy.Rational(1, 2), -2])).map(
                lambda pair: pair[0] ** pair[1] if pair[0] != 0 else pair[0]
            ),
            inner.map(sympy.sin),
            inner.map(lambda part: PHI(part)),
        ),
        max_leaves=8,
    )
)
def test_any_expression_is_set_in_balanced_latex_and_well_formed_mathml(expr):
    text = latex(expr)
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")
    elements(mathml(expr))
