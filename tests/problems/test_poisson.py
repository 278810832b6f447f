import pytest
import sympy
import torch

from kanlab.problems import poisson
from kanlab.symbolic.parser import parse


@pytest.mark.parametrize("equation", [poisson.TUTORIAL, poisson.PAPER], ids=["tutorial", "paper"])
def test_solution_and_source_are_those_of_the_text(equation):
    x, y = sympy.symbols("x y")
    u = parse(equation.text, ("x", "y"))
    points, _ = poisson.scattered(200, 1, seed=3)
    for part, expr in ((equation.solution, u), (equation.source, sympy.diff(u, x, 2) + sympy.diff(u, y, 2))):
        truth = torch.as_tensor(sympy.lambdify((x, y), expr, "numpy")(*points.numpy().T))
        torch.testing.assert_close(part(points)[:, 0], truth, rtol=1e-12, atol=1e-12)


def test_the_tutorials_solution_vanishes_on_the_border():
    assert float(poisson.TUTORIAL.solution(poisson.border(9)).abs().max()) < 1e-15


@pytest.mark.parametrize("edge", [poisson.border(21), poisson.scattered(5, 21, seed=1)[1]], ids=["even", "random"])
def test_the_border_has_as_many_points_on_each_side(edge):
    assert edge.shape == (84, 2)
    assert float(edge.abs().max()) == 1
    for axis, end in ((0, -1), (0, 1), (1, -1), (1, 1)):
        assert int((edge[:, axis] == end).sum()) >= 21


def test_the_mesh_fills_the_square_evenly_and_the_seed_counts():
    assert poisson.mesh(5)[:, 0].unique().tolist() == [-1, -0.5, 0, 0.5, 1]
    first, again, other = (poisson.scattered(10, 3, seed=seed)[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
