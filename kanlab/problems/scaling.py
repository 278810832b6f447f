r"""The five functions on which the KAN paper measures how the error falls with the grid (arXiv:2404.19756, sec. 3.1).

Each is a composition of smooth functions in the shape of the network beside it, so Theorem 2.1 grants
:math:`\text{RMSE} \propto G^{-(k+1)}`, with 1 variable and with 100.

>>> [row.width for row in ROWS.values()]
[[1, 1], [2, 1, 1], [2, 2, 1], [4, 4, 2, 1], [100, 1, 1]]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.data import create_dataset
from kanlab.problems import hello

SOURCE = "arXiv:2404.19756, sec. 3.1 and figure 3.1"


@dataclass(frozen=True)
class Row:
    """One function.

    Attributes
    ----------
    text
        What it is, for a legend.
    n_var
        How many variables it has, each on [-1, 1].
    width
        The paper's shape for it.
    function
        Its values at samples ``[n, n_var]``.
    """

    text: str
    n_var: int
    width: list[int]
    function: Callable[[Float[Tensor, "n n_var"]], Float[Tensor, " n"]]


def _bessel(x: Float[Tensor, "n 1"]) -> Float[Tensor, " n"]:
    """Average cos(20 x sin θ) over the circle: 64 points are exact to the last digits, torch's own is so to 1e-7."""
    angles = torch.arange(64, dtype=x.dtype) * (torch.pi / 64)
    return torch.cos(20 * x * angles.sin()).mean(1)


def _four(x: Float[Tensor, "n 4"]) -> Float[Tensor, " n"]:
    squares = torch.pi * x.square()
    return torch.exp((torch.sin(squares[:, 0] + squares[:, 1]) + torch.sin(squares[:, 2] + squares[:, 3])) / 2)


#: By a short name.
ROWS = {
    "bessel": Row("$J_0(20x)$", 1, [1, 1], _bessel),
    "hello": Row(r"$e^{\sin(\pi x)+y^2}$", 2, [2, 1, 1], lambda x: hello.function(x).squeeze(1)),
    "product": Row("$xy$", 2, [2, 2, 1], lambda x: x[:, 0] * x[:, 1]),
    "four": Row(
        r"$\exp\,\frac{1}{2}(\sin\pi(x_1^2+x_2^2)+\sin\pi(x_3^2+x_4^2))$", 4, [4, 4, 2, 1], _four
    ),
    "hundred": Row(
        r"$\exp\,\frac{1}{100}\sum\sin^2\frac{\pi x_i}{2}$", 100, [100, 1, 1],
        lambda x: torch.exp(torch.sin(torch.pi * x / 2).square().mean(1)),
    ),
}  # fmt: skip


def dataset(name: str, train_num: int = 1000, test_num: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Sample a function.

    Raises
    ------
    ValueError
        For a name that is not in `ROWS`.

    Examples
    --------
    >>> dataset("hundred", train_num=5)["train_input"].shape
    torch.Size([5, 100])
    """
    if name not in ROWS:
        raise ValueError(f"there is no function {name!r}: they are {', '.join(ROWS)}")
    row = ROWS[name]
    return create_dataset(row.function, n_var=row.n_var, train_num=train_num, test_num=test_num, seed=seed)
