"""Normalisers are folded in exactly, and a formula is compared in its own units."""

from __future__ import annotations

import math

import pytest
import torch

from kanlab import KAN, create_dataset
from kanlab.symbolic.reading import formula_of
from kanlab.symbolic.reference import Reference, Scale, compare


@pytest.fixture
def normalised():
    """A model trained on normalised data, its data, and the data as it was."""

    def f(x):
        return 300 + 40 * x[:, 0] * x[:, 1]

    ranges = [(900, 1100), (0.001, 0.002)]
    data = create_dataset(f, ranges=ranges, train_num=100, test_num=50, normalize_input=True, normalize_label=True)
    model = KAN.from_formula("a*b/2 + sin(a) - b", ["a", "b"], data["train_input"])
    return model, data, create_dataset(f, ranges=ranges, train_num=100, test_num=50)


def test_the_formula_is_of_the_data_as_it_was(normalised):
    model, data, plain = normalised
    scales = {"normalizer": data["input_normalizer"], "output_normalizer": data["label_normalizer"]}
    formula = model.formula(["a", "b"], **scales)
    mean, std = data["label_normalizer"]
    expected = model(data["train_input"]).detach() * std + mean
    torch.testing.assert_close(formula(plain["train_input"]), expected, rtol=1e-12, atol=0)
    assert formula.warning is None
    assert formula.check().agrees
    exprs, _ = model.symbolic_formula(["a", "b"], **scales)
    value = float(formula(torch.tensor([[1000.0, 0.0015]], dtype=torch.float64)))
    assert float(exprs[0].subs({"a": 1000.0, "b": 0.0015})) == pytest.approx(value, rel=1e-12)


def test_a_normalised_dataset_is_taken_back_before_it_is_compared(normalised):
    model, data, plain = normalised
    formula = model.formula(normalizer=data["input_normalizer"], output_normalizer=data["label_normalizer"])
    for dataset in (data, plain):
        check = formula.check(dataset)
        assert check.agrees
        values = formula(plain["train_input"])
        error = float((values - plain["train_label"]).square().mean().sqrt())
        assert check.train_rmse == pytest.approx(error, rel=1e-9)
    own = model.formula().check(data)
    assert own.agrees
    assert own.train_rmse == pytest.approx(error / float(data["label_normalizer"][1]), rel=1e-9)


def test_splines_get_their_normalised_argument():
    model = KAN([1, 2], grid=4)
    formula = formula_of(model, ["t"], normalizer=(10.0, 4.0), output_normalizer=([1.0, 2.0], [3.0, 4.0]))
    t = torch.linspace(6, 14, 9, dtype=torch.float64)[:, None]
    exact = model((t - 10) / 4).detach() * torch.tensor([3.0, 4.0]) + torch.tensor([1.0, 2.0])
    torch.testing.assert_close(formula(t), exact, rtol=1e-12, atol=1e-12)
    assert formula.warning is None


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((1.0,), "give \\(mean, std\\)"),
        (([1.0, 2.0, 3.0], 1.0), "3 means and 2 deviations: 2 of each"),
        ((0.0, [1.0, 0.0]), "standard deviations positive"),
        ((math.nan, 1.0), "must be finite"),
        ((0.0, math.inf), "must be finite"),
    ],
)
def test_normalisers_that_do_not_fit_are_refused(pair, message):
    with pytest.raises(ValueError, match=message):
        Scale.read(pair, 2, "normalizer")


def test_rows_are_drawn_over_the_grid_of_a_model_that_saw_no_data():
    x = Reference(KAN([2, 1], grid_range=(3.0, 5.0))).samples()
    assert x.shape == (1000, 2)
    assert 3.0 <= float(x.min()) < 3.1
    assert 4.9 < float(x.max()) <= 5.0
    scaled = Reference(KAN([2, 1], grid_range=(3.0, 5.0)), inputs=Scale((10.0, 0.0), (2.0, 1.0))).samples()
    torch.testing.assert_close(scaled, x * torch.tensor([2.0, 1.0]) + torch.tensor([10.0, 0.0]))


def test_derivatives_of_the_model_are_its_own():
    model = KAN.from_formula(["x**3*y", "2"], ["x", "y"])
    x = torch.tensor([[2.0, 5.0], [-1.0, 3.0]], dtype=torch.float64)
    slope = Reference(model, by=(0,))(x)
    torch.testing.assert_close(slope, torch.tensor([[60.0, 0.0], [9.0, 0.0]], dtype=torch.float64))
    second = Reference(model, by=(0, 1))(x)
    torch.testing.assert_close(second, torch.tensor([[12.0, 0.0], [3.0, 0.0]], dtype=torch.float64))


def test_numbers_are_compared_at_the_precision_of_the_model():
    values, other = torch.tensor([[0.0], [1.0]]), torch.tensor([[1e-6], [1.0]])
    assert compare(values, other, torch.float32)[1] is None
    difference, message = compare(values, other, torch.float64)
    assert difference == pytest.approx(1e-6, rel=1e-3)
    assert "up to 1.0e-06 of the output's spread" in (message or "")


def test_infinite_values_of_different_signs_differ():
    assert compare(torch.tensor([[math.inf], [0.0]]), torch.tensor([[-math.inf], [0.0]]), torch.float64)[1]
    assert compare(torch.tensor([[math.inf], [0.0]]), torch.tensor([[math.inf], [0.0]]), torch.float64)[1] is None
