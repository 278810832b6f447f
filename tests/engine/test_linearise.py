"""Derivatives by hand against autograd, for every kind of network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kanlab.engine.linearise import Linearisation
from kanlab.engine.network import Network
from tests.engine.cases import KINDS, generator, masked, named, plain, points, products


def linearised(network: Network, n: int = 12, reach: float = 1.0) -> Linearisation:
    return Linearisation(network, points(n, network.n_in, seed=1, reach=reach).T.contiguous())


def parameter_places(linear: Linearisation, network: Network) -> list[tuple[str, tuple[int, ...]]]:
    """Say of each entry of the flat vector which tensor it is in, and where, from the module's own words."""
    places: list[tuple[str, tuple[int, ...]]] = []
    for l, layer in enumerate(network.kan_layers()):
        for i, j in layer.spline_mask().nonzero().tolist():
            places += [(f"layers.{l}.coef", (i, j, b)) for b in range(layer.coef.shape[-1])]
            places.append((f"layers.{l}.scale_base", (i, j)))
        for group in layer.fixed_groups():
            for i, j in zip(group.inputs.tolist(), group.outputs.tolist(), strict=True):
                places += [(f"layers.{l}.affine", (i, j, m)) for m in range(4)]
    assert len(places) == linear.size
    return places


def autograd_jacobian(network: Network, x: Tensor) -> dict[str, Tensor]:
    """Differentiate every output of every sample by every parameter: ``[n, o, *parameter]``."""
    names, parameters = zip(*network.named_parameters(), strict=True)

    def run(*values: Tensor) -> Tensor:
        return torch.func.functional_call(network, dict(zip(names, values, strict=True)), (x,))

    parts = torch.autograd.functional.jacobian(run, tuple(p.detach() for p in parameters))
    return dict(zip(names, parts, strict=True))


