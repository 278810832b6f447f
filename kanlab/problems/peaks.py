r"""Five peaks on a line, shown one after the other: the KAN paper's problem of continual learning.

:math:`f(x) = \sum_c e^{-300 (x - c)^2}` on [-1, 1] with the centres :math:`c = \pm 0.8, \pm 0.4, 0` (arXiv:2404.19756,
sec. 3.5). Each phase shows one fifth of the interval and hence one peak; afterwards it is gone. In the plane, four
peaks :math:`e^{-20 |x - c|^2}` stand one in each quarter of the square [-1, 1]², and a phase shows a quarter; that
problem is ours.

>>> len(phases()), len(quarters())
(5, 4)
"""

import itertools
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

SOURCE = "arXiv:2404.19756, sec. 3.5"
CENTRES = (-0.8, -0.4, 0.0, 0.4, 0.8)
#: Where the peaks of the plane stand, in the order of the phases.
PLACES = tuple(itertools.product((-0.5, 0.5), repeat=2))
_SHARP, _BROAD = 300.0, 20.0


def function(x: Float[Tensor, "n 1"]) -> Float[Tensor, "n 1"]:
    """Evaluate the five peaks.

    >>> bool(abs(function(torch.tensor([[0.4]])) - 1) < 1e-6)
    True
    """
    return torch.exp(-_SHARP * (x - torch.tensor(CENTRES, dtype=x.dtype)) ** 2).sum(1, keepdim=True)


def in_plane(x: Float[Tensor, "n 2"]) -> Float[Tensor, "n 1"]:
    """Evaluate the four peaks of the plane.

    >>> bool(abs(in_plane(torch.tensor([[0.5, -0.5]])) - 1) < 1e-6)
    True
    """
    distance = torch.cdist(x, torch.tensor(PLACES, dtype=x.dtype), compute_mode="donot_use_mm_for_euclid_dist")
    return torch.exp(-_BROAD * distance**2).sum(1, keepdim=True)


def phases(rows: int = 100) -> list[dict[str, Any]]:
    """Return the five datasets, from left to right, ``rows`` even points of the line in each.

    The test part of a phase is its training part: what counts here is memory.

    >>> first = phases()[0]["train_input"]
    >>> round(float(first.min()), 2), round(float(first.max()), 2)
    (-1.0, -0.6)
    """
    x = torch.linspace(-1, 1, rows * len(CENTRES), dtype=torch.float64)[:, None]
    return [_dataset(part, function(part)) for part in x.split(rows)]


def quarters(rows: int = 200, seed: int = 0) -> list[dict[str, Any]]:
    """Return the four datasets of the plane, ``rows`` random points of a quarter in each.

    >>> quarters(rows=7)[3]["train_input"].shape
    torch.Size([7, 2])
    """
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for place in PLACES:
        x = torch.rand(rows, 2, generator=generator, dtype=torch.float64) - 0.5
        x += torch.tensor(place, dtype=torch.float64)
        parts.append(_dataset(x, in_plane(x)))
    return parts


def _dataset(x: Tensor, y: Tensor) -> dict[str, Any]:
    return {"train_input": x, "train_label": y, "test_input": x, "test_label": y}
