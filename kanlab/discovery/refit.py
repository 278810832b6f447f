r"""Fit all free numbers of a form together, by the engine's Levenberg-Marquardt steps.

Minimised is ``mean (w (y - f(x)))^2``. Single numbers can be held, as snapping does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form
from kanlab.discovery.program import Program
from kanlab.engine.gram import gram
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt

#: Squared error, relative to the labels', that is rounding.
_ROUNDING = 1e-32
#: A fit ends when this many steps lower the squared error by less than this part.
_FLAT, _GAIN = 3, 1e-3


@dataclass
class _Point:
    """The objective at one vector of free numbers."""

    vector: Float[Tensor, " size"]
    residual: Float[Tensor, " n"]
    value: float


class FormObjective:
    """The mean squared error of a form, with the interface that the engine's solver asks for."""

    def __init__(
        self,
        program: Program,
        x: Float[Tensor, "n_in n"],
        y: Float[Tensor, " n"],
        w: Float[Tensor, " n"] | None = None,
    ):
        self.program, self.x, self.y, self.w = program, x, y, w
        self.least = _ROUNDING * float(y.square().mean())
        self.size = program.size
        self.free: Tensor | None = None
        self.first = torch.tensor(program.start, dtype=y.dtype)

    @property
    def linear(self) -> FormObjective:
        """What holds the parameters: this."""
        return self

    def hold(self, free: Float[Tensor, " size"]) -> None:
        """Let only the numbers marked 1 change."""
        self.free = None if bool(free.all()) else free

    def write(self, vector: Float[Tensor, " size"]) -> None:
        """Keep nothing: the solver knows where it is."""

    def start(self) -> _Point:
        """Evaluate at the form's own numbers."""
        return self.evaluate(self.first)

    def evaluate(self, vector: Float[Tensor, " size"]) -> _Point:
        """Evaluate at these numbers; outside the domain the error is infinite."""
        residual = self.y - self.program(vector.tolist(), self.x)
        if self.w is not None:
            residual = residual * self.w
        value = float(residual @ residual) / len(residual)
        return _Point(vector, residual, value if math.isfinite(value) else math.inf)

    def jacobian(self, point: _Point) -> Float[Tensor, "size n"]:
        """Return the (weighted) derivatives of the form by its free numbers at the point last evaluated."""
        rows = self.program.jacobian(point.vector.tolist(), self.x)
        if self.w is not None:
            rows *= self.w
        if self.free is not None:
            rows *= self.free.unsqueeze(-1)
        return rows

    def normal_equations(self, point: _Point) -> tuple[Float[Tensor, "size size"], Float[Tensor, " size"]]:
        """Return half the objective's Gauss-Newton Hessian and minus half its gradient."""
        self.program(point.vector.tolist(), self.x)  # a rejected trial may have been evaluated since
        rows = self.jacobian(point)
        return gram(rows).div_(len(self.y)), rows @ point.residual / len(self.y)


@dataclass(frozen=True)
class Fitted:
    """A form after a fit, and its root mean squared (weighted) error."""

    form: Form
    rmse: float


@torch.no_grad()
def refit(
    form: Form,
    x: Float[Tensor, "n_in n"],
    y: Float[Tensor, " n"],
    w: Float[Tensor, " n"] | None = None,
    *,
    steps: int = 40,
    enough: float = 0.0,
) -> Fitted:
    """Fit the free numbers of a form for at most ``steps`` steps; an error of ``enough`` (rms) ends it.

    A form that is not finite on the data has an infinite error and comes back as it is.
    """
    program = Program(form)
    objective = FormObjective(program, x, y, w)
    solver = descend(objective, steps, enough)
    point = cast(_Point, solver.current)
    return Fitted(program.form(point.vector.tolist()), math.sqrt(point.value))


def descend(
    objective: FormObjective, steps: int, enough: float = 0.0, start: _Point | None = None
) -> LevenbergMarquardt:
    """Take steps until one of the ends is reached; return the solver, which knows where it is."""
    solver = LevenbergMarquardt(cast(Any, objective), damping=1e-3)
    if start is not None:
        solver.current = cast(Any, start)
    flat = 0
    if not math.isfinite(solver.current.value):
        return solver
    for _ in range(steps):
        before = solver.current.value
        if solver.done or before <= enough * enough:
            break
        solver.step()
        flat = flat + 1 if solver.current.value > (1 - _GAIN) * before else 0
        if flat == _FLAT:
            break
    return solver
