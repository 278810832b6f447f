"""Products of a matrix with its own transpose."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def gram(rows: Float[Tensor, "p m"]) -> Float[Tensor, "p p"]:
    """Return ``rows @ rows.T``, computing only one triangle of blocks where the matrix is large.

    >>> a = torch.randn(300, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    >>> bool(torch.allclose(gram(a), a @ a.T, atol=1e-12))
    True
    """
    size = rows.shape[0]
    if size <= 96:
        return rows @ rows.T
    result = rows.new_empty(size, size)
    block = max(64, size // 6)
    for start in range(0, size, block):
        stop = min(start + block, size)
        torch.mm(rows[start:stop], rows[start:].T, out=result[start:stop, start:])
        result[stop:, start:stop] = result[start:stop, stop:].T
    return result
