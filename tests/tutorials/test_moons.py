"""pykan's tutorial on classification: two moons as a regression of 0 and 1, and as classes with cross-entropy."""

from __future__ import annotations

import sympy
import torch
from torch import Tensor

from kanlab import KAN
from kanlab.problems.moons import points

LIB = ["x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs"]


def moons(n: int, seed: int) -> tuple[Tensor, Tensor]:
    return points(n, 0.1, torch.Generator().manual_seed(seed))


def accuracy(exprs: list[sympy.Expr], variables: list[sympy.Symbol], x: Tensor, label: Tensor) -> float:
    """Count how often the formula alone, a number at a time, says the right moon."""
    right = 0
    for row, truth in zip(x.tolist(), label.tolist(), strict=True):
        values = [float(expr.subs(dict(zip(variables, row, strict=True)))) for expr in exprs]
        guess = round(values[0]) if len(values) == 1 else max(range(len(values)), key=values.__getitem__)
        right += guess == truth
    return right / len(x)


def test_as_regression_of_zero_and_one():
    (x, label), (x_test, label_test) = moons(200, 0), moons(100, 1)
    dataset = {
        "train_input": x, "train_label": label[:, None].double(),
        "test_input": x_test, "test_label": label_test[:, None].double(),
    }  # fmt: skip
    model = KAN(width=[2, 1], grid=3, k=3)

    def train_acc() -> Tensor:
        return torch.mean((torch.round(model(dataset["train_input"])[:, 0]) == dataset["train_label"][:, 0]).float())

    def test_acc() -> Tensor:
        return torch.mean((torch.round(model(dataset["test_input"])[:, 0]) == dataset["test_label"][:, 0]).float())

    results = model.train(dataset, opt="LBFGS", steps=20, metrics=(train_acc, test_acc), log=0)
    assert results["train_acc"][-1] >= 0.99
    assert results["test_acc"][-1] >= 0.98
    assert set(results) == {"train_loss", "test_loss", "reg", "train_acc", "test_acc"}
    for i in range(2):
        model.fix_symbolic(0, i, 0, "sin")
    model.train(dataset, opt="LBFGS", steps=20, log=0)
    exprs, variables = model.symbolic_formula()
    assert accuracy(exprs, variables, x_test[:40], label_test[:40]) >= 0.95


def test_as_classes_with_cross_entropy():
    (x, label), (x_test, label_test) = moons(200, 0), moons(100, 1)
    dataset = {"train_input": x, "train_label": label, "test_input": x_test, "test_label": label_test}
    model = KAN(width=[2, 2], grid=3, k=3)

    def train_acc() -> Tensor:
        return torch.mean((torch.argmax(model(dataset["train_input"]), dim=1) == dataset["train_label"]).float())

    def test_acc() -> Tensor:
        return torch.mean((torch.argmax(model(dataset["test_input"]), dim=1) == dataset["test_label"]).float())

    loss_fn = torch.nn.CrossEntropyLoss()
    results = model.train(dataset, opt="LBFGS", steps=20, metrics=(train_acc, test_acc), loss_fn=loss_fn, log=0)
    assert results["train_acc"][-1] == 1.0
    assert results["test_acc"][-1] >= 0.98
    assert results["train_loss"][-1] < 0.05
    model.auto_symbolic(lib=LIB, log=0)
    assert float(test_acc()) >= 0.97
    assert len(model.symbolic_formula()[0]) == 2
