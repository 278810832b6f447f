"""pykan's tutorial on continual learning: five peaks learnt one after the other, none forgotten."""

from __future__ import annotations

import pytest
import torch

from kanlab import KAN


@pytest.mark.parametrize("opt", ["LBFGS", "LM"])
def test_no_peak_is_forgotten(opt):
    x = torch.linspace(-1, 1, 500, dtype=torch.float64)[:, None]
    centres = 2 / 5 * (torch.arange(5, dtype=torch.float64) - 2)
    y = torch.exp(-((x - centres) ** 2) * 300).sum(1, keepdim=True)
    model = KAN(
        width=[1, 1], grid=200, k=3, noise_scale=0.1, base_fun="zero", sp_trainable=False, sb_trainable=False, seed=0
    )
    knots = model.layer(0).knots.clone()
    for part in torch.arange(500).split(100):
        dataset = {"train_input": x[part], "train_label": y[part], "test_input": x[part], "test_label": y[part]}
        model.train(dataset, opt=opt, steps=40, update_grid=False, log=0)
        learnt = part[-1] + 1
        error = (model(x[:learnt]) - y[:learnt]).abs().detach()
        # Neighbouring phases share the k coefficients around their border.
        assert float(error.max()) < 2e-3
    assert float((model(x[:90]) - y[:90]).abs().max().detach()) < 1e-4, "the first peak, away from the border"
    assert torch.equal(model.layer(0).knots, knots)
    assert bool((model.layer(0).scale_sp == 1).all())
