import numpy as np
import pytest
import torch

from kanlab.problems import singular


@pytest.mark.parametrize(
    ("generator", "truth"),
    [
        (singular.waves, lambda x, y: np.sin(2 * (np.log(x) + np.log(y)))),
        (singular.cone, np.hypot),
    ],
)
def test_samples_obey_the_formula(generator, truth):
    data = generator(train_num=40, test_num=20, seed=2)
    for part in ("train", "test"):
        x, y = data[f"{part}_input"].numpy(), data[f"{part}_label"].numpy()
        np.testing.assert_allclose(y[:, 0], truth(*x.T), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("values", "expected"), [(2, [0, 1]), (3, [-1, 0, 1]), (5, [-2, -1, 0, 1, 2])])
def test_levels_are_the_whole_numbers_asked_for(values, expected):
    data = singular.levels(values, rows=200)
    x, s = data["train_input"].T
    assert s.unique().tolist() == expected
    torch.testing.assert_close(data["train_label"][:, 0], torch.sin(3 * x) + s**2)


def test_a_column_of_one_value_is_refused():
    with pytest.raises(ValueError, match="values is 1"):
        singular.levels(1)


def test_noise_is_as_large_as_told():
    sets = {"trouble": singular.trouble(rows=5000), "secret": singular.secret(rows=5000)}
    truths = {
        "trouble": lambda x: torch.sin(3 * x[:, 0]) + x[:, 1] ** 2,
        "secret": lambda x: x[:, 0].exp() + torch.cos(4 * x[:, 1]),
    }
    for name, truth in truths.items():
        spread = (sets[name]["train_label"][:, 0] - truth(sets[name]["train_input"])).std().item()
        assert spread == pytest.approx(sets[name].get("noise", 0.2), rel=0.05)  # 4000 rows: one deviation is 1.1 %


def test_the_seed_decides():
    assert torch.equal(singular.trouble(seed=1)["train_input"], singular.trouble(seed=1)["train_input"])
    assert not torch.equal(singular.trouble(seed=1)["train_input"], singular.trouble(seed=2)["train_input"])
