"""The curves of edges as data: sampled points, their range."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.network import Network


@torch.no_grad()
def edge_samples(
    network: Network, l: int, i: int, j: int, x: Float[Tensor, "batch n_in"] | None = None
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Return an edge's inputs on the samples, in rising order, and its values there.

    >>> network = Network([2, 1], seed=0)
    >>> x, y = edge_samples(network, 0, 1, 0, torch.rand(50, 2, generator=torch.Generator().manual_seed(0)))
    >>> x.shape, y.shape, bool((x.diff() >= 0).all())
    (torch.Size([50]), torch.Size([50]), True)

    Raises
    ------
    ValueError
        For an edge that there is not, or if no samples are known.
    """
    network.check_edge(l, i, j)
    inputs = network.acts(x).nodes[l][:, i].sort().values
    return inputs, network.layer(l).edge(i, j, inputs)


def edge_range(
    network: Network, l: int, i: int, j: int, x: Float[Tensor, "batch n_in"] | None = None
) -> tuple[float, float, float, float]:
    """Return the least and greatest input and value of an edge on the samples: ``x_min, x_max, y_min, y_max``.

    Raises
    ------
    ValueError
        As `edge_samples`.
    """
    inputs, values = edge_samples(network, l, i, j, x)
    return float(inputs[0]), float(inputs[-1]), float(values.min()), float(values.max())
