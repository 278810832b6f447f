"""Jets as a function of the flat parameters, and their derivatives by these, against finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kanlab.engine.jets import derivatives
from kanlab.engine.linearise import Linearisation
from kanlab.engine.linearise_jets import JetLinearisation
from kanlab.engine.network import Network
from tests.engine.cases import KINDS, generator, named, plain, points, rough


def four_factors() -> Network:
    return rough(Network([2, [1, 1], 1], grid=3, k=5, mult_arity=4, seed=9), 9)


ALL = (*KINDS, four_factors)


def make(network: Network, order: int, n: int = 5) -> tuple[JetLinearisation, Tensor]:
    x = points(n, network.n_in, seed=2).T.contiguous()
    linear = Linearisation(network, x)
    return JetLinearisation(linear, x, order), linear.read()


def cotangents(jets: JetLinearisation, vector: Tensor, columns: int) -> list[Tensor]:
    """Derivatives of some quantities by the outputs' jets, symmetric where the jets are."""
    g = generator(5)
    output = jets.evaluate(vector).output
    c = [torch.randn(columns, *part.shape, generator=g, dtype=torch.float64) for part in output]
    if len(c) > 2:
        c[2] = c[2] + c[2].transpose(2, 3)
    return c


def quantities(jets: JetLinearisation, vector: Tensor, c: list[Tensor]) -> Tensor:
    """What has these derivatives, ``[columns, n]``."""
    parts = zip(c, jets.evaluate(vector).output, strict=True)
    return torch.stack([(a * b).flatten(1, -2).sum(1) for a, b in parts]).sum(0)


@pytest.mark.parametrize("kind", ALL)
def test_output_is_the_derivatives_of_the_network(kind):
    network = kind()
    jets, vector = make(network, 2)
    expected = derivatives(network, jets.x.T)
    for part, other in zip(jets.evaluate(vector).output, expected.parts, strict=True):
        torch.testing.assert_close(part.movedim(-1, 0), other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("kind", ALL)
def test_jacobian_is_that_of_finite_differences(kind, order):
    jets, vector = make(kind(), order)
    c = cotangents(jets, vector, columns=2)
    found = jets.jacobian(jets.evaluate(vector), c)
    step = 1e-6
    for number, column in enumerate(found):
        change = torch.zeros_like(vector)
        change[number] = step
        ahead, behind = (quantities(jets, vector + sign * change, c) for sign in (1, -1))
        # Second derivatives reach thousands; rounding, 1e-16 of that, is divided by the step.
        torch.testing.assert_close(column, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("kind", ALL)
def test_pull_back_is_the_sum_of_the_jacobian(kind, order):
    jets, vector = make(kind(), order)
    tape = jets.evaluate(vector)
    c = cotangents(jets, vector, columns=1)
    expected = jets.jacobian(tape, c).sum((1, 2))
    torch.testing.assert_close(jets.pull_back(tape, c), expected, rtol=1e-10, atol=1e-10)


def test_order_zero_is_the_ordinary_linearisation():
    for kind in (plain, named):
        jets, vector = make(kind(), 0)
        tape = jets.linear.evaluate(vector)
        each = torch.eye(len(tape.output), dtype=torch.float64)[..., None].expand(-1, -1, tape.output.shape[1])
        found = jets.jacobian(jets.evaluate(vector), [each])
        torch.testing.assert_close(found, jets.linear.jacobian(tape), rtol=1e-12, atol=1e-12)


def test_the_network_itself_is_left_alone():
    network = named()
    jets, vector = make(network, 2)
    before = network(jets.x.T)
    jets.jacobian(jets.evaluate(vector + 1.0), cotangents(jets, vector, 1))
    assert torch.equal(network(jets.x.T), before)
