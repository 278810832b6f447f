r"""Which inputs belong together: tests of a function's structure by its derivatives (arXiv:2408.10205, section 4.2).

The function is a trained network or any other of rows ``[n, d]``, to ``[n]`` or ``[n, 1]``, that torch can
differentiate twice.

- It is *separable* into ``g(x_I) + h(x_J)`` if every ``d^2 f / dx_i dx_j`` with ``i`` in ``I``, ``j`` in ``J``
  vanishes. A product is a sum of logarithms: for ``g(x_I) h(x_J)`` ask about ``log |f|``.
- It *reads a group as one*, ``f = g(h(x_I), x_J)``, if the direction of its gradient by ``x_I`` is the same for all
  ``x_J``. A rotation of ``x_I`` under which ``f`` stays the same is such a case: ``h`` is the radius.

All numbers are relative: inputs are measured by their spread on ``x``, so units do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

Function = Callable[[Tensor], Tensor]


def interactions(f: Function, x: Float[Tensor, "n d"]) -> Float[Tensor, "d d"]:
    r"""Return how strongly each two inputs act together: 0 where ``f`` is a sum of functions that separate them.

    ``rms(d^2 f / dx_i dx_j) std(x_i) std(x_j) / std(f)`` over the rows of ``x``; the diagonal is 0.

    Parameters
    ----------
    f
        A network or any function of rows.
    x
        Where it is looked at; a few hundred rows of its data are enough.

    Raises
    ------
    ValueError
        If ``f`` is constant on ``x``, or not finite.

    Examples
    --------
    >>> x = torch.rand(100, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> (interactions(lambda x: x[:, 0] * x[:, 1] + x[:, 2] ** 2, x) > 1e-9).int().tolist()
    [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    """
    rows = x.detach().clone().requires_grad_()
    value, first = _slopes(f, rows)
    spread = value.detach().std(correction=0)
    if not bool(spread > 0) or not bool(spread.isfinite()):
        raise ValueError(
            f"f has a spread of {float(spread)} on these {len(x)} rows: it must be finite and change from row to row"
        )
    second = torch.stack([_gradient(column, rows) for column in first.unbind(1)], 1).detach()
    unit = rows.detach().std(0, correction=0)
    strength = second.square().mean(0).sqrt() * torch.outer(unit, unit) / spread
    return strength.fill_diagonal_(0.0)


def separable_groups(f: Function, x: Float[Tensor, "n d"], threshold: float = 1e-2) -> list[tuple[int, ...]]:
    """Return the smallest groups of inputs of which ``f`` is a sum; one group if it is not separable.

    Parameters
    ----------
    f
        A network or any function of rows; ``lambda x: torch.log(model(x).abs())`` asks for a product.
    x
        Where it is looked at.
    threshold
        `interactions` up to this count as none. It cannot be below what the error of a trained network makes up.

    Examples
    --------
    >>> x = torch.rand(100, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1
    >>> def f(x):
    ...     return torch.exp(x[:, 0] * x[:, 3]) * (x[:, 1] + x[:, 2])
    >>> separable_groups(f, x), separable_groups(lambda x: torch.log(f(x)), x)
    ([(0, 1, 2, 3)], [(0, 3), (1, 2)])
    """
    linked = interactions(f, x) > threshold
    groups: list[set[int]] = []
    for i, row in enumerate(linked.tolist()):
        mine = {i, *(j for j, together in enumerate(row) if together)}
        apart = [group for group in groups if not group & mine]
        groups = [*apart, mine.union(*(group for group in groups if group & mine))]
    return sorted(tuple(sorted(group)) for group in groups)


def asymmetry(f: Function, x: Float[Tensor, "n d"], group: Sequence[int]) -> float:
    r"""Return how far ``f`` is from reading a group of inputs as one: 0 if ``f = g(h(x_I), x_J)``, at most 1.

    The root mean square of the sine between the gradients by ``x_I`` of two rows that share ``x_I`` and differ in
    ``x_J``, weighed by their lengths.

    Parameters
    ----------
    f
        A network or any function of rows.
    x
        Rows of independent inputs; ``x_J`` is taken from the next row for the second gradient.
    group
        The inputs ``I``: two or more, but not all.

    Raises
    ------
    ValueError
        For a group of another kind, or where ``f`` does not depend on it.

    Examples
    --------
    >>> x = torch.rand(100, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> def f(x):
    ...     return torch.sin(x[:, 0] * x[:, 1]) + x[:, 2] * x[:, 0] * x[:, 1]
    >>> asymmetry(f, x, [0, 1]) < 1e-6, asymmetry(f, x, [0, 2]) > 0.02
    (True, True)
    """
    chosen = sorted(set(group))
    if len(chosen) != len(group) or not 2 <= len(chosen) < x.shape[1] or not 0 <= chosen[0] <= chosen[-1] < x.shape[1]:
        raise ValueError(
            f"group is {group!r}; two or more different inputs of 0 to {x.shape[1] - 1} are needed, and not all of them"
        )
    other = x.detach().roll(-1, 0)
    other[:, chosen] = x.detach()[:, chosen]
    unit = x.detach().std(0, correction=0)[chosen]
    here, there = (
        (_slopes(f, rows.clone().requires_grad_())[1].detach()[:, chosen] * unit) for rows in (x.detach(), other)
    )
    lengths = here.square().sum(1) * there.square().sum(1)
    if not float(lengths.sum()) > 0:
        raise ValueError(f"f does not depend on the inputs {group!r} on these rows")
    aligned = (here * there).sum(1).square()
    return max(0.0, 1 - float(aligned.sum() / lengths.sum())) ** 0.5


def _slopes(f: Function, rows: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
    """Return values and gradients, to be differentiated further."""
    value = f(rows)
    if value.numel() != len(rows):
        raise ValueError(f"f returned shape {tuple(value.shape)} for {len(rows)} rows; one number a row is needed")
    value = value.reshape(-1)
    return value, _gradient(value, rows)


def _gradient(value: Float[Tensor, " n"], rows: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Differentiate each row's number by that row; 0 where it is a constant."""
    if not value.requires_grad:
        return torch.zeros_like(rows)
    found = torch.autograd.grad(value.sum(), rows, create_graph=True, allow_unused=True, materialize_grads=True)
    return found[0]
