r"""Motions whose laws are to be found: a pendulum's states with their flow, a fast particle's with its acceleration.

The pendulum, with ``q'' = -sin q``, keeps ``p^2/2 - cos q``. A relativistic particle of mass 1 under the constant force
``F`` (in units with ``c = 1``) has ``v' = F (1 - v^2)^(3/2)``, which follows from the Lagrangian
``L = F q - sqrt(1 - v^2)`` (KAN 2.0, arXiv:2408.10205, sections 5.1 and 5.2, has examples of both kinds).

>>> states, flow = pendulum(5)
>>> states.shape, bool((flow[:, 0] == states[:, 1]).all())
(torch.Size([5, 2]), True)
"""

import torch
from jaxtyping import Float
from torch import Tensor

SOURCE = "arXiv:2408.10205, sections 5.1 and 5.2"


def pendulum(n: int, seed: int = 0) -> tuple[Float[Tensor, "n 2"], Float[Tensor, "n 2"]]:
    """Draw states (q, p), with q in [-3, 3] and p in [-2, 2], and how they change, (p, -sin q)."""
    states = _uniform(n, seed) * torch.tensor([3.0, 2.0], dtype=torch.float64)
    q, p = states.T
    return states, torch.stack([p, -torch.sin(q)], 1)


def relativistic(n: int, seed: int = 0, force: float = 1.0) -> tuple[Float[Tensor, "n 2"], Float[Tensor, " n"]]:
    """Draw places and velocities (q, v), with v up to 0.9 of that of light, and the accelerations there.

    >>> states, acceleration = relativistic(100)
    >>> bool(acceleration.max() <= 1)
    True
    """
    states = _uniform(n, seed) * torch.tensor([1.0, 0.9], dtype=torch.float64)
    return states, force * (1 - states[:, 1] ** 2) ** 1.5


def _uniform(n: int, seed: int) -> Float[Tensor, "n 2"]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, 2, generator=generator, dtype=torch.float64) * 2 - 1
