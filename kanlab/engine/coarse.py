"""Coarse grids first: random curves on a fine grid are caught in poor valleys, and never come out of them."""

from __future__ import annotations

import torch

from kanlab.engine.network import Network
from kanlab.engine.options import Data, Options
from kanlab.engine.snapshot import restore, snapshot
from kanlab.engine.stages import Stages, Steps

#: The grids to begin on; each that follows is twice as fine.
_FIRST: tuple[int, ...] = (3, 6)
#: Steps on each but the last, at most.
_STEPS = 10
#: The part of the labels' variance left unexplained by a network that has learnt nothing.
_IGNORANT = 0.5


@torch.no_grad()
def starts_coarse(network: Network, data: Data, options: Options) -> bool:
    """Whether training should begin on coarser grids: the network's are fine, and it knows nothing yet.

    Only squared errors and second order are helped so; grids that are to stay as they are stay.
    """
    squares = options.loss_fn is None and options.residual_fn is None
    helped = squares and options.opt in ("auto", "LM") and options.update_grid
    if not helped or max(network.grid) <= _FIRST[-1]:
        return False
    error = (network(data.train_input) - data.train_label).square().mean()
    return not float(error) < _IGNORANT * float(data.train_label.var(0, correction=0).mean())


def coarse_start(network: Network, data: Data, options: Options) -> Steps:
    """Train on ever finer grids up to the network's own, and on these for the steps that are left."""
    aim, stages = network.grid, Stages(network, options)
    sizes = list(_FIRST)
    while 2 * sizes[-1] < max(aim):
        sizes.append(2 * sizes[-1])
    for number, size in enumerate(sizes):
        grids = [min(size, own) for own in aim]
        if number:
            network.update_grid_from_samples(data.train_input, grids)
        else:
            restore(network, snapshot(network.refined(grids)))
        yield from stages.train(data, _steps(options, stages.count), lay=not number)
    network.update_grid_from_samples(data.train_input, aim)
    yield from stages.finish(data, None if options.steps is None else options.steps - stages.count)


def _steps(options: Options, taken: int) -> int:
    """Return how many steps a coarse grid may take: no more than half of those left."""
    return _STEPS if options.steps is None else min(_STEPS, (options.steps - taken) // 2)
