"""The normal form is the same curve with its redundant constants gone."""

from __future__ import annotations

import math

import pytest
import torch

from kanlab.symbolic import gauge
from kanlab.symbolic.curves import Curves
from kanlab.symbolic.library import get
from tests.engine.cases import generator


def curves(low: float = -3.0, high: float = 5.0) -> Curves:
    x = low + (high - low) * torch.rand(1, 100, generator=generator(2), dtype=torch.float64)
    return Curves.of(x, x**2, torch.full_like(x, 0.01))


def column(value: float) -> torch.Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("x^3", 0.7, 0.2),
        ("sqrt", -0.4, 1.0),
        ("log", 0.4, 1.1),
        ("exp", 1.5, 2.0),
        ("sin", -2.0, 9.0),
        ("tanh", -2.0, 1.0),
    ],
)
def test_curve_stays_the_same_up_to_c_and_d(name, a, b):
    function, data = get(name), curves()
    new_a, new_b = gauge.to_inputs([function], data, column(a), column(b))
    before, after = function(a * data.t[0] + b), function(new_a * data.x + new_b)[0]
    assert float(torch.corrcoef(torch.stack([before, after]))[0, 1].abs()) == pytest.approx(1, abs=1e-12)
    if function.gauge == "shift":
        assert abs(float(new_a)) == pytest.approx(1, abs=1e-15)
    if function.gauge == "scale":
        assert float(new_b) == 0
    if function.reflects:
        assert float(new_a) > 0
    if function.period:
        assert abs(float(new_b)) <= function.period / 2


def test_rounding_does_not_push_a_range_out_of_a_closed_domain():
    # The branch point lies exactly at the left end of the range, in three places with different last bits.
    for low in (0.1, 1e3 + 0.3, -7e-5):
        data = curves(low, low + 0.7)
        for name, a, b in (("sqrt", 1.0, 1.0), ("arcsin", 1.0, 0.0), ("arccosh", 2.0, 3.0)):
            function = get(name)
            new_a, new_b = gauge.to_inputs([function], data, column(a), column(b))
            ends = torch.cat([new_a * data.low + new_b, new_a * data.high + new_b])
            assert bool(function.domain.covers(ends.amin(), ends.amax()).all())


def test_phase_is_brought_into_the_period_around_zero():
    b = torch.linspace(-20, 20, 401, dtype=torch.float64)
    near = gauge.nearest_turn(b, 2 * math.pi)
    assert bool(((near > -math.pi - 1e-12) & (near <= math.pi + 1e-12)).all())
    torch.testing.assert_close(torch.sin(near), torch.sin(b), rtol=0, atol=1e-13)
    assert float(gauge.nearest_turn(torch.tensor(-math.pi), 2 * math.pi)) == pytest.approx(math.pi)


def test_half_a_turn_makes_c_positive():
    functions = [get("sin"), get("tan")]
    b, c = torch.tensor([[0.3], [0.3]]), torch.tensor([[-2.0], [-2.0]])
    new_b, new_c = gauge.upright(functions, b, c)
    assert new_c.flatten().tolist() == [2.0, -2.0]
    assert float(new_b[0]) == pytest.approx(0.3 - math.pi, abs=1e-6)
    assert float(new_b[1]) == pytest.approx(0.3)


def test_threshold_is_the_best_of_all_splits():
    x = torch.rand(1, 60, generator=generator(5), dtype=torch.float64)
    y = torch.where(x > 0.4, 1.0, 0.0) + 0.2 * torch.randn(x.shape, generator=generator(6), dtype=torch.float64)
    data = Curves.of(x, y, torch.full_like(x, 1 / 60))

    def left_over(split: float) -> float:
        parts = [y[x <= split], y[x > split]]
        return sum(float(((part - part.mean()) ** 2).sum()) for part in parts)

    splits = 0.5 * (data.x[0, 1:] + data.x[0, :-1])
    best = min(splits.tolist(), key=left_over)
    assert float(-gauge.threshold(data)) == pytest.approx(best, abs=1e-12)
