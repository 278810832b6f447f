import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanlab.data import dataset_from


def table(n=20, m=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, m))


def together(data, what):
    return torch.cat([data[f"train_{what}"], data[f"test_{what}"]])


@settings(max_examples=30)
@given(
    n=st.integers(3, 60),
    m=st.integers(1, 4),
    n_out=st.integers(1, 3),
    test_size=st.floats(0.01, 0.5),
    seed=st.integers(0, 9),
    kind=st.sampled_from(["array", "tensor", "list", "frame"]),
)
@pytest.mark.filterwarnings("ignore:.*training rows:UserWarning")
def test_the_split_is_a_shuffle_that_keeps_rows_together(n, m, n_out, test_size, seed, kind):
    rows = table(n, m + n_out, seed)
    X, y = rows[:, :m], rows[:, m:]
    convert = {"array": np.asarray, "tensor": torch.from_numpy, "list": np.ndarray.tolist, "frame": pd.DataFrame}[kind]
    if n - max(1, round(n * test_size)) < 2:
        with pytest.raises(ValueError, match="at least 2 are needed"):
            dataset_from(convert(X), convert(y), test_size, seed)
        return
    data = dataset_from(convert(X), convert(y), test_size, seed)
    assert len(data["test_input"]) == max(1, round(n * test_size))
    found = torch.cat([together(data, "input"), together(data, "label")], dim=1).numpy()
    order = np.lexsort(found.T), np.lexsort(rows.T)
    np.testing.assert_array_equal(found[order[0]], rows[order[1]])


def test_the_seed_decides_the_split_and_nothing_global_is_seeded():
    X, y = table(), table(m=1)
    state = torch.get_rng_state()
    first, again, other = (dataset_from(X, y, seed=seed)["test_input"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(first, torch.from_numpy(X[-4:])), "the split must shuffle"


def test_a_frame_brings_its_names_and_the_label_may_be_one_of_its_columns():
    frame = pd.DataFrame(table(), columns=["age", "bmi", "sick"])
    data = dataset_from(frame, "sick")
    assert data["input_names"] == ["age", "bmi"]
    assert data["output_names"] == ["sick"]
    apart = dataset_from(frame[["age", "bmi"]], frame["sick"])
    assert apart["output_names"] == ["sick"]
    for key in ("train_input", "train_label"):
        assert torch.equal(data[key], apart[key])
    assert dataset_from(frame[["age", "bmi"]], frame["sick"], names=["a", "b"])["input_names"] == ["a", "b"]
    assert "input_names" not in dataset_from(table(), table(m=1))


def test_one_input_may_be_flat():
    data = dataset_from(np.arange(10.0), np.arange(10.0))
    assert data["train_input"].shape == data["train_label"].shape == (8, 1)
    assert dataset_from(pd.Series(np.arange(10.0), name="t"), np.arange(10.0))["input_names"] == ["t"]


def test_booleans_nullable_integers_and_float32_become_numbers():
    frame = pd.DataFrame(
        {"flag": [True, False] * 5, "count": pd.array(range(10), dtype="Int64"), "w": np.arange(10, dtype=np.float32)}
    )
    data = dataset_from(frame[["flag", "count"]], frame["w"])
    assert data["train_input"].dtype == torch.float64
    assert set(together(data, "input")[:, 0].tolist()) == {0.0, 1.0}
    assert sorted(together(data, "input")[:, 1].tolist()) == list(range(10))
    assert dataset_from(table(), table(m=1), dtype=torch.float32)["train_label"].dtype == torch.float32


@pytest.mark.parametrize(
    ("y", "classes", "expected", "names"),
    [
        ([0, 1, 2, 1] * 5, None, [0, 1, 2, 1] * 5, None),
        ([[0], [1]] * 10, None, [0, 1] * 10, None),
        (["b", "a"] * 10, None, [1, 0] * 10, ["a", "b"]),
        (pd.Series(["b", "a"] * 10), None, [1, 0] * 10, ["a", "b"]),
        (pd.Series(["lo", "hi"] * 10, dtype=pd.CategoricalDtype(["lo", "mid", "hi"])), None, [0, 1] * 10, ["lo", "hi"]),
        ([3, 7] * 10, True, [0, 1] * 10, ["3", "7"]),
        ([True, False] * 10, True, [1, 0] * 10, ["False", "True"]),
        (pd.Series([0, 1] * 10, dtype="Int64"), None, [0, 1] * 10, None),
    ],
)
def test_classes_become_indices(y, classes, expected, names):
    X = np.arange(20.0)
    data = dataset_from(X, y, classes=classes)
    assert data["train_label"].dtype == torch.int64
    assert data["train_label"].shape == (16,)
    for x, label in zip(together(data, "input")[:, 0].tolist(), together(data, "label").tolist(), strict=True):
        assert label == expected[int(x)]
    assert data.get("output_names") == names


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (list(range(1, 21)), None),
        ([0, 2] * 10, None),
        ([0, 1] * 10, False),
        ([True, False] * 10, None),
        ([[0, 1], [1, 0]] * 10, None),
        ([0.0, 1.0] * 10, None),
    ],
)
def test_other_labels_stay_numbers(y, classes):
    data = dataset_from(table(), y, classes=classes)
    assert data["train_label"].dtype == torch.float64
    assert data["train_label"].ndim == 2


