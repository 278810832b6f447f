r"""Levenberg-Marquardt on the penalised objective.

Each step solves ``(H + mu D) d = -g / 2`` with ``H = J J' / n`` plus the penalty's curvature, ``D`` the running
maximum of ``diag H`` (Moré 1978: steps do not depend on the parameters' scales, and directions once stiff stay damped),
and ``mu`` steered by the gain ratio after Nielsen (1999). A step that does not lower the objective is not taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kanlab.engine.objective import Evaluation, Objective

_LEAST_DAMPING, _MOST_DAMPING = 1e-12, 1e8
_FLOOR = 1e-6
_TRIES = 12
#: Where the model foretells the gain this well the problem is all but linear, and the damping falls this fast.
_LINEAR, _FAST = 0.05, 0.1


class LevenbergMarquardt:
    """See the module."""

    def __init__(self, objective: Objective, damping: float = 1.0):
        self.damping = damping
        self._begin(objective)

    def _begin(self, objective: Objective) -> None:
        self.objective, self.done = objective, False
        self.current = objective.start()
        self._growth = 2.0
        self._stiffness: Tensor | None = None

    def rebase(self, objective: Objective) -> None:
        """Go on with another penalty or batch."""
        self.damping = min(max(self.damping, 1e-3), 1.0)
        self._begin(objective)

    def restart(self, objective: Objective) -> None:
        """Go on with other parameters."""
        self.damping = min(max(self.damping, 1e-6), 1e-1)
        self._begin(objective)

    @torch.no_grad()
    def step(self) -> Evaluation:
        """Take one accepted step, raising the damping until there is one.

        It is ``done`` when none lowers the objective, or what is left of it is rounding.
        """
        if self.objective.linear.size == 0:
            self.done = True
            return self.current
        hessian, descent = self.objective.normal_equations(self.current)
        diagonal = hessian.diagonal().clone()
        self._stiffness = diagonal if self._stiffness is None else torch.maximum(diagonal, self._stiffness)
        scale = self._stiffness.clamp_min(_FLOOR * float(self._stiffness.max()) + 1e-300)
        for _ in range(_TRIES):
            torch.add(diagonal, scale, alpha=self.damping, out=hessian.diagonal())
            factor, failed = torch.linalg.cholesky_ex(hessian)
            if not failed:
                move = torch.cholesky_solve(descent.unsqueeze(1), factor).squeeze(1)
                trial = self.objective.evaluate(self.current.vector + move)
                expected = float(move @ (descent + self.damping * scale * move))
                if trial.value < self.current.value:
                    return self._accept(trial, expected)
            self.damping *= self._growth
            self._growth *= 2.0
            if self.damping > _MOST_DAMPING:
                break
        self.done, self.damping, self._growth = True, 1.0, 2.0
        return self.current

    def _accept(self, trial: Evaluation, expected: float) -> Evaluation:
        gain = (self.current.value - trial.value) / max(expected, 1e-300)
        self.damping *= min(max(1.0 - (2.0 * gain - 1.0) ** 3, _FAST if abs(gain - 1.0) < _LINEAR else 1 / 3), 2.0)
        self.damping = max(self.damping, _LEAST_DAMPING)
        self._growth = 2.0
        self.done = trial.value <= self.objective.least
        self.current = trial
        self.objective.linear.write(trial.vector)
        return trial