def unit_scale_sp(network: Network) -> Network:
    """Set ``scale_sp`` to 1, so that entries of the vector are coefficients and not products."""
    with torch.no_grad():
        for layer in network.kan_layers():
            layer.scale_sp.fill_(1.0)
    return network


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_is_the_network(kind):
    network = kind()
    linear = linearised(network, reach=1.2)
    tape = linear.evaluate(linear.read())
    torch.testing.assert_close(tape.output.T, network(linear.x.T), rtol=1e-12, atol=1e-12)
    for layer, phi in zip(tape.layers, network.acts(linear.x.T).postacts, strict=True):
        torch.testing.assert_close(layer.phi, phi.permute(1, 2, 0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_jacobian_is_autograds(kind):
    network = unit_scale_sp(kind())
    linear = linearised(network, reach=1.2)
    jacobian = linear.jacobian(linear.evaluate(linear.read()))
    expected = autograd_jacobian(network, linear.x.T)
    assert jacobian.shape == (linear.size, network.n_out, 12)
    for row, (name, place) in enumerate(parameter_places(linear, network)):
        column = expected[name][(..., *place)].T
        torch.testing.assert_close(
            jacobian[row], column, rtol=1e-9, atol=1e-10, msg=lambda m, p=(name, place): f"{p} {m}"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_jacobian_is_finite_differences_in_the_flat_vector(kind):
    network = kind()
    linear = linearised(network)
    vector = linear.read()
    jacobian = linear.jacobian(linear.evaluate(vector))
    direction = torch.randn(linear.size, generator=generator(3), dtype=torch.float64)
    step = 1e-6
    ahead, behind = linear.evaluate(vector + step * direction), linear.evaluate(vector - step * direction)
    change = (ahead.output - behind.output) / (2 * step)
    torch.testing.assert_close(torch.einsum("pon,p->on", jacobian, direction), change, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_pull_back_is_the_gradient_of_any_scalar_of_outputs_edges_and_nodes(kind):
    network = kind()
    linear = linearised(network)
    vector = linear.read()
    tape = linear.evaluate(vector)
    weigh = generator(5)

    def weights(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=weigh, dtype=torch.float64)

    by_output = weights(tape.output)
    by_edges = [weights(layer.phi) for layer in tape.layers]
    by_nodes = [weights(layer.x) for layer in tape.layers]
    gradient = linear.pull_back(tape, by_output, by_edges, by_nodes)

    def scalar(at: Tensor) -> float:
        there = linear.evaluate(at)
        value = (there.output * by_output).sum()
        for layer, edges, nodes in zip(there.layers, by_edges, by_nodes, strict=True):
            value = value + (layer.phi * edges).sum() + (layer.x * nodes).sum()
        return float(value)

    step = 1e-6
    for number in range(5):
        direction = torch.randn(linear.size, generator=generator(number), dtype=torch.float64)
        slope = (scalar(vector + step * direction) - scalar(vector - step * direction)) / (2 * step)
        assert float(gradient @ direction) == pytest.approx(slope, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("kind", [plain, products, named])
def test_pull_back_of_the_outputs_alone_is_the_jacobian_times_them(kind):
    network = kind()
    linear = linearised(network)
    tape = linear.evaluate(linear.read())
    by_output = torch.randn(tape.output.shape, generator=generator(1), dtype=torch.float64)
    expected = torch.einsum("pon,on->p", linear.jacobian(tape), by_output)
    torch.testing.assert_close(linear.pull_back(tape, by_output), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_slopes_of_the_edges_are_finite_differences_in_every_layer(kind):
    network = kind()
    linear = linearised(network)
    tape = linear.evaluate(linear.read())
    step = 1e-6
    for layer, at in zip(network.kan_layers(), tape.layers, strict=True):
        rise = (layer.postacts(at.x + step) - layer.postacts(at.x - step)).detach()
        torch.testing.assert_close(at.slopes, rise / (2 * step), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_reading_and_writing_are_inverse(kind):
    network = kind()
    linear = linearised(network)
    before = network(linear.x.T)
    vector = linear.read()
    linear.write(vector)
    torch.testing.assert_close(network(linear.x.T), before, rtol=0, atol=1e-12)
    other = vector + 0.1 * torch.randn(linear.size, generator=generator(0), dtype=torch.float64)
    linear.write(other)
    torch.testing.assert_close(linear.read(), other, rtol=0, atol=1e-14)
    torch.testing.assert_close(network(linear.x.T), linear.evaluate(other).output.T, rtol=1e-12, atol=1e-12)


def test_writing_leaves_removed_and_hidden_splines_alone():
    network = masked()
    removed = network.layer(0).coef[0, 0].clone()
    linear = linearised(network)
    linear.write(torch.full((linear.size,), 7.0, dtype=torch.float64))
    assert torch.equal(network.layer(0).coef[0, 0], removed)
    network = named()
    hidden = network.layer(0).coef[0, 0].clone()
    linear = linearised(network)
    linear.write(torch.ones(linear.size, dtype=torch.float64))
    assert torch.equal(network.layer(0).coef[0, 0], hidden)


def test_size_counts_present_parameters_only():
    assert linearised(plain()).size == (2 * 3 + 3) * (4 + 3 + 1)
    assert linearised(masked()).size == (12 - 3 + 8 - 3) * (3 + 3 + 1)
    # named(): layer 0 has 12 edges, one removed and four named; layer 1 has 6, one removed and two named.
    assert linearised(named()).size == (12 - 1 - 4 + 6 - 1 - 2) * 7 + (4 + 2) * 4


def test_trainable_marks_what_may_change():
    network = named()
    linear = linearised(network)
    assert bool(linear.trainable().all())
    network.layer(0).coef.requires_grad_(False)
    network.layer(1).affine.requires_grad_(False)
    with torch.no_grad():
        network.layer(1).scale_sp[0, 1] = 0.0
    free = linear.trainable()
    for mark, (name, place) in zip(free.tolist(), parameter_places(linear, network), strict=True):
        held = name in {"layers.0.coef", "layers.1.affine"} or (name == "layers.1.coef" and place[:2] == (0, 1))
        assert mark == float(not held), (name, place)


def test_network_without_any_free_parameter_has_size_zero():
    network = Network([2, 1], seed=0)
    for i in range(2):
        network.layer(0).remove(i, 0)
    linear = linearised(network)
    assert linear.size == 0
    assert linear.read().shape == (0,)
    assert not linear.evaluate(linear.read()).output.any()
