"""Bad input works or is refused with a reason, and leaves the model as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from kanlab import KAN, dataset_from
from tests.engine.cases import points

NAN, INF = float("nan"), float("inf")
X = points(40, 2)
Y = torch.sin(3 * X[:, :1]) + X[:, 1:] ** 2


@pytest.fixture(scope="module")
def trained() -> KAN:
    model = KAN([2, 2, 1], seed=0)
    model.fit({"train_input": X, "train_label": Y}, steps=3, log=0)
    return model


def state(model: KAN) -> dict[str, Any]:
    return {**{name: value.clone() for name, value in model.state_dict().items()}, "samples": model.seen().clone()}


def refuses(model: KAN, call: Callable[[KAN], Any]) -> str:
    """Check that the call is refused and changes nothing; return what it says."""
    before = state(model)
    with pytest.raises((ValueError, TypeError)) as error:
        call(model)
    after = state(model)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    return str(error.value)


def fit(model: KAN, x: Any = X, y: Any = Y, **parts: Any) -> dict[str, list[float]]:
    return model.fit({"train_input": x, "train_label": y, **parts}, steps=2, log=0)


# ---- values that are no numbers


@given(
    st.sampled_from(["train_input", "train_label", "test_input", "test_label"]),
    st.sampled_from([NAN, INF, -INF]),
    st.integers(0, 39),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_not_a_number_is_told_with_its_part(trained, part, bad, row):
    parts = {"train_input": X, "train_label": Y, "test_input": X, "test_label": Y}
    parts[part] = parts[part].clone()
    parts[part][row, 0] = bad
    said = refuses(trained, lambda model: model.fit(parts, steps=2, log=0))
    assert f"{part} is not finite" in said
    assert "drop those rows or fill the values" in said


def test_one_bad_row_spoils_no_other_when_a_model_is_evaluated(trained):
    x = X.clone()
    x[3, 0] = NAN
    with torch.no_grad():
        found, expected = trained(x), trained(X)
    good = torch.arange(40) != 3
    assert torch.equal(found[good], expected[good])
    assert bool(found[3].isnan())


# ---- shapes and types


@given(st.lists(st.integers(0, 4), min_size=0, max_size=3))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_inputs_have_two_columns_or_are_refused(trained, shape):
    x = torch.zeros(shape, dtype=torch.float64)
    if len(shape) == 2 and shape[1] == 2:
        assert trained(x).shape == (shape[0], 1)
    else:
        assert f"x has shape {tuple(shape)}; this model takes [batch, 2]" in refuses(trained, lambda model: model(x))


@pytest.mark.parametrize(
    "kind",
    [
        lambda x: x.tolist(),
        lambda x: x.numpy(),
        lambda x: pd.DataFrame(x.numpy(), columns=["a", "b"]),
        lambda x: x.float(),
        lambda x: x.long(),
        lambda x: x > 0,
        lambda x: x.to_sparse(),
    ],
    ids=["lists", "array", "frame", "float32", "int", "bool", "sparse"],
)
def test_all_kinds_of_tables_of_numbers_are_evaluated(trained, kind):
    assert trained(kind(2 * X)).shape == (40, 1)


@pytest.mark.parametrize(
    "x",
    [
        None,
        "abc",
        [["a", "b"]],
        [[1.0], [1.0, 2.0]],
        np.array([["a", "b"]], dtype=object),
        np.array([["2020-01-01", "2020-01-02"]], dtype="datetime64[D]"),
        pd.DataFrame({"a": ["u"], "b": [1.0]}),
    ],
    ids=["none", "text", "texts", "ragged", "objects", "dates", "frame"],
)
def test_what_holds_no_numbers_is_refused(trained, x):
    said = refuses(trained, lambda model: model(x))
    assert "allowed are tensors, arrays and nested lists" in said


def test_complex_numbers_are_refused(trained):
    assert "real and imaginary part as two columns" in refuses(trained, lambda model: model(X.to(torch.complex128)))
    assert "is complex" in refuses(trained, lambda model: fit(model, X.to(torch.complex128)))


@pytest.mark.parametrize("dtype", [object, str], ids=["object", "str"])
def test_arrays_without_numbers_are_told_from_tables(trained, dtype):
    said = refuses(trained, lambda model: fit(model, X.numpy().astype(dtype)))
    assert "not numbers: convert it with .astype(float)" in said


# ---- data that teach little


@pytest.mark.parametrize(
    "x",
    [
        X[:, [0, 0]],
        torch.stack([X[:, 0], torch.full((40,), 3.0, dtype=torch.float64)], 1),
        torch.ones(40, 2, dtype=torch.float64),
        (X > 0).double(),
        (1.5 * X).round(),
        X * 1e70,
        X * 1e-150,
        X * 1e-310,
        X / 2 + 1e13,
    ],
    ids=["twice", "constant", "all constant", "binary", "levels", "huge", "tiny", "denormal", "far"],
)
def test_training_stays_finite(x):
    model = KAN([2, 2, 1], seed=0)
    history = fit(model, x)
    assert np.isfinite(history["train_loss"]).all()
    assert bool(model(x).isfinite().all())


def test_one_row_and_more_columns_than_rows_can_be_fitted():
    assert np.isfinite(fit(KAN([2, 1]), X[:1], Y[:1])["train_loss"]).all()
    wide = points(5, 30)
    assert np.isfinite(fit(KAN([30, 1]), wide, wide[:, :1])["train_loss"]).all()


def test_no_rows_are_refused(trained):
    assert "has no rows" in refuses(trained, lambda model: fit(model, X[:0], Y[:0]))


@pytest.mark.parametrize(("x", "y"), [(X * 1e150, Y), (X, Y * 1e200)], ids=["inputs", "labels"])
def test_values_whose_products_leave_the_numbers_are_refused(trained, x, y):
    said = refuses(trained, lambda model: fit(model, x, y))
    assert "holds values beyond" in said
    assert "divide by a unit" in said


# ---- options and edges


@pytest.mark.parametrize(
    "options",
    [
        {"stop_grid_update_step": "x"},
        {"start_grid_update_step": None},
        {"seed": "a"},
        {"loss_fn": 3},
        {"interrupted": 3},
        {"lamb": NAN},
        {"opt": "sgd"},
        {"batch": 2.5},
        {"lr": 0},
    ],
    ids=str,
)
def test_options_are_refused_by_name(trained, options):
    said = refuses(trained, lambda model: fit_with(model, options))
    assert said.startswith(f"{next(iter(options))} is ")


def fit_with(model: KAN, options: dict[str, Any]) -> None:
    model.fit({"train_input": X, "train_label": Y}, steps=2, log=0, **options)


@given(st.tuples(*[st.integers(-3, 5)] * 3).filter(lambda e: not (0 <= e[0] < 2 and 0 <= e[1] < 2 and e[2] == 0)))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_edges_that_are_not_there_are_refused(trained, edge):
    l, i, j = edge
    if (l, i) in ((0, 0), (0, 1)) and j == 1:
        return
    for call in (
        lambda model: model.remove_edge(l, i, j),
        lambda model: model.fix_symbolic(l, i, j, "sin"),
        lambda model: model.suggest_symbolic(l, i, j),
    ):
        assert "out of range" in refuses(trained, call)


def test_unknown_functions_and_corrupt_files_are_refused(trained, tmp_path):
    assert "frobnicate" in refuses(trained, lambda model: model.fix_symbolic(0, 0, 0, "frobnicate"))
    (tmp_path / "bad.kan").write_bytes(b"\x00" * 50)
    assert "not a kanlab file" in refuses(trained, lambda model: model.load(tmp_path / "bad.kan"))


# ---- names


NAMES = ["角度", "속도", "速度", r"$\theta_1$", "<b>x</b>", "a b", "1st", "lambda", "$", "x_{"]


@given(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_names_need_not_be_identifiers(trained, names):
    figure = trained.plot(in_vars=names)
    assert len(figure.axes) == 1
    frame = pd.DataFrame(X.numpy(), columns=names)
    assert dataset_from(frame, Y)["input_names"] == names


def test_columns_of_tables_keep_names_that_are_no_text():
    frame = pd.DataFrame(X.numpy(), columns=[0, ("a", 1)])
    assert dataset_from(frame, Y)["input_names"] == ["0", "('a', 1)"]
    with pytest.raises(ValueError, match="occur more than once"):
        dataset_from(pd.DataFrame(X.numpy(), columns=["1", 1]), Y)


def test_labels_may_be_any_tensor_of_numbers():
    for y in (Y.float(), (10 * Y).long(), Y > 0):
        assert isinstance(fit(KAN([2, 1]), X, y)["train_loss"][-1], float)
    assert isinstance(Y, Tensor)
