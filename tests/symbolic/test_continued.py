"""Functions continued beyond their singularities: finite everywhere, themselves where they are defined."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch

from kanlab import KAN
from kanlab.symbolic import library
from kanlab.symbolic.continued import Continued, continued
from tests.engine.cases import points

U = torch.cat([torch.linspace(-5.0, 5.0, 201, dtype=torch.float64), torch.tensor([-1e9, 1e9], dtype=torch.float64)])


@pytest.mark.parametrize("name", library.names())
def test_every_function_is_finite_everywhere_and_itself_away_from_singularities(name):
    function = library.get(name)
    other = continued(function, 50.0)
    u = U[:-2] if name in ("exp", "sinh", "cosh", "x^5", "1/x^5") else U  # what overflows has no singularity
    value, slope = other(u), other.derivative(u)
    assert bool(value.isfinite().all())
    assert bool(slope.isfinite().all())
    within = function.domain.covers(u, u) & (function.derivative(u).abs() < 25.0)
    # The same but for last bits: vectorised powers have others than single ones.
    torch.testing.assert_close(value[within], function(u)[within], rtol=1e-13, atol=0)
    torch.testing.assert_close(slope[within], function.derivative(u)[within], rtol=1e-13, atol=0)


@pytest.mark.parametrize(
    ("name", "end", "side"),
    [
        ("log", 0.0, -1.0),
        ("sqrt", 0.0, -1.0),
        ("1/sqrt(x)", 0.0, -1.0),
        ("1/x", 0.0, -1.0),
        ("1/x", 0.0, 1.0),
        ("1/x^2", 0.0, 1.0),
        ("tan", math.pi / 2, -1.0),
        ("tan", math.pi / 2 + 3 * math.pi, 1.0),
        ("arcsin", 1.0, 1.0),
        ("arcsin", -1.0, -1.0),
        ("arctanh", 1.0, 1.0),
    ],
)
def test_beyond_it_is_a_line_as_steep_as_it_was_allowed_to_become(name, end, side):
    u = end + side * torch.tensor([1e-6, 2e-6, 3e-6], dtype=torch.float64)
    other = continued(library.get(name), 50.0)
    slope = other.derivative(u)
    # Distances come 200 a decade, so a slope that grows as their third power may stay 4 % below.
    assert bool(((slope.abs() <= 50.0) & (slope.abs() > 45.0)).all())
    torch.testing.assert_close(other(u).diff(), slope[1:] * u.diff(), rtol=1e-6, atol=0)


def test_a_function_without_a_slope_at_its_end_stays_flat_beyond_it():
    u = torch.tensor([-3.0, -1.0], dtype=torch.float64)
    torch.testing.assert_close(continued(library.get("x^1.5"), 50.0)(u), torch.zeros_like(u), rtol=0, atol=1e-5)


def test_no_nan_comes_back_through_autograd():
    u = U.clone().requires_grad_()
    for name in ("log", "1/x", "sqrt", "arctanh"):
        function = continued(library.get(name), 50.0)
        value = function(u)
        slope, second = torch.autograd.grad(value.sum(), u, create_graph=True)[0], None
        (second,) = torch.autograd.grad(slope.sum(), u)
        torch.testing.assert_close(slope.detach(), function.derivative(U), rtol=1e-9, atol=1e-12)
        assert bool(second.isfinite().all()), name


def test_copies_stay_continued():
    log = continued(library.get("log"), 7.0)
    for twin in (copy.deepcopy(log), pickle.loads(pickle.dumps(log))):
        assert isinstance(twin, Continued)
        assert (twin.name, twin.y_th, twin.plain) == ("log", 7.0, library.get("log"))


def log_model() -> tuple[KAN, dict[str, torch.Tensor]]:
    """A log whose argument is negative at some samples to begin with."""
    x = points(100, 1) * 0.5 + 1.0
    model = KAN([1, 1], seed=0)
    model.fix_symbolic(0, 0, 0, "log", fit_params_bool=False)
    with torch.no_grad():
        model.layer(0).affine[0, 0] = torch.tensor([1.0, -0.8, 1.0, 0.0], dtype=torch.float64)
    return model, {"train_input": x, "train_label": torch.log(2 * x + 1) + 1}


def test_training_goes_through_a_singularity_only_if_asked():
    model, data = log_model()
    with pytest.raises(FloatingPointError, match="outside its domain"):
        model.fit(data, steps=30, log=0)
    history = model.fit(data, steps=40, singularity_avoiding=True, y_th=10, log=0)
    assert history["train_loss"][-1] < 1e-6
    assert not isinstance(model.layer(0).fixed[0, 0], Continued)
    assert float((model(data["train_input"]) - data["train_label"]).abs().max().detach()) < 1e-5


def test_functions_are_themselves_again_however_training_ends():
    model, data = log_model()
    training = model.fit_steps(data, steps=5, singularity_avoiding=True, y_th=20)
    next(training)
    assert isinstance(model.layer(0).fixed[0, 0], Continued)
    training.close()
    assert model.layer(0).fixed[0, 0] is library.get("log")


@pytest.mark.parametrize("y_th", [0, -1, math.nan, math.inf, "much"])
def test_thresholds_that_are_none_are_refused(y_th):
    model, data = log_model()
    with pytest.raises(ValueError, match="y_th is"):
        model.fit(data, singularity_avoiding=True, y_th=y_th, log=0)
