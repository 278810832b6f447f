r"""Functions with infinities and corners, discrete columns and other trouble, to learn from what goes wrong.

``waves`` and ``cone`` are those of pykan's tutorial on singular functions (Example 9).

>>> cone(train_num=5)["train_label"].shape
torch.Size([5, 1])
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.data import create_dataset, dataset_from

SOURCE = "pykan, tutorials, Example 9: singularity"
_NAMES = {"input_names": ["x", "y"], "output_names": ["f"]}


def waves(train_num: int = 1000, test_num: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Sample sin(2 (ln x + ln y)) on [0.2, 5]², which oscillates without end towards 0."""
    samples = create_dataset(
        lambda x: torch.sin(2 * x.log().sum(1)), ranges=(0.2, 5), train_num=train_num, test_num=test_num, seed=seed
    )
    return samples | _NAMES


def cone(train_num: int = 1000, test_num: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Sample √(x² + y²) on [-1, 1]², which has a corner in the middle."""
    samples = create_dataset(lambda x: x.square().sum(1).sqrt(), train_num=train_num, test_num=test_num, seed=seed)
    return samples | _NAMES


def levels(values: int = 5, rows: int = 400, seed: int = 0) -> dict[str, Any]:
    """Sample sin(3 x) + s², where s takes so many whole values: 0 and 1, or -2 … 2.

    Parameters
    ----------
    values
        2 or more; from 3 on they lie evenly around 0.

    Raises
    ------
    ValueError
        For fewer values than 2.

    Examples
    --------
    >>> levels(values=3)["train_input"][:, 1].unique().tolist()
    [-1.0, 0.0, 1.0]
    """
    if values < 2:
        raise ValueError(f"values is {values}: a column with one value tells nothing")
    generator = torch.Generator().manual_seed(seed)
    x = _even(rows, 1, generator)
    s = torch.randint(values, (rows, 1), generator=generator).double() - (values // 2 if values > 2 else 0)
    return dataset_from(torch.cat([x, s], 1), torch.sin(3 * x) + s.square(), seed=seed, names=["x", "s"])


def trouble(rows: int = 80, noise: float = 0.2, seed: int = 0) -> dict[str, Any]:
    """Sample sin(3 x) + y² with noise; a third column has nothing to do with it."""
    generator = torch.Generator().manual_seed(seed)
    x = _even(rows, 3, generator)
    y = torch.sin(3 * x[:, :1]) + x[:, 1:2].square()
    return dataset_from(x, y + noise * _normal(rows, generator), seed=seed, names=["x", "y", "idle"])


def secret(rows: int = 600, seed: int = 0) -> dict[str, Any]:
    """Sample a smooth sum of two curves with noise; how much of it stands under ``"noise"``."""
    generator = torch.Generator().manual_seed(seed)
    noise = 0.05 + 0.2 * float(torch.rand((), generator=generator))
    x = _even(rows, 2, generator)
    y = torch.exp(x[:, :1]) + torch.cos(4 * x[:, 1:])
    return dataset_from(x, y + noise * _normal(rows, generator), seed=seed, names=["p", "q"]) | {"noise": noise}


def _even(rows: int, columns: int, generator: torch.Generator) -> Float[Tensor, "rows columns"]:
    return 2 * torch.rand(rows, columns, generator=generator, dtype=torch.float64) - 1


def _normal(rows: int, generator: torch.Generator) -> Float[Tensor, "rows 1"]:
    return torch.randn(rows, 1, generator=generator, dtype=torch.float64)
