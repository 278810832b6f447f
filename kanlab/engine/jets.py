r"""Derivatives of the network by its inputs, exact and without autograd.

A *jet* is a function's value with its first (and second) derivatives by the network's ``d`` inputs, the batch last:
``[value [i, n], first [i, d, n], second [i, d, d, n]]``. A layer sends jets to jets by the chain rule,

``u_j = sum_i phi_ij(h_i)``, ``d_a u_j = sum_i phi'_ij d_a h_i``,
``d_a d_b u_j = sum_i phi''_ij d_a h_i d_b h_i + phi'_ij d_a d_b h_i``,

and a multiplication node by Leibniz's rule. The spline bases have exact derivatives of any order. The transposes of
both maps, which carry derivatives *by* jets backwards, stand beside them; by a second derivative these are symmetric.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.network import Network

#: ``[value, first, second][:order + 1]``; the transposed maps have a leading axis of columns.
Jet = list[Tensor]
#: Which subnodes make each node, as in `Network.groups`.
Groups = Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Derivatives:
    """A model's outputs with their derivatives by its inputs, as `derivatives` returns them.

    Attributes
    ----------
    parts
        ``(value, first, second)`` up to the order that was asked for.
    """

    parts: tuple[Tensor, ...]

    @property
    def order(self) -> int:
        """The highest derivative there is."""
        return len(self.parts) - 1

    @property
    def value(self) -> Float[Tensor, "batch n_out"]:
        """The outputs."""
        return self.parts[0]

    @property
    def first(self) -> Float[Tensor, "batch n_out n_in"]:
        """The slopes ``d y_o / d x_a``: ``first[:, o, a]``."""
        return self._part(1)

    @property
    def second(self) -> Float[Tensor, "batch n_out n_in n_in"]:
        """The curvatures ``d^2 y_o / d x_a d x_b``: ``second[:, o, a, b]``."""
        return self._part(2)

    @property
    def laplacian(self) -> Float[Tensor, "batch n_out"]:
        """The sum of the second derivatives ``d^2 y_o / d x_a^2`` over all inputs."""
        return self.second.diagonal(dim1=-2, dim2=-1).sum(-1)

    def _part(self, order: int) -> Tensor:
        if order > self.order:
            raise ValueError(
                f"derivatives of order {order} were not computed, only up to {self.order}: ask with order={order}"
            )
        return self.parts[order]


def derivatives(network: Network, x: Float[Tensor, "batch n_in"], order: int = 2) -> Derivatives:
    """Return the outputs on ``x`` and their exact derivatives by the inputs.

    Autograd may go on through them (by parameters, or by ``x`` again); under ``torch.no_grad()`` nothing is kept.

    Parameters
    ----------
    x
        Where, ``[batch, n_in]``.
    order
        0, 1 or 2.

    Raises
    ------
    ValueError
        For another order, or an ``x`` of another shape.

    Examples
    --------
    >>> network = Network([2, 3, 1], seed=0)
    >>> found = derivatives(network, torch.zeros(5, 2))
    >>> found.value.shape, found.first.shape, found.second.shape
    (torch.Size([5, 1]), torch.Size([5, 1, 2]), torch.Size([5, 1, 2, 2]))
    """
    order = check_order(order)
    h = inputs_jet(network.read(x), order)
    for groups, layer in zip(network.groups, network.kan_layers(), strict=True):
        h = combine(groups, through_edges(layer.edge_derivatives(h[0], order), h))
    return batch_first(h)


def check_order(order: int) -> int:
    """Return the order if jets have it, else say what is allowed."""
    if isinstance(order, bool) or order not in (0, 1, 2):
        raise ValueError(f"order is {order!r}; allowed are 0 (values), 1 (with slopes) and 2 (with second derivatives)")
    return int(order)


def batch_first(jet: Jet) -> Derivatives:
    """Return a jet in the layout for people: the batch first."""
    return Derivatives(tuple(part.movedim(-1, 0) for part in jet))


# ---- forward


def inputs_jet(x: Float[Tensor, "d n"], order: int) -> Jet:
    """Return the jet of the inputs themselves: slopes 1 by themselves, nothing else."""
    d, n = x.shape
    slopes = torch.eye(d, dtype=x.dtype, device=x.device).unsqueeze(-1).expand(d, d, n)
    return [x, slopes, x.new_zeros(()).expand(d, d, d, n)][: order + 1]


def through_edges(phi: list[Float[Tensor, "i o n"]], h: Jet) -> Jet:
    """Send the jets of a layer's inputs through its edges, given with their derivatives, into its sums."""
    sums = [phi[0].sum(0)]
    if len(h) > 1:
        sums.append((phi[1].unsqueeze(2) * h[1].unsqueeze(1)).sum(0))
    if len(h) > 2:
        squares = h[1].unsqueeze(2) * h[1].unsqueeze(1)
        bent = phi[2][:, :, None, None] * squares.unsqueeze(1) + phi[1][:, :, None, None] * h[2].unsqueeze(1)
        sums.append(bent.sum(0))
    return sums


