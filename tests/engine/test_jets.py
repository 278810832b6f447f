"""Derivatives by the inputs are those of autograd and of finite differences, for any kind of network."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import hessian, jacobian

from kanlab.engine.jets import Derivatives, derivatives
from kanlab.engine.network import Network
from tests.engine.cases import KINDS, named, points, products, rough


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_derivatives_of_splines_of_any_degree_are_those_of_autograd(k):
    check_by_autograd(rough(Network([2, [2, 1], 2], grid=4, k=k, seed=k), k))


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_are_those_of_autograd(kind):
    check_by_autograd(kind())


def check_by_autograd(network: Network) -> None:
    x = points(5, network.n_in, seed=3, reach=1.3)
    found = derivatives(network, x)
    torch.testing.assert_close(found.value, network(x), rtol=1e-12, atol=1e-12)
    for row, at in enumerate(x):
        slopes = as_tensor(jacobian(lambda z: network(z[None])[0], at))
        torch.testing.assert_close(found.first[row], slopes, rtol=1e-9, atol=1e-9)
        for output in range(network.n_out):

            def alone(z: Tensor, output: int = output) -> Tensor:
                return network(z[None])[0, output]

            torch.testing.assert_close(found.second[row, output], as_tensor(hessian(alone, at)), rtol=1e-8, atol=1e-8)


def as_tensor(found: object) -> Tensor:
    assert isinstance(found, Tensor)
    return found


@pytest.mark.parametrize("make", [named, products])
def test_derivatives_are_those_of_finite_differences(make):
    network = make()
    x, step = points(6, network.n_in, seed=4), 1e-5
    with torch.no_grad():
        found = derivatives(network, x)
        for a in range(network.n_in):
            ahead, behind = x.clone(), x.clone()
            ahead[:, a] += step
            behind[:, a] -= step
            first = (network(ahead) - network(behind)) / (2 * step)
            slopes = derivatives(network, ahead, order=1).first - derivatives(network, behind, order=1).first
            # A central difference of step h is good to h², times third derivatives of some tens here.
            torch.testing.assert_close(found.first[:, :, a], first, rtol=1e-6, atol=1e-7)
            torch.testing.assert_close(found.second[:, :, a], slopes / (2 * step), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_lower_orders_are_the_same_numbers(order):
    network = named()
    x = points(6, 3)
    found, all_of_them = derivatives(network, x, order=order), derivatives(network, x)
    assert found.order == order
    for part, other in zip(found.parts, all_of_them.parts, strict=False):
        torch.testing.assert_close(part, other, rtol=1e-12, atol=1e-12)


def test_laplacian_is_the_trace_of_the_second_derivatives():
    found = derivatives(products(), points(6, 2))
    torch.testing.assert_close(found.laplacian, found.second[..., 0, 0] + found.second[..., 1, 1])


def test_second_derivatives_are_symmetric():
    second = derivatives(products(), points(6, 2)).second
    torch.testing.assert_close(second, second.transpose(-1, -2), rtol=0, atol=1e-12)


def test_autograd_goes_on_by_parameters_and_inputs():
    network = named()
    x = points(4, 3).requires_grad_()
    second = derivatives(network, x).second
    (by_x,) = torch.autograd.grad(second.sum(), x, retain_graph=True)
    step = torch.zeros_like(x)
    step[:, 1] = 1e-5
    with torch.no_grad():
        expected = (derivatives(network, x + step).second - derivatives(network, x - step).second).sum((1, 2, 3)) / 2e-5
    torch.testing.assert_close(by_x[:, 1], expected, rtol=1e-5, atol=1e-5)
    second.sum().backward()
    affine = network.layer(0).affine
    assert affine.grad is not None
    with torch.no_grad():
        affine[1, 0, 0] += 1e-5
        ahead = derivatives(network, x).second.sum()
        affine[1, 0, 0] -= 2e-5
        behind = derivatives(network, x).second.sum()
    assert float(affine.grad[1, 0, 0]) == pytest.approx(float(ahead - behind) / 2e-5, rel=1e-5)


def test_nothing_is_kept_without_gradients():
    with torch.no_grad():
        found = derivatives(named(), points(4, 3))
    assert not any(part.requires_grad for part in found.parts)


def test_single_precision_stays_single():
    network = Network([2, 3, 1], seed=0, dtype=torch.float32)
    found = derivatives(network, points(5, 2))
    assert {part.dtype for part in found.parts} == {torch.float32}
    double = Network([2, 3, 1], seed=0)
    double.load_state_dict({name: value.double() for name, value in network.state_dict().items()})
    torch.testing.assert_close(found.second.double(), derivatives(double, points(5, 2)).second, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("order", [-1, 3, 1.5, True, None, "2"])
def test_other_orders_are_refused(order):
    with pytest.raises(ValueError, match=r"allowed are 0 \(values\), 1 \(with slopes\) and 2"):
        derivatives(named(), points(4, 3), order=order)


def test_inputs_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"this model takes \[batch, 3\]"):
        derivatives(named(), points(4, 2))


def test_what_was_not_asked_for_is_told_how_to_ask():
    found = derivatives(named(), points(4, 3), order=1)
    for read in (lambda: found.second, lambda: found.laplacian):
        with pytest.raises(ValueError, match="ask with order=2"):
            read()


def test_the_record_cannot_be_changed():
    found = Derivatives((torch.zeros(1, 1),))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.parts = ()  # pyright: ignore[reportAttributeAccessIssue]
