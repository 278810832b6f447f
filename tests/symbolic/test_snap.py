"""Constants snap to the numbers they are, keep the error they had, and stay where no number is near."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from kanlab import KAN
from kanlab.symbolic import library
from kanlab.symbolic.search import Progress
from kanlab.symbolic.snap import Snap, snap_steps
from tests.engine.cases import generator, points


def named(*edges: tuple[int, str, tuple[float, float, float, float]]) -> KAN:
    """A single layer with a named edge from each input."""
    model = KAN([len(edges), 1], seed=0)
    for i, name, affine in edges:
        model.layer(0).fix(i, 0, library.get(name), affine)
    return model


def shown(model: KAN, y: Tensor, noise: float = 0.0) -> KAN:
    model.show(model.seen(), y + noise * torch.randn(y.shape, generator=generator(7), dtype=y.dtype))
    return model


def finish(model: KAN) -> tuple[list[Snap], list[Progress]]:
    steps, progress = snap_steps(model), []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            return end.value, progress


def constants(model: KAN, i: int) -> list[float]:
    return model.layer(0).affine[i, 0].detach().tolist()


@torch.no_grad()
def rmse(model: KAN) -> float:
    assert model.targets is not None
    return float((model(model.seen()) - model.targets).square().mean().sqrt())


def wave(noise: float = 0.0, frequency: float = math.pi) -> KAN:
    """sin(frequency x) + y² with constants a little off and partly traded between the edges."""
    model = named((0, "sin", (frequency * 1.003, 0.004, 1.01, 0.3)), (1, "x^2", (1.0, 0.002, 0.99, -0.29)))
    x = points(400, 2)
    model.show(x)
    return shown(model, torch.sin(frequency * x[:, [0]]) + x[:, [1]] ** 2, noise)


def test_exact_constants_are_found_exactly():
    model = wave()
    snaps, progress = finish(model)
    assert constants(model, 0) == pytest.approx([math.pi, 0.0, 1.0, 0.0], abs=1e-13)
    assert constants(model, 0)[0] == math.pi
    assert constants(model, 1) == pytest.approx([1.0, 0.0, 1.0, 0.0], abs=1e-13)
    assert rmse(model) < 1e-13
    assert any(snap.text.endswith("→ π") for snap in snaps)
    assert progress[-1].done == progress[-1].total
    assert {snap.text for snap in snaps} == {step.text for step in progress if step.text}


def test_costs_are_the_changes_in_error_and_stay_within_the_noise():
    model = wave(noise=0.01)
    free = model.copy()
    free.fit({"train_input": free.seen(), "train_label": free.targets}, steps=60, log=0)
    before = rmse(free)
    snaps, _ = finish(model)
    assert constants(model, 0)[0] == math.pi
    # All constants together: each may cost two standard errors, 4 loss / N in the squared error.
    assert rmse(model) ** 2 <= before**2 * (1 + 4 / 400) ** len(snaps)
    assert sum(snap.cost for snap in snaps) == pytest.approx(rmse(model) - before, abs=1e-6)


def test_numbers_that_are_no_constants_stay_as_they_are():
    frequency = 3.0471923
    model = wave(frequency=frequency)
    snaps, _ = finish(model)
    assert constants(model, 0)[0] == pytest.approx(frequency, abs=1e-10)
    assert not any(snap.text.startswith("3.047") for snap in snaps)


def test_redundant_constants_are_moved_to_where_the_formula_reads_best():
    # (1.5 x + 0.75)² / 2.25 is (x + 0.5)²: a factor can stand inside or outside.
    model = named((0, "x^2", (1.5, 0.75, 1 / 2.25, 0.0)))
    x = points(100, 1)
    model.show(x)
    shown(model, (x + 0.5) ** 2)
    finish(model)
    a, b, c, d = constants(model, 0)
    assert (a, c, d) == pytest.approx((1.0, 1.0, 0.0), abs=1e-12)
    assert b == pytest.approx(0.5, abs=1e-12)


def test_closing_leaves_the_model_as_it_was():
    model = wave()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    steps = snap_steps(model)
    for _ in range(4):
        next(steps)
    steps.close()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_error_on_the_way_leaves_the_model_as_it_was(monkeypatch):
    model = wave()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def broken(*_):
        raise RuntimeError("out of numbers")

    monkeypatch.setattr("kanlab.symbolic.snap.nearest", broken)
    with pytest.raises(RuntimeError, match="out of numbers"):
        finish(model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_splines_beside_the_names_are_trained_along_and_not_snapped():
    model = KAN([2, 1], grid=5, seed=0)
    x = points(200, 2)
    y = torch.sin(math.pi * x[:, [0]]) + torch.tanh(2 * x[:, [1]])
    model.fit({"train_input": x, "train_label": y}, steps=20, log=0)
    model.layer(0).fix(0, 0, library.get("sin"), (3.15, 0.0, 1.0, 0.0))
    snaps, progress = finish(model)
    assert constants(model, 0)[0] == math.pi
    assert (1, 0) not in model.layer(0).fixed
    assert snaps
    # Two offsets, two factors, then all four: nothing of the spline is asked for.
    assert progress[-1].total == 8


def test_a_model_without_names_has_nothing_to_snap():
    model = KAN([1, 1], seed=0)
    x = points(50, 1)
    model.fit({"train_input": x, "train_label": x**2}, steps=5, log=0)
    assert finish(model) == ([], [])


def test_without_labels_the_model_itself_is_kept_to():
    model = named((0, "sin", (math.pi * (1 + 1e-9), 0.0, 1.0, 0.0)))
    model.show(points(100, 1))
    before = model(model.seen()).detach()
    finish(model)
    # It reproduces itself to the last digit, so nothing that changes it is a snap.
    torch.testing.assert_close(model(model.seen()).detach(), before, rtol=0, atol=1e-11)


def test_constants_stay_in_the_functions_domain():
    model = named((0, "log", (1.0, 1.3, 1.0, 0.0)))
    x = points(200, 1)
    model.show(x)
    shown(model, torch.log(x + 1.3))
    finish(model)
    assert bool(model(x).isfinite().all())
    assert constants(model, 0)[1] == pytest.approx(1.3, abs=1e-9)


def nearly_one(noise: float) -> KAN:
    """1.00002 x, where 400 rows know the factor to 2 noise / 40."""
    model = named((0, "x", (1.0, 0.0, 1.00002, 0.0)))
    x = points(400, 1)
    model.show(x)
    return shown(model, 1.00002 * x, noise)


@pytest.mark.parametrize(("noise", "snaps"), [(1e-2, True), (1e-6, False), (0.0, False)])
def test_a_number_near_one_becomes_one_only_within_its_error(noise, snaps):
    model = nearly_one(noise)
    finish(model)
    a, _, c, _ = constants(model, 0)
    if snaps:
        assert a * c == 1.0
    else:
        assert a * c == pytest.approx(1.00002, abs=4 * noise / 20 + 1e-12)


def test_each_snap_tells_the_standard_error_it_went_by():
    model = wave(noise=0.01)
    snaps, _ = finish(model)
    rate = next(snap for snap in snaps if snap.text.endswith("→ π"))
    # Of the rate of a sine with noise s on [-1, 1]: s / sqrt(n E[x² cos² πx]), which is 0.01 / sqrt(400 · 0.19).
    assert rate.error == pytest.approx(0.01 / math.sqrt(400 * 0.19), rel=0.3)
    # Either offset could have stood for both: the first to become 0 had no error of its own.
    assert any(snap.error is None for snap in snaps)
