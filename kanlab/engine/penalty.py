r"""What ``lamb`` multiplies: the sparsity penalty on the edges' magnitudes.

For layer ``l`` with magnitudes ``A[i, j] >= 0`` (KAN paper, eqs. 2.17-2.20, in the form pykan trains today):

``R_l = lamb_l1 * sum(A) + lamb_entropy * (H_out + H_in)``, with ``H = -mean_rows sum P log2(P + 1e-4)`` and
``P = A / (1 + row sum)``, once over the edges into each output and once over the edges out of each input.

By default (``reg_metric="edge_forward_relative"``) a magnitude is the standard deviation of a spline edge's activation
in units of what goes in, ``std(phi_ij) / spread(x_i)`` (and of the labels' spread at the last layer). The spread of a
hidden node is its own; every input counts as spread evenly over ``[-1, 1]``, so that ``lamb`` means the same whatever
units the data has. The other metrics are pykan's, see `kanlab.engine.magnitudes`.

``lamb_coef`` and ``lamb_coefdiff`` add the sums of ``|c|`` and of ``|diff c|`` over a layer's splines, averaged over
its outputs, in the labels' spread at the last layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.magnitudes import METRICS, RELATIVE

Magnitudes = Float[Tensor, "i o"]
_TINY = 1e-4


@dataclass(frozen=True)
class Penalty:
    """Strengths of the penalty; the objective is ``loss + lamb * sum_l R_l``.

    Attributes
    ----------
    lamb
        Overall strength, 0 (none) upwards; 1e-3 to 1e-1 sparsify.
    lamb_l1
        Weight of the sum of magnitudes.
    lamb_entropy
        Weight of the entropies: how strongly edges of one node compete.
    lamb_coef, lamb_coefdiff
        Weights of the coefficients' sizes, and of their differences along the grid: flatter splines.
    reg_metric
        What an edge's magnitude is.
    """

    lamb: float = 0.0
    lamb_l1: float = 1.0
    lamb_entropy: float = 2.0
    lamb_coef: float = 0.0
    lamb_coefdiff: float = 0.0
    reg_metric: str = RELATIVE

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "reg_metric":
                _check_metric(value)
            elif not isinstance(value, (int, float)) or not 0.0 <= value < float("inf"):
                raise ValueError(f"{field.name} is {value!r}; allowed are finite numbers from 0 up")

    def value(self, magnitudes: Magnitudes) -> Tensor:
        """Return ``R_l``.

        >>> float(Penalty(lamb=1.0, lamb_entropy=0.0).value(torch.ones(2, 3)))
        6.0
        """
        value = self.lamb_l1 * magnitudes.sum()
        if self.lamb_entropy:
            for axis in (0, 1):
                value = value + self.lamb_entropy * _entropy(magnitudes, axis)
        return value

    def slope(self, magnitudes: Magnitudes) -> Magnitudes:
        """Return the derivative of ``R_l`` by each magnitude.

        >>> Penalty(lamb=1.0, lamb_entropy=0.0).slope(torch.ones(1, 3))
        tensor([[1., 1., 1.]])
        """
        slope = torch.full_like(magnitudes, self.lamb_l1)
        if self.lamb_entropy:
            for axis in (0, 1):
                slope = slope.add(_entropy_slope(magnitudes, axis), alpha=self.lamb_entropy)
        return slope


def _check_metric(name: object) -> None:
    if name not in (RELATIVE, *METRICS):
        raise ValueError(f"reg_metric is {name!r}; allowed are {', '.join(map(repr, (RELATIVE, *METRICS)))}")


def _entropy(a: Magnitudes, axis: int) -> Tensor:
    """Return the mean entropy of the lines along ``axis``."""
    p = a / (1.0 + a.sum(axis, keepdim=True))
    return (p * torch.log2(p + _TINY)).sum() / -a.shape[1 - axis]


def _entropy_slope(a: Magnitudes, axis: int) -> Magnitudes:
    """Return its derivative by each magnitude."""
    total = 1.0 + a.sum(axis, keepdim=True)
    p = a / total
    above = p + _TINY
    by_p = torch.addcdiv(torch.log2(above), p, above, value=1 / math.log(2))
    return ((by_p * p).sum(axis, keepdim=True) - by_p) / (total * a.shape[1 - axis])
