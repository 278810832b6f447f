r"""Snap constants: 3.14159 to π, 1.00002 to 1, 1e-9 to 0, each with what it costs.

The constants ``a, b, c, d`` of the fixed edges are redundant (a factor can sit inside or outside), so snapping also
chooses the form in which a formula reads best: offsets are tried at 0 first, then factors at 1 and -1, then the values
of `kanlab.symbolic.constants`. One constant is held, all others are refitted, and the snap stays if the squared error
rises by no more than the constant's own uncertainty: two standard errors, ``4 loss / N``.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from kanlab.engine.network import Network
from kanlab.engine.objective import Evaluation, Objective
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.engine.threads import stretches
from kanlab.symbolic.constants import nearest, worth_saying
from kanlab.symbolic.search import Progress

#: Positions of a, b, c, d in an edge's constants.
_OFFSETS, _FACTORS = (1, 3), (0, 2)
#: A value of the table is tried within this relative distance.
_NEAR = 0.02
_STEPS = 14
#: A constant this small was 0 before.
_NOTHING = 1e-12
#: Relative squared error that is rounding.
_ROUNDING = 1e-24
#: Squared effect, relative to the largest, below which a change of constants changes nothing.
_REDUNDANT = 1e-12


@dataclass(frozen=True)
class Snap:
    """One constant that was snapped.

    Attributes
    ----------
    text
        What it was and what it became.
    cost
        The change in root mean squared error, all other constants refitted.
    error
        Its standard error before; None where another constant could do its work, so that it was free to choose.
    """

    text: str
    cost: float
    error: float | None = None


class _Constants:
    """The constants of a network's fixed edges, some of them held."""

    def __init__(self, network: Network):
        y = network.targets
        x = network.seen()
        if y is None or y.ndim != 2:
            with torch.no_grad():
                y = network(x)
        self.objective = Objective(network, x.T.contiguous(), y.to(network.dtype).T.contiguous())
        linear = self.objective.linear
        self.free = linear.trainable()
        self.free = (
            torch.ones(linear.size, dtype=network.dtype, device=network.device) if self.free is None else self.free
        )
        self.where = {
            (l, int(i), int(j)): where.start + 4 * row
            for l, plan in enumerate(linear.plans)
            for group, where in plan.groups
            for row, (i, j) in enumerate(zip(group.inputs, group.outputs, strict=True))
        }
        self.n = y.numel()
        self.variance = float(y.var(0, correction=0).mean()) or 1.0
        self.current = self._refit(self.objective.start(), self.free, 60)

    def _refit(self, start: Evaluation, free: Tensor, steps: int, enough: float = 0.0) -> Evaluation:
        self.objective.hold(free)
        solver = LevenbergMarquardt(self.objective, damping=1e-3)
        solver.current = start
        for _ in range(steps):
            if solver.done or solver.current.loss <= max(enough, 1e-32 * self.variance):
                break
            solver.step()
        return solver.current

    def error(self, index: int) -> float | None:
        """Return the standard error of a constant, all that are not held being free; None if another can do its work.

        With ``H = J J' / n`` it is ``sqrt(loss / (n - rank) (H^+)_ii)``.
        """
        self.objective.hold(self.free)
        hessian, _ = self.objective.normal_equations(self.current)
        size = hessian.diagonal().sqrt().clamp_min(1e-300)
        values, vectors = torch.linalg.eigh(hessian / size / size.unsqueeze(-1))
        told = values > _REDUNDANT * values.amax()
        row, left = vectors[index], self.n - int(told.sum())
        if float(row[~told].square().sum()) > _REDUNDANT or left <= 0:
            return None
        spread = float((row[told].square() / values[told]).sum().sqrt() / size[index])
        return spread * math.sqrt(max(self.current.loss, _ROUNDING * self.variance) / left)

    def try_value(self, index: int, value: float) -> float | None:
        """Hold one constant at a value; return the change in rmse if that is allowed (and keep it), else None."""
        vector = self.current.vector.clone()
        before = self.current.loss
        vector[index] = value
        free = self.free.clone()
        free[index] = 0
        allowed = before * (1 + 4 / self.n) + _ROUNDING * self.variance
        start = self.objective.evaluate(vector)
        if not math.isfinite(start.value):
            return None
        found = self._refit(start, free, _STEPS, enough=0.5 * allowed)
        if not found.loss <= allowed:
            return None
        self.current, self.free = found, free
        return math.sqrt(found.loss) - math.sqrt(before)


def snap_steps(network: Network) -> Generator[Progress, None, list[Snap]]:
    """Snap the constants of ``network`` in place, yielding progress; the return value lists what was snapped.

    Closing the generator leaves the network as it was.
    """
    return stretches(_snap_steps(network), 0)


def _snap_steps(network: Network) -> Generator[Progress, None, list[Snap]]:
    before = {(l, name): getattr(layer, name).detach().clone() for l, layer, name in _parts(network)}
    snaps: list[Snap] = []
    finished = False
    try:
        constants = _Constants(network)
        rounds = [(index, (0.0,)) for index in _indices(constants, _OFFSETS)]
        rounds += [(index, (1.0, -1.0)) for index in _indices(constants, _FACTORS)]
        rounds += [(index, None) for index in _indices(constants, (0, 1, 2, 3))]
        for done, (index, values) in enumerate(rounds):
            snap = _snap_one(constants, index, values)
            if snap is not None and snap.text:
                snaps.append(snap)
            yield Progress(done + 1, len(rounds), snap.text if snap else "")
        constants.objective.linear.write(constants.current.vector)
        finished = True
    finally:
        if not finished:
            with torch.no_grad():
                for l, layer, name in _parts(network):
                    getattr(layer, name).copy_(before[l, name])
    return snaps


def _parts(network: Network) -> Iterator[tuple[int, torch.nn.Module, str]]:
    for l, layer in enumerate(network.kan_layers()):
        for name in ("affine", "coef", "scale_base"):
            yield l, layer, name


def _indices(constants: _Constants, positions: tuple[int, ...]) -> list[int]:
    return [start + position for start in constants.where.values() for position in positions]


def _snap_one(constants: _Constants, index: int, values: tuple[float, ...] | None) -> Snap | None:
    if constants.free[index] == 0:
        return None
    old, error = float(constants.current.vector[index]), constants.error(index)
    choices = [(f"{value:g}", value) for value in values] if values is not None else [
        (str(candidate.expr).replace("pi", "π"), candidate.value)
        for candidate in nearest(old, _NEAR)[:4]
        if error is None or worth_saying(candidate, old, error)
    ]  # fmt: skip
    for text, value in choices:
        cost = constants.try_value(index, value)
        if cost is not None:
            told = text != f"{old:.6g}" and abs(old) > _NOTHING  # what stood there already is held, and is no news
            return Snap(f"{old:.6g} → {text}" if told else "", cost, error)
    return None
