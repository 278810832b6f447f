"""Laying grids over the data without harm: a laying that would tear the function is taken back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.network import Network
from kanlab.engine.snapshot import restore, snapshot

#: Laying the grid anew may raise the objective by this part; more says that it tore the function.
_TORN = 0.5
#: How many times lower a stretched start must be than one that keeps the function.
_FAR_LOWER = 100.0


@torch.no_grad()
def lay_first(network: Network, x: Float[Tensor, "n n_in"], value: Callable[[], float]) -> None:
    """Lay the grids over the data: keeping the function or, if that starts far lower, stretching it with the grid.

    The grid of a new model can lie so far from the data that its splines' end polynomials are astronomical there; that
    of a trained one stays if another would tear its function.
    """
    before, was = snapshot(network), value()
    network.stretch_grid_to_samples(x)
    stretched, start = snapshot(network), value()
    restore(network, before)
    network.update_grid_from_samples(x)
    kept = value()
    if not kept <= was + _TORN * abs(was):
        restore(network, before)
        kept = was
    if not kept <= start and not kept <= _FAR_LOWER * abs(start):
        restore(network, stretched)


def lay_again(network: Network, x: Float[Tensor, "n n_in"], value: Callable[[], float]) -> bool:
    """Lay the grids anew, unless that tears the function; return whether it was done."""
    before, was = snapshot(network), value()
    network.update_grid_from_samples(x)
    if value() <= was + _TORN * abs(was):
        return True
    restore(network, before)
    return False
