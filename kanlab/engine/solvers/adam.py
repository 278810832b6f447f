"""Adam on the flat parameters and the exact gradient by hand, for models too large for second order."""

from __future__ import annotations

import torch

from kanlab.engine.objective import Evaluation, Objective


class Adam:
    """One step is one update; the objective may rise, training keeps the best."""

    def __init__(self, objective: Objective, lr: float = 1e-2):
        self._lr = lr
        self.restart(objective)

    def restart(self, objective: Objective) -> None:
        """Go on with other parameters."""
        self.rebase(objective)
        self._vector = self.current.vector.clone().requires_grad_()
        self._optimiser = torch.optim.Adam([self._vector], lr=self._lr)

    def rebase(self, objective: Objective) -> None:
        """Go on with another penalty or batch; the moments are kept."""
        self.objective, self.done = objective, False
        self.current = objective.start()

    @torch.no_grad()
    def step(self) -> Evaluation:
        """Take one update."""
        self._vector.grad = self.objective.gradient(self.current)
        self._optimiser.step()
        self.current = self.objective.evaluate(self._vector.detach().clone())
        self.objective.linear.write(self.current.vector)
        return self.current
