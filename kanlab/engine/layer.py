r"""A KAN layer: a matrix of learnable one-dimensional functions, as one batched tensor program.

``out[j] = sum_i phi_ij(x[i])`` with, for an edge that is still a spline (KAN paper, eqs. 2.10-2.12),
``phi(x) = scale_base * b(x) + scale_sp * sum_b coef[b] B_b(x)``, and for an edge that was given a name,
``phi(x) = c * f(a * x + b) + d``. A removed edge is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from kanlab.engine import spline
from kanlab.engine.base import base_function
from kanlab.engine.frame import PLAIN, Frame, frame_of
from kanlab.engine.start import Start


@runtime_checkable
class EdgeFunction(Protocol):
    """What a fixed edge must be able to do; the symbolic library's records do it."""

    @property
    def name(self) -> str:
        """The name it is registered under."""
        ...

    def __call__(self, u: Tensor) -> Tensor:
        """Evaluate elementwise."""
        ...

    def derivative(self, u: Tensor) -> Tensor:
        """Evaluate the first derivative elementwise."""
        ...


def function_derivatives(function: EdgeFunction, u: Tensor, order: int) -> list[Tensor]:
    """Evaluate ``[f, f', f'', …][:order + 1]``: the first two as the function gives them, the rest by autograd.

    Autograd may go on through the result where ``u`` asks for it.
    """
    if order <= 1:
        return [function(u), function.derivative(u)][: order + 1]
    through = u.requires_grad and torch.is_grad_enabled()
    with torch.enable_grad():
        inner = u if through else u.detach().requires_grad_()
        parts = [function(inner), function.derivative(inner)]
        while len(parts) <= order:
            last = parts[-1]
            if last.requires_grad:
                more = through or len(parts) < order
                parts += torch.autograd.grad(last.sum(), inner, create_graph=more, materialize_grads=True)
            else:  # a constant, such as the slope of a line
                parts.append(torch.zeros_like(inner))
    return parts if through else [part.detach() for part in parts]


def sum_edges(weights: Float[Tensor, "*s i o rows"], bases: Float[Tensor, "*t i rows n"]) -> Float[Tensor, "*s o n"]:
    """Sum the curves ``weights[i, j] @ bases[i]`` into each output ``j``, by one matrix product.

    >>> sum_edges(torch.ones(2, 3, 4), torch.ones(2, 4, 5))[0, 0]
    tensor(8.)
    """
    return weights.transpose(-3, -2).flatten(-2) @ bases.flatten(-3, -2)


@dataclass(frozen=True)
class LocalBases:
    """What is nonzero of `KANLayer.bases` and its derivatives, and where.

    Attributes
    ----------
    parts, own
        The bases and the base function, by the order of the derivative.
    index
        The rows in which ``parts`` stand; ``own`` stands in the last.
    rows
        How many rows there are.
    """

    parts: list[Float[Tensor, "*s i k1 n"]]
    own: list[Float[Tensor, "*s i n"]]
    index: Int[Tensor, "*s i k1 n"]
    rows: int

    def dense(self, order: int) -> Float[Tensor, "*s i rows n"]:
        """Return all rows."""
        dense = spline.spread(self.parts[order], self.index, self.rows)
        dense[..., -1, :] = self.own[order]
        return dense

    def contract(self, other: Float[Tensor, "*s i rows n"], order: int) -> Float[Tensor, "*s i n"]:
        """Return ``(dense * other).sum(-2)`` from the rows that matter."""
        there = other.gather(-2, self.index)
        return (there * self.parts[order]).sum(-2) + other[..., -1, :] * self.own[order]


