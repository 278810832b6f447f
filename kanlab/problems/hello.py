"""The hello problem: f(x, y) = exp(sin(π x) + y²) on [-1, 1]².

The first example of the KAN paper (arXiv:2404.19756, figure 2.4): a [2, 1, 1] network holds it exactly, with sin and
x² on its first two edges and exp on the last, and a [2, 5, 1] network prunes down to that.
"""

from typing import Any

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.data import create_dataset

SOURCE = "arXiv:2404.19756, figure 2.4"
NAMES = ("x", "y")
X, Y = sympy.symbols(NAMES)
TRUTH: sympy.Expr = sympy.exp(sympy.sin(sympy.pi * X) + Y**2)


def function(x: Float[Tensor, "n 2"]) -> Float[Tensor, "n 1"]:
    """Evaluate exp(sin(π x) + y²)."""
    return torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2)


def dataset(train_num: int = 1000, test_num: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Sample the problem, with the names x, y and f.

    Examples
    --------
    >>> dataset(train_num=10)["train_label"].shape
    torch.Size([10, 1])
    """
    samples = create_dataset(function, n_var=2, train_num=train_num, test_num=test_num, seed=seed)
    return samples | {"input_names": list(NAMES), "output_names": ["f"]}
