import pytest
import torch
from torch.autograd.functional import jacobian

from kanlab import KAN
from kanlab.problems import hello, mlp

DATASET = hello.dataset(train_num=300, test_num=200, seed=0)


def rmse(model):
    with torch.no_grad():
        return float((model(DATASET["test_input"]) - DATASET["test_label"]).square().mean().sqrt())


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("count", [40, 100, 333])
def test_hidden_layers_are_the_widest_within_the_count(count, layers):
    def size(hidden):
        return mlp.parameters(mlp.fit_mlp(DATASET, hidden, steps=0, restarts=1))

    hidden = mlp.hidden_for(count, n_in=2, layers=layers)
    assert size(hidden) <= count < size([width + 1 for width in hidden])


def test_a_kan_counts_what_is_left_of_it():
    model = KAN([2, 3, 1], grid=4, k=2)
    assert mlp.parameters(model) == 9 * (4 + 2 + 1)
    model.remove_edge(0, 1, 2)
    assert mlp.parameters(model) == 8 * (4 + 2 + 1)


def test_an_mlp_learns_and_the_seed_decides_how():
    first, again = (mlp.fit_mlp(DATASET, (7, 7), steps=60, restarts=2, seed=3) for _ in range(2))
    assert rmse(first) < 0.03  # the labels spread by 1.4
    assert rmse(first) == rmse(again)
    assert rmse(first) != rmse(mlp.fit_mlp(DATASET, (7, 7), steps=60, restarts=2, seed=4))


def test_more_steps_never_raise_the_training_error():
    x, y = DATASET["train_input"], DATASET["train_label"]
    with torch.no_grad():
        errors = [(mlp.fit_mlp(DATASET, (4,), steps=n, restarts=1)(x) - y).square().mean() for n in (16, 20, 30, 50)]
    assert errors == sorted(errors, reverse=True)


def test_the_jacobian_is_autograds():
    model = mlp.fit_mlp(DATASET, (3, 2), activation="silu", steps=0, restarts=1)
    problem = mlp._Problem(model.body, DATASET["train_input"][:5], DATASET["train_label"][:5])
    theta = torch.nn.utils.parameters_to_vector(model.body.parameters()).detach()
    torch.testing.assert_close(problem.jacobian(theta), jacobian(problem.residuals, theta), rtol=1e-12, atol=1e-14)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="activation is 'sin'; allowed are 'tanh', 'silu', 'relu'"):
        mlp.fit_mlp(DATASET, (3,), activation="sin")
    with pytest.raises(ValueError, match="layers is 0"):
        mlp.hidden_for(100, n_in=2, layers=0)
