r"""In what unit solvers see the base function, so that inputs may come in any.

The base function of an input that lies far from zero, or spreads over very much or little, is nearly constant, huge or
tiny on the grid: ``silu(x) = x`` at ``x = 1e6``. Second order then divides by numbers a trillion apart, and first order
overshoots. As the bases sum to one, the edge is the same function written as

``scale_sp * sum_b c_b B_b(x) + scale_base * b(x) = sum_b (scale_sp * c_b + scale_base * m) B_b(x)
+ (scale_base * s) * (b(x) - m) / s``

and with ``m`` and ``s`` of each input's grid, ``(b - m) / s`` has the mean and the spread there that ``b`` has on
``[-1, 1]``. Solvers work on these weights and features; the parameters stay those of the formula. On grids where ``b``
has about that mean and spread anyway, ``m = 0`` and ``s = 1``: there nothing differs to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.base import BaseFunction

#: Points of the grid on which the base function's mean and spread are taken.
_POINTS = 33
#: A spread within this factor of that on [-1, 1] is left as it is, and so is a mean within as many spreads of it.
_ORDINARY = 10.0
#: A spread below this part of the size is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Frame:
    """``m`` and ``s`` of each input, or None where there is nothing to change."""

    offset: Float[Tensor, "*s i"] | None = None
    scale: Float[Tensor, "*s i"] | None = None

    def features(self, base: list[Float[Tensor, "*s i n"]]) -> list[Float[Tensor, "*s i n"]]:
        """Return ``(b - m) / s`` and its derivatives from those of ``b``."""
        if self.offset is None or self.scale is None:
            return base
        value, *slopes = base
        scale = self.scale.unsqueeze(-1)
        return [(value - self.offset.unsqueeze(-1)) / scale, *(slope / scale for slope in slopes)]

    def weights(
        self, spline: Float[Tensor, "*s i o bases"], base: Float[Tensor, "*s i o"]
    ) -> Float[Tensor, "*s i o rows"]:
        """Return what multiplies bases and feature, from what multiplies bases and ``b``."""
        if self.offset is not None and self.scale is not None:
            spline = spline + (base * self.offset.unsqueeze(-1)).unsqueeze(-1)
            base = base * self.scale.unsqueeze(-1)
        return torch.cat([spline, base.unsqueeze(-1)], -1)

    def parameters(
        self, weights: Float[Tensor, "*s edges rows"], inputs: Tensor
    ) -> tuple[Float[Tensor, "*s edges bases"], Float[Tensor, "*s edges"]]:
        """Do the reverse of `weights`, for edges that come from these inputs."""
        spline, base = weights[..., :-1], weights[..., -1]
        if self.offset is not None and self.scale is not None:
            base = base / self.scale[..., inputs]
            spline = spline - (base * self.offset[..., inputs]).unsqueeze(-1)
        return spline, base


PLAIN = Frame()


@torch.no_grad()
def frame_of(base: BaseFunction, low: Float[Tensor, "*s i"], high: Float[Tensor, "*s i"]) -> Frame:
    """Return the frame of inputs whose grids go from ``low`` to ``high``.

    >>> from kanlab.engine.base import BASES
    >>> frame_of(BASES["silu"], torch.tensor([-2.0]), torch.tensor([3.0])) is PLAIN
    True
    >>> far = frame_of(BASES["identity"], torch.tensor([100.0]), torch.tensor([102.0]))
    >>> far.features([torch.tensor([[100.0, 101.0, 102.0]])])[0].round()
    tensor([[-1.,  0.,  1.]])
    """
    even = torch.linspace(-1, 1, _POINTS, dtype=low.dtype, device=low.device)
    middle, half = (low + high).unsqueeze(-1) / 2, (high - low).unsqueeze(-1) / 2
    here = base.evaluate(middle + half * even, 0)[0]
    spread, mean = torch.std_mean(here, -1, correction=0)
    usual, centre = torch.std_mean(base.evaluate(even, 0)[0], -1, correction=0)
    scale = spread / usual
    offset = mean - scale * centre
    known = (spread > _ROUNDING * here.abs().amax(-1)) & scale.isfinite() & offset.isfinite()
    odd = known & ((scale > _ORDINARY) | (scale < 1 / _ORDINARY) | (offset.abs() > _ORDINARY * spread))
    if not bool(odd.any()):
        return PLAIN
    return Frame(offset.where(odd, 0.0), scale.where(odd, 1.0))
