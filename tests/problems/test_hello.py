import numpy as np
import sympy
import torch

from kanlab.problems import hello


def test_samples_obey_the_formula():
    data = hello.dataset(train_num=50, test_num=20, seed=4)
    truth = sympy.lambdify((hello.X, hello.Y), hello.TRUTH, "numpy")
    for part, n in (("train", 50), ("test", 20)):
        x, y = data[f"{part}_input"].numpy(), data[f"{part}_label"].numpy()
        assert x.shape == (n, 2)
        np.testing.assert_allclose(y[:, 0], truth(x[:, 0], x[:, 1]), rtol=1e-14)


def test_the_names_are_the_formulas_own_and_the_seed_counts():
    data = hello.dataset(seed=1)
    assert data["input_names"] == [str(symbol) for symbol in (hello.X, hello.Y)]
    assert data["output_names"] == ["f"]
    assert not torch.equal(data["train_input"], hello.dataset(seed=2)["train_input"])
