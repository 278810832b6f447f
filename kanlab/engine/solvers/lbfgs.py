"""LBFGS with a strong-Wolfe line search, on the flat parameters and the exact gradient by hand."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kanlab.engine.objective import Evaluation, Objective

#: What leaving the finite numbers counts, relative to where a step starts.
_WALL = 1e8


class LBFGS:
    """One step is up to ``inner`` iterations, as in pykan."""

    def __init__(self, objective: Objective, lr: float = 1.0, inner: int = 20):
        self._lr, self._inner = lr, inner
        self.restart(objective)

    def restart(self, objective: Objective) -> None:
        """Go on with other parameters."""
        self.objective, self.done = objective, False
        self.current = objective.start()
        self._forget()

    rebase = restart

    def _forget(self) -> None:
        #: Relative differences below this are rounding.
        self._told_apart = 5 * torch.finfo(self.current.vector.dtype).eps
        self._vector = self.current.vector.clone().requires_grad_()
        self._optimiser = torch.optim.LBFGS(
            [self._vector],
            lr=self._lr,
            max_iter=self._inner,
            history_size=20,
            tolerance_grad=1e-12,
            tolerance_change=self._told_apart,
            line_search_fn="strong_wolfe",
        )

    def step(self) -> Evaluation:
        """Take one step; a step that raised the objective or left the finite numbers is taken back."""
        if self.objective.linear.size == 0:
            self.done = True
            return self.current

        def closure() -> Tensor:
            with torch.no_grad():
                evaluation = self.objective.evaluate(self._vector.detach())
                gradient = self.objective.gradient(evaluation)
            if math.isfinite(evaluation.value) and bool(gradient.isfinite().all()):
                self._vector.grad = gradient
                return self._vector.new_tensor(evaluation.value)
            # Outside a function's domain: a wall, from which the line search turns back. NaN would lead it on.
            self._vector.grad = torch.zeros_like(gradient)
            return self._vector.new_tensor(_WALL * max(1.0, abs(self.current.value)))

        self._optimiser.step(closure)
        with torch.no_grad():
            trial = self.objective.evaluate(self._vector.detach().clone())
        if trial.value < self.current.value:
            gain = self.current.value - trial.value
            self.done = gain < self._told_apart * abs(self.current.value) or trial.value <= self.objective.least
            self.current = trial
            self.objective.linear.write(trial.vector)
        else:
            # With fresh history even the steepest descent found nothing lower.
            self.done = self._optimiser.state[self._vector].get("n_iter", 0) <= self._inner
            self._forget()
        return self.current