@dataclass(frozen=True)
class FixedGroup:
    """The edges of one layer that carry the same function, to be evaluated together."""

    function: EdgeFunction
    inputs: Tensor
    outputs: Tensor

    def derivatives(
        self, x: Float[Tensor, "*s edges n"], affine: Float[Tensor, "*s edges 4"], order: int
    ) -> list[Float[Tensor, "*s edges n"]]:
        """Evaluate ``c f(a x + b) + d`` and its derivatives by ``x``, ``c a^m f^(m)(a x + b)``, up to ``order``."""
        a, b, c, d = affine.unsqueeze(-1).unbind(-2)
        value, *slopes = function_derivatives(self.function, a * x + b, order)
        return [c * value + d, *(c * a**m * slope for m, slope in enumerate(slopes, 1))]


class KANLayer(nn.Module):
    """``in_dim`` times ``out_dim`` edges on a common grid per input.

    Parameters
    ----------
    in_dim, out_dim
        Numbers of inputs and of sums.
    grid
        Number of intervals ``G`` of each spline.
    k
        Degree of the splines.
    generator
        Source of the initial values.
    **start
        The options of `Start`.

    Attributes
    ----------
    coef : ``[in_dim, out_dim, G + k]``
    scale_base, scale_sp : ``[in_dim, out_dim]``
    affine : ``[in_dim, out_dim, 4]``, the ``a, b, c, d`` of fixed edges
    knots : ``[in_dim, G + 2k + 1]``
    mask : ``[in_dim, out_dim]``, 0 where an edge was removed
    fixed : the function of each edge that has a name
    """

    knots: Tensor
    mask: Tensor

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        *,
        grid: int = 3,
        k: int = 3,
        generator: torch.Generator | None = None,
        **start: Any,
    ):
        super().__init__()
        self.start = begin = Start(**start)
        self.in_dim, self.out_dim, self.k = in_dim, out_dim, k
        #: The base function ``b(x)``.
        self.base = base_function(begin.base_fun)
        self.coef = nn.Parameter(begin.coef(in_dim, out_dim, grid + k, generator))
        self.scale_base = nn.Parameter(begin.scale_base(in_dim, out_dim, generator), begin.sb_trainable)
        ones = torch.ones(in_dim, out_dim, dtype=begin.dtype)
        self.scale_sp = nn.Parameter(ones, begin.sp_trainable)
        self.affine = nn.Parameter(ones.new_tensor([1.0, 0.0, 1.0, 0.0]).repeat(in_dim, out_dim, 1))
        knots = spline.uniform_knots(*begin.grid_range, grid, k, in_dim=in_dim, dtype=begin.dtype)
        self.register_buffer("knots", knots.clone())
        self.register_buffer("mask", begin.mask(in_dim, out_dim))
        self.fixed: Mapping[tuple[int, int], EdgeFunction] = {}
        #: The knots as they were when last evaluated, which version of them that was, and the base function's frame.
        self._mesh: tuple[spline.Mesh, int, Frame] | None = None

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> None:
        """Give the edges other initial values; what is frozen (``requires_grad`` off) keeps its own."""
        coef = self.start.coef(self.in_dim, self.out_dim, self.coef.shape[-1], generator)
        scale_base = self.start.scale_base(self.in_dim, self.out_dim, generator)
        for parameter, value in ((self.coef, coef), (self.scale_base, scale_base)):
            if parameter.requires_grad:
                parameter.copy_(value)

    @property
    def base_fun(self) -> str:
        """The name of the base function."""
        return self.base.name

    @property
    def grid(self) -> int:
        """Number of intervals ``G``."""
        return self.knots.shape[-1] - 2 * self.k - 1

    def extra_repr(self) -> str:
        """Describe the layer in its repr."""
        return f"{self.in_dim}, {self.out_dim}, grid={self.grid}, k={self.k}, fixed={len(self.fixed)}"

    # ---- which edge is what

    def spline_mask(self) -> Float[Tensor, "in_dim out_dim"]:
        """1 where an edge is present and still a spline."""
        mask = self.mask.clone()
        for i, j in self.fixed:
            mask[i, j] = 0
        return mask

    def fixed_groups(self) -> list[FixedGroup]:
        """Present fixed edges, grouped by function."""
        groups: dict[str, tuple[EdgeFunction, list[tuple[int, int]]]] = {}
        for (i, j), function in self.fixed.items():
            if self.mask[i, j] != 0:
                groups.setdefault(function.name, (function, []))[1].append((i, j))
        return [
            FixedGroup(function, *(torch.tensor(side, device=self.mask.device) for side in zip(*edges, strict=True)))
            for function, edges in groups.values()
        ]

    def fix(self, i: int, j: int, function: EdgeFunction, affine: tuple[float, float, float, float]) -> None:
        """Give edge ``(i, j)`` a function and its ``a, b, c, d``; its spline is kept for `unfix`."""
        self.fixed = {**self.fixed, (i, j): function}
        with torch.no_grad():
            self.affine[i, j] = self.affine.new_tensor(affine)
            self.mask[i, j] = 1

    def unfix(self, i: int, j: int) -> None:
        """Give edge ``(i, j)`` its spline back."""
        self.fixed = {edge: function for edge, function in self.fixed.items() if edge != (i, j)}

    def remove(self, i: int, j: int) -> None:
        """Remove edge ``(i, j)``: it is zero from now on."""
        self.unfix(i, j)
        self.mask[i, j] = 0

    @torch.no_grad()
    def select(self, inputs: Tensor, outputs: Tensor) -> None:
        """Keep only these inputs and outputs."""
        for name in ("coef", "scale_base", "scale_sp", "affine"):
            old = getattr(self, name)
            setattr(self, name, nn.Parameter(old[inputs][:, outputs].clone(), requires_grad=old.requires_grad))
        self.mask = self.mask[inputs][:, outputs].clone()
        self.knots = self.knots[inputs].clone()
        new_i = {old: new for new, old in enumerate(inputs.tolist())}
        new_j = {old: new for new, old in enumerate(outputs.tolist())}
        self.fixed = {
            (new_i[i], new_j[j]): function for (i, j), function in self.fixed.items() if i in new_i and j in new_j
        }
        self.in_dim, self.out_dim = len(new_i), len(new_j)

    # ---- evaluation, batch last

    @property
    def mesh(self) -> spline.Mesh:
        """The knots, ready for evaluation."""
        return self._evaluated()[0]

    @property
    def frame(self) -> Frame:
        """In what unit the base function is seen; as it is where the splines may not make up for an offset."""
        frame = self._evaluated()[2]
        if frame is PLAIN or (self.coef.requires_grad and bool((self.scale_sp != 0).all())):
            return frame
        return PLAIN

    def _evaluated(self) -> tuple[spline.Mesh, int, Frame]:
        known = self._mesh
        if known is None or known[0].knots is not self.knots or known[1] != self.knots._version:
            low, high = self.knots[..., self.k], self.knots[..., -self.k - 1]
            frame = frame_of(self.base, low, high)
            known = self._mesh = (spline.Mesh(self.knots, self.k), self.knots._version, frame)
        return known

    def local_bases(self, x: Float[Tensor, "*s i n"], order: int = 0) -> LocalBases:
        """Evaluate the nonzero bases and ``b(x)`` (in its `frame`), with derivatives."""
        parts, first = self.mesh.local_basis(x, order)
        own = self.frame.features(self.base.evaluate(x, order))
        return LocalBases(parts, own, spline.basis_index(first, self.k), self.coef.shape[-1] + 1)

    def bases(self, x: Float[Tensor, "*s i n"], order: int = 0) -> list[Float[Tensor, "*s i bases1 n"]]:
        """Evaluate what the edges of each input are made of: the ``G + k`` bases and ``b(x)`` (in its `frame`)."""
        local = self.local_bases(x, order)
        return [local.dense(m) for m in range(order + 1)]

    def weights(self) -> Float[Tensor, "*s i o bases1"]:
        """Return what multiplies `bases` on each edge; zero where there is no spline."""
        weights = self.frame.weights(self.coef * self.scale_sp.unsqueeze(-1), self.scale_base)
        return weights * self.spline_mask().unsqueeze(-1)

    @torch.no_grad()
    def keep_weights(self, weights: Float[Tensor, "*s edges bases1"], inputs: Tensor, outputs: Tensor) -> None:
        """Set the parameters of these edges so that `weights` returns these numbers."""
        at = (..., inputs, outputs)
        scaled, base = self.frame.parameters(weights, inputs)
        self.coef[(*at, slice(None))] = scaled / self.scale_sp[at].unsqueeze(-1)
        self.scale_base[at] = base

    def edge_derivatives(self, x: Float[Tensor, "*s i n"], order: int) -> list[Float[Tensor, "*s i o n"]]:
        """Evaluate every edge and its derivatives by its input, up to ``order`` (at most 3)."""
        weights = self.weights()
        parts = [weights @ bases for bases in self.bases(x, order)]
        for group in self.fixed_groups():
            edges = (..., group.inputs, group.outputs, slice(None))
            values = group.derivatives(x[..., group.inputs, :], self.affine[edges], order)
            parts = [part.clone() for part in parts]
            for part, value in zip(parts, values, strict=True):
                part[edges] = value
        return parts

    def postacts(self, x: Float[Tensor, "*s i n"]) -> Float[Tensor, "*s i o n"]:
        """Evaluate every edge."""
        return self.edge_derivatives(x, 0)[0]

    def forward(self, x: Float[Tensor, "*s i n"]) -> Float[Tensor, "*s o n"]:
        """Sum the edges into each output."""
        if self.fixed:
            return self.postacts(x).sum(-3)
        return sum_edges(self.weights(), self.bases(x)[0])

    def edge(self, i: int, j: int, x: Float[Tensor, "*s n"]) -> Float[Tensor, "*s n"]:
        """Evaluate one edge on its own."""
        if self.mask[i, j] == 0:
            return torch.zeros_like(x)
        if (i, j) in self.fixed:
            a, b, c, d = self.affine[i, j]
            return c * self.fixed[i, j](a * x + b) + d
        value = spline.basis(x[None], self.knots[i : i + 1], self.k)[0][0]
        return self.scale_base[i, j] * self.base.evaluate(x, 0)[0] + self.scale_sp[i, j] * (self.coef[i, j] @ value)

    # ---- the grid

    def regrid(self, knots: Float[Tensor, "*s i knots"]) -> None:
        """Move to other knots (of any number), leaving each spline as it was as far as the new knots can.

        The new coefficients are fitted to the old splines at points dense in both grids, so that nothing depends on
        where samples happen to lie.
        """
        with torch.no_grad():
            points = torch.cat([spline.dense_points(knots, self.k), self._inside(knots)], -1)
            old = spline.curve(self.coef, spline.basis(points, self.knots, self.k)[0])
            coef = spline.fit_coef(points, old, knots, self.k)
            # The same parameter with other numbers: an optimiser that holds it goes on with these.
            self.coef.data, self.coef.grad = coef, None
            self.knots = knots.clone()

    @torch.no_grad()
    def stretch(self, knots: Float[Tensor, "*s i knots"]) -> None:
        """Move to other knots of the same number, each curve stretched with its grid as far as ``b(x)`` can be."""
        before, scaled = self.frame, self.coef * self.scale_sp.unsqueeze(-1)
        self.knots = knots
        if self.frame is before or not self.scale_base.requires_grad:  # both plain: nothing to do, to the last bit
            return
        weights = before.weights(scaled, self.scale_base)
        inputs, outputs = torch.ones_like(self.mask).nonzero(as_tuple=True)
        self.keep_weights(weights[..., inputs, outputs, :], inputs, outputs)

    def _inside(self, knots: Tensor) -> Tensor:
        """Return the old grid's points that the new range covers (others moved to its ends)."""
        old = spline.dense_points(self.knots, self.k, per_interval=2)
        return old.clamp(knots[..., self.k, None], knots[..., knots.shape[-1] - self.k - 1, None])
