import pytest
import torch

from kanlab.discovery.clock import Clock
from kanlab.discovery.problem import Problem
from kanlab.discovery.surrogate import exponents, highest_degree, is_fitted, surrogate_of
from tests.discovery.shapes import problem

CASES = [
    (lambda x, y: x * y + x**3, lambda x, y: (y + 3 * x**2, x), [(-1, 1), (-1, 1)]),
    (lambda x, y: 1 / (x + y), lambda x, y: (-1 / (x + y) ** 2, -1 / (x + y) ** 2), [(0.5, 2), (0.5, 2)]),
    (lambda x, y: -1 / (x * y), lambda x, y: (1 / (x**2 * y), 1 / (x * y**2)), [(0.5, 2), (0.5, 2)]),
    (
        lambda x, y: torch.sin(x + 2 * y),
        lambda x, y: (torch.cos(x + 2 * y), 2 * torch.cos(x + 2 * y)),
        [(-3, 3), (-3, 3)],
    ),
]


@pytest.mark.parametrize(("function", "gradient", "ranges"), CASES)
def test_the_gradient_is_that_of_the_function_signs_included(function, gradient, ranges):
    asked = problem(function, ranges)
    found, truth = surrogate_of(asked, Clock(10.0)), torch.stack(gradient(*asked.x))
    size = truth.square().mean().sqrt()
    assert float((found.slopes - truth).abs().median() / size) < 1e-2


def test_monomials_come_by_degree():
    assert exponents(2, 1).tolist() == [[0, 0], [0, 1], [1, 0]]
    assert highest_degree(2, 1000) > highest_degree(6, 1000)


def test_noise_is_not_fitted():
    noise = torch.randn(500, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.rand(2, 500, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert not is_fitted(Problem.of(x, noise), 0.5, Clock(10.0))
