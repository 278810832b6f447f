r"""Two interleaving half circles, a problem of classification that anyone can look at.

Points :math:`(\cos t, \sin t)` and :math:`(1 - \cos t, \tfrac12 - \sin t)` with t even on [0, π], each with normal
noise added. The KAN paper's code has it as its first classification (pykan's tutorial, 1000 samples, noise 0.1).

>>> dataset(train_num=6)["train_label"]
tensor([0, 1, 0, 1, 0, 1])
"""

import math
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

SOURCE = "pykan's tutorial on classification, after scikit-learn's make_moons"
NAMES = ("x", "y")
CLASSES = ("upper", "lower")


def points(n: int, noise: float, generator: torch.Generator) -> tuple[Float[Tensor, "n 2"], Int[Tensor, " n"]]:
    """Draw points, and say on which moon each was born: 0 the upper, 1 the lower one, in turn."""
    angle = torch.rand(n, generator=generator, dtype=torch.float64) * math.pi
    label = torch.arange(n) % 2
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
    places = torch.where(label[:, None] == 0, upper, lower)
    return places + noise * torch.randn(n, 2, generator=generator, dtype=torch.float64), label


def dataset(train_num: int = 1000, test_num: int = 1000, noise: float = 0.1, seed: int = 0) -> dict[str, Any]:
    """Sample the problem, labels being classes ``[n]``.

    Parameters
    ----------
    noise
        Standard deviation of what is added to each coordinate, 0 upwards.

    Raises
    ------
    ValueError
        For a noise below 0.
    """
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise is {noise}; allowed are finite numbers from 0 up")
    generator = torch.Generator().manual_seed(seed)
    (x, label), (x_test, label_test) = points(train_num, noise, generator), points(test_num, noise, generator)
    return {
        "train_input": x,
        "train_label": label,
        "test_input": x_test,
        "test_label": label_test,
        "input_names": list(NAMES),
        "output_names": list(CLASSES),
    }
