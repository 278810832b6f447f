"""pykan's first tutorial: train sparse, prune, train, name the edges, train, read the formula."""

from __future__ import annotations

import matplotlib.figure
import sympy
import torch

from kanlab import KAN, create_dataset


def test_the_formula_is_found_to_rounding():
    dataset = create_dataset(
        lambda x: torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2), n_var=2, train_num=200, test_num=100
    )
    model = KAN(width=[2, 5, 1], grid=5, k=3, seed=0)
    model(dataset["train_input"])
    assert isinstance(model.plot(beta=100), matplotlib.figure.Figure)

    model.train(dataset, opt="LBFGS", steps=20, lamb=0.01, lamb_entropy=10.0, log=0)
    model = model.prune()
    assert sum(model.width[1]) <= 3
    model.train(dataset, opt="LBFGS", steps=20, log=0)
    model.auto_symbolic(lib=["x", "x^2", "x^3", "exp", "log", "sqrt", "tanh", "sin", "abs"], log=0)
    history = model.train(dataset, opt="LBFGS", steps=15, log=0)
    assert history["test_loss"][-1] < 1e-9
    formula = model.symbolic_formula(floating_digit=2)[0][0]
    x, y = sympy.symbols("x_1 x_2")
    assert sympy.simplify(formula - sympy.exp(sympy.sin(3.14 * x) + y**2)) == 0
