r"""What training minimises: ``loss + lamb * spread(y)^2 * sum_l R_l`` as a function of the flat parameters.

The loss is the mean squared error, or any ``loss_fn(prediction, label)``. With squared error the penalty is in units
of the labels' variance, so that ``lamb`` does not depend on the unit of ``y``.
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

#: Spread (standard deviation) of a hidden node below which its outgoing magnitudes are no longer scaled up.
_HIDDEN_FLOOR = 0.1
#: What inputs count as spread, that of even ones on [-1, 1]: their own spread depends on the unit they came in.
_INPUT_SPREAD = 3**-0.5
#: Magnitudes are smoothed below this, which makes the penalty differentiable at zero.
_SMOOTH = 1e-4


@dataclass
class Evaluation:
    """The objective at one parameter vector."""

    vector: Float[Tensor, " size"]
    tape: Tape
    loss: float
    reg: float
    value: float
    slopes: list[Float[Tensor, "i o"]]
    moments: list[tuple[Tensor, Tensor, Tensor]]


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
        return self.penalty.lamb * self.scale**2

    def start(self) -> Evaluation:
        """Evaluate at the network's own parameters."""
        return self.evaluate(self.linear.read())

    def evaluate(self, vector: Float[Tensor, " size"]) -> Evaluation:
        """Evaluate the objective."""
        tape = self.linear.evaluate(vector)
        loss = self.loss.value(tape.output)
        reg, slopes, moments = self._regularisation(tape)
        return Evaluation(vector, tape, loss, reg, loss + self.strength * reg, slopes, moments)

    def residual(self, evaluation: Evaluation) -> Float[Tensor, "o n"]:
        """Return label minus prediction."""
        return self.y - evaluation.tape.output

    def gradient(self, evaluation: Evaluation) -> Float[Tensor, " size"]:
        """Return the derivative of the objective by each parameter."""
        by_output = self.loss.slope(evaluation.tape.output)
        edges, nodes = self._penalty_cotangents(evaluation) if self.penalty.lamb else (None, None)
        gradient = self.linear.pull_back(evaluation.tape, by_output, edges, nodes)
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
        edges, nodes = self._penalty_cotangents(evaluation)
        return self.linear.pull_back(evaluation.tape, None, edges, nodes)

    @torch.no_grad()
    def add_half_penalty_curvature(self, evaluation: Evaluation, hessian: Float[Tensor, "size size"]) -> None:
        """Add half of a positive model of the penalty's curvature: reweighted squared edge norms, a block an edge.

        Near the present point ``g(s)`` is majorised by ``g'(s) / (2 s) * s^2``, whose Hessian by the edge's own
        weights is its centred Gram matrix times ``g'(s) / s``.
        """
        for plan, tape, slope, moment in zip(
            self.linear.plans, evaluation.tape.layers, evaluation.slopes, evaluation.moments, strict=True
        ):
            if not len(plan.inputs):
                continue
            _, spread, unit = moment
            weight = (0.5 * self.strength * slope.clamp_min(0) / (spread * unit))[plan.inputs, plan.outputs]
            centred = tape.bases - tape.bases.mean(-1, keepdim=True)
            gram = centred @ centred.mT / centred.shape[-1]
            block = hessian[plan.splines, plan.splines].view(len(plan.inputs), plan.rows, len(plan.inputs), plan.rows)
            torch.diagonal(block, dim1=0, dim2=2).add_((weight[:, None, None] * gram[plan.inputs]).permute(1, 2, 0))

    # ---- parts

    def _loss_equations(self, evaluation: Evaluation) -> NormalEquations:
        return self.loss.normal_equations(self.linear, evaluation.tape)

    def _unit(self, l: int, x: Tensor) -> Float[Tensor, "i 1"]:
        """Return what an edge's spread is measured in: its node's spread, at the end times the labels' spread."""
        if l == 0:
            unit = torch.full_like(x[:, 0], _INPUT_SPREAD)
        else:
            unit = (x.var(-1, correction=0) + _HIDDEN_FLOOR**2).sqrt()
        last = l == len(self.linear.plans) - 1
        return (unit * self.scale if last else unit).unsqueeze(-1)

    def _regularisation(self, tape: Tape) -> tuple[float, list[Tensor], list[tuple[Tensor, Tensor, Tensor]]]:
        if not self.penalty.lamb:
            return 0.0, [], []
        total, slopes, moments = 0.0, [], []
        for l, (plan, layer) in enumerate(zip(self.linear.plans, tape.layers, strict=True)):
            variance, mean = torch.var_mean(layer.phi, -1, correction=0)
            present = torch.zeros_like(variance)
            present[plan.inputs, plan.outputs] = 1
            unit = self._unit(l, layer.x)
            smooth = _SMOOTH * unit
            spread = (variance + smooth**2).sqrt()
            value, slope = self.penalty.regularisation((spread - smooth) / unit * present)
            total += value.item()
            slopes.append(slope * present)
            moments.append((mean, spread, unit))
        return total, slopes, moments

    def _penalty_cotangents(self, evaluation: Evaluation) -> tuple[list[Tensor], list[Tensor]]:
        """Return the penalty's derivatives by the edge activations, and by the node values that are its units."""
        edges, nodes = [], []
        n = self.linear.x.shape[-1]
        for l, (layer, slope, (mean, spread, unit)) in enumerate(
            zip(evaluation.tape.layers, evaluation.slopes, evaluation.moments, strict=True)
        ):
            strength = self.strength * slope / unit
            edges.append((strength / (n * spread)).unsqueeze(-1) * (layer.phi - mean.unsqueeze(-1)))
            if l == 0:
                nodes.append(torch.zeros_like(layer.x))
                continue
            variance = spread.square() - (_SMOOTH * unit).square()
            by_unit = -(strength * variance / (unit * spread)).sum(1, keepdim=True)
            own = unit / self.scale if l == len(self.linear.plans) - 1 else unit
            nodes.append(by_unit * (unit / own) * (layer.x - layer.x.mean(-1, keepdim=True)) / (n * own))
        return edges, nodes
