"""Training as a generator of frozen records.

Each step is taken when the next record is asked for, so pausing is not asking. Sending a `Penalty` into the generator
changes the very next step. However it ends (finished, closed, interrupted, failed) the network holds the best state.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator

import torch

from kanlab.engine.coarse import coarse_start, starts_coarse
from kanlab.engine.extend import extension_steps
from kanlab.engine.losses import LossFunction, shown_loss
from kanlab.engine.network import Network
from kanlab.engine.options import SAMPLE_LIMIT as SAMPLE_LIMIT
from kanlab.engine.options import Data as Data
from kanlab.engine.options import Metric as Metric
from kanlab.engine.options import Options as Options
from kanlab.engine.options import Step as Step
from kanlab.engine.penalty import Penalty
from kanlab.engine.race import race
from kanlab.engine.residuals import ResidualFunction, collocation_points
from kanlab.engine.run import Run
from kanlab.engine.snapshot import restore, snapshot
from kanlab.engine.threads import stretches


def fit_steps(network: Network, data: Data, options: Options) -> Generator[Step, Penalty | None, None]:
    """Train ``network`` in place, yielding after each step; see the module.

    Raises
    ------
    FloatingPointError
        When the loss is not a finite number before the first step.
    ValueError
        When the labels are class indices and there is no ``loss_fn`` for them.
    """
    _require_loss_for(data, options.loss_fn)
    if options.residual_fn is not None:
        data = _with_points(network, data, options.residual_fn)
    parameters = sum(layer.coef.numel() for layer in network.kan_layers())
    return stretches(_fit_steps(network, data, options), parameters * len(data.train_input))


def _require_loss_for(data: Data, loss_fn: LossFunction | None) -> None:
    if loss_fn is None and data.train_label.ndim == 1:
        raise ValueError(
            f"the labels have shape {tuple(data.train_label.shape)}, class indices: they need a loss_fn such as "
            "torch.nn.CrossEntropyLoss(); numbers to fit are [n, n_out] floats"
        )


@torch.no_grad()
def evaluate(network: Network, data: Data, loss_fn: LossFunction | None = None) -> dict[str, float]:
    """Return ``train_loss`` and ``test_loss``: root mean squared errors, or values of ``loss_fn``.

    Raises
    ------
    ValueError
        When the labels are class indices and there is no ``loss_fn`` for them.
    """
    _require_loss_for(data, loss_fn)
    parts = {"train_loss": (data.train_input, data.train_label), "test_loss": (data.test_input, data.test_label)}
    return {
        name: math.nan if x is None or y is None else shown_loss(network(x), y, loss_fn)
        for name, (x, y) in parts.items()
    }


def _with_points(network: Network, data: Data, residual_fn: ResidualFunction) -> Data:
    """Put the points of a ``residual_fn`` after the labelled rows."""
    points = collocation_points(network, residual_fn)
    return dataclasses.replace(data, train_input=torch.cat([data.train_input, points]))


def _fit_steps(network: Network, data: Data, options: Options) -> Generator[Step, Penalty | None, None]:
    if options.residual_fn is None:
        network.show(data.train_input[:SAMPLE_LIMIT], data.train_label[:SAMPLE_LIMIT])
    else:  # from all over: inner points and boundaries come one after the other
        network.show(data.train_input[:: math.ceil(len(data.train_input) / SAMPLE_LIMIT)])
    if options.grids:
        restore(network, snapshot(network.refined(options.grids[0])))
    if options.restarts > 1:
        race(network, data, options)
    if options.grids:
        yield from extension_steps(network, data, options)
    elif starts_coarse(network, data, options):
        yield from coarse_start(network, data, options)
    else:
        yield from Run(network, data, options).steps()
