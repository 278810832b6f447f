"""What the sliders say, and what it means for the training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kanlab.engine.penalty import Penalty
from kanlab.engine.solvers import NAMES
from kanlab.runner import Training

#: Solvers that take a learning rate.
RATED = ("Adam", "LBFGS")


@dataclass(frozen=True)
class Controls:
    """What the sliders say; 0 is for ``steps`` until converged, for ``lr`` the solver's own, for ``batch`` all rows."""

    lamb: float = 1e-3
    lamb_l1: float = 1.0
    lamb_entropy: float = 2.0
    optimizer: str = "auto"
    steps: int = 0
    lr: float = 0.0
    batch: int = 0
    plateau: bool = False
    edge_th: float = 3e-2
    node_th: float = 1e-2

    def __post_init__(self):
        for name in ("lamb", "lamb_l1", "lamb_entropy", "lr", "edge_th", "node_th"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value < math.inf:
                raise ValueError(f"{name} is {value!r}; allowed are finite numbers from 0 up")
        if self.optimizer not in NAMES:
            raise ValueError(f"optimizer is {self.optimizer!r}; allowed are {', '.join(map(repr, NAMES))}")
        for name in ("steps", "batch"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} is {value!r}; allowed are whole numbers from 0 up")
        if not isinstance(self.plateau, bool):
            raise ValueError(f"plateau is {self.plateau!r}; allowed are True and False")

    def training(self) -> Training:
        """Return how to train."""
        return Training(
            Penalty(self.lamb, self.lamb_l1, self.lamb_entropy),
            opt=self.optimizer,
            # A rate means something to some solvers alone.
            lr=self.lr if self.lr and self.optimizer in RATED else None,
            batch=self.batch or -1,
            plateau=self.plateau,
        )
