import math

import pytest
import torch

from kanlab.problems import peaks


def test_the_phases_cover_the_line_once_and_show_one_peak_each():
    parts = peaks.phases()
    x = torch.cat([part["train_input"] for part in parts])
    assert torch.equal(x, torch.linspace(-1, 1, 500, dtype=torch.float64)[:, None])
    for part, centre in zip(parts, peaks.CENTRES, strict=True):
        top = part["train_label"].argmax()
        assert abs(float(part["train_input"][top]) - centre) < 2 / 499
        assert float(part["train_label"][top]) > 0.99


@pytest.mark.parametrize("x", [-0.83, 0.05, 0.4])
def test_the_line_is_the_formula(x):
    expected = sum(math.exp(-300 * (x - centre) ** 2) for centre in (-0.8, -0.4, 0, 0.4, 0.8))
    assert float(peaks.function(torch.tensor([[x]], dtype=torch.float64))) == pytest.approx(expected, rel=1e-12)


def test_a_quarter_holds_its_own_peak_and_no_other_points():
    for part, place in zip(peaks.quarters(rows=50, seed=3), peaks.PLACES, strict=True):
        x, middle = part["train_input"], torch.tensor(place, dtype=torch.float64)
        assert bool(((x - middle).abs() <= 0.5).all())
        own = torch.exp(-20 * ((x - middle) ** 2).sum(1, keepdim=True))
        # The nearest other peak is half a side away at least: exp(-20 / 4).
        assert float((part["train_label"] - own).abs().max()) < 2.1 * math.exp(-5)


def test_the_seed_counts():
    assert not torch.equal(peaks.quarters(seed=1)[0]["train_input"], peaks.quarters(seed=2)[0]["train_input"])
