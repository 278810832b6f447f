"""What is shown differs from what is exact by no more than was allowed."""

from __future__ import annotations

import math

import sympy
import torch

from kanlab.symbolic.evaluate import evaluate
from kanlab.symbolic.shown import named, same_values, tidied

X = sympy.Symbol("x")
POINTS = torch.linspace(-1, 1, 50, dtype=torch.float64)


def values(expr):
    return evaluate(expr, {X: POINTS})


def test_only_numbers_equal_to_the_last_bit_get_a_name():
    assert named(math.pi * X) == sympy.pi * X
    assert named(math.nextafter(math.pi, 4) * X).atoms(sympy.Float)
    assert named(X + sympy.Float("nan")) is not None


def test_terms_are_dropped_only_while_that_changes_little():
    expr = X**2 + 1e-6 * X
    assert tidied(expr, values, 1e-5, 4) == X**2
    assert tidied(expr, values, 1e-9, 4) == expr


def test_values_are_the_same_if_they_are_finite_at_the_same_places():
    one = torch.tensor([1.0, math.nan, math.inf])
    assert same_values(one, torch.tensor([1.0 + 1e-12, math.inf, math.nan]), 1e-9)
    assert not same_values(one, torch.tensor([1.0, 2.0, math.inf]), 1e-9)
    assert not same_values(one, torch.tensor([1.1, math.nan, math.inf]), 1e-9)
