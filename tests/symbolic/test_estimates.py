"""Numbers of a formula come with the standard errors that least squares gives them."""

from __future__ import annotations

import math

import numpy
import pytest
import sympy
import torch
from scipy.optimize import curve_fit
from torch import Tensor

from kanlab import KAN
from kanlab.symbolic import library
from kanlab.symbolic.estimates import Estimate, Estimates
from kanlab.symbolic.formula import Formula
from kanlab.symbolic.library import get
from tests.engine.cases import generator, points

NOISE = 0.05


def labelled(model: KAN, x: Tensor, truth: Tensor, seed: int = 0, steps: int = 40) -> KAN:
    """Train a model on noisy labels until nothing moves."""
    y = truth + NOISE * torch.randn(truth.shape, generator=generator(seed), dtype=truth.dtype)
    model.fit({"train_input": x, "train_label": y}, steps=steps, log=0)
    return model


def errors(formula: Formula) -> dict[float, float]:
    return {estimate.value: estimate.error for estimate in formula.constants}


def test_errors_are_those_of_curve_fit():
    x = points(300, 1)
    model = KAN.from_formula("0.83*exp(1.31*x) + 1.57*sin(3.3*x + 0.21)", ["x"], x)
    labelled(model, x, model(x).detach())
    formula = model.formula(["x"])

    def curve(x, a, b, c, d, e, f):
        return a * numpy.exp(b * x) + c * numpy.sin(d * x + e) + f

    assert model.targets is not None
    data = x[:, 0].numpy(), model.targets[:, 0].numpy()
    best, covariance = curve_fit(curve, *data, p0=(0.8, 1.3, 1.6, 3.3, 0.2, 0.0), xtol=1e-15, ftol=1e-15)
    theirs = dict(zip(best, numpy.sqrt(numpy.diag(covariance)), strict=True))
    ours = errors(formula)
    assert len(ours) == len(theirs) == 6
    for value, error in theirs.items():
        nearest = min(ours, key=lambda own: abs(own - value))
        assert nearest == pytest.approx(value, abs=1e-3 * error + 1e-9)
        # curve_fit differentiates by finite differences.
        assert ours[nearest] == pytest.approx(error, rel=1e-3)


def test_errors_are_the_scatter_over_repetitions():
    x = points(200, 2)
    truth = 1.7 * torch.tanh(2.3 * x[:, [0]]) + 0.6 * x[:, [1]] ** 2
    found, told = [], []
    for seed in range(40):  # the standard deviation of 40 draws is itself known to 11 %
        model = KAN([2, 1])
        model.layer(0).fix(0, 0, get("tanh"), (2.3, 0.0, 1.7, 0.0))
        model.layer(0).fix(1, 0, get("x^2"), (1.0, 0.0, 0.6, 0.0))
        constants = labelled(model, x, truth, seed, steps=6).formula(["x", "y"]).constants
        slope = next(e for e in constants if abs(e.value - 2.3) < 0.3)
        found.append(slope.value)
        told.append(slope.error)
    assert numpy.std(found) == pytest.approx(numpy.mean(told), rel=0.35)


