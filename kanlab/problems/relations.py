r"""Six columns with two hidden relations, and the question that finds them without labels.

:math:`x_3 = e^{\sin \pi x_1 + x_2^2}`, :math:`x_5 = x_4^3`, and :math:`x_6` depends on nothing (KAN paper,
arXiv:2404.19756, sec. 4.2; the factor π is pykan's). Real rows are told from false ones, in which columns have been
shuffled, so that each column has the values it had and the relations between columns are gone. Columns that are
shuffled *together* keep their relation and no longer give a false row away.

>>> contrast(table(100, seed=0), seed=0)["train_input"].shape
torch.Size([160, 6])
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

SOURCE = "arXiv:2404.19756, sec. 4.2"
NAMES = ("x_1", "x_2", "x_3", "x_4", "x_5", "x_6")
#: The columns of each relation, counted from 0; the last depends on nothing.
GROUPS = ((0, 1, 2), (3, 4), (5,))


def table(n: int = 500, seed: int = 0) -> Float[Tensor, "n 6"]:
    """Draw the rows: the free columns even on [-1, 1].

    >>> x = table(20)
    >>> bool(torch.equal(x[:, 4], x[:, 3] ** 3))
    True
    """
    x = torch.rand(n, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1
    x[:, 2] = torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)
    x[:, 4] = x[:, 3] ** 3
    return x


def contrast(
    x: Float[Tensor, "n columns"], together: Sequence[Sequence[int]] = (), seed: int = 0, test_size: float = 0.2
) -> dict[str, Any]:
    """Put false rows among the real ones: label 1 for a real row, 0 for one of shuffled columns.

    Parameters
    ----------
    together
        Groups of columns that are shuffled by one permutation, such as ``[(3, 4)]``; every other column by its own.
    seed
        Of the permutations and of the order of the rows.
    test_size
        The part of the rows that is put aside.

    Raises
    ------
    ValueError
        For a column that does not exist or stands in two groups.
    """
    named = [column for group in together for column in group]
    if len(set(named)) < len(named) or not set(named) <= set(range(x.shape[1])):
        raise ValueError(f"together is {together!r}; each column from 0 to {x.shape[1] - 1} may stand in it once")
    groups = [*together, *([column] for column in range(x.shape[1]) if column not in named)]
    generator = torch.Generator().manual_seed(seed)
    false = torch.empty_like(x)
    for group in groups:
        columns = list(group)
        false[:, columns] = x[torch.randperm(len(x), generator=generator)][:, columns]
    order = torch.randperm(2 * len(x), generator=generator)
    rows = torch.cat([x, false])[order]
    real = (order < len(x)).to(x.dtype)[:, None]
    held_out = round(test_size * len(order))
    return {
        "train_input": rows[held_out:],
        "train_label": real[held_out:],
        "test_input": rows[:held_out],
        "test_label": real[:held_out],
        "output_names": ["real"],
    }
