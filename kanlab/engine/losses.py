r"""What a model's outputs are measured by: the squared error, or a ``loss_fn`` of one's own.

Second order needs a positive model of the loss's curvature by the parameters. The generalised Gauss-Newton matrix
(Schraudolph 2002) is ``J L'' J'`` with the outputs' Jacobian ``J`` and the loss's Hessian ``L''`` by the outputs, a
small block for each sample. With any roots ``R R' = L'' / 2`` it is a Gram matrix, and carrying the roots back in place
of the outputs themselves costs no more than squared errors do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.gram import gram
from kanlab.engine.linearise import Linearisation, Tape

LossFunction = Callable[[Tensor, Tensor], Tensor]
NormalEquations = tuple[Float[Tensor, "size size"], Float[Tensor, " size"]]
#: Squared error, relative to the labels' variance, that is rounding.
ROUNDING = 1e-31
#: Eigenvalues of a curvature below this part of its greatest are rounding.
_FLAT = 1e-12


def shown(loss: float, loss_fn: LossFunction | None) -> float:
    """Return a loss as people are told it: the root of the mean squared error, and any other as it is."""
    return math.sqrt(loss) if loss_fn is None else loss


@torch.no_grad()
def shown_loss(prediction: Float[Tensor, "n o"], label: Tensor, loss_fn: LossFunction | None = None) -> float:
    """Return the loss of a prediction as people are told it; nan without rows.

    >>> shown_loss(torch.tensor([[4.0], [-2.0]]), torch.tensor([[1.0], [1.0]]))
    3.0
    """
    if not len(label):
        return math.nan
    loss = torch.nn.functional.mse_loss if loss_fn is None else loss_fn
    return shown(float(loss(prediction, label)), loss_fn)


class Loss(Protocol):
    """A loss of the outputs ``[n_out, n]``."""

    #: Unit of the outputs, for the penalty.
    spread: float
    #: At or below this nothing is left to be learnt.
    least: float

    def value(self, output: Float[Tensor, "o n"]) -> float:
        """Return the loss."""
        ...

    def slope(self, output: Float[Tensor, "o n"]) -> Float[Tensor, "o n"]:
        """Return its derivative by the outputs."""
        ...

    def curved(self, output: Float[Tensor, "o n"]) -> bool:
        """Whether second order has something to go by."""
        ...

    def normal_equations(self, linear: Linearisation, tape: Tape) -> NormalEquations:
        """Return a positive model of half the Hessian by the parameters, and minus half the gradient."""
        ...


class SquaredError:
    """The mean of ``(y - prediction)^2`` over all labels ``y`` ``[n_out, n]``."""

    def __init__(self, y: Float[Tensor, "o n"]):
        self.y = y
        spread = y.std(-1, correction=0).mean().item() if y.numel() else 0.0
        self.spread = spread if spread > 0 else 1.0
        self.least = ROUNDING * self.spread**2

    def residual(self, output: Float[Tensor, "o n"]) -> Float[Tensor, "o n"]:
        """Return label minus prediction."""
        return self.y - output

    def value(self, output: Float[Tensor, "o n"]) -> float:
        """Return the loss."""
        return self.residual(output).square().mean().item()

    def slope(self, output: Float[Tensor, "o n"]) -> Float[Tensor, "o n"]:
        """Return its derivative by the outputs."""
        return self.residual(output) * (-2.0 / self.y.numel())

    def curved(self, output: Float[Tensor, "o n"]) -> bool:
        """Whether second order has something to go by: always."""
        return True

    def normal_equations(self, linear: Linearisation, tape: Tape) -> NormalEquations:
        """Return ``J J' / n`` and ``J r / n``."""
        jacobian = linear.jacobian(tape).flatten(1)
        residual = self.residual(tape.output).flatten()
        return gram(jacobian).div_(residual.numel()), jacobian @ residual / residual.numel()


class OwnLoss:
    """A ``loss_fn(prediction [n, n_out], label [n, ...])`` that is a mean (or sum) over samples.

    Its first two derivatives by the outputs come from autograd. Directions in which it curves down count as flat.

    Class indices ``[n]`` that can be told apart would let cross-entropy grow the outputs without end. Below
    ``log(2) / n`` no sample's own term exceeds ``log 2``, so each class has more than half of the probability: that is
    the end.
    """

    spread = 1.0

    def __init__(self, loss_fn: LossFunction, y: Tensor):
        self._loss_fn = loss_fn
        self._label = y.T if y.ndim == 2 and y.is_floating_point() else y
        self.least = math.log(2) / max(len(y), 1) if y.ndim == 1 else -math.inf

    def value(self, output: Float[Tensor, "o n"]) -> float:
        """Return the loss."""
        return float(self._loss_fn(output.T, self._label))

    def slope(self, output: Float[Tensor, "o n"]) -> Float[Tensor, "o n"]:
        """Return its derivative by the outputs."""
        leaf = output.detach().T.requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(self._loss_fn(leaf, self._label), leaf)
        return slope.T

    def slope_and_hessian(self, output: Float[Tensor, "o n"]) -> tuple[Float[Tensor, "o n"], Float[Tensor, "n o o"]]:
        """Return the first two derivatives by each sample's own outputs."""
        leaf = output.detach().T.requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(self._loss_fn(leaf, self._label), leaf, create_graph=True)
            if not slope.requires_grad:  # piecewise linear
                return slope.detach().T, leaf.new_zeros(*leaf.shape, leaf.shape[1])
            rows = [
                torch.autograd.grad(column.sum(), leaf, retain_graph=True, materialize_grads=True)[0]
                for column in slope.unbind(1)
            ]
        hessian = torch.stack(rows, 1)
        return slope.detach().T, 0.5 * (hessian + hessian.mT)

    def curved(self, output: Float[Tensor, "o n"]) -> bool:
        """Whether second order has something to go by: most samples with a slope have curvature, too."""
        slope, hessian = self.slope_and_hessian(output)
        steep = (slope != 0).any(0)
        bent = torch.linalg.eigvalsh(hessian)[:, -1] > 0
        return int((steep & bent).sum()) * 2 >= int(steep.sum())

    def normal_equations(self, linear: Linearisation, tape: Tape) -> NormalEquations:
        """Return ``J L'' J' / 2`` and ``-J L' / 2``."""
        slope, hessian = self.slope_and_hessian(tape.output)
        rows = linear.jacobian(tape, _roots(0.5 * hessian)).flatten(1)
        return gram(rows), -0.5 * linear.pull_back(tape, slope)


def _roots(curvature: Float[Tensor, "n o o"]) -> Float[Tensor, "columns o n"]:
    """Return ``R`` with ``R R'`` each sample's curvature, without what curves down and columns that are empty for all.

    The softmax does not see a common shift, so cross-entropy has a column fewer than there are classes.
    """
    values, vectors = torch.linalg.eigh(curvature)
    keep = values > _FLAT * values[:, -1:].clamp_min(0)
    roots = vectors * (values * keep).clamp_min(0).sqrt().unsqueeze(1)
    return roots[:, :, keep.any(0)].permute(2, 1, 0)
