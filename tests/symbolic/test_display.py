"""Equations, one or several, with the warning that belongs to them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import sympy

from kanlab.symbolic import display

X = sympy.Symbol("x_1")
ONE, TWO = {"f": X**2}, {"u": X**2, "v_2": 2 * X}


def test_one_formula_stands_alone_or_as_an_equation():
    assert display.latex(ONE, [X], 4, equation=False, warning=None) == "x_{1}^{2}"
    assert display.latex(ONE, [X], 4, equation=True, warning=None) == r"f\left(x_{1}\right) = x_{1}^{2}"


def test_several_are_aligned():
    text = display.latex(TWO, [X], 4, equation=False, warning=None)
    assert text.startswith("\\begin{aligned}\nu\\left(")
    assert text.count("&=") == 2
    root = ElementTree.fromstring(display.mathml(TWO, [X], 4, equation=False, warning=None))
    assert [child.tag.rpartition("}")[2] for child in root[0]] == ["mtr", "mtr"]


def test_a_warning_is_a_comment_in_latex_and_seen_in_mathml():
    text = display.latex(ONE, [X], 4, equation=False, warning="warning: <wrong>")
    assert text == "% warning: <wrong>\nx_{1}^{2}"
    root = ElementTree.fromstring(display.mathml(ONE, [X], 4, equation=True, warning="warning: <wrong>"))
    assert "⚠ warning: <wrong>" in "".join(root.itertext())
