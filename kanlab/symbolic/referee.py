r"""What a name on an edge is judged by: the error of the whole network, refitted, on rows held out.

With labels that are numbers it is the squared error. A name may raise the root mean squared error by a tenth, which is
less than it takes to see one wrong name beside noise, and by rounding. With class labels it is the cross-entropy, and
what a formula may cost is its standard error over the rows held out (the one-standard-error rule: Breiman et al.,
*Classification and Regression Trees*, 1984, sec. 3.4.3). Without labels the model itself is what a formula is to
reproduce.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kanlab.engine.linearise import Linearisation
from kanlab.engine.network import Network
from kanlab.engine.objective import Objective
from kanlab.engine.options import batch_last
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.engine.stall import Stall

#: Rows of data that names are compared on, every fifth of them held out unless there are few.
ROWS = 1000
_HELD_OUT, _FEW = 5, 50
#: A refit ends sooner where so many steps lower the squared error by less than this part.
_SETTLED = (2, 1e-3)
#: A name may raise the held-out root mean squared error by this part, and by this much of the labels' spread: where
#: there are no labels, by as much as the model's own curves may be wrong.
_SLACK, _FLOOR = 0.1, 1e-7


class Referee:
    """Refits a network on most rows and judges it on the rest, by the squared error relative to the labels' variance.

    Parameters
    ----------
    x : ``[n, n_in]``
    y : ``[n, n_out]``
        What a formula is to reproduce.
    floor
        Relative error that does not matter.
    """

    def __init__(self, x: Tensor, y: Tensor, floor: float = _FLOOR):
        self._floor = floor
        held_out = torch.arange(len(x), device=x.device) % _HELD_OUT == _HELD_OUT - 1
        if len(x) < _FEW:
            held_out = torch.zeros_like(held_out)
        self._all = x.T.contiguous(), batch_last(y)
        self._fit = x[~held_out].T.contiguous(), batch_last(y[~held_out])
        self._judge = (x[held_out], y[held_out]) if bool(held_out.any()) else (x, y)
        self.variance = self._variance(y)

    def _variance(self, y: Tensor) -> float:
        return float(y.var(0, correction=0).mean()) or 1.0

    def allowed(self, error: float) -> float:
        """Return how large the error of a simpler network may be, where it was ``error``."""
        return (math.sqrt(error) * (1 + _SLACK) + self._floor) ** 2

    def refit(self, network: Network, steps: int, *, everything: bool = False) -> float:
        """Train what there is to train for a few steps; return the error on the rows held out."""
        x, y = self._all if everything else self._fit
        if Linearisation(network, x[:, :1]).size:
            objective = self._objective(network, x, y)
            start = objective.start()
            if math.isfinite(start.value):
                solver, settled = LevenbergMarquardt(objective, damping=1e-3), Stall(*_SETTLED)
                for _ in range(steps):
                    loss = solver.current.loss
                    if solver.done or settled.seen(loss) or loss < 1e-31 * self.variance:
                        break
                    solver.step()
        return self.error(network)

    def _objective(self, network: Network, x: Tensor, y: Tensor) -> Objective:
        return Objective(network, x, y)

    @torch.no_grad()
    def error(self, network: Network) -> float:
        """Return the error on the rows held out; infinite where it is not a number."""
        x, y = self._judge
        error = float(self._errors(network(x), y).mean()) / self.variance
        return error if math.isfinite(error) else math.inf

    def _errors(self, prediction: Tensor, y: Tensor) -> Tensor:
        return (prediction - y).square()


class ClassReferee(Referee):
    """Judges by the cross-entropy with class labels ``y`` ``[n]``."""

    def __init__(self, x: Tensor, y: Tensor, network: Network):
        super().__init__(x, y)
        with torch.no_grad():
            errors = self._errors(network(self._judge[0]), self._judge[1])
        self._uncertain = float(errors.std(correction=0)) / math.sqrt(len(errors))
        self._lowest = math.inf

    def _variance(self, y: Tensor) -> float:
        return 1.0

    def allowed(self, error: float) -> float:
        """Return how large the error of a simpler network may be: a standard error above the lowest so far."""
        self._lowest = min(self._lowest, error)
        return self._lowest + self._uncertain

    def _objective(self, network: Network, x: Tensor, y: Tensor) -> Objective:
        return Objective(network, x, y, loss_fn=torch.nn.functional.cross_entropy)

    def _errors(self, prediction: Tensor, y: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(prediction, y, reduction="none")


def referee_of(network: Network) -> Referee:
    """Make the referee for what a network has seen."""
    x, y = network.seen()[:ROWS], network.targets
    if y is not None and y.ndim == 2:
        return Referee(x, y[:ROWS].to(network.dtype))
    if y is not None and not y.is_floating_point() and network.n_out > 1:
        return ClassReferee(x, y[:ROWS], network)
    with torch.no_grad():
        return Referee(x, network(x), resolution(network))


def resolution(network: Network) -> float:
    """Return the relative error below which this model's curves say nothing: its own misfit, within sane bounds."""
    if network.samples is None or network.targets is None or network.targets.ndim != 2:
        return 1e-3
    with torch.no_grad():
        misfit = (network(network.samples) - network.targets).square().mean().sqrt()
        spread = network.targets.std(0, correction=0).mean()
    return float(min(max(misfit / spread.clamp_min(1e-300), 1e-6), 1e-1))
