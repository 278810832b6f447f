r"""What training minimises: ``loss + lamb * spread(y)^2 * sum_l R_l`` as a function of the flat parameters.

The loss is the mean squared error, or any ``loss_fn(prediction, label)``. With squared error the penalty is in units
of the labels' variance, so that ``lamb`` does not depend on the unit of ``y``; with one of pykan's ``reg_metric`` it is
``loss + lamb * sum_l R_l``, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.linearise import Linearisation, Tape
from kanlab.engine.losses import Loss, LossFunction, NormalEquations, OwnLoss, SquaredError
from kanlab.engine.network import Network
from kanlab.engine.penalty import Penalty
from kanlab.engine.sparsity import Regularisation, Sparsity


@dataclass
class Evaluation:
    """The objective at one parameter vector."""

    vector: Float[Tensor, " size"]
    tape: Tape
    loss: float
    reg: float
    value: float
    regularisation: Regularisation


class Objective:
    """Loss and penalty of ``network`` on a batch.

    Parameters
    ----------
    network
        Its parameters are read at the start and written by the solvers.
    x, y
        Inputs ``[n_in, N]`` and labels ``[n_out, N]`` (or what ``loss_fn`` takes).
    penalty
        May be replaced between steps.
    loss_fn
        ``loss_fn(prediction [N, n_out], label [N, ...]) -> scalar``; None is the mean squared error.
    """

    def __init__(
        self,
        network: Network,
        x: Float[Tensor, "n_in n"],
        y: Tensor,
        penalty: Penalty | None = None,
        loss_fn: LossFunction | None = None,
    ):
        self.penalty = penalty if penalty is not None else Penalty()
        self.loss_fn, self.y = loss_fn, y
        self.loss: Loss = SquaredError(y) if loss_fn is None else OwnLoss(loss_fn, y)
        self.linear = Linearisation(network, x)
        self.hold(self.linear.trainable())
        self.scale = self.loss.spread
        self.sparsity = Sparsity(self.linear, self.penalty, self.scale)

    def like(self, network: Network, penalty: Penalty | None = None) -> Objective:
        """Make the same objective, perhaps with another penalty, for another network of the same shape."""
        return Objective(network, self.linear.x, self.y, penalty or self.penalty, self.loss_fn)

    def hold(self, free: Float[Tensor, " size"]) -> None:
        """Let only the parameters marked 1 change."""
        self.free = None if bool(free.all()) else free

    @property
    def rows(self) -> int:
        """Numbers that the Jacobian has for each parameter."""
        return self.linear.network.n_out * self.linear.x.shape[-1]

    @property
    def least(self) -> float:
        """At or below this value nothing is left to be learnt."""
        return self.loss.least

    def curved(self) -> bool:
        """Whether second order has something to go by at the network's own parameters."""
        return self.loss.curved(self.start().tape.output)

    @property
    def strength(self) -> float:
        """What multiplies the sum of the layers' ``R``."""
        return self.sparsity.strength

    def start(self) -> Evaluation:
        """Evaluate at the network's own parameters."""
        return self.evaluate(self.linear.read())

    def evaluate(self, vector: Float[Tensor, " size"]) -> Evaluation:
        """Evaluate the objective."""
        tape = self.linear.evaluate(vector)
        loss = self.loss.value(tape.output)
        reg = self.sparsity.evaluate(tape)
        return Evaluation(vector, tape, loss, reg.value, loss + self.strength * reg.value, reg)

    def residual(self, evaluation: Evaluation) -> Float[Tensor, "o n"]:
        """Return label minus prediction."""
        return self.y - evaluation.tape.output

    def gradient(self, evaluation: Evaluation) -> Float[Tensor, " size"]:
        """Return the derivative of the objective by each parameter."""
        by_output = self.loss.slope(evaluation.tape.output)
        gradient = self._pull_back(evaluation, by_output)
        return gradient if self.free is None else gradient * self.free

    @torch.no_grad()
    def normal_equations(self, evaluation: Evaluation) -> NormalEquations:
        """Return a positive model of half the objective's Hessian, and minus half its gradient."""
        hessian, descent = self._loss_equations(evaluation)
        if self.penalty.lamb:
            self.add_half_penalty_curvature(evaluation, hessian)
            descent = descent - 0.5 * self.penalty_gradient(evaluation)
        if self.free is not None:
            descent = descent * self.free
            hessian *= self.free.unsqueeze(-1) * self.free
        return hessian, descent

    def penalty_gradient(self, evaluation: Evaluation) -> Float[Tensor, " size"]:
        """Return the penalty's part of the gradient."""
        return self._pull_back(evaluation, None)

    def add_half_penalty_curvature(self, evaluation: Evaluation, hessian: Float[Tensor, "size size"]) -> None:
        """Add half of a positive model of the penalty's curvature."""
        self.sparsity.add_half_curvature(evaluation.tape, evaluation.regularisation, hessian)

    def _loss_equations(self, evaluation: Evaluation) -> NormalEquations:
        return self.loss.normal_equations(self.linear, evaluation.tape)

    def _pull_back(self, evaluation: Evaluation, by_output: Tensor | None) -> Float[Tensor, " size"]:
        """Return the gradient by the parameters, the penalty's part included."""
        tape = evaluation.tape
        if not self.penalty.lamb:
            return self.linear.pull_back(tape, by_output)
        edges, nodes = self.sparsity.cotangents(tape, evaluation.regularisation)
        gradient = self.linear.pull_back(tape, by_output, edges, nodes)
        own = self.sparsity.coefficient_gradient(tape)
        return gradient if own is None else gradient + own
