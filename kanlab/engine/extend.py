r"""Grid extension as a schedule: train on a coarse grid, carry the function to a finer one, train on.

(KAN paper, sec. 2.5.) A fine grid fits the samples and not always what lies between them, so one row in ten is held
out while the grids grow; the grid on which these rows are told best is kept and trained on all rows at the end. The
test rows of the dataset have no part in it.
"""

from __future__ import annotations

import dataclasses
import math

import torch

from kanlab.engine.network import Network
from kanlab.engine.options import Data, Options
from kanlab.engine.snapshot import restore, snapshot
from kanlab.engine.stages import Stages, Steps

#: One row in so many is held out, where there are enough rows for it.
_HELD_OUT, _FEW = 10, 50
#: The part of the held-out rows that may be told as badly as they like: a few in empty corners would decide alone.
_TRIM = 0.02
#: A finer grid must lower the held-out error by this part; twice in turn this much more ends the schedule.
_WORTH, _WORSE = 0.03, 0.3
#: Steps on all rows at the end.
_LAST = 10


def extension_steps(network: Network, data: Data, options: Options) -> Steps:
    """Train on each of ``options.grids`` in turn, at most ``options.steps`` steps on each; see the module.

    The network is on the first of them already.
    """
    fitted, held_out = _split(data, options.seed)
    stages = Stages(network, options)
    best, least, worse = snapshot(network), math.inf, 0
    for number, grid in enumerate(options.grids):
        if number:
            network.update_grid_from_samples(fitted.train_input, grid)
        yield from stages.train(fitted, options.steps, lay=not number)
        error = _held_out_error(network, held_out, options)
        if not error > (1 - _WORTH) * least:
            best, least, worse = snapshot(network), error, 0
        else:
            worse = worse + 1 if error > (1 + _WORSE) * least else 0
            if worse == 2 or not math.isfinite(error):
                break
    restore(network, best)
    last = _LAST if options.steps is None else min(_LAST, options.steps)
    yield from stages.train(data, last, lay=False)


def _split(data: Data, seed: int) -> tuple[Data, Data | None]:
    """Hold out some of the training rows, if there are enough; the test rows stay what they are.

    Points of a ``residual_fn`` have no labels and are not held out.
    """
    n = len(data.train_input)
    if n < _FEW or len(data.train_label) < n:
        return data, None
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).to(data.train_input.device)
    held, kept = order[: n // _HELD_OUT], order[n // _HELD_OUT :].sort().values
    fitted = dataclasses.replace(data, train_input=data.train_input[kept], train_label=data.train_label[kept])
    return fitted, Data(data.train_input[held], data.train_label[held])


@torch.no_grad()
def _held_out_error(network: Network, held_out: Data | None, options: Options) -> float:
    """Return the trimmed mean squared error (or the loss) on the rows held out; without any, 0: all grids are good."""
    if held_out is None:
        return 0.0
    prediction = network(held_out.train_input)
    if options.loss_fn is not None:
        return float(options.loss_fn(prediction, held_out.train_label))
    squared = (prediction - held_out.train_label).square().mean(1).sort().values
    return math.sqrt(float(squared[: math.ceil((1 - _TRIM) * len(squared))].mean()))
