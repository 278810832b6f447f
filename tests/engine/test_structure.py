"""Structure is judged on functions whose structure is known, and on networks that have learnt them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kanlab import KAN, create_dataset
from kanlab.engine.structure import asymmetry, interactions, separable_groups
from tests.engine.cases import points

X = points(200, 4, reach=1.0)


def circle(x: Tensor) -> Tensor:
    return torch.sin(2 * (x[:, 0] ** 2 + x[:, 1] ** 2)) + x[:, 2] * torch.exp(x[:, 3])


def test_interactions_are_the_mixed_derivatives_in_units_of_the_spreads():
    found = interactions(circle, X)
    a, b = X[:, 0], X[:, 1]
    mixed = -16 * a * b * torch.sin(2 * (a**2 + b**2))
    unit = X.std(0, correction=0)
    expected = mixed.square().mean().sqrt() * unit[0] * unit[1] / circle(X).std(correction=0)
    torch.testing.assert_close(found[0, 1], expected, rtol=1e-10, atol=0)
    torch.testing.assert_close(found, found.T, rtol=1e-10, atol=1e-12)
    assert float(found[:2, 2:].abs().max()) < 1e-12
    assert float(found.diagonal().abs().max()) == 0


def test_units_of_inputs_and_values_do_not_matter():
    scale = torch.tensor([1e-3, 1.0, 1e4, 1.0], dtype=torch.float64)
    found = interactions(lambda x: 1e6 * circle(x / scale), X * scale)
    torch.testing.assert_close(found, interactions(circle, X), rtol=1e-9, atol=1e-12)


def test_sums_and_products_fall_into_their_groups():
    assert separable_groups(circle, X) == [(0, 1), (2, 3)]
    assert separable_groups(lambda x: x.sum(1) ** 2, X) == [(0, 1, 2, 3)]
    assert separable_groups(lambda x: x[:, 1] ** 2 + x[:, 3], X) == [(0,), (1,), (2,), (3,)]
    assert separable_groups(lambda x: (x[:, [2]] * torch.exp(x[:, [3]])).abs().log(), X) == [(0,), (1,), (2,), (3,)]


def test_inputs_that_are_linked_through_a_third_are_one_group():
    assert separable_groups(lambda x: x[:, 0] * x[:, 3] + x[:, 3] * x[:, 1] + x[:, 2], X) == [(0, 1, 3), (2,)]


def test_a_rotation_is_a_symmetry_and_a_mixture_is_none():
    def f(x: Tensor) -> Tensor:
        return torch.exp(x[:, 2] * (x[:, 0] ** 2 + x[:, 1] ** 2)) + x[:, 3]

    assert asymmetry(f, X, [0, 1]) < 1e-6
    assert asymmetry(f, X, [1, 0]) == asymmetry(f, X, [0, 1])
    assert asymmetry(f, X, [0, 1, 2]) < 1e-6, "x_3 is only added"
    assert asymmetry(lambda x: x[:, 0] * x[:, 2] + x[:, 1] * x[:, 3], X, [0, 1]) > 0.3


def test_a_network_shows_the_structure_of_what_it_learnt():
    dataset = create_dataset(
        lambda x: x[:, 0] * x[:, 1] + torch.sin(2 * x[:, 2]), n_var=3, train_num=300, test_num=10, seed=1
    )
    model = KAN([3, 3, 1], grid=5, k=5, seed=0)
    model.fit(dataset, steps=40, log=0)
    assert separable_groups(model, dataset["train_input"], threshold=0.1) == [(0, 1), (2,)]


@pytest.mark.parametrize("group", [[0], [0, 0], [0, 1, 2, 3], [0, 4], [-1, 2]])
def test_groups_that_say_nothing_are_refused(group):
    with pytest.raises(ValueError, match="two or more different inputs of 0 to 3"):
        asymmetry(circle, X, group)


def test_functions_that_say_nothing_are_refused():
    with pytest.raises(ValueError, match="spread of 0"):
        interactions(lambda x: 0 * x[:, 0], X)
    with pytest.raises(ValueError, match="one number a row"):
        interactions(lambda x: x, X)
    with pytest.raises(ValueError, match="does not depend"):
        asymmetry(lambda x: x[:, 3], X, [0, 1])
