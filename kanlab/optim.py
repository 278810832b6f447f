r"""LBFGS as a torch optimiser, for losses of one's own: ``LBFGS(model.parameters())`` and a closure.

Directions come from the last ``history_size`` changes of parameters ``s`` and gradient ``y`` by the two-loop recursion
(Nocedal and Wright, *Numerical Optimization*, algorithm 7.4), steps from a line search for the strong Wolfe conditions
(algorithms 3.5 and 3.6). Unlike torch's, it remembers curvature however small (``tolerance_ys``), turns back from
values that are not finite, and forgets its history when the parameters were changed between two steps, as laying a
grid anew does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

#: Of the strong Wolfe conditions: how much of the promised gain, and how much of the slope may be left.
_GAIN, _SLOPE = 1e-4, 0.9
_TRIES = 25

#: Changes of the parameters and of the gradient, oldest first.
_Memory = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class _Point:
    """The loss on the line ``x + t d``: its value, gradient, and slope along the line."""

    t: float
    value: float
    gradient: Tensor
    slope: float


class LBFGS(torch.optim.Optimizer):
    """Limited-memory BFGS.

    Parameters
    ----------
    params
        Parameters, such as ``model.parameters()``, or one group of them; those without ``requires_grad`` stay.
    lr
        Length of the first trial step, in units of the quasi-Newton step.
    max_iter, max_eval
        Iterations and evaluations of the closure in one `step`; evaluations are 5/4 of the iterations if not given.
    tolerance_grad
        Ends a step when no gradient is larger.
    tolerance_change
        Ends a step when parameters or loss change by less.
    tolerance_ys
        A change is remembered if its curvature ``y's`` is larger than this.
    history_size
        How many changes are remembered.
    line_search_fn
        ``"strong_wolfe"``, or None for steps of fixed length.

    Examples
    --------
    >>> x = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    >>> optimiser = LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimiser.zero_grad()
    ...     loss = (x - 1).square().sum()
    ...     loss.backward()
    ...     return loss
    >>> loss = optimiser.step(closure)
    >>> torch.allclose(x, torch.ones(2))
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        tolerance_ys: float = 1e-32,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(f"line_search_fn is {line_search_fn!r}; allowed are 'strong_wolfe' and None")
        for name, value in (("lr", lr), ("max_iter", max_iter), ("history_size", history_size)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} is {value!r}; allowed are finite numbers above 0")
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "tolerance_ys": tolerance_ys,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(f"LBFGS takes one group of parameters, not {len(self.param_groups)}")
        self._params = [p for p in self.param_groups[0]["params"] if p.requires_grad]
        if not self._params:
            raise ValueError("there is nothing to train: no parameter has requires_grad")

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take up to ``max_iter`` iterations; return the loss before them.

        Parameters
        ----------
        closure
            Clears the gradients, computes the loss, calls ``backward`` on it, and returns it.
        """
        group = self.param_groups[0]
        first = torch.enable_grad()(closure)()
        x, evaluations = self._read(), 1
        memory = self._memory(x)
        point = _Point(0.0, float(first.detach()), self._gradient(), 0.0)
        for _ in range(group["max_iter"]):
            if not _is_finite(point) or float(point.gradient.abs().max()) <= group["tolerance_grad"]:
                break
            line = self._line(closure, x, point, memory)
            length = group["lr"] * (1.0 if memory else min(1.0, 1.0 / float(point.gradient.abs().sum())))
            found = line.search(length) if group["line_search_fn"] else line.at(length)
            s, y = found.t * line.direction, found.gradient - point.gradient
            if float(y @ s) > group["tolerance_ys"]:
                memory.append((s, y))
                del memory[: -group["history_size"]]
            change = max(float(s.abs().max()), abs(found.value - point.value))
            x, point, evaluations = x + s, found, evaluations + line.evaluations
            if change <= group["tolerance_change"] or evaluations >= group["max_eval"]:
                break
        self._write(x)
        self.state[self._params[0]]["ended"] = x
        return first

    def _line(self, closure: Callable[[], Tensor], x: Tensor, point: _Point, memory: _Memory) -> _Line:
        """Return the line to search next; where rounding has eaten the curvature, that of the steepest descent."""
        direction = _direction(memory, point.gradient)
        if not float(point.gradient @ direction) < 0:
            memory.clear()
            direction = -point.gradient
        slope = float(point.gradient @ direction)
        return _Line(self, closure, x, direction, _Point(0.0, point.value, point.gradient, slope))

    def _memory(self, x: Tensor) -> _Memory:
        """Return the remembered changes; none, if the parameters are not where the last step left them."""
        state = self.state[self._params[0]]
        ended = state.get("ended")
        if ended is None or not torch.equal(ended, x):
            state["memory"] = []
        return cast(_Memory, state["memory"])

    def _read(self) -> Tensor:
        return torch.cat([p.detach().flatten() for p in self._params])

    def _write(self, x: Tensor) -> None:
        for p, part in zip(self._params, x.split([p.numel() for p in self._params]), strict=True):
            p.copy_(part.view_as(p))

    def _gradient(self) -> Tensor:
        return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in self._params])


class _Line:
    """The loss along a direction from ``x``, and the search on it; ``start`` is the point at ``t = 0``."""

    def __init__(self, owner: LBFGS, closure: Callable[[], Tensor], x: Tensor, direction: Tensor, start: _Point):
        self._owner, self._closure = owner, torch.enable_grad()(closure)
        self._x, self.direction, self._start = x, direction, start
        self.evaluations = 0

    def at(self, t: float) -> _Point:
        self._owner._write(self._x + t * self.direction)
        self.evaluations += 1
        value, gradient = float(self._closure().detach()), self._owner._gradient()
        return _Point(t, value, gradient, float(gradient @ self.direction))

    def search(self, t: float) -> _Point:
        """Return a point that meets the strong Wolfe conditions, or the lowest found."""
        start = last = self._start
        for _ in range(_TRIES):
            point = self.at(t)
            if self._is_high(point) or (last is not start and point.value >= last.value):
                return self._zoom(last, point)
            if abs(point.slope) <= -_SLOPE * start.slope:
                return point
            if point.slope >= 0:
                return self._zoom(point, last)
            last, t = point, 2.0 * t
        return last

    def _zoom(self, low: _Point, high: _Point) -> _Point:
        """Narrow an interval whose lower end slopes into it."""
        for _ in range(_TRIES):
            point = self.at(_between(low, high))
            if self._is_high(point) or point.value >= low.value:
                high = point
                continue
            if abs(point.slope) <= -_SLOPE * self._start.slope:
                return point
            if point.slope * (high.t - low.t) >= 0:
                high = low
            low = point
        return low

    def _is_high(self, point: _Point) -> bool:
        """Whether a point gains too little, or is no number at all."""
        start = self._start
        return not (_is_finite(point) and point.value <= start.value + _GAIN * point.t * start.slope)


def _is_finite(point: _Point) -> bool:
    return math.isfinite(point.value) and bool(point.gradient.isfinite().all())


def _between(low: _Point, high: _Point) -> float:
    """Return where the cubic through both ends is lowest, kept away from them; the middle, where there is none."""
    width = high.t - low.t
    if not _is_finite(high):
        return low.t + 0.1 * width
    rise = low.slope + high.slope - 3 * (high.value - low.value) / width
    square = rise * rise - low.slope * high.slope
    if not 0 <= square < math.inf:
        return low.t + 0.5 * width
    root = math.copysign(math.sqrt(square), width)
    below = high.slope - low.slope + 2 * root
    part = 1.0 - (high.slope + root - rise) / below if below else 0.5
    return low.t + min(max(part, 0.1), 0.9) * width


def _direction(memory: _Memory, gradient: Tensor) -> Tensor:
    """Apply minus the inverse Hessian that the remembered changes tell of."""
    direction, weights = -gradient, []
    for s, y in reversed(memory):
        weight = (s @ direction) / (y @ s)
        direction = direction - weight * y
        weights.append(weight)
    if memory:
        s, y = memory[-1]
        direction = direction * ((y @ s) / (y @ y))
    for (s, y), weight in zip(memory, reversed(weights), strict=True):
        direction = direction + (weight - (y @ direction) / (y @ s)) * s
    return direction
