"""How edges begin: the scales asked for, what is frozen, and nearest neighbours only where asked."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest
import torch

from kanlab import KAN
from kanlab.engine.network import Network
from kanlab.engine.start import Start, nearest_neighbours
from tests.engine.cases import generator, points


def test_base_scales_have_the_middle_and_range_asked_for():
    start = Start(scale_base_mu=2.0, scale_base_sigma=0.5)
    scales = start.scale_base(16, 500, generator()) * math.sqrt(16)
    # 8,000 even draws on [1.5, 2.5]: the ends are reached to a permille or so, the mean to about 0.3 %.
    assert float(scales.min()) == pytest.approx(1.5, abs=5e-3)
    assert float(scales.max()) == pytest.approx(2.5, abs=5e-3)
    assert float(scales.mean()) == pytest.approx(2.0, abs=2e-2)


def test_the_defaults_begin_as_before():
    start, plain = Start(), Network([3, 2], seed=7).layer(0)
    source = generator(7)
    assert torch.equal(plain.coef, start.coef(3, 2, 6, source))
    assert torch.equal(plain.scale_base, start.scale_base(3, 2, source))


def test_frozen_scales_do_not_change_in_training():
    x = points(100, 2)
    data = {"train_input": x, "train_label": (x[:, :1] * 3).sin() + x[:, 1:]}
    for opt in ("LM", "LBFGS", "Adam"):
        model = KAN([2, 2, 1], sb_trainable=False, sp_trainable=False, seed=0)
        before = [layer.scale_base.detach().clone() for layer in model.kan_layers()]
        history = model.fit(data, opt=opt, steps=6, log=0)
        assert history["train_loss"][-1] < history["train_loss"][0]
        for layer, scale in zip(model.kan_layers(), before, strict=True):
            assert torch.equal(layer.scale_base, scale)
            assert not layer.scale_sp.requires_grad
            assert bool((layer.scale_sp == 1).all())


@pytest.mark.parametrize("base_fun", ["silu", "zero"])
def test_frozen_scales_do_not_change_when_training_thins(base_fun):
    x = points(100, 3)
    data = {"train_input": x, "train_label": (x[:, :1] * 3).sin()}
    model = KAN([3, 3, 1], base_fun=base_fun, sb_trainable=False, seed=0)
    before = [layer.scale_base.detach().clone() for layer in model.kan_layers()]
    model.fit(data, opt="LM", steps=25, lamb=1e-1, log=0)
    assert all(torch.equal(layer.scale_base, b) for layer, b in zip(model.kan_layers(), before, strict=True))


@pytest.mark.parametrize(("in_dim", "out_dim"), [(1, 1), (2, 5), (5, 2), (4, 4), (7, 3)])
def test_nearest_neighbours_leave_no_node_alone_and_no_edge_crosses(in_dim, out_dim):
    mask = nearest_neighbours(in_dim, out_dim)
    assert bool((mask.sum(0) >= 1).all())
    assert bool((mask.sum(1) >= 1).all())
    assert int(mask.sum()) <= in_dim + out_dim
    places = mask.nonzero().tolist()
    assert all(j <= other for m, (i, j) in enumerate(places) for k, other in places[m + 1 :] if k > i)


def test_sparse_networks_train_and_keep_their_gaps(tmp_path):
    x = points(100, 4)
    model = KAN([4, 4, 1], sparse_init=True, seed=0)
    assert [int(layer.mask.sum()) for layer in model.kan_layers()] == [4, 4]
    model.fit({"train_input": x, "train_label": x[:, :1] ** 2 + x[:, 1:2]}, steps=5, log=0)
    assert [int(layer.mask.sum()) for layer in model.kan_layers()] == [4, 4]
    model.save(tmp_path / "m.kan")
    assert torch.equal(KAN.load(tmp_path / "m.kan")(x), model(x))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scale_base_mu": math.inf}, "scale_base_mu is inf; allowed are finite numbers"),
        ({"scale_base_sigma": math.nan}, "scale_base_sigma is nan"),
        ({"sparse_init": 1}, "sparse_init is 1; allowed are True and False"),
        ({"sb_trainable": None}, "sb_trainable is None"),
        ({"sp_trainable": "no"}, "sp_trainable is 'no'"),
    ],
)
def test_bad_options_are_refused_with_what_is_allowed(options, says):
    with pytest.raises(ValueError, match=says):
        Start(**options)


def test_the_network_takes_all_of_them():
    names = {field.name for field in fields(Start)}
    assert names <= set(KAN.__doc__.split("``") if KAN.__doc__ else ())
    with pytest.raises(TypeError, match="unexpected keyword argument 'gird_range'"):
        Network([1, 1], gird_range=(0.0, 1.0))
