"""Optimisers, one a file, behind one protocol: a solver improves an `Objective` one step at a time."""

from __future__ import annotations

from typing import Protocol

from kanlab.engine.objective import Evaluation, Objective
from kanlab.engine.solvers.adam import Adam
from kanlab.engine.solvers.lbfgs import LBFGS
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt


class Solver(Protocol):
    """One training run's optimiser."""

    #: No further step can lower the objective noticeably.
    done: bool
    #: What is minimised.
    objective: Objective
    #: The objective where the last step ended.
    current: Evaluation

    def step(self) -> Evaluation:
        """Take one step, write the parameters into the network and return the objective there."""
        ...

    def rebase(self, objective: Objective) -> None:
        """Go on with another penalty or batch: same parameters, what was learnt about them is kept where it holds."""
        ...

    def restart(self, objective: Objective) -> None:
        """Go on with other parameters (a new grid): forget all history."""
        ...


#: Second order pays while one Jacobian (numbers) stays below this: 0.4 GB in float64.
JACOBIAN_LIMIT = 5e7
PARAMETER_LIMIT = 4000
NAMES = ("auto", "LM", "LBFGS", "Adam")


def choose(name: str, objective: Objective) -> str:
    """Resolve ``"auto"``: LM while its Jacobian is affordable, then LBFGS, then (very many parameters) Adam."""
    if name not in NAMES:
        raise ValueError(f"opt is {name!r}; allowed are {', '.join(map(repr, NAMES))}")
    if name == "LM" and not objective.curved():
        raise ValueError(
            'opt="LM" follows the curvature of the loss, and this loss_fn has none (piecewise linear, like an absolute '
            'error): take a loss_fn that is twice differentiable, or "LBFGS", "Adam" or "auto"'
        )
    if name != "auto":
        return name
    size = objective.linear.size
    if size <= PARAMETER_LIMIT and size * objective.rows <= JACOBIAN_LIMIT and objective.curved():
        return "LM"
    return "LBFGS" if size <= 50_000 else "Adam"


def make(name: str, objective: Objective, *, lr: float | None = None) -> Solver:
    """Make the solver of that name."""
    if name == "LM":
        return LevenbergMarquardt(objective)
    if name == "LBFGS":
        return LBFGS(objective, lr=1.0 if lr is None else lr)
    return Adam(objective, lr=1e-2 if lr is None else lr)