def spoiled(row, column, value):
    X = table()
    X[row, column] = value
    return X


def frame_with(**columns):
    return pd.DataFrame(table(), columns=["a", "b", "c"]).assign(**columns)


Y = table(m=1, seed=1)


@pytest.mark.parametrize(
    ("X", "y", "arguments", "match"),
    [
        (spoiled(0, 1, np.nan), Y, {}, r"X is not finite in X\[:, 1\] \(1 of 20 NaN\)"),
        (spoiled(slice(0, 2), 1, -np.inf), Y, {}, r"\(2 of 20 infinite\)"),
        (spoiled(0, 1, 1e300), Y, {"dtype": torch.float32}, r"\(1 of 20 infinite\)"),
        (
            pd.DataFrame(spoiled(0, 1, np.nan), columns=["a", "bmi", "c"]),
            Y,
            {},
            r"column 'bmi' \(1 of 20 NaN\).*dropna",
        ),
        (np.ma.masked_equal(spoiled(0, 1, -99.0), -99.0), Y, {}, r"X\[:, 1\] \(1 of 20 NaN\)"),
        (np.full((20, 9), np.nan), Y, {}, "and 4 more"),
        (table(), spoiled(3, 0, np.nan)[:, 0], {}, r"y is not finite in y\[:, 0\]"),
        (frame_with(b=pd.array([None] + [1] * 19, dtype="Int64")), Y, {}, r"column 'b' \(1 of 20 NaN\)"),
        (frame_with(b=2.5), Y, {}, "column 'b' of X is constant in the training rows"),
        (table(), np.ones(20), {}, r"y\[:, 0\] of y is constant"),
        (table(), [1] * 20, {"classes": True}, "constant"),
        (frame_with(b="red"), Y, {}, "column 'b' has dtype (object|str), not numbers.*get_dummies"),
        (frame_with(b=pd.Categorical([1, 2] * 10)), Y, {}, "column 'b' has dtype category"),
        (frame_with(b=pd.date_range("2024-01-01", periods=20)), Y, {}, r"column 'b' has dtype datetime64"),
        (frame_with(b=np.ones(20) * 1j), Y, {}, "column 'b' is complex"),
        (table() + 1j, Y, {}, "X is complex"),
        (torch.from_numpy(table()) + 1j, Y, {}, "X is complex"),
        (table().astype(object), Y, {}, "X has dtype object"),
        (table(), table(m=1).astype(object), {}, "y has dtype object"),
        (table(), ["a", None] * 10, {}, "mixes text with 10 other"),
        (pd.DataFrame(table(), columns=["a", "b", "a"]), Y, {}, r"names \['a'\] occur more than once"),
        (table(), Y, {"names": ["u", "v", "u"]}, r"names \['u'\] occur more than once"),
        (table(), Y, {"names": ["u", "v"]}, r"2 names were given for 3 input"),
        (table(), Y[:-1], {}, "X has 20 rows and y has 19"),
        (table(1), Y[:1], {}, r"1 row\(s\) with test_size=0.2 leave 0 to train on"),
        (np.empty((0, 3)), np.empty(0), {}, r"0 row\(s\)"),
        (np.empty((20, 0)), Y, {}, "X has no columns"),
        (table().reshape(5, 4, 3), Y, {}, r"X has shape \(5, 4, 3\)"),
        (3.0, Y, {}, r"X has shape \(\)"),
        ([[1.0, 2.0], [3.0]], Y[:2], {}, "rows of different lengths"),
        (table(), Y, {"test_size": 0.0}, "between 0 and 1"),
        (table(), Y, {"test_size": 1.0}, "between 0 and 1"),
        (table(), Y, {"test_size": 5}, "such as 0.2, not 5"),
        (table(), Y, {"test_size": np.nan}, "between 0 and 1"),
        (table(), Y, {"dtype": torch.int64}, "float64 or torch.float32"),
        (frame_with(), "d", {}, r"0 columns are called 'd'; the columns are \['a', 'b', 'c'\]"),
        (frame_with(), frame_with().iloc[::-1]["a"], {}, r"pass y.loc\[X.index\]"),
    ],
)
def test_bad_tables_are_refused_with_the_column_and_the_remedy(X, y, arguments, match):
    with pytest.raises(ValueError, match=match):
        dataset_from(X, y, **arguments)


@pytest.mark.parametrize(
    ("X", "y", "names", "match"),
    [
        (table(), "a", None, "X must be a pandas DataFrame, not ndarray"),
        (table(), Y, "abc", "names must be a list of strings"),
        (table(), Y, [1, 2, 3], "names must be a list of strings"),
    ],
)
def test_bad_types_are_refused(X, y, names, match):
    with pytest.raises(TypeError, match=match):
        dataset_from(X, y, names=names)


def test_what_can_be_learned_badly_is_a_warning():
    with pytest.warns(UserWarning, match="column 'd' repeats column 'a'"):
        dataset_from(frame_with(d=lambda f: f["a"]), Y)
    with pytest.warns(UserWarning, match="30 inputs but only 16 training rows") as caught:
        dataset_from(table(20, 30), Y)
    assert caught[0].filename == __file__


def test_pandas_is_not_needed():
    code = (
        "import sys; sys.modules['pandas'] = None; import kanlab.data; kanlab.data.dataset_from([1., 2, 3], [1., 2, 4])"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
