"""The sampled curves of many edges in common coordinates: what fits are made to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

#: Spread of ``y`` relative to its size below which a curve counts as constant.
_CONSTANT = 1e-14


@dataclass(frozen=True)
class Curves:
    """Samples in the order of ``x``, with ``t = (x - centre) / half`` in [-1, 1] and ``v = (y - mean) / scale``.

    Whatever the units of an edge, its ``t`` and ``v`` are alike: one dictionary of starting curves serves all.
    """

    x: Float[Tensor, "edge n"]
    y: Float[Tensor, "edge n"]
    t: Float[Tensor, "edge n"]
    v: Float[Tensor, "edge n"]
    w: Float[Tensor, "edge n"]
    low: Float[Tensor, "edge 1"]
    high: Float[Tensor, "edge 1"]
    mean: Float[Tensor, "edge 1"]
    scale: Float[Tensor, "edge 1"]
    constant: Bool[Tensor, "edge 1"]

    @classmethod
    def of(cls, x: Tensor, y: Tensor, w: Tensor) -> Curves:
        """Scale samples; the weights of each edge must sum to 1."""
        order = x.argsort(-1)
        x, y, w = x.gather(-1, order), y.gather(-1, order), w.gather(-1, order)
        low, high = x[:, :1], x[:, -1:]
        mean = (w * y).sum(-1, keepdim=True)
        # A second pass removes the rounding of the first: |mean| may exceed the amplitude by orders of magnitude.
        mean = mean + (w * (y - mean)).sum(-1, keepdim=True)
        centred = y - mean
        scale = (w * centred * centred).sum(-1, keepdim=True).sqrt()
        constant = scale <= _CONSTANT * y.abs().amax(-1, keepdim=True)
        scale = scale.where(~constant, 1.0)
        v = (centred / scale).where(~constant, 0.0)
        return cls(x, y, _scaled(x, low, high), v, w, low, high, mean, scale, constant)

    @property
    def rows(self) -> int:
        """Number of edges."""
        return self.x.shape[0]

    @property
    def half(self) -> Float[Tensor, " edge"]:
        """Half the width of each range; 1 where it has none."""
        half = 0.5 * (self.high - self.low)[:, 0]
        return half.where(half > 0, 1.0)

    @property
    def centre(self) -> Float[Tensor, " edge"]:
        """The middle of each range."""
        return (self.low + 0.5 * (self.high - self.low))[:, 0]

    def chosen(self, rows: slice) -> Curves:
        """Return some of the edges."""
        return Curves(*(values[rows] for values in vars(self).values()))

    def subset(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Choose at most ``count`` of each edge's ``t, v, w``: half evenly over the range, half over the ranks.

        Each stands for the samples around it: the weights sum to 1 and ``v`` is centred anew.
        """
        t, v, w = self.t, self.v, self.w
        n = t.shape[-1]
        if n > count:
            even = torch.linspace(-1, 1, count // 2, dtype=t.dtype, device=t.device).expand(self.rows, -1)
            by_range = torch.searchsorted(t, even.contiguous()).clamp(max=n - 1)
            by_rank = torch.linspace(0, n - 1, count - count // 2, device=t.device).round().long()
            index = torch.cat([by_range, by_rank.expand(self.rows, -1)], -1).sort(-1).values
            # A sample counts for all ranks nearer to it than to the next chosen one (a repeated one's cell is empty).
            middle = (index[:, 1:] + index[:, :-1] + 1) // 2
            edge = torch.zeros_like(index[:, :1])
            bounds = torch.cat([edge, middle, edge + n], -1)
            total = torch.cat([torch.zeros_like(w[:, :1]), w.cumsum(-1)], -1).gather(-1, bounds)
            t, v, w = t.gather(-1, index), v.gather(-1, index), total.diff(dim=-1).clamp(min=0)
        w = w / w.sum(-1, keepdim=True)
        return t, v - (w * v).sum(-1, keepdim=True), w

    def on_grid(self, grid: Float[Tensor, " m"]) -> Float[Tensor, "edge m"]:
        """Interpolate the curves ``v`` at common points ``t``."""
        n = self.t.shape[-1]
        right = torch.searchsorted(self.t, grid.expand(self.rows, -1).contiguous())
        right = right.clamp(1, max(n - 1, 1)).clamp(max=n - 1)
        left = (right - 1).clamp(min=0)
        t0, t1 = self.t.gather(-1, left), self.t.gather(-1, right)
        share = ((grid - t0) / (t1 - t0).clamp(min=1e-12)).clamp(0, 1)
        return torch.lerp(self.v.gather(-1, left), self.v.gather(-1, right), share)


def _scaled(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Map ``[low, high]`` to [-1, 1], the ends exactly; a range without width to 0."""
    half = 0.5 * (high - low)
    return (((x - low) - half) / half.where(half > 0, 1.0)).clamp(-1, 1)
