"""pykan's tutorial on singular functions: logarithms and a root whose arguments may leave their domain on the way."""

from __future__ import annotations

import pytest
import sympy
import torch

from kanlab import KAN, create_dataset

X, Y = sympy.symbols("x_1 x_2")


def test_a_sine_of_logarithms():
    dataset = create_dataset(
        lambda x: torch.sin(2 * (torch.log(x[:, [0]]) + torch.log(x[:, [1]]))),
        ranges=[0.2, 5], n_var=2, train_num=300, test_num=100,
    )  # fmt: skip
    model = KAN(width=[2, 1, 1], grid=5, k=3, seed=0)
    model.train(dataset, opt="LBFGS", steps=15, log=0)
    for edge, name in (((0, 0, 0), "log"), ((0, 1, 0), "log"), ((1, 0, 0), "sin")):
        model.fix_symbolic(*edge, name)
    history = model.train(dataset, opt="LBFGS", steps=20, log=0)
    assert history["test_loss"][-1] < 1e-6
    assert model.symbolic_formula(floating_digit=4)[0][0] == sympy.sin(2 * sympy.log(X) + 2 * sympy.log(Y))


def test_a_root_is_trained_through_its_singularity():
    dataset = create_dataset(
        lambda x: torch.sqrt(x[:, [0]] ** 2 + x[:, [1]] ** 2), n_var=2, train_num=300, test_num=100
    )
    model = KAN(width=[2, 1, 1], grid=5, k=3, seed=0)
    model.train(dataset, opt="LBFGS", steps=20, lamb=1e-3, log=0)
    for edge, name in (((0, 0, 0), "x^2"), ((0, 1, 0), "x^2"), ((1, 0, 0), "sqrt")):
        model.fix_symbolic(*edge, name)
    with torch.no_grad():  # the root's argument is negative at some samples
        model.layer(1).affine[0, 0, 1] -= 0.05
    with pytest.raises(FloatingPointError, match="outside its domain"):
        model.train(dataset, steps=1, log=0)
    history = model.train(dataset, steps=40, singularity_avoiding=True, y_th=100, log=0)
    assert history["test_loss"][-1] < 1e-6
    assert model.symbolic_formula(floating_digit=3)[0][0] == sympy.sqrt(X**2 + Y**2)
