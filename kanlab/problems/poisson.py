r"""Poisson's equation u_xx + u_yy = f on the square [-1, 1]², two right sides with known solutions.

`TUTORIAL` is that of pykan's tutorial on differential equations, `PAPER` that of the KAN paper (arXiv:2404.19756,
section 3.4), whose u(x, y) = sin(πx) sin(πy²) has

``f = -π² sin(πx) sin(πy²) + sin(πx) (2π cos(πy²) - 4π²y² sin(πy²))``.

>>> TUTORIAL.source(torch.tensor([[0.5, 0.5]])) / torch.pi**2
tensor([[-2.]])
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SOURCE = "arXiv:2404.19756, section 3.4; pykan's tutorial on differential equations"
_PI = torch.pi


@dataclass(frozen=True)
class Poisson:
    """One right side.

    Attributes
    ----------
    text
        The solution, as `kanlab.KAN.from_formula` reads it.
    solution
        The same of points ``[n, 2]``, as ``[n, 1]``.
    source
        The right side f at points ``[n, 2]``, as ``[n, 1]``.
    """

    text: str
    solution: Callable[[Float[Tensor, "n 2"]], Float[Tensor, "n 1"]]
    source: Callable[[Float[Tensor, "n 2"]], Float[Tensor, "n 1"]]


def _two_sines(x: Float[Tensor, "n 2"]) -> Float[Tensor, "n 1"]:
    return torch.sin(_PI * x).prod(1, keepdim=True)


def _sine_of_square(x: Float[Tensor, "n 2"]) -> Float[Tensor, "n 1"]:
    return torch.sin(_PI * x[:, [0]]) * torch.sin(_PI * x[:, [1]] ** 2)


def _its_source(x: Float[Tensor, "n 2"]) -> Float[Tensor, "n 1"]:
    y = _PI * x[:, [1]] ** 2
    return torch.sin(_PI * x[:, [0]]) * (2 * _PI * torch.cos(y) - (4 * _PI * y + _PI**2) * torch.sin(y))


TUTORIAL = Poisson("sin(pi*x)*sin(pi*y)", _two_sines, lambda x: -2 * _PI**2 * _two_sines(x))
PAPER = Poisson("sin(pi*x)*sin(pi*y**2)", _sine_of_square, _its_source)


def mesh(n: int) -> Float[Tensor, "points 2"]:
    """Return the ``n²`` points of an even mesh on the square, its border included.

    >>> mesh(3).shape
    torch.Size([9, 2])
    """
    return torch.cartesian_prod(*[torch.linspace(-1, 1, n, dtype=torch.float64)] * 2)


def border(n: int) -> Float[Tensor, "points 2"]:
    """Return ``4 n`` even points on the four sides of the square; a corner belongs to both of its sides.

    >>> border(5).abs().amax(1).unique()
    tensor([1.], dtype=torch.float64)
    """
    return _sides([torch.linspace(-1, 1, n, dtype=torch.float64)] * 4)


def scattered(inside: int, side: int, seed: int = 0) -> tuple[Float[Tensor, "inside 2"], Float[Tensor, "edge 2"]]:
    """Draw random points: so many inside the square, and so many on each of its four sides.

    >>> [len(part) for part in scattered(100, 20)]
    [100, 80]
    """
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(inside, 2, generator=generator, dtype=torch.float64) * 2 - 1
    along = torch.rand(4, side, generator=generator, dtype=torch.float64) * 2 - 1
    return points, _sides(list(along))


def _sides(along: list[Float[Tensor, " n"]]) -> Float[Tensor, "points 2"]:
    """Put points on the sides x = ±1 and y = ±1, given how far along each they lie."""
    end = torch.ones_like(along[0])
    pairs = ((along[0], end), (along[1], -end), (end, along[2]), (-end, along[3]))
    return torch.cat([torch.stack(pair, 1) for pair in pairs])
