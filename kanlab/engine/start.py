r"""How the edges of a new network begin.

``scale_base = (mu + sigma U) / sqrt(n_in)`` with ``U`` even on [-1, 1] (KAN 2.0's initialisation, arXiv 2408.10205),
``scale_sp = 1``, and normal coefficients of standard deviation ``noise_scale``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.base import BaseFunction


@dataclass(frozen=True)
class Start:
    """The options of a new network's edges.

    Attributes
    ----------
    base_fun
        ``"silu"``, ``"identity"``, ``"zero"``, a name given by `kanlab.register_base`, or a function of one tensor
        (which cannot be saved).
    noise_scale
        Standard deviation of the coefficients, 0 upwards.
    scale_base_mu, scale_base_sigma
        Middle and half range of ``scale_base``, before it is divided by the root of the number of inputs.
    sp_trainable, sb_trainable
        Whether ``scale_sp`` and ``scale_base`` may change.
    sparse_init
        Begin with the edges between nearest neighbours only; the others are removed.
    grid_range
        The range of all grids before any data is seen.
    dtype
        ``torch.float64`` or ``torch.float32``.
    """

    base_fun: str | Callable[[Tensor], Tensor] | BaseFunction = "silu"
    noise_scale: float = 0.1
    scale_base_mu: float = 0.0
    scale_base_sigma: float = 1.0
    sp_trainable: bool = True
    sb_trainable: bool = True
    sparse_init: bool = False
    grid_range: tuple[float, float] = (-1.0, 1.0)
    dtype: torch.dtype = torch.float64

    def __post_init__(self):
        if self.dtype not in (torch.float64, torch.float32):
            raise ValueError(f"dtype is {self.dtype}; allowed are torch.float64 and torch.float32")
        if not 0.0 <= self.noise_scale < math.inf:
            raise ValueError(f"noise_scale is {self.noise_scale}; allowed are finite numbers from 0 up")
        for name in ("scale_base_mu", "scale_base_sigma"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}; allowed are finite numbers")
        for name in ("sp_trainable", "sb_trainable", "sparse_init"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed are True and False")
        low, high = self.grid_range
        if not -math.inf < low < high < math.inf:
            raise ValueError(f"grid_range is {(low, high)}; allowed are two finite numbers, the lower one first")

    def coef(
        self, in_dim: int, out_dim: int, bases: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "in_dim out_dim bases"]:
        """Draw coefficients."""
        return self.noise_scale * torch.randn(in_dim, out_dim, bases, generator=generator, dtype=self.dtype)

    def scale_base(
        self, in_dim: int, out_dim: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "in_dim out_dim"]:
        """Draw the scales of the base functions."""
        even = torch.rand(in_dim, out_dim, generator=generator, dtype=self.dtype) * 2 - 1
        return (self.scale_base_mu + self.scale_base_sigma * even) / math.sqrt(in_dim)

    def mask(self, in_dim: int, out_dim: int) -> Float[Tensor, "in_dim out_dim"]:
        """Return 1 where an edge is present."""
        if self.sparse_init:
            return nearest_neighbours(in_dim, out_dim).to(self.dtype)
        return torch.ones(in_dim, out_dim, dtype=self.dtype)


def nearest_neighbours(in_dim: int, out_dim: int) -> Float[Tensor, "in_dim out_dim"]:
    """Return 1 on the edges that join each node to the nearest of the other side, both spread evenly over a line.

    >>> nearest_neighbours(2, 4)
    tensor([[1., 1., 0., 0.],
            [0., 0., 1., 1.]])
    """
    below = (torch.arange(in_dim) + 0.5) / in_dim
    above = (torch.arange(out_dim) + 0.5) / out_dim
    distance = (below[:, None] - above).abs()
    mask = torch.zeros(in_dim, out_dim)
    mask[torch.arange(in_dim), distance.argmin(1)] = 1
    mask[distance.argmin(0), torch.arange(out_dim)] = 1
    return mask
