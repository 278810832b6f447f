"""Starting curves: inside the domain, of different valleys, and near what is looked for."""

from __future__ import annotations

import pytest
import torch

from kanlab.symbolic.curves import Curves
from kanlab.symbolic.dictionary import _start_set, starts
from kanlab.symbolic.library import get, resolve

FUNCTIONS = resolve("all")


def curves(y) -> Curves:
    x = torch.linspace(-1, 1, 300, dtype=torch.float64)
    y = torch.stack([f(x) for f in y])
    x = x.expand_as(y)
    return Curves.of(x, y, torch.full_like(x, 1 / 300))


def test_starts_are_inside_the_domain():
    a, b = starts(FUNCTIONS, curves([torch.sin, torch.exp]), 3)
    assert a.shape == b.shape == (len(FUNCTIONS), 2, 3)
    for row, function in enumerate(FUNCTIONS):
        inside = function.domain.covers(b[row] - a[row].abs(), b[row] + a[row].abs())
        assert bool((inside | a[row].isnan()).all()), function.name
        # The first is always there, and has no rival only if it fits far better.
        assert bool(inside[:, 0].all())


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("sin", 7.3, 0.4),
        ("tanh", 3.0, -1.0),
        ("log", -1.0, 1.2),
        ("arcsin", 0.8, 0.1),
        ("J0", 17.0, 1.0),
        ("x^7", 1, 0.6),
    ],
)
def test_best_start_is_near_the_curve_looked_for(name, a, b):
    function = get(name)
    target = curves([lambda x: function(a * x + b)])
    found_a, found_b = starts((function,), target, 3)
    start = function(found_a[0, 0, :, None] * target.t[0] + found_b[0, 0, :, None])
    r = torch.corrcoef(torch.cat([start[:1], target.v]))[0, 1]
    assert float(r.square()) > 0.9


def test_starting_curves_are_numbers_centred_and_of_unit_size():
    for function in FUNCTIONS:
        curves, a, b = _start_set(function)
        assert len(curves) == len(a) == len(b) > 0
        if function.gauge not in ("linear", "step"):
            torch.testing.assert_close(curves.norm(dim=-1), torch.ones(len(a), dtype=torch.float64))
            assert float(curves.mean(-1).abs().max()) < 1e-10


def test_starts_lie_in_different_valleys():
    bell = get("gaussian")
    a, b = starts((bell,), curves([lambda x: torch.exp(-((0.6 * x + 1.0) ** 2))]), 3)
    centres = -(b / a)[0, 0]
    assert float(centres.max() - centres.min()) > 0.5


def test_functions_without_a_start_say_so():
    nowhere = get("sqrt").__class__("none", "none", lambda u: u * torch.nan, torch.zeros_like, lambda u: u, 1)
    a, _ = starts((nowhere, get("x")), curves([torch.sin]), 2)
    assert bool(a[0].isnan().all())