def test_one_parameter_in_several_places_moves_them_together():
    # h = x + 1.7 y goes into a sine and a square: the formula shows 0.8, 0.8 · 1.7 and 1.7.
    x = points(300, 2)
    model = KAN([2, 1, 2])
    model.layer(0).fix(0, 0, get("x"), (1.0, 0.0, 1.0, 0.0))
    model.layer(0).fix(1, 0, get("x"), (1.0, 0.0, 1.7, 0.0))
    model.layer(1).fix(0, 0, get("sin"), (0.8, 0.0, 1.0, 0.0))
    model.layer(1).fix(0, 1, get("x^2"), (1.0, 0.0, 1.0, 0.0))
    labelled(model, x, model(x).detach())
    assert model.targets is not None

    def both(x, a, r, b1, c1, d1, b2, c2, d2):
        h = x[:, 0] + r * x[:, 1]
        return numpy.concatenate([c1 * numpy.sin(a * h + b1) + d1, c2 * (h + b2) ** 2 + d2])

    start = (0.8, 1.7, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    best, covariance = curve_fit(both, x.numpy(), model.targets.T.flatten().numpy(), p0=start)
    a, r = best[:2]
    shared = float(numpy.sqrt(covariance[1, 1]))
    product = float(numpy.sqrt(numpy.array([r, a]) @ covariance[:2, :2] @ numpy.array([r, a])))
    ours = errors(model.formula())
    for value, error in ((r, shared), (a * r, product)):
        nearest = min(ours, key=lambda own: abs(own - value))
        assert nearest == pytest.approx(value, abs=0.1 * error)
        # Ours takes each output's own noise, which one in twenty draws makes 10 % apart.
        assert ours[nearest] == pytest.approx(error, rel=0.1)


def test_numbers_that_are_constants_count_as_known():
    x = points(200, 1)
    model = KAN.from_formula("2*sin(pi*x) + 0.73", ["x"], x)
    model.show(x, model(x) + NOISE * torch.randn(200, 1, generator=generator(1), dtype=torch.float64))
    (offset,) = model.formula(["x"]).constants
    assert offset.value == 0.73
    # With all else known it is the error of a mean.
    assert offset.error == pytest.approx(NOISE / math.sqrt(200), rel=0.1)


def test_a_number_that_another_can_stand_for_is_not_determined():
    x = points(100, 2)
    model = KAN([2, 1])
    for i in (0, 1):
        model.layer(0).fix(i, 0, get("exp"), (0.0, 0.0, 1.0, 0.0))
    model.layer(0).fix(0, 0, get("tanh"), (1e-9, 0.0, 0.37, 0.0))
    model.show(x, points(100, 1, seed=3))
    # tanh(1e-9 x) is 1e-9 x: only the product of the two numbers matters.
    assert all(estimate.error == math.inf or estimate.error > 1e6 for estimate in model.formula().constants)


def test_splines_that_are_left_make_numbers_less_certain():
    x = points(300, 2)
    truth = torch.sin(3.3 * x[:, [0]]) + torch.tanh(2 * x[:, [1]]) + 0.41

    def slope(named: bool) -> float:
        model = KAN([2, 1], grid=5)
        model.layer(0).fix(0, 0, get("sin"), (3.3, 0.0, 1.0, 0.41))
        if named:
            model.layer(0).fix(1, 0, get("tanh"), (2.0, 0.0, 1.0, 0.0))
        formula = labelled(model, x, truth).formula()
        return next(e.error for e in formula.constants if abs(e.value - 3.3) < 0.1)

    assert slope(named=False) > slope(named=True) > 0


def test_an_offset_that_a_spline_could_take_is_not_determined():
    x = points(300, 2)
    model = KAN([2, 1], grid=5)
    model.layer(0).fix(0, 0, get("exp"), (1.31, 0.0, 0.83, 0.417))
    labelled(model, x, torch.exp(1.3 * x[:, [0]]) + torch.tanh(2 * x[:, [1]]))
    assert sorted(e.error == math.inf for e in model.formula().constants) == [False, False, True]


def test_errors_follow_the_units_of_normalised_data():
    x = points(200, 1)
    model = KAN.from_formula("0.83*exp(1.31*x)", ["x"], x)
    labelled(model, x, model(x).detach())
    plain = model.formula(["x"]).constants
    scaled = model.formula(["x"], normalizer=([10.0], [4.0]), output_normalizer=([0.0], [1000.0])).constants
    rate = next(e for e in plain if abs(e.value - 1.31) < 0.1)
    slower = next(e for e in scaled if abs(e.value - rate.value / 4) < 1e-6)
    assert slower.error == pytest.approx(rate.error / 4, rel=1e-6)


def test_of_several_outputs_each_has_its_own_noise():
    x = points(300, 1)
    model = KAN([1, 2])
    model.layer(0).fix(0, 0, get("sin"), (3.3, 0.0, 1.0, 0.0))
    model.layer(0).fix(0, 1, get("exp"), (1.31, 0.0, 1.0, 0.0))
    truth = model(x).detach()
    noise = torch.randn(300, 2, generator=generator(5), dtype=torch.float64) * torch.tensor([1e-3, 1e-1])
    model.show(x, truth + noise)
    wave, growth = sorted(model.formula(["x"]).constants, key=lambda e: -e.value)
    alone = KAN([1, 1])
    alone.layer(0).fix(0, 0, get("sin"), (3.3, 0.0, 1.0, 0.0))
    alone.show(x, (truth + noise)[:, :1])
    (expected,) = alone.formula(["x"]).constants
    assert wave.error == pytest.approx(expected.error, rel=0.02)
    assert growth.error > 20 * wave.error


def test_exact_fits_keep_an_error_of_rounding_size():
    x = points(200, 1)
    model = KAN.from_formula("0.83*exp(1.31*x)", ["x"], x)
    model.show(x, model(x).detach())
    assert all(0 < estimate.error < 1e-11 for estimate in model.formula().constants)


def test_proposals_lie_within_two_errors_and_tell_their_cost():
    x = points(400, 1)
    model = KAN.from_formula("2.37*sin(3.1416*x)", ["x"], x)
    model.show(x, model(x) + NOISE * torch.randn(400, 1, generator=generator(2), dtype=torch.float64))
    amplitude, rate = sorted(model.formula(["x"]).constants, key=lambda e: e.value)
    assert rate.proposal is not None
    assert str(rate.proposal.expr) == "pi"
    assert abs(rate.proposal.value - rate.value) < 2 * rate.error
    assert amplitude.proposal is None
    expected = ((math.pi - rate.value) / rate.error) ** 2 * NOISE / (2 * 400)  # of sqrt(s² + z² s² / n)
    assert rate.rmse_change == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("kind", ["no labels", "classes", "derivative"])
def test_without_labels_to_compare_with_there_are_numbers_and_no_errors(kind):
    model = KAN.from_formula("2.37*sin(3.3*x)", ["x"])
    x = points(50, 1)
    labels = {"no labels": None, "classes": torch.zeros(50, dtype=torch.long), "derivative": model(x).detach()}[kind]
    model.show(x, labels) if labels is not None else model.show(x)
    formula = model.formula(["x"])
    formula = formula.derivative("x") if kind == "derivative" else formula
    assert len(formula.constants)
    assert all(math.isnan(e.error) and e.proposal is None for e in formula.constants)


def test_a_number_within_a_function_of_ones_own_is_not_estimated():
    library.register("bent", lambda u: u + torch.sin(3.17 * u), lambda u: u + sympy.sin(3.17 * u), 3)
    try:
        x = points(200, 1)
        model = KAN([1, 1])
        model.layer(0).fix(0, 0, get("bent"), (1.0, 0.0, 1.0, 0.0))
        model.show(x, model(x).detach() + points(200, 1, seed=1))
        (inside,) = model.formula(["x"]).constants
        assert inside.value == 3.17
        assert math.isnan(inside.error)
    finally:
        library.unregister("bent")


def test_fewer_rows_than_numbers_determine_nothing():
    x = points(2, 1)
    model = KAN.from_formula("0.83*exp(1.31*x)", ["x"])
    model.show(x, model(x).detach() + 0.1)
    assert {e.error for e in model.formula().constants} == {math.inf}


def test_a_formula_without_numbers_has_an_empty_table():
    model = KAN([1, 1])
    model.show(points(50, 1), points(50, 1, seed=1))
    assert list(model.formula().constants) == []


def test_tables_show_every_number_once_as_text_and_html():
    table = Estimates([Estimate(0.5, 0.01), Estimate(2.5, math.inf)])
    assert len(table) == 2
    assert table[1].value == 2.5
    assert "0.500 ± 0.010" in repr(table)
    assert "2.5 (not determined)" in repr(table)
    assert table._repr_html_().count("<tr>") == 3
