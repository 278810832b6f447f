"""Vectors of small whole numbers near a subspace: exponents and signs as people write them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

#: How many vectors are looked at, at most.
_MOST = 300_000


@functools.lru_cache(maxsize=32)
def small_vectors(n: int, largest: int) -> Int[Tensor, "k n"]:
    """Return the vectors with entries up to ``largest`` in size, up to a factor, the simplest first.

    >>> small_vectors(2, 1).tolist()
    [[0, 1], [1, 0], [1, -1], [1, 1]]
    """
    while largest > 1 and (2 * largest + 1) ** n > _MOST:
        largest -= 1
    values = torch.arange(-largest, largest + 1)
    grid = torch.cartesian_prod(*[values] * n).reshape(-1, n)
    nonzero = grid != 0
    grid = grid[nonzero.any(-1)]
    first = grid.gather(-1, (grid != 0).int().argmax(-1, keepdim=True))
    grid = grid[first[:, 0] > 0]
    grid = grid[torch.gcd(grid[:, :1], _gcd(grid))[:, 0] == 1]
    order = sorted(range(len(grid)), key=lambda k: (_size(grid[k].tolist()), grid[k].tolist()))
    return grid[order]


def _gcd(grid: Tensor) -> Tensor:
    result = grid[:, :1].abs()
    for column in range(1, grid.shape[1]):
        result = torch.gcd(result, grid[:, column : column + 1].abs())
    return result


def _size(vector: list[int]) -> tuple[int, int]:
    return sum(map(abs, vector)), sum(map(bool, vector))


def bases(space: Float[Tensor, "m n"], tol: float, largest: int = 3, count: int = 6) -> Iterator[Int[Tensor, "m n"]]:
    """Yield bases of small whole numbers for the subspace that orthonormal rows span, the simplest first.

    A vector belongs to it if its distance is at most ``tol`` of its length.
    """
    m, n = space.shape
    if m == 0:
        yield torch.zeros(0, n, dtype=torch.long)
        return
    if m == n:
        yield torch.eye(n, dtype=torch.long)
        return
    # Inputs that the subspace hardly touches do not occur in it.
    active = (space.norm(dim=0) > tol).nonzero()[:, 0].tolist()
    vectors = small_vectors(len(active), largest)
    floats = vectors.to(space.dtype)
    part = space[:, active]
    rest = floats - (floats @ part.T) @ part
    short = vectors[rest.norm(dim=-1) <= tol * floats.norm(dim=-1)][:12]
    near = torch.zeros(len(short), n, dtype=torch.long)
    near[:, active] = short
    found = 0
    for chosen in itertools.combinations(range(len(near)), m):
        basis = near[list(chosen)]
        if torch.linalg.matrix_rank(basis.to(space.dtype)) == m:
            yield basis
            found += 1
            if found == count:
                return
