"""Steps on a and b: right slopes, never uphill, never out of the domain."""

from __future__ import annotations

import math

import pytest
import torch

from kanlab.symbolic import varpro
from kanlab.symbolic.function import Domains
from kanlab.symbolic.library import get, resolve
from tests.engine.cases import generator

FREE = [f for f in varpro.powers_first(resolve("all")) if f.constants and f.gauge != "step"]
#: An inner range on which each function is defined and bends.
PLACES = {"arcsin": (0.5, 0.1), "arccos": (0.5, 0.1), "arctanh": (0.5, 0.1), "tan": (0.7, 0.2), "arccosh": (0.9, 2.5)}


def rows(functions, n: int = 40) -> varpro.Rows:
    t = torch.linspace(-1, 1, n, dtype=torch.float64)[None]
    v = torch.sin(2 * t) + 0.3 * torch.randn(t.shape, generator=generator(1), dtype=torch.float64)
    w = torch.rand(t.shape, generator=generator(2), dtype=torch.float64)
    w = w / w.sum()
    v = v - (w * v).sum()
    v = v / (w * v * v).sum().sqrt()
    index = torch.arange(len(functions))
    return varpro.Rows.of(tuple(functions), (t, v, w), index, torch.zeros_like(index))


def places(functions) -> tuple[torch.Tensor, torch.Tensor]:
    pairs = [
        PLACES.get(f.name, (0.8, 1.6) if f.domain.pole == 0 or f.domain.low == 0 else (0.8, 0.3)) for f in functions
    ]
    a, b = torch.tensor(pairs, dtype=torch.float64).T
    return a, b


def test_loss_is_what_linear_least_squares_leaves_over():
    data, (a, b) = rows(FREE), places(FREE)
    point = varpro.evaluate(data, a, b)
    root = data.root[0]
    for row, function in enumerate(FREE):
        u = a[row] * data.t[0] + b[row]
        columns = torch.stack([root, root * function(u)], 1)
        rest = data.v[0] - columns @ torch.linalg.lstsq(columns, data.v[0, :, None]).solution[:, 0]
        assert float(point.loss[row]) == pytest.approx(float(rest.square().sum()), rel=1e-9), function.name


def test_gradient_is_that_of_the_loss():
    data, (a, b) = rows(FREE), places(FREE)
    point, h = varpro.evaluate(data, a, b), 1e-6
    by_a = (varpro.evaluate(data, a + h, b).loss - varpro.evaluate(data, a - h, b).loss) / (2 * h)
    by_b = (varpro.evaluate(data, a, b + h).loss - varpro.evaluate(data, a, b - h).loss) / (2 * h)
    ga, gb = point.columns[6:]
    # A fixed parameter has no slope; the loss is minus twice the projection, by Kaufman exactly.
    smooth = torch.tensor([f.name not in ("abs", "cbrt") for f in FREE])
    torch.testing.assert_close((-2 * ga)[smooth], (by_a * data.free_a)[smooth], rtol=1e-5, atol=1e-8)
    torch.testing.assert_close((-2 * gb)[smooth], (by_b * data.free_b)[smooth], rtol=1e-5, atol=1e-8)


def test_descent_lowers_the_loss_and_stays_inside():
    data, (a, b) = rows(FREE), places(FREE)
    before = varpro.evaluate(data, a, b).loss
    point = varpro.descend(data, a, b, 10)
    assert bool((point.loss <= before).all())
    assert float(point.loss.sum()) < 0.9 * float(before.sum())
    assert bool(varpro.inside(data.domains, point.a, point.b).all())


def test_rows_are_independent_of_their_neighbours():
    data, (a, b) = rows(FREE), places(FREE)
    together = varpro.evaluate(data, a, b)
    chosen = torch.tensor([0, 40, len(FREE) - 1])
    alone = varpro.evaluate(data[chosen], a[chosen], b[chosen])
    torch.testing.assert_close(alone.columns, together.columns[:, chosen], rtol=1e-10, atol=1e-12)


def test_outside_the_domain_the_loss_is_infinite():
    data = rows([get("log"), get("tan")])
    loss = varpro.evaluate(data, torch.ones(2, dtype=torch.float64), torch.tensor([0.5, 1.2], dtype=torch.float64)).loss
    assert loss.tolist() == [math.inf, math.inf]


def test_walls_of_a_closed_domain_may_be_touched_and_poles_not():
    domains = Domains.of([get("sqrt").domain, get("1/x").domain], torch.zeros(1))
    assert varpro.inside(domains, torch.ones(2), torch.ones(2)).tolist() == [True, False]


def test_values_are_the_functions_own():
    functions = varpro.powers_first([get("sin"), get("x^3"), get("exp"), get("1/x^2.5")])
    assert [f.name for f in functions] == ["x^3", "1/x^2.5", "sin", "exp"]
    u = torch.rand(4, 2, 30, generator=generator(3), dtype=torch.float64) + 0.1
    expected = torch.stack([f(u[row]) for row, f in enumerate(functions)])
    torch.testing.assert_close(varpro.values(functions, u), expected, rtol=1e-14, atol=0)
    torch.testing.assert_close(varpro.values(functions[2:], u[2:]), expected[2:], rtol=1e-14, atol=0)


def test_nothing_to_fit_is_no_trouble():
    empty = rows([get("sin")])[torch.zeros(0, dtype=torch.long)]
    none = torch.zeros(0, dtype=torch.float64)
    assert varpro.descend(empty, none, none, 3).loss.shape == (0,)
