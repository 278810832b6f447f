"""Random small formulas are found again: data, a trained KAN, names, and the same function beyond the data."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kanlab import KAN, Session
from tests.engine.cases import generator, points

#: Functions that are told apart on [-1, 1] at these rates.
CURVES: dict[str, Callable[[Tensor], Tensor]] = {
    "x": lambda u: u,
    "x^2": lambda u: u**2,
    "x^3": lambda u: u**3,
    "exp": torch.exp,
    "sin": torch.sin,
    "tanh": torch.tanh,
    "gaussian": lambda u: torch.exp(-(u**2)),
    "abs": torch.abs,
}
OUTER: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": lambda h: torch.exp(h / 2),
    "tanh": torch.tanh,
    "sqrt": lambda h: torch.sqrt(h + 6),
    "x^2": lambda h: (h + 4) ** 2,
}

curves = st.tuples(st.sampled_from(sorted(CURVES)), st.floats(1.5, 3), st.floats(0.5, 1.5))


def total(parts: list[tuple[str, float, float]]) -> Callable[[Tensor], Tensor]:
    def function(x: Tensor) -> Tensor:
        terms = [c * CURVES[name](a * x[:, [i]]) for i, (name, a, c) in enumerate(parts)]
        return torch.stack(terms).sum(0)

    return function


def found(f: Callable[[Tensor], Tensor], width: list[int], noise: float = 0.0) -> tuple[Session, float]:
    """Train, name and snap; return the session and the largest error relative to the spread, 1.3 times further out."""
    x = points(400, width[0], seed=1)
    y = f(x)
    spread = float(y.std())
    y = y + noise * spread * torch.randn(y.shape, generator=generator(2), dtype=y.dtype)
    session = Session(KAN(width, grid=6, seed=0), {"train_input": x, "train_label": y})
    session.fit(steps=30)
    session.auto_symbolic()
    session.fit(steps=40)
    session.snap()
    wide = 1.3 * points(300, width[0], seed=3)
    return session, float((session.formula()(wide) - f(wide)).abs().max()) / spread


@given(st.lists(curves, min_size=1, max_size=3))
@settings(max_examples=6, derandomize=True)
def test_sums_are_found_exactly(parts):
    session, error = found(total(parts), [len(parts), 1])
    assert session.formula().spline_edges == ()
    assert error < 1e-6


@given(st.lists(curves, min_size=2, max_size=2))
@settings(max_examples=4, derandomize=True)
def test_under_noise_sums_are_found_to_within_it(parts):
    session, error = found(total(parts), [2, 1], noise=0.01)
    assert session.formula().spline_edges == ()
    assert error < 0.05


@pytest.mark.parametrize("outer", sorted(OUTER))
def test_functions_of_sums_are_found_exactly(outer):
    inner = total([("sin", 2.0, 1.0), ("x^2", 1.0, 1.2)])
    session, error = found(lambda x: OUTER[outer](inner(x)), [2, 1, 1])
    assert session.formula().spline_edges == ()
    assert error < 1e-6
