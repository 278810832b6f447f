"""Laying grids over the data without harm: a laying that would tear the function is taken back."""

from __future__ import annotations

import math
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
#: Data that fill less than this part of an input's grid see next to nothing of its curves; unless the function is by
#: this part better than a stretched start, it was not made for them.
_NARROW, _MADE_FOR = 0.1, 0.5


@torch.no_grad()
def lay_first(network: Network, x: Float[Tensor, "n n_in"], value: Callable[[], float]) -> None:
    """Lay the grids over the data: keeping the function or, if that starts far lower, stretching it with the grid.

    The grid of a new model can lie so far from the data that its splines' end polynomials are astronomical there, or
    be so wide that its curves are straight; that of a trained one stays if another would tear its function.
    """
    before, was, narrow = snapshot(network), value(), _is_narrow(network, x)
    network.stretch_grid_to_samples(x)
    stretched, start = snapshot(network), value()
    if math.isfinite(start) and not math.isfinite(was):
        return  # the function is no number on these data: there is nothing to keep
    restore(network, before)
    network.update_grid_from_samples(x)
    kept = value()
    if not kept <= was + _TORN * abs(was):
        restore(network, before)
        kept = was
    enough = start - _MADE_FOR * abs(start) if narrow else max(start, _FAR_LOWER * abs(start))
    if not kept <= enough:
        restore(network, stretched)


def _is_narrow(network: Network, x: Float[Tensor, "n n_in"]) -> bool:
    """Whether some input, though no constant, fills next to nothing of its grid."""
    layer = network.layer(0)
    filled = (x.amax(0) - x.amin(0)) / (layer.knots[:, -layer.k - 1] - layer.knots[:, layer.k])
    return bool(((filled > 0) & (filled < _NARROW)).any())


def lay_again(network: Network, x: Float[Tensor, "n n_in"], value: Callable[[], float]) -> bool:
    """Lay the grids anew, unless that tears the function; return whether it was done."""
    before, was = snapshot(network), value()
    network.update_grid_from_samples(x)
    if value() <= was + _TORN * abs(was):
        return True
    restore(network, before)
    return False
