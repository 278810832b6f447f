import pytest
import torch

from kanlab.problems import moons


def test_without_noise_each_point_lies_on_its_half_circle():
    data = moons.dataset(train_num=40, test_num=10, noise=0, seed=2)
    x, label = data["train_input"], data["train_label"]
    middle = torch.tensor([[0.0, 0.0], [1.0, 0.5]], dtype=torch.float64)[label]
    assert bool((((x - middle) ** 2).sum(1) - 1).abs().max() < 1e-14)
    assert bool((x[label == 0][:, 1] >= 0).all())
    assert bool((x[label == 1][:, 1] <= 0.5).all())


def test_labels_are_classes_with_names_and_the_seed_counts():
    data = moons.dataset(train_num=10, test_num=4)
    assert data["train_label"].dtype == torch.int64
    assert int(data["train_label"].sum()) == 5
    assert data["output_names"] == ["upper", "lower"]
    assert not torch.equal(data["train_input"], moons.dataset(train_num=10, seed=1)["train_input"])


@pytest.mark.parametrize("noise", [-0.1, float("inf"), float("nan")])
def test_a_noise_that_is_none_is_refused(noise):
    with pytest.raises(ValueError, match="noise is"):
        moons.dataset(noise=noise)
