"""The penalty is the paper's, its derivative the one finite differences find."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanlab.engine.penalty import Penalty
from tests.engine.cases import generator

numbers = st.floats(0.0, 4.0)


def magnitudes(rows: int, columns: int, seed: int) -> torch.Tensor:
    return torch.rand(rows, columns, generator=generator(seed), dtype=torch.float64) * 2


def by_loops(a: torch.Tensor, lamb_l1: float, lamb_entropy: float) -> float:
    """pykan's `reg` for one layer, written out."""
    rows, columns = a.shape
    total = lamb_l1 * float(a.sum())
    for lines, count in ((a, rows), (a.T, columns)):
        entropy = 0.0
        for line in lines:
            parts = [float(v) / (1 + float(line.sum())) for v in line]
            entropy -= sum(p * math.log2(p + 1e-4) for p in parts)
        total += lamb_entropy * entropy / count
    return total


@given(rows=st.integers(1, 5), columns=st.integers(1, 5), l1=numbers, entropy=numbers, seed=st.integers(0, 999))
@settings(max_examples=40)
def test_value_is_pykans(rows, columns, l1, entropy, seed):
    a = magnitudes(rows, columns, seed)
    value = Penalty(1.0, l1, entropy).value(a)
    assert float(value) == pytest.approx(by_loops(a, l1, entropy), rel=1e-12, abs=1e-12)


@given(rows=st.integers(1, 4), columns=st.integers(1, 4), l1=numbers, entropy=numbers, seed=st.integers(0, 999))
@settings(max_examples=40)
def test_derivative_is_the_one_of_finite_differences(rows, columns, l1, entropy, seed):
    a, step = magnitudes(rows, columns, seed) + 1e-3, 1e-5
    penalty = Penalty(1.0, l1, entropy)
    slope = penalty.slope(a)
    for i in range(rows):
        for j in range(columns):
            change = torch.zeros_like(a)
            change[i, j] = step
            rise = penalty.value(a + change) - penalty.value(a - change)
            # Central differences err by step² times the third derivative, 1e6 or so near zero.
            assert float(slope[i, j]) == pytest.approx(float(rise) / (2 * step), rel=1e-4, abs=1e-5)


def test_derivative_is_autograds():
    a = magnitudes(3, 4, 0).requires_grad_()
    penalty = Penalty(1.0, 0.7, 2.0)
    value, slope = penalty.value(a), penalty.slope(a)
    (by_autograd,) = torch.autograd.grad(value, a)
    torch.testing.assert_close(slope.detach(), by_autograd, rtol=1e-12, atol=1e-12)


def test_zero_magnitudes_cost_nothing_and_have_a_finite_slope():
    nothing = torch.zeros(3, 2, dtype=torch.float64)
    value, slope = Penalty(1.0).value(nothing), Penalty(1.0).slope(nothing)
    assert float(value) == 0.0
    assert bool(slope.isfinite().all())
    assert bool((slope > 0).all())


def test_entropy_prefers_one_strong_edge_to_many_equal_ones():
    even = torch.full((1, 4), 0.5, dtype=torch.float64)
    single = torch.tensor([[2.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    penalty = Penalty(1.0, lamb_l1=0.0, lamb_entropy=1.0)
    assert penalty.value(single) < penalty.value(even)


def test_unknown_metrics_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="reg_metric is 'edge'; allowed are 'edge_forward_relative', 'edge_f"):
        Penalty(1.0, reg_metric="edge")


@pytest.mark.parametrize("field", ["lamb", "lamb_l1", "lamb_entropy", "lamb_coef", "lamb_coefdiff"])
@pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf])
def test_strengths_that_make_no_sense_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field} is .*finite numbers from 0 up"):
        Penalty(**{field: value})
