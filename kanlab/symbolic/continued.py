r"""Functions continued beyond their singularities, for training through them.

While ``a`` and ``b`` are being trained, ``a x + b`` may leave the domain of ``f``, and one logarithm of a negative
number makes the whole loss nan. Continued, a function goes on along its tangent ``f(p) + f'(p) (u - p)`` from the point
``p`` near the end of its domain, or near its pole, where its slope reaches ``y_th``: finite everywhere, and the slope
leads back.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from kanlab.engine.network import Network
from kanlab.symbolic.library import SymbolicFunction

#: Distances from a singularity, at the least of which a slope is good enough.
_DISTANCES = (-12.0, 0.0, 2401)


@dataclass(frozen=True)
class Continued(SymbolicFunction):
    """A function of the library that is finite everywhere; ``plain`` is the function itself."""

    plain: SymbolicFunction = field(repr=False, kw_only=True)
    y_th: float = field(kw_only=True)

    def __reduce__(self) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return continued, (self.plain, self.y_th)


def continued(function: SymbolicFunction, y_th: float) -> Continued:
    """Return the function, continued.

    >>> from kanlab.symbolic.library import get
    >>> log = continued(get("log"), 10.0)
    >>> log(torch.tensor([1.0, 0.1, -0.9])), log.derivative(torch.tensor([2.0, -0.9]))
    (tensor([  0.0000,  -2.3026, -12.3026]), tensor([ 0.5000, 10.0000]))
    """
    nearest = _NearestPoint(function, y_th)

    def value(u: Tensor) -> Tensor:
        p = nearest(u)
        return function(p) + function.derivative(p) * (u - p)

    def derivative(u: Tensor) -> Tensor:
        return function.derivative(nearest(u))

    own: dict[str, Any] = {part.name: getattr(function, part.name) for part in fields(function)}
    return Continued(**{**own, "torch_fn": value, "torch_derivative": derivative}, plain=function, y_th=y_th)


class _NearestPoint:
    """The point nearest to ``u`` at which a function is nowhere steeper than ``y_th`` for being near a singularity."""

    def __init__(self, function: SymbolicFunction, y_th: float):
        self.domain = domain = function.domain
        room = 0.5 * min(domain.high - domain.low, domain.period)
        self.low = domain.low + _distance(function, domain.low, 1.0, room, y_th)
        self.high = domain.high - _distance(function, domain.high, -1.0, room, y_th)
        pole = math.inf if domain.pole is None else domain.pole
        self.after, self.before = (_distance(function, pole, side, room, y_th) for side in (1.0, -1.0))

    def __call__(self, u: Tensor) -> Tensor:
        u = u.clamp(self.low, self.high)
        if self.domain.pole is None:
            return u
        period = self.domain.period
        turns = 0.0 if math.isinf(period) else torch.round((u.detach() - self.domain.pole) / period) * period
        off = u.detach() - (self.domain.pole + turns)
        side = torch.where(off >= 0, self.after, -self.before)
        return torch.where(off.abs() >= side.abs(), u, self.domain.pole + turns + side)


def _distance(function: SymbolicFunction, end: float, side: float, room: float, y_th: float) -> float:
    """Return how far from a singular point on one side of it the slope stays below ``y_th``."""
    if math.isinf(end):
        return 0.0
    distances = torch.logspace(*_DISTANCES, dtype=torch.float64).clamp_max(room)
    slope = function.derivative(end + side * distances)
    steep = ~(slope.isfinite() & (slope.abs() <= y_th))
    return float(distances[int(steep.sum()) - len(steep)]) if not bool(steep.all()) else float(distances[-1])


@contextmanager
def _all_continued(network: Network, y_th: float) -> Iterator[None]:
    for layer in network.kan_layers():
        layer.fixed = {
            edge: continued(function, y_th) if isinstance(function, SymbolicFunction) else function
            for edge, function in layer.fixed.items()
        }
    try:
        yield
    finally:
        for layer in network.kan_layers():
            layer.fixed = {
                edge: function.plain if isinstance(function, Continued) else function
                for edge, function in layer.fixed.items()
            }


def while_training(network: Network, training: Generator[Any, Any, None], y_th: float) -> Generator[Any, Any, None]:
    """Run a training generator with all of the network's named edges continued; they are themselves again at its end.

    Raises
    ------
    ValueError
        When ``y_th`` is no positive number.
    """
    if not isinstance(y_th, int | float) or not 0 < y_th < math.inf:
        raise ValueError(f"y_th is {y_th!r}; allowed are finite numbers above 0: how steep a named edge may become")
    return _continued_training(network, training, float(y_th))


def _continued_training(
    network: Network, training: Generator[Any, Any, None], y_th: float
) -> Generator[Any, Any, None]:
    with _all_continued(network, y_th):
        yield from training
