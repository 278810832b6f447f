"""Networks and data that several of the engine's tests share."""

from __future__ import annotations

import torch
from torch import Tensor

from kanlab.engine.network import Network
from kanlab.symbolic import library


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(n: int, n_in: int, seed: int = 0, *, reach: float = 1.0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Inputs ``[n, n_in]``, uniform on ``[-reach, reach]``."""
    return (torch.rand(n, n_in, generator=generator(seed), dtype=dtype) * 2 - 1) * reach


def rough(network: Network, seed: int = 0) -> Network:
    """Give every parameter a value of its own, so that no derivative is zero by symmetry."""
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            noise = torch.randn(parameter.shape, generator=generator(100 * seed + number), dtype=parameter.dtype)
            parameter += 0.3 * noise
    return network


def plain() -> Network:
    return rough(Network([2, 3, 1], grid=4, seed=1))


def several_outputs() -> Network:
    return rough(Network([3, 2, 4], grid=[3, 5], k=[2, 3], seed=2), 2)


def deep() -> Network:
    return rough(Network([2, 3, 2, 1], grid=3, k=[3, 1, 4], seed=3), 3)


def products() -> Network:
    """Multiplication nodes of three factors inside, and one of the outputs."""
    return rough(Network([2, [1, 2], [1, 1]], grid=3, mult_arity=3, seed=4), 4)


def unequal_products() -> Network:
    """Multiplication nodes of two, three and four factors."""
    return rough(Network([2, [1, 2], [1, 1]], grid=3, mult_arity=[[], [2, 4], [3]], seed=9), 9)


def masked() -> Network:
    """Edges removed, but each node still reached."""
    network = rough(Network([3, 4, 2], grid=3, seed=5), 5)
    for l, i, j in ((0, 0, 0), (0, 1, 2), (0, 2, 3), (1, 1, 0), (1, 3, 1), (1, 3, 0)):
        network.layer(l).remove(i, j)
    return network


def named() -> Network:
    """Several functions on edges of both layers, one of them twice, beside splines, gaps and a multiplication node."""
    network = rough(Network([3, [2, 1], 2], grid=3, seed=6), 6)
    network.layer(0).fix(0, 0, library.get("sin"), (1.3, 0.2, 0.7, -0.1))
    network.layer(0).fix(1, 0, library.get("exp"), (0.6, 0.1, 0.5, 0.3))
    network.layer(0).fix(1, 2, library.get("sin"), (0.8, -0.4, 1.1, 0.2))
    network.layer(0).fix(2, 3, library.get("x^2"), (1.0, 0.3, -0.6, 0.1))
    network.layer(1).fix(0, 0, library.get("tanh"), (0.9, 0.1, 1.2, -0.3))
    network.layer(1).fix(2, 1, library.get("x"), (1.0, 0.0, 0.8, 0.4))
    network.layer(0).remove(2, 1)
    network.layer(1).remove(1, 0)
    return network


def all_named() -> Network:
    network = Network([2, 1], seed=0)
    network.layer(0).fix(0, 0, library.get("sin"), (3.0, 0.2, 1.5, 0.0))
    network.layer(0).fix(1, 0, library.get("x^2"), (1.0, 0.0, 0.7, 0.1))
    return network


def without_base() -> Network:
    return rough(Network([2, 2, 1], grid=2, k=2, base_fun="zero", seed=7), 7)


def broken_lines() -> Network:
    return rough(Network([2, 2, 1], grid=4, k=1, base_fun="identity", seed=8), 8)


#: One of each kind that the derivatives by hand must get right.
KINDS = (plain, several_outputs, deep, products, unequal_products, masked, named, all_named, without_base, broken_lines)
