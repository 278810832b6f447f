import math

import pytest
import torch
from scipy.special import j0

from kanlab import KAN
from kanlab.problems import scaling


@pytest.mark.parametrize("name", scaling.ROWS)
def test_samples_have_the_networks_shape(name):
    row = scaling.ROWS[name]
    data = scaling.dataset(name, train_num=7, test_num=3)
    assert data["train_input"].shape == (7, row.n_var)
    assert KAN(row.width)(data["test_input"]).shape == data["test_label"].shape


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("bessel", [0.3], j0(6.0)),
        ("hello", [0.5, 0.2], math.exp(1.04)),
        ("product", [0.5, -0.25], -0.125),
        ("four", [0.5, 0.5, 0.0, 1.0], math.exp(0.5)),
        ("hundred", [1.0] * 25 + [0.0] * 75, math.exp(0.25)),
    ],
)
def test_values_are_those_of_the_formula(name, x, expected):
    value = scaling.ROWS[name].function(torch.tensor([x], dtype=torch.float64))
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no function 'five': they are bessel, "):
        scaling.dataset("five")
