r"""Numbers read as the constants people write: 3.1416 as π where the data does not say otherwise.

The normal form's numbers are not redundant, so each has an error bar, from the Gauss-Newton Hessian. A number is held
at a constant of `kanlab.symbolic.constants` within its error bar, the others are refitted, and it stays if the
description of the data and the formula gets no longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.clock import Clock
from kanlab.discovery.expression import Form
from kanlab.discovery.program import Program
from kanlab.discovery.refit import FormObjective, _Point, descend
from kanlab.symbolic.constants import Constant, exactly, nearest

#: Error bars within which a constant is tried, and the relative distance that is never too far or too near.
_BARS, _NEAR, _ROUNDING = 3.5, 0.1, 1e-9
#: Squared error (relative to the spread) that is rounding.
_NOTHING = 1e-22
#: Part of the labels' variance that a form may leave for its numbers to be read as constants: a mean is no √3.
_EXPLAINED = 0.5
_STEPS = 20
#: Constants tried for one number.
_TRIES = 3


@dataclass(frozen=True)
class Snapped:
    """A form with some numbers exact.

    Attributes
    ----------
    form
        With the values of the constants.
    rmse
        Root mean squared error.
    bits
        What its numbers cost to say.
    """

    form: Form
    rmse: float
    bits: float


@torch.no_grad()
def snap(
    form: Form,
    x: Float[Tensor, "n_in n"],
    y: Float[Tensor, " n"],
    w: Float[Tensor, " n"] | None = None,
    *,
    clock: Clock,
) -> Snapped:
    """Read the numbers of a fitted form, whichever can be; those that time is too short for stay as they are."""
    numbers = _Numbers(form, x, y, w)
    numbers.all_at_once()
    for values in ((0.0,), (1.0, -1.0), None) if numbers.explain else ((0.0,), (1.0, -1.0)):
        for place in range(numbers.size if clock.left > 0 else 0):
            numbers.read(place, values)
    return Snapped(numbers.form(), math.sqrt(numbers.point.value), numbers.bits())


class _Numbers:
    """The free numbers of a form, some of them held at constants."""

    def __init__(self, form: Form, x: Tensor, y: Tensor, w: Tensor | None):
        self.program = Program(form)
        self.objective = FormObjective(self.program, x, y, w)
        self.variance = float(y.var(correction=0)) or 1.0
        self.n = len(y)
        self.free = torch.ones(self.program.size, dtype=y.dtype)
        self.costs: dict[int, float] = {}
        self.point = cast(_Point, descend(self.objective, 60, 1e-15 * math.sqrt(self.variance)).current)

    @property
    def size(self) -> int:
        return self.program.size

    def form(self) -> Form:
        return self.program.form(self.point.vector.tolist())

    @property
    def explain(self) -> bool:
        """Say whether the form explains most of the data, so that what it leaves is noise by which to read numbers."""
        return self.point.value < _EXPLAINED * self.variance

    def bits(self) -> float:
        """Return the cost of all numbers: a free one takes half the logarithm of the rows, and what says it is one."""
        free = sum(place not in self.costs for place in range(self.size))
        return sum(self.costs.values()) + free * self._free_bits

    @property
    def _free_bits(self) -> float:
        """What a number costs that is no constant: half the logarithm of the rows, and what says that it is one."""
        return 0.5 * math.log2(self.n) + 2.0

    def _bars(self) -> list[float]:
        """Return the standard error of each number; those held have none."""
        self.objective.hold(torch.ones_like(self.free))
        hessian, _ = self.objective.normal_equations(self.point)
        held = self.free == 0
        hessian[held] = 0
        hessian[:, held] = 0
        diagonal = hessian.diagonal()
        size = diagonal.sqrt().where(diagonal > 0, 1.0)
        unit = hessian / (size[:, None] * size)
        unit.diagonal()[held] = 1.0
        inverse = torch.linalg.pinv(unit, rtol=1e-13, hermitian=True)
        variance = max(self.point.value, _NOTHING * self.variance) / self.n
        return ((inverse.diagonal().clamp(min=0) * variance).sqrt() / size).tolist()

    def _near(self, place: int, bar: float) -> list[Constant]:
        value = float(self.point.vector[place])
        size = max(abs(value), 1e-300)
        rel_tol = min(max(_BARS * bar / size, _ROUNDING), _NEAR)
        close = nearest(value, rel_tol, abs_tol=max(_BARS * bar, _ROUNDING))
        if place in self.program.phases:
            # A cosine is as simple as a sine.
            close = [replace(c, cost=0.0) if abs(c.value) == math.pi / 2 else c for c in close]
            close.sort(key=lambda constant: constant.cost)
        exact = exactly(value, rel_tol) if rel_tol <= 10 * _ROUNDING else None
        return [*close[:_TRIES], *([] if exact is None else [exact])]

    def all_at_once(self) -> None:
        """Hold every number that is a constant up to rounding; where the data is exact that is all of them."""
        bars = self._bars()
        found: dict[int, Constant] = {}
        for place, value in enumerate(self.point.vector.tolist()):
            size = max(abs(value), 1e-300)
            close = nearest(value, max(_ROUNDING, min(10 * bars[place] / size, 1e-6)), abs_tol=_ROUNDING)
            exact = close[0] if close else exactly(value, _ROUNDING) if bars[place] < _ROUNDING * size else None
            if exact is not None:
                found[place] = exact
        if found:
            self._hold(found)

    def read(self, place: int, values: Sequence[float] | None) -> None:
        """Hold one number at one of the values, or at a constant of the table, if the data allows it."""
        if self.free[place] == 0:
            return
        close = [c for c in self._near(place, self._bars()[place]) if values is None or c.value in values]
        any(self._hold({place: constant}) for constant in close)

    def _hold(self, constants: dict[int, Constant]) -> bool:
        vector, free = self.point.vector.clone(), self.free.clone()
        for place, constant in constants.items():
            vector[place], free[place] = constant.value, 0
        # A squared error larger by the part s takes n s / (2 ln 2) bits more; a constant saves some.
        saved = sum(max(self._free_bits - constant.cost, 0.0) for constant in constants.values())
        allowed = self.point.value * (1 + 2 * math.log(2) * saved / self.n) + _NOTHING * self.variance
        self.objective.hold(free)
        start = self.objective.evaluate(vector)
        if not math.isfinite(start.value):
            return False
        if start.value > 1e-30 * self.variance and bool(free.any()):
            start = cast(_Point, descend(self.objective, _STEPS, start=start).current)
        if not start.value <= allowed:
            return False
        self.point, self.free = start, free
        self.costs.update({place: min(constant.cost, self._free_bits) for place, constant in constants.items()})
        return True
