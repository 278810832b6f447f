import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanlab.data import check_dataset, create_dataset


def dataset(n=6, n_in=2, n_out=1, **parts):
    made = {
        "train_input": torch.arange(n * n_in).reshape(n, n_in) / 7,
        "train_label": torch.arange(n * n_out).reshape(n, n_out) / 3,
        "test_input": torch.ones(2, n_in),
        "test_label": torch.ones(2, n_out),
    }
    return {key: value for key, value in (made | parts).items() if value is not None}


@settings(max_examples=25)
@given(
    n=st.integers(1, 9),
    n_in=st.integers(1, 4),
    n_out=st.integers(1, 3),
    source=st.sampled_from([torch.float32, torch.float64, torch.int32, torch.bool, torch.bfloat16]),
    target=st.sampled_from([torch.float32, torch.float64]),
    as_array=st.booleans(),
)
def test_parts_come_back_in_one_dtype_and_the_argument_stays(n, n_in, n_out, source, target, as_array):
    given_parts = {key: part.to(source) for key, part in dataset(n, n_in, n_out).items()}
    if as_array and source != torch.bfloat16:
        given_parts = {key: part.numpy() for key, part in given_parts.items()}
    before = {key: torch.as_tensor(part).clone() for key, part in given_parts.items()}
    checked = check_dataset(given_parts, n_in, n_out, dtype=target)
    for key, part in before.items():
        assert checked[key].dtype == target
        assert torch.equal(checked[key], part.to(target))
        assert torch.equal(torch.as_tensor(given_parts[key]), part)
    assert list(given_parts) == list(before)


def test_flat_numbers_become_a_column_and_flat_integers_class_indices():
    flat = check_dataset(dataset(train_label=torch.rand(6), test_label=torch.rand(2)), n_out=1)
    assert flat["train_label"].shape == (6, 1)
    short = torch.tensor([0, 1, 2, 0, 1, 2], dtype=torch.uint8)
    classes = check_dataset(dataset(train_label=short, test_label=short[:2]), n_out=3)
    assert classes["train_label"].dtype == torch.int64
    assert classes["train_label"].tolist() == [0, 1, 2, 0, 1, 2]


def test_the_test_part_may_be_missing_or_empty():
    for parts in (
        dataset(test_input=None, test_label=None),
        dataset(test_input=torch.empty(0, 2), test_label=torch.empty(0, 1)),
    ):
        checked = check_dataset(parts, n_in=2, n_out=1)
        assert checked["test_input"].shape == (0, 2)
        assert checked["test_label"].shape == (0, 1)
    indices = check_dataset(dataset(train_label=torch.zeros(6).long(), test_input=None, test_label=None), n_out=1)
    assert indices["test_label"].shape == (0,)


def test_gradients_are_cut():
    label = torch.rand(6, 1, requires_grad=True)
    assert not check_dataset(dataset(train_label=label))["train_label"].requires_grad


def test_read_only_arrays_are_copied():
    array = np.ones((3, 1))
    array.flags.writeable = False
    checked = check_dataset({"train_input": array, "train_label": array})
    checked["train_input"].zero_()
    assert array.min() == 1


def test_what_create_dataset_makes_passes_unchanged():
    made = create_dataset(lambda x: x[:, 0], train_num=5, test_num=4)
    checked = check_dataset(made, n_in=2, n_out=1)
    assert all(torch.equal(checked[key], made[key]) for key in checked)


@pytest.mark.parametrize(
    ("parts", "error", "match"),
    [
        ((torch.ones(3, 2), torch.ones(3, 1)), TypeError, r"dict with train_input.*not tuple.*dataset_from"),
        ({}, ValueError, "lacks train_input, train_label; it has nothing"),
        ({"x": 1, "y": 2}, ValueError, "lacks train_input, train_label; it has x, y"),
        (dataset(test_label=None), ValueError, "lacks test_label"),
        (dataset(train_input=[[1.0, 2.0]] * 6), TypeError, r"\['train_input'\] must be a tensor, not list"),
        (dataset(train_input=torch.ones(6)), ValueError, r"\['train_input'\] has shape \(6,\): \[n, n_in\] is needed"),
        (dataset(train_label=torch.ones(6, 1, 1)), ValueError, r"\[n, n_out\] or class indices \[n\] is needed"),
        (dataset(train_label=torch.ones(5, 1)), ValueError, "6 train inputs and 5 train labels"),
        (dataset(test_input=torch.ones(3, 2)), ValueError, "3 test inputs and 2 test labels"),
        (dataset(test_input=torch.ones(2, 3)), ValueError, r"test_input'\] \(2, 3\): only the number of rows"),
        (dataset(test_label=torch.tensor([0, 1])), ValueError, "only the number of rows may differ"),
        (dataset(n=0), ValueError, "has no rows"),
        (dataset(n_in=3), ValueError, r"has 3 column\(s\), but the model has 2 input\(s\)"),
        (dataset(n_out=2), ValueError, r"has 2 column\(s\), but the model has 1 output\(s\)"),
        (dataset(train_input=torch.ones(6, 2) * 1j), ValueError, "complex"),
        (dataset(train_input=torch.full((6, 2), torch.nan)), ValueError, r"train_input\[:, 0\] \(6 of 6 NaN\)"),
        (dataset(test_label=torch.tensor([[1.0], [torch.inf]])), ValueError, r"test_label\[:, 0\] \(1 of 2 infinite\)"),
        (dataset(train_input=torch.full((6, 2), torch.nan), input_names=["age", "w"]), ValueError, "column 'age'"),
    ],
)
def test_bad_datasets_are_refused(parts, error, match):
    with pytest.raises(error, match=match):
        check_dataset(parts, n_in=2, n_out=1)


@pytest.mark.parametrize(("labels", "match"), [([0, -1], "from -1 to 0"), ([0, 1], "allowed are 0 to 0.*double")])
def test_class_indices_beyond_the_outputs_are_refused(labels, match):
    with pytest.raises(ValueError, match=match):
        check_dataset({"train_input": np.ones((2, 1)), "train_label": np.array(labels)}, n_out=1)
