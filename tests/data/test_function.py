import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanlab.data import create_dataset


def hello(x):
    return torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2)


def test_samples_fill_the_box_and_carry_the_functions_values():
    data = create_dataset(hello, ranges=[(-1, 1), (2, 3)], train_num=500, test_num=200)
    x = data["train_input"]
    assert x.shape == (500, 2)
    assert data["test_input"].shape == (200, 2)
    assert x.dtype == torch.float64
    low, high = x.min(dim=0).values, x.max(dim=0).values
    # 500 uniform samples come within 5 % of each end except with probability 2e-11.
    assert torch.all(low >= torch.tensor([-1.0, 2.0]))
    assert torch.all(low < torch.tensor([-0.9, 2.05]))
    assert torch.all(high <= torch.tensor([1.0, 3.0]))
    assert torch.all(high > torch.tensor([0.9, 2.95]))
    torch.testing.assert_close(data["train_label"], hello(x), rtol=0, atol=0)
    torch.testing.assert_close(data["test_label"], hello(data["test_input"]), rtol=0, atol=0)


def test_samples_are_pykans_under_float64():
    # pykan seeds the global generator and draws train and test column by column.
    reference = torch.Generator().manual_seed(3)
    columns = [[torch.rand(n, generator=reference, dtype=torch.float64) * 2 - 1 for n in (7, 5)] for _ in range(2)]
    data = create_dataset(hello, train_num=7, test_num=5, seed=3)
    assert torch.equal(data["train_input"], torch.stack([c[0] for c in columns], dim=1))
    assert torch.equal(data["test_input"], torch.stack([c[1] for c in columns], dim=1))


def test_seed_repeats_the_samples_and_leaves_the_global_generators_alone():
    # The global generators are the point here, whatever one uses otherwise.
    torch_state, numpy_state = torch.get_rng_state(), str(np.random.get_state())  # noqa: NPY002
    first, again, other = (create_dataset(hello, seed=seed)["train_input"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert str(np.random.get_state()) == numpy_state  # noqa: NPY002


@settings(max_examples=25)
@given(
    n_var=st.integers(1, 4),
    n_out=st.integers(1, 3),
    train_num=st.integers(1, 20),
    test_num=st.integers(1, 20),
    f_mode=st.sampled_from(["col", "row"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_every_shape(n_var, n_out, train_num, test_num, f_mode, dtype):
    def f(x):
        total = x.sum(dim=1 if f_mode == "col" else 0)
        return total if n_out == 1 else torch.stack([total * k for k in range(n_out)], dim=1)

    data = create_dataset(f, n_var, f_mode, train_num=train_num, test_num=test_num, dtype=dtype)
    for part, n in (("train", train_num), ("test", test_num)):
        x, y = data[f"{part}_input"], data[f"{part}_label"]
        assert x.shape == (n, n_var)
        assert y.shape == (n, n_out)
        assert x.dtype == y.dtype == dtype
        torch.testing.assert_close(y[:, -1], x.sum(dim=1) * max(1, n_out - 1))


def test_normalising_uses_the_training_part_and_can_be_undone():
    plain = create_dataset(hello, seed=5)
    data = create_dataset(hello, seed=5, normalize_input=True, normalize_label=True)
    for what in ("input", "label"):
        train = data[f"train_{what}"]
        torch.testing.assert_close(train.mean(dim=0), torch.zeros(train.shape[1], dtype=torch.float64))
        torch.testing.assert_close(train.std(dim=0), torch.ones(train.shape[1], dtype=torch.float64))
        mean, std = data[f"{what}_normalizer"]
        for part in ("train", "test"):
            torch.testing.assert_close(data[f"{part}_{what}"] * std + mean, plain[f"{part}_{what}"])


def test_numpy_functions_and_functions_that_carry_gradients_are_welcome():
    weight = torch.ones(1, requires_grad=True)
    for f in (lambda x: np.sin(x.numpy()[:, 0]), lambda x: weight * torch.sin(x[:, 0])):
        data = create_dataset(f, n_var=1)
        assert not data["train_label"].requires_grad
        torch.testing.assert_close(data["train_label"], torch.sin(data["train_input"]))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"f": np.ones((5, 2))}, TypeError, "dataset_from reads tables"),
        ({"f": lambda x: 3.0}, TypeError, "returned float"),
        ({"f": lambda x: x[:5, 0]}, ValueError, r"returned shape \(5, 1\) for 1000 samples"),
        ({"f": lambda x: x[:, :, None]}, ValueError, r"returned shape \(1000, 2, 1\)"),
        ({"f": lambda x: x[:, 0] * 1j}, ValueError, "complex"),
        ({"f": lambda x: torch.log(x[:, 0])}, ValueError, r"NaN or infinite at \d+ of 1000 samples, first at \(-"),
        ({"f_mode": "column"}, ValueError, "'col' or 'row', not 'column'"),
        ({"ranges": (1, 1)}, ValueError, r"range of variable 0 is \(1, 1\)"),
        ({"ranges": [(0, 1), (0, math.inf)]}, ValueError, "range of variable 1"),
        ({"ranges": [(0, 1)] * 3}, ValueError, r"shape \(3, 2\).*shape \(2, 2\)"),
        ({"ranges": "wide"}, ValueError, "not 'wide'"),
        ({"ranges": [(0, 1), (0,)]}, ValueError, "one pair per variable"),
        ({"n_var": 0}, ValueError, "n_var must be at least 1, not 0"),
        ({"train_num": 10.5}, TypeError, "train_num must be a whole number, not 10.5"),
        ({"test_num": -1}, ValueError, "test_num must be at least 1"),
        ({"dtype": torch.float16}, ValueError, "float64 or torch.float32"),
        ({"f": lambda x: 0 * x[:, 0], "normalize_label": True}, ValueError, "label 0 is constant"),
        ({"train_num": 1, "normalize_input": True}, ValueError, "at least 2 training samples"),
    ],
)
def test_bad_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        create_dataset(**({"f": hello} | arguments))
