"""pykan's tutorial on unsupervised learning: real rows are told from shuffled ones by a gaussian at the output."""

from __future__ import annotations

import torch

from kanlab import KAN


def rows(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows in which x₃ depends on x₁ and x₂, and x₅ on x₄; and the same with each column shuffled."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 6, generator=generator, dtype=torch.float64) * 2 - 1
    x[:, 2] = torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)
    x[:, 4] = x[:, 3] ** 3
    shuffled = torch.stack([column[torch.randperm(n, generator=generator)] for column in x.unbind(1)], 1)
    order = torch.randperm(2 * n, generator=generator)
    labels = torch.cat([torch.ones(n, 1, dtype=torch.float64), torch.zeros(n, 1, dtype=torch.float64)])
    return torch.cat([x, shuffled])[order], labels[order]


def test_the_columns_that_depend_on_each_other_are_found():
    x, y = rows(250, 1)
    dataset = {"train_input": x[:400], "train_label": y[:400], "test_input": x[400:], "test_label": y[400:]}
    model = KAN(width=[6, 1, 1], grid=3, k=3, seed=0)
    model.fix_symbolic(1, 0, 0, "gaussian", fit_params_bool=False)
    history = model.train(dataset, opt="LBFGS", steps=20, lamb=0.002, lamb_entropy=10.0, lamb_coef=1.0, log=0)
    assert history["train_loss"][-1] < 0.25, "a guess is 0.5"
    score = model.feature_score
    assert float(score[5]) < 0.1, "nothing depends on the last column"
    assert float(score[:3].min()) > 0.2 or float(score[3:5].min()) > 0.2
    assert model.layer(1).fixed[0, 0].name == "gaussian"
    assert model.plot(in_vars=[rf"$x_{m}$" for m in range(1, 7)], beta=10).axes
