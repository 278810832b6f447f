"""Text is cut where people would cut it."""

from __future__ import annotations

import pytest

from kanlab.symbolic.tokens import listed, tokenise


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("2.5e-3*x", ["number", "*", "variable"]),
        ("2exp(x)", ["number", "name", "(", "variable", ")"]),
        ("x1²", ["variable", "power"]),
        ("x⁻¹²", ["variable", "power"]),
        ("xπ", ["variable", "name"]),
        ("x_1", ["name"]),
        ("x10", ["name"]),
        ("x − 1 ÷ √2 ^ 3", ["variable", "-", "number", "/", "√", "number", "**", "number"]),
        (" \t\n", []),
    ],
)
def test_kinds_are_those_one_would_say(text, kinds):
    assert [token.kind for token in tokenise(text, ["x", "x1"])] == [*kinds, "end"]


def test_places_are_those_of_the_text():
    assert [(token.text, token.start) for token in tokenise(" x  +10", ["x"])] == [
        ("x", 1),
        ("+", 4),
        ("10", 5),
        ("", 7),
    ]


def test_the_longest_name_wins():
    assert [token.text for token in tokenise("blood pressure + blood", ["blood", "blood pressure"])][:3] == [
        "blood pressure", "+", "blood",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["x;y", "x.y", "'x'", "x\x00", "x = 1", "{x}", "a\\b", "x@y", "…"])
def test_other_signs_are_refused_with_their_place(text):
    with pytest.raises(ValueError, match=r"position \d: .* is not part of a formula"):
        tokenise(text, ["x", "y", "a", "b"])


def test_long_texts_are_shortened_in_messages():
    with pytest.raises(ValueError, match="position 401") as caught:
        tokenise("x + " * 100 + ";", ["x"])
    assert len(str(caught.value)) < 300


def test_no_variables_are_told_as_none():
    assert listed([]) == "(none were given)"
