"""pykan's tutorial on continual learning: five peaks learnt one after the other, none forgotten."""

from __future__ import annotations

import pytest
import torch

from kanlab import KAN
from kanlab.problems import peaks


@pytest.mark.parametrize("opt", ["LBFGS", "LM"])
def test_no_peak_is_forgotten(opt):
    phases = peaks.phases(100)
    x, y = (torch.cat([phase[part] for phase in phases]) for part in ("train_input", "train_label"))
    model = KAN(
        width=[1, 1], grid=200, k=3, noise_scale=0.1, base_fun="zero", sp_trainable=False, sb_trainable=False, seed=0
    )
    knots = model.layer(0).knots.clone()
    for number, dataset in enumerate(phases, 1):
        model.train(dataset, opt=opt, steps=40, update_grid=False, log=0)
        learnt = 100 * number
        error = (model(x[:learnt]) - y[:learnt]).abs().detach()
        # Neighbouring phases share the k coefficients around their border.
        assert float(error.max()) < 2e-3
    assert float((model(x[:90]) - y[:90]).abs().max().detach()) < 1e-4, "the first peak, away from the border"
    assert torch.equal(model.layer(0).knots, knots)
    assert bool((model.layer(0).scale_sp == 1).all())