def combine(groups: Groups, sums: Jet) -> Jet:
    """Make the jets of the nodes from those of their subnodes."""
    if all(len(group) == 1 for group in groups):
        return sums
    nodes = [functools.reduce(_multiply, (_row(sums, m) for m in group)) for group in groups]
    return [torch.stack(parts) for parts in zip(*nodes, strict=True)]


def _row(jet: Jet, m: int) -> Jet:
    return [part[m] for part in jet]


def _multiply(p: Jet, q: Jet) -> Jet:
    """Multiply two single jets: ``[n]``, ``[d, n]``, ``[d, d, n]``."""
    product = [p[0] * q[0]]
    if len(p) > 1:
        product.append(p[0] * q[1] + p[1] * q[0])
    if len(p) > 2:
        mixed = p[1].unsqueeze(1) * q[1]
        product.append(p[0] * q[2] + mixed + mixed.transpose(0, 1) + p[2] * q[0])
    return product


# ---- backward: ``c`` are derivatives by the parts of a jet, ``[columns, nodes, (d, (d,)) n]``


def edge_cotangents(h: Jet, c: Jet) -> list[Float[Tensor, "columns i o n"]]:
    """Turn derivatives by the jets of a layer's sums into those by ``phi_ij``, ``phi'_ij`` and ``phi''_ij``.

    The first does not depend on ``i``; that axis has length 1 there.
    """
    result = [c[0].unsqueeze(1)]
    if len(h) > 1:
        result.append((c[1].unsqueeze(1) * h[1].unsqueeze(1)).sum(3))
    if len(h) > 2:
        result[1] = result[1] + (c[2].unsqueeze(1) * h[2].unsqueeze(1)).sum((3, 4))
        result.append((_bent(h, c) * h[1].unsqueeze(1)).sum(3))
    return result


def input_cotangents(
    phi: list[Float[Tensor, "i o n"]], h: Jet, c: Jet, edges: list[Float[Tensor, "columns i o n"]]
) -> Jet:
    """Carry derivatives by the jets of a layer's sums to the jets of its inputs; ``edges`` are `edge_cotangents`."""
    slopes = [(e * slope).sum(2) for e, slope in zip(edges, phi[1:], strict=True)]
    result = [functools.reduce(torch.add, slopes)]
    if len(h) > 1:
        result.append((c[1].unsqueeze(1) * phi[1].unsqueeze(2)).sum(2))
    if len(h) > 2:
        result[1] = result[1] + 2 * (_bent(h, c) * phi[2].unsqueeze(2)).sum(2)
        result.append((c[2].unsqueeze(1) * phi[1][:, :, None, None]).sum(2))
    return result


def _bent(h: Jet, c: Jet) -> Float[Tensor, "columns i o d n"]:
    """Contract one axis of the derivatives by second derivatives with the slopes of the inputs."""
    return (c[2].unsqueeze(1) * h[1][:, None, None]).sum(4)


def split(groups: Groups, sums: Jet, c: Jet) -> Jet:
    """Carry derivatives by the jets of the nodes to their subnodes: through a product, times the other factors."""
    if all(len(group) == 1 for group in groups):
        return c
    result = [part.new_zeros(len(part), len(jet), *part.shape[2:]) for part, jet in zip(c, sums, strict=True)]
    for node, group in enumerate(groups):
        by_node = [part[:, node] for part in c]
        for m in group:
            others = [_row(sums, other) for other in group if other != m]
            by_factor = _by_factor(by_node, functools.reduce(_multiply, others)) if others else by_node
            for part, value in zip(result, by_factor, strict=True):
                part[:, m] = value
    return result


def _by_factor(c: Jet, q: Jet) -> Jet:
    """Carry derivatives by the jet of ``p q`` to the jet of ``p``."""
    result = [c[0] * q[0]]
    if len(q) > 1:
        result[0] = result[0] + (c[1] * q[1]).sum(1)
        result.append(c[1] * q[0])
    if len(q) > 2:
        result[0] = result[0] + (c[2] * q[2]).sum((1, 2))
        result[1] = result[1] + 2 * (c[2] * q[1]).sum(2)
        result.append(c[2] * q[0])
    return result
