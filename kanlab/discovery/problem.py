"""What a search is asked: samples of some inputs and of one number that is to be a formula of them.

Rows are in random order, so that the first ones can be fitted and the last ones judge. Every sample has a weight that
brings errors of ``y`` into the units of the question asked at first: a problem made by dividing by ``x^2``, say,
weighs its errors by ``x^2`` again, and errors of all problems can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

#: The part of the rows that shapes are fitted on; the rest judges them.
_FITTED = 0.8
#: Values further from the median than this many times four fifths of the others are outliers.
_USUAL = 3.0
#: Four fifths of normal errors are smaller than this many standard deviations.
_EIGHTY = 1.2816
#: No weight is larger than this many times their median: a few rows must not decide.
_HEAVY = 1e3


@dataclass(frozen=True)
class Problem:
    """Find ``y`` as a formula of ``x``.

    Attributes
    ----------
    x, y, w
        Inputs, target, and weights of its errors.
    scale
        What an error is compared with: the spread of the first question's ``y``.
    floor
        The relative error below which nothing can be told: noise, or what went before was no more exact than this.
    """

    x: Float[Tensor, "n_in n"]
    y: Float[Tensor, " n"]
    w: Float[Tensor, " n"]
    scale: float
    floor: float = 0.0

    @classmethod
    def of(cls, x: Float[Tensor, "n_in n"], y: Float[Tensor, " n"], floor: float = 0.0) -> Problem:
        """Return a first question: errors relative to the spread of ``y``, all weights equal but those of outliers.

        Near a pole a few rows would drown the others.
        """
        centred = (y - y.median()).abs()
        usual = _USUAL * float(centred.quantile(0.8))
        w = torch.ones_like(y) if usual == 0 else (usual / centred.clamp(min=1e-300)).clamp(max=1.0)
        problem = cls(x, y, w, 1.0, floor)
        return replace(problem, scale=problem.spread or 1.0)

    @property
    def n_in(self) -> int:
        """The number of inputs."""
        return self.x.shape[0]

    @property
    def n(self) -> int:
        """The number of rows."""
        return self.x.shape[1]

    @property
    def is_weighted(self) -> bool:
        """Whether the weights differ from 1."""
        return not bool((self.w == 1).all())

    @property
    def fitted(self) -> slice:
        """The rows to fit shapes on."""
        return slice(0, max(2, round(_FITTED * self.n)))

    @property
    def judging(self) -> slice:
        """The rows that judge shapes."""
        return slice(self.fitted.stop if self.n > 2 else 0, self.n)

    @property
    def spread(self) -> float:
        """The weighted spread of this ``y``, in units of ``scale``."""
        mean = (self.w.square() * self.y).sum() / self.w.square().sum()
        return self.relative(self.y - mean)

    def relative(self, residual: Tensor, rows: slice | None = None) -> float:
        """Return the root mean squared weighted residual in units of ``scale``."""
        part = slice(None) if rows is None else rows
        return float((residual[part] * self.w[part]).square().mean().sqrt()) / self.scale

    def typical(self, residual: Tensor, rows: slice) -> float:
        """Return a size of the weighted residual that a few rows near a pole do not decide: most are smaller.

        For normal errors it is their root mean square.
        """
        return float((residual[rows] * self.w[rows]).abs().quantile(0.8)) / (_EIGHTY * self.scale)

    def mapped(self, y: Float[Tensor, " n"], slope: Float[Tensor, " n"]) -> Problem:
        """Return the problem for another target ``y(old y)`` with the derivative ``slope``."""
        w = self.w / slope.abs()
        w = w.where(w.isfinite(), 0.0)
        return replace(self, y=y, w=w.clamp(max=_HEAVY * float(w.median()) + 1e-300))

    def with_inputs(self, x: Float[Tensor, "m n"]) -> Problem:
        """Return the problem for other inputs."""
        return replace(self, x=x)

    def only(self, rows: Bool[Tensor, " n"]) -> Problem:
        """Return the problem on some of the rows."""
        return replace(self, x=self.x[:, rows], y=self.y[rows], w=self.w[rows])


def scaled(x: Float[Tensor, "n_in n"]) -> Float[Tensor, "n_in n"]:
    """Map the range of each input to [-1, 1]; a range without width to 0."""
    low, high = x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)
    half = 0.5 * (high - low)
    return (((x - low) - half) / half.where(half > 0, 1.0)).clamp(-1, 1)
