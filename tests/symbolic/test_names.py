"""Any text can be a variable's name; none of it becomes markup."""

from __future__ import annotations

import ast
import keyword
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanlab.symbolic.names import identifiers, latex_name, mathml_name, parse_name

KNOWN = [
    ("x", "x", "<mi>x</mi>"),
    ("x_1", "x_{1}", "<msub><mi>x</mi><mn>1</mn></msub>"),
    ("s3", "s_{3}", "<msub><mi>s</mi><mn>3</mn></msub>"),
    ("x_max", r"x_{\mathrm{max}}", "<msub><mi>x</mi><mi>max</mi></msub>"),
    ("theta", r"\theta", "<mi>θ</mi>"),
    ("lambda", r"\lambda", "<mi>λ</mi>"),
    ("Omega_0", r"\Omega_{0}", "<msub><mi>Ω</mi><mn>0</mn></msub>"),
    ("θ", r"\theta", "<mi>θ</mi>"),
    ("age", r"\mathrm{age}", "<mi>age</mi>"),
    ("petal_length", r"\text{petal\_length}", "<mtext>petal_length</mtext>"),
    ("速度", r"\text{速度}", "<mi>速度</mi>"),
    (r"$x_1$", "x_{1}", "<msub><mi>x</mi><mn>1</mn></msub>"),
    (r"$\hat{x}^2$", r"{\hat{x}}^{2}", '<msup><mover accent="true"><mi>x</mi><mo>^</mo></mover><mn>2</mn></msup>'),
    (r"$\alpha_{i,j}$", None, "<msub><mi>α</mi><mrow><mi>i</mi><mo>,</mo><mi>j</mi></mrow></msub>"),
    (r"$v_{\mathrm{max}}$", r"v_{\mathrm{max}}", "<msub><mi>v</mi><mi>max</mi></msub>"),
    (r"$x'$", r"x^{\prime}", "<msup><mi>x</mi><mo>′</mo></msup>"),
]


@pytest.mark.parametrize(("name", "latex", "mathml"), KNOWN)
def test_names_are_set_as_mathematics(name, latex, mathml):
    tree = parse_name(name)
    assert mathml_name(tree) == mathml
    if latex is not None:
        assert latex_name(tree) == latex


@pytest.mark.parametrize(
    "name",
    [
        r"$\href{javascript:alert(1)}{x}$", r"$\require{html}$", r"$\def\x{y}$", r"$x_$", r"$x^{$", r"$}{$", "$$",
        r"\input{file}", r"$x_1_2$", "$" + "{" * 50 + "x" + "}" * 50 + "$", r"$\text{\href{a}{b}}$",
    ],
)  # fmt: skip
def test_latex_outside_the_grammar_is_shown_as_text(name):
    latex = latex_name(parse_name(name))
    assert latex.startswith(r"\text{")
    assert "\\href" not in latex
    assert "\\require" not in latex
    assert ElementTree.fromstring(mathml_name(parse_name(name))).tag == "mtext"


def test_markup_is_escaped():
    name = '<script>alert("x")</script>&amp;'
    assert ElementTree.fromstring(mathml_name(parse_name(name))).text == name
    assert "<" not in latex_name(parse_name(name))


@given(st.text(min_size=1))
def test_every_text_gives_one_well_formed_element_and_balanced_latex(name):
    ElementTree.fromstring(mathml_name(parse_name(name)))
    latex = latex_name(parse_name(name)).replace(r"\{", "").replace(r"\}", "")
    depth = 0
    for char in latex:
        depth += (char == "{") - (char == "}")
        assert depth >= 0
    assert depth == 0
    assert not any(char in latex.replace("\\", "") for char in "\n\r\0")


@given(st.lists(st.text(), max_size=8))
def test_identifiers_are_valid_different_and_not_taken(names):
    words = identifiers(names, ["numpy", "x"])
    assert len(set(words)) == len(words) == len(names)
    assert not {"numpy", "x"} & set(words)
    for word in words:
        assert word.isidentifier()
        assert not keyword.iskeyword(word)
        # Python reads identifiers in normal form: ours are what Python reads.
        assert ast.parse(word).body[0].value.id == word  # type: ignore[attr-defined]
