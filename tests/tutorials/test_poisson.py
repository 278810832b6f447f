"""pykan's tutorial on differential equations: Poisson's, by autograd's second derivatives and LBFGS on parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor, autograd

from kanlab import KAN, LBFGS
from kanlab.problems.poisson import TUTORIAL, mesh
from tests.engine.cases import generator, points, rough


def batch_jacobian(func: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The tutorial's way to ``[batch, out, in]``: the Jacobian of the sum over the batch."""
    jacobian = autograd.functional.jacobian(lambda x: func(x).sum(0), x, create_graph=True)
    return cast(Tensor, jacobian).permute(1, 0, 2)


def laplacian(model: KAN, x: Tensor) -> Tensor:
    second = batch_jacobian(lambda x: batch_jacobian(model, x)[:, 0, :], x)
    return torch.diagonal(second, dim1=1, dim2=2).sum(1, keepdim=True)


def square(n: int) -> tuple[Tensor, Tensor]:
    """Points of a mesh on [-1, 1]², and those of its edge."""
    everywhere = mesh(n)
    return everywhere, everywhere[(everywhere.abs() == 1).any(1)]


def pde_loss(model: KAN, inside: Tensor, edge: Tensor) -> Tensor:
    inner = (laplacian(model, inside) - TUTORIAL.source(inside)).square().mean()
    return 0.01 * inner + (model(edge) - TUTORIAL.solution(edge)).square().mean()


def test_poisson_is_solved():
    inside, edge = square(11)
    model = KAN(width=[2, 2, 1], grid=5, k=3, grid_eps=1.0, seed=1)
    optimiser = LBFGS(
        model.parameters(), lr=1, history_size=10, line_search_fn="strong_wolfe",
        tolerance_grad=1e-32, tolerance_change=1e-32, tolerance_ys=1e-32,
    )  # fmt: skip

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = pde_loss(model, inside, edge)
        loss.backward()
        return loss

    for step in range(8):
        if step % 5 == 0:
            model.update_grid_from_samples(inside)
        optimiser.step(closure)
    error = float((model(inside) - TUTORIAL.solution(inside)).square().mean().detach())
    # pykan's own run ends at 3.8e-3 after 20 steps; the solution's mean square is 0.25.
    assert error < 5e-3


def test_derivatives_by_autograd_are_those_of_finite_differences():
    model = KAN([2, 3, 1], grid=4, seed=2)
    rough(model)
    x, step = points(6, 2, reach=0.8), 1e-4
    slopes = batch_jacobian(model, x)[:, 0].detach()
    total = torch.zeros(6, 1, dtype=torch.float64)
    with torch.no_grad():
        for axis in torch.eye(2, dtype=torch.float64) * step:
            ahead, here, behind = model(x + axis), model(x), model(x - axis)
            rise = (ahead - behind) / (2 * step)
            # Errors: step² times third derivatives of about 100; and rounding over step, or step².
            torch.testing.assert_close(slopes[:, [int(axis[1] > 0)]], rise, rtol=1e-5, atol=1e-5)
            total += (ahead - 2 * here + behind) / step**2
    torch.testing.assert_close(laplacian(model, x).detach(), total, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["coef", "scale_base", "scale_sp"])
def test_the_loss_of_the_equation_is_differentiated_by_the_parameters(name):
    inside, edge = square(5)
    model = KAN([2, 2, 1], grid=3, seed=3)
    rough(model)
    pde_loss(model, inside, edge).backward()
    for layer in model.kan_layers():
        parameter = getattr(layer, name)
        direction, step, values = torch.randn(parameter.shape, generator=generator(1), dtype=torch.float64), 1e-6, []
        for sign in (1, -1):
            with torch.no_grad():
                parameter.add_(sign * step * direction)
            values.append(float(pde_loss(model, inside, edge).detach()))
            with torch.no_grad():
                parameter.sub_(sign * step * direction)
        expected = (values[0] - values[1]) / (2 * step)
        assert float((parameter.grad * direction).sum()) == pytest.approx(expected, rel=1e-5, abs=1e-7)
