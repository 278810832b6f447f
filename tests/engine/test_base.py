"""Base functions: right to the third derivative, by name or as code, and kept through copies and pickles."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections.abc import Iterator

import pytest
import torch

from kanlab import KAN, register_base
from kanlab.engine.base import BASES, BaseFunction, base_function, slope_of
from tests.engine.cases import points

X = torch.linspace(-2.0, 2.0, 41, dtype=torch.float64)


@pytest.fixture
def bump() -> Iterator[str]:
    """A base function registered for one test."""
    register_base("bump", lambda x: torch.exp(-x * x), lambda x: -2 * x * torch.exp(-x * x))
    yield "bump"
    del BASES["bump"]


@pytest.mark.parametrize("base_fun", [*BASES, torch.sin, torch.nn.GELU(), lambda x: x**3, lambda x: 2 * x], ids=repr)
def test_every_part_is_the_derivative_of_the_one_before(base_fun):
    x = X.clone().requires_grad_()
    parts = base_function(base_fun).evaluate(x, 3)
    for part, slope in itertools.pairwise(parts):
        found = torch.zeros_like(x)
        if part.requires_grad:  # a constant does not
            (found,) = torch.autograd.grad(part.sum(), x, retain_graph=True, materialize_grads=True)
        torch.testing.assert_close(slope.detach(), found, rtol=0, atol=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_as_many_parts_as_asked_for(order):
    assert all(len(base.evaluate(X, order)) == order + 1 for base in [*BASES.values(), base_function(torch.sin)])


def test_no_graph_is_kept_where_none_is_asked_for():
    with torch.no_grad():
        assert not any(part.requires_grad for part in base_function(torch.sin).evaluate(X, 3))


def test_pykans_way_of_naming_silu_is_understood():
    for same in ("silu", torch.nn.SiLU(), torch.nn.functional.silu):
        assert base_function(same) is BASES["silu"]
    assert base_function(torch.nn.Identity()) is BASES["identity"]


def test_slope_of_a_constant_is_zero():
    assert not slope_of(lambda u: torch.ones_like(u))(X).any()


def test_a_given_derivative_is_used(bump):
    first = base_function(bump).evaluate(X, 1)[1]
    torch.testing.assert_close(first, -2 * X * torch.exp(-X * X), rtol=0, atol=0)


def test_a_registered_name_trains_saves_and_loads(bump, tmp_path):
    x = points(80, 1)
    model = KAN([1, 1], base_fun=bump, seed=0)
    assert model.origin == {"width": [1, 1], "base_fun": "bump"}
    history = model.fit({"train_input": x, "train_label": torch.exp(-(x**2))}, steps=10, log=0)
    assert history["train_loss"][-1] < 1e-9, "one edge holds its base function exactly"
    model.save(tmp_path / "m.kan")
    assert torch.equal(KAN.load(tmp_path / "m.kan")(x), model(x))
    del BASES["bump"]
    with pytest.raises(ValueError, match=r"'bump'.*kanlab\.register_base"):
        KAN.load(tmp_path / "m.kan")
    BASES["bump"] = model.layer(0).base


def test_code_without_a_name_trains_but_is_not_saved(tmp_path):
    x = points(80, 1)
    model = KAN([1, 1], grid=5, base_fun=torch.sin, seed=0)
    assert model.origin is None, "a script cannot make this model"
    assert model.fit({"train_input": x, "train_label": x**2}, steps=10, log=0)["train_loss"][-1] < 1e-2
    with pytest.raises(ValueError, match=r"'sin' is code, which a file does not hold.*register_base"):
        model.save(tmp_path / "m.kan")
    assert not list(tmp_path.iterdir())
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(x), model(x))


def test_copies_keep_their_function_when_the_name_is_given_anew(bump):
    model = KAN([1, 1], base_fun=bump, seed=0)
    x = points(5, 1)
    before = model(x)
    register_base("bump", torch.zeros_like)
    assert torch.equal(copy.deepcopy(model)(x), before)
    assert not model.layer(0).base.is_named


@pytest.mark.parametrize("name", ["silu", "zero", " ", 3])
def test_names_that_cannot_be_given_are_refused(name):
    with pytest.raises(ValueError, match=r"built in|text that is not blank"):
        register_base(name, torch.sin)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="a function of one tensor"):
        register_base("three", 3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="a name or a function of one tensor"):
        base_function(3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="'relu'; allowed are 'silu', 'identity', 'zero'"):
        base_function("relu")
    assert isinstance(base_function(BASES["zero"]), BaseFunction)
