"""The calls of the spring-2024 pykan: each works, gives what today's call gives, and says what has changed."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib.figure
import pytest
import torch

from kanlab import KAN, create_dataset
from kanlab.legacy import Ignored, Refused, Renamed, understands

DATASET = create_dataset(lambda x: torch.sin(3 * x[:, 0]) + x[:, 1] ** 2, n_var=2, train_num=100, test_num=40, seed=1)


@pytest.fixture(scope="module")
def trained() -> KAN:
    model = KAN([2, 1], grid=5, seed=0)
    model.fit(DATASET, steps=10, log=0)
    return model


# ---- words


def walk(**options: Any) -> dict[str, Any]:
    return options


def test_renamed_words_are_passed_on_under_todays_name():
    with pytest.warns(DeprecationWarning, match="speed is pace today"):
        assert understands({"speed": Renamed("pace")})(walk)(speed=3, far=1) == {"pace": 3, "far": 1}
    with pytest.raises(TypeError, match="both were given"):
        understands({"speed": Renamed("pace")})(walk)(speed=3, pace=2)


def test_ignored_words_are_dropped_with_a_reason():
    with pytest.warns(DeprecationWarning, match="hat is ignored: it never rains"):
        assert understands({"hat": Ignored("it never rains")})(walk)(hat=True) == {}


def test_refused_words_say_what_to_do_instead_unless_they_ask_for_nothing():
    walks = understands({"fly": Refused("take a plane")})(walk)
    with pytest.raises(ValueError, match="fly=True is not possible: take a plane"):
        walks(fly=True)
    assert walks(fly=False) == {}


def test_the_warning_points_at_the_caller():
    calls = (
        lambda: KAN([1, 1], noise_scale_base=0.1),
        lambda: KAN([2, 1]).train(DATASET, steps=1, log=0, sglr_avoid=False, small_reg_factor=1),
    )
    for call in calls:
        with pytest.warns(DeprecationWarning, match=r"today|ignored") as caught:
            call()
        assert {warning.filename for warning in caught} == {__file__}


# ---- calls


def test_constructor_of_2024():
    with pytest.warns(DeprecationWarning, match=r"today|ignored"):
        model = KAN(
            width=[2, 5, 1], grid=5, k=3, noise_scale=0.1, noise_scale_base=0.25, base_fun=torch.nn.SiLU(),
            symbolic_enabled=True, bias_trainable=False, grid_eps=1.0, grid_range=[-1, 1], sp_trainable=True,
            sb_trainable=True, device="cpu", seed=0,
        )  # fmt: skip
    assert model.layer(0).base_fun == "silu"
    assert float(model.layer(0).scale_base.detach().abs().max()) <= 0.25 / 2**0.5


def test_train_takes_what_it_took():
    words = {"sglr_avoid": False, "small_mag_threshold": 1e-16, "small_reg_factor": 1.0, "device": "cpu"}
    old, new = KAN([2, 1], seed=0), KAN([2, 1], seed=0)
    with pytest.warns(DeprecationWarning, match=r"today|ignored"):
        history = old.train(
            DATASET, opt="LBFGS", steps=3, log=1, lamb=0.0, lamb_l1=1.0, lamb_entropy=2.0, update_grid=True,
            grid_update_num=10, loss_fn=None, lr=1.0, stop_grid_update_step=50, batch=-1, metrics=None,
            save_fig=False, in_vars=None, out_vars=None, beta=3, save_fig_freq=1, img_folder="./video", **words,
        )  # fmt: skip
    assert history == new.fit(DATASET, opt="LBFGS", steps=3, lr=1.0, log=0)


def test_figures_in_training_are_refused_with_the_way_to_make_them():
    with pytest.raises(ValueError, match=r"save_fig=True is not possible.*fit_steps.*savefig"):
        KAN([2, 1]).fit(DATASET, save_fig=True, log=0)


def test_prune_by_the_threshold_of_nodes(trained):
    with pytest.warns(DeprecationWarning, match="threshold is node_th today"):
        assert trained.prune(threshold=1e-2).width == trained.prune(node_th=1e-2).width


def test_searches_take_ranges_and_weights(trained):
    with pytest.warns(DeprecationWarning, match=r"today|ignored"):
        found = trained.suggest_symbolic(0, 1, 0, a_range=(-10, 10), b_range=(-10, 10), verbose=True, weight_simple=0.8)
    assert found == trained.suggest_symbolic(0, 1, 0)
    old, new = trained.copy(), trained.copy()
    lib = ["x", "x^2", "sin"]
    with pytest.warns(DeprecationWarning, match=r"today|ignored"):
        old.auto_symbolic(lib=lib, a_range=(-10, 10), b_range=(-10, 10), verbose=1, log=0)
    new.auto_symbolic(lib=lib, log=0)
    assert old.symbolic_formula() == new.symbolic_formula()
    with pytest.warns(DeprecationWarning, match=r"today|ignored"):
        r2 = trained.copy().fix_symbolic(0, 0, 0, "sin", a_range=(-5, 5), random=False, verbose=False)
    assert r2 == trained.copy().fix_symbolic(0, 0, 0, "sin")


def test_formula_and_plot_take_their_old_words(trained):
    model = trained.copy()
    model.auto_symbolic(lib=["x", "x^2", "sin"], log=0)
    with pytest.warns(DeprecationWarning, match="simplify"):
        formula = model.symbolic_formula(floating_digit=5, simplify=False)[0][0]
    assert formula == model.symbolic_formula(floating_digit=5)[0][0]
    with pytest.warns(DeprecationWarning, match="mask"):
        figure = model.plot(mask=True, beta=10, in_vars=[r"$x_1$", r"$x_2$"], title="my KAN")
    assert isinstance(figure, matplotlib.figure.Figure)


def test_todays_arguments_warn_of_nothing(trained):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained.plot(beta=10, in_vars=[r"$x_1$", r"$x_2$"])
        trained.suggest_symbolic(0, 0, 0, topk=2)
        trained.prune(edge_th=0.0, node_th=0.0)


# ---- methods


def test_a_finer_model_takes_over_the_function_of_a_coarse_one(trained):
    x = DATASET["train_input"]
    fine = KAN([2, 1], grid=20, seed=5).initialize_from_another_model(trained, x)
    assert fine.grid == [20]
    torch.testing.assert_close(fine(x), trained(x), rtol=0, atol=1e-10)
    assert fine.fit(DATASET, steps=3, log=0)["train_loss"][-1] < 1e-2
    with pytest.raises(ValueError, match="differ in width"):
        KAN([2, 2, 1]).initialize_from_another_model(trained, x)


def test_checkpoints_go_where_they_are_told(trained, tmp_path):
    trained.save_ckpt("best", tmp_path / "ckpt")
    model = KAN([2, 3, 1], seed=9)
    model.load_ckpt("best", tmp_path / "ckpt")
    assert torch.equal(model(DATASET["test_input"]), trained(DATASET["test_input"]))


def test_all_names_are_taken_back_at_once(trained):
    model = trained.copy()
    model.fix_symbolic(0, 0, 0, "sin")
    model.fix_symbolic(0, 1, 0, "x^2")
    model.unfix_symbolic_all()
    assert torch.equal(model(DATASET["test_input"]), trained(DATASET["test_input"]))


def test_update_grid_lays_the_grid_over_the_data():
    x = points = torch.linspace(2.0, 3.0, 50, dtype=torch.float64)[:, None]
    model = KAN([1, 1], grid=4)
    model.update_grid(x)
    layer = model.layer(0)
    assert layer.knots[0, layer.k].item() == points.min().item()
    assert layer.knots[0, -layer.k - 1].item() == points.max().item()
