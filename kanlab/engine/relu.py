r"""A KAN as an ordinary network of linear maps and (power) ReLUs: the same function, by a change of basis.

**Degree 1** (piecewise linear edges; Schoots et al., arXiv 2503.01702). With grid points ``p_0 … p_G``, the slopes
``s_m`` between them, the middle ``c = G // 2`` and ``(z)+ = max(z, 0)``,

``phi(x) = phi(p_c) + s_c (x - p_c)+ + sum_{m>c} (s_m - s_{m-1}) (x - p_m)+
- s_{c-1} (p_c - x)+ + sum_{0<m<c} (s_m - s_{m-1}) (p_m - x)+``:

repeat each input ``G`` times, shift by the grid points, ReLU, mix. Unfolding from the middle keeps the terms that
cancel few and small.

**Degree k > 1** (power ReLUs; Actor, Southworth et al., arXiv 2505.18131 and 2603.04827). A sum of truncated powers
``(x - p_m)+^k`` over the whole grid loses digits as ``G^k``. Here each interval has a place of its own that saturates
outside it, ``s_m = (1 - (x - p_m)+ / h_m)+``: 1 to the left of the interval, 0 to its right. With ``Q_m`` the spline's
polynomial there, in powers of ``s = (p_{m+1} - x) / h_m``,

``phi(x) = phi(p_G) + sum_m (Q_m(s_m) - Q_m(0))``,

which is ReLU, then ReLU to the powers 1 … k, then mix, and as accurate as the splines. The first and the last interval
do not saturate outwards: there the end polynomials continue.

A base function other than zero and identity, and edges with a name, are no splines: they become units of their own,
applied to the input as it is, so that the whole is exact whatever the KAN holds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanlab.engine.base import BASES
from kanlab.engine.layer import KANLayer
from kanlab.engine.network import Network


class PowerReLU(nn.Module):
    """``max(x, 0) ** power``.

    >>> PowerReLU(2)(torch.tensor([-1.0, 3.0]))
    tensor([0., 9.])
    """

    def __init__(self, power: int):
        super().__init__()
        self.power = power

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate elementwise."""
        return x.clamp_min(0) ** self.power

    def extra_repr(self) -> str:
        """Show the power."""
        return str(self.power)


class Elementwise(nn.Module):
    """A function of one number, such as a KAN's base function or a named edge's."""

    def __init__(self, name: str, function: Callable[[Tensor], Tensor]):
        super().__init__()
        self.name, self.function = name, function

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate elementwise."""
        return self.function(x)

    def extra_repr(self) -> str:
        """Show the name."""
        return self.name


class Units(nn.Module):
    """Several activations side by side, each on units of its own: ``sizes`` of them, in order."""

    def __init__(self, sizes: Sequence[int], activations: Sequence[nn.Module]):
        super().__init__()
        self.sizes = list(sizes)
        self.activations = nn.ModuleList(activations)

    def forward(self, x: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch units"]:
        """Apply each activation to its units."""
        return torch.cat([f(part) for f, part in zip(self.activations, x.split(self.sizes, -1), strict=True)], -1)

    def extra_repr(self) -> str:
        """Show how many units each activation has."""
        return f"sizes={self.sizes}"


class Products(nn.Module):
    """The nodes made of sums: ``groups[n]`` says which sums node ``n`` multiplies."""

    def __init__(self, groups: Sequence[Sequence[int]]):
        super().__init__()
        self.groups = [list(group) for group in groups]

    def forward(self, x: Float[Tensor, "*batch sums"]) -> Float[Tensor, "*batch nodes"]:
        """Multiply."""
        return torch.stack([x[..., group].prod(-1) for group in self.groups], -1)

    def extra_repr(self) -> str:
        """Show the groups."""
        return str(self.groups)


@dataclass
class _Stretch:
    """Units with one activation: what they take from the layer before, and what they give to each sum."""

    activation: nn.Module
    weight: Float[Tensor, "units inputs"]
    bias: Float[Tensor, " units"]
    mix: Float[Tensor, "out units"]


@dataclass
class _Plan:
    """A linear map of the inputs, ReLU where there is a first stage, then stretches of units, mixed with constants."""

    constant: Float[Tensor, " out"]
    first: tuple[Tensor, Tensor] | None = None
    stretches: list[_Stretch] = field(default_factory=list)


def to_mlp(network: Network) -> nn.Sequential:
    r"""Return the module of linear maps and ReLUs that equals a KAN, on its grids and beyond.

    Parameters
    ----------
    network
        Of degree 1 or more. With ``k=1`` and ``base_fun`` "zero" or "identity" the module holds nothing but
        `torch.nn.Linear` and `torch.nn.ReLU`. A silu base is not piecewise linear: each input then gets one more unit,
        a `torch.nn.SiLU` (make the model with ``base_fun="identity"`` to do without). Edges with a name likewise.

    Returns
    -------
    torch.nn.Sequential
        One `torch.nn.Sequential` a layer, with ``repeat`` (weights ±1, the biases being the grid points), ``relu``,
        for ``k > 1`` also ``place`` and ``power``, then ``mix``, and ``products`` where there are multiplication nodes.
        Removed edges are zeros of ``mix``. All of it can be trained like any module; splines of ``k > 1`` then stay
        continuous, their derivatives need not.

    Raises
    ------
    ValueError
        For ``k = 0``: its steps are no continuous function.

    Notes
    -----
    A layer of ``n`` inputs and ``m`` sums on ``G`` intervals has ``u = n max(G, 2)`` units and ``(n + 1) u +
    (u + 1) m`` parameters for ``k = 1``, most of ``repeat`` being zeros. For ``k > 1`` it has ``v = n (G + 1)`` units,
    then ``k v``, and ``(n + 1) v + (v + 1) k v + (k v + 1) m`` parameters.

    In float64 the two agree to 1e-12 of the output's size, on the grids and beyond, whatever the grid for ``k > 1`` and
    up to some hundred intervals for ``k = 1``, where rounding grows as ``G^1.5``. Only a network that itself makes more
    than that of the last digit of its inputs differs by as much as it then does.

    Examples
    --------
    >>> network = Network([2, 3, 1], grid=5, k=1, base_fun="identity", seed=0)
    >>> to_mlp(network)[0]
    Sequential(
      (repeat): Linear(in_features=2, out_features=10, bias=True)
      (relu): ReLU()
      (mix): Linear(in_features=10, out_features=3, bias=True)
    )
    """
    parts = []
    for l, layer in enumerate(network.kan_layers()):
        if layer.k == 0:
            raise ValueError(
                f"layer {l} has k=0: its steps are no continuous function, which a network of ReLUs always is; "
                "take k from 1 up"
            )
        groups = network.groups[l]
        part = _module((_lines if layer.k == 1 else _powers)(layer))
        if any(len(group) > 1 for group in groups):
            part.add_module("products", Products(groups))
        parts.append(part)
    return nn.Sequential(*parts)


# ---- degree 1


@torch.no_grad()
def _lines(layer: KANLayer) -> _Plan:
    """Unfold broken lines from the middle of the grid."""
    points, polynomials = _points(layer), interval_polynomials(layer)
    slopes = -polynomials[..., 1] / points.diff(dim=-1).unsqueeze(1)
    middle = layer.grid // 2
    right = range(middle, layer.grid)
    left = range(middle, 0, -1) or [middle]
    gains = torch.empty(layer.in_dim, layer.out_dim, len(right) + len(left), dtype=points.dtype, device=points.device)
    gains[..., 0], gains[..., len(right)] = slopes[..., middle], -slopes[..., max(middle - 1, 0)]
    bends = slopes.diff(dim=-1)
    gains[..., 1 : len(right)] = bends[..., middle:]
    gains[..., len(right) + 1 :] = bends[..., : max(middle - 1, 0)].flip(-1)
    signs = torch.tensor([1.0] * len(right) + [-1.0] * len(left), dtype=points.dtype, device=points.device)
    weight, bias = _repeat(points[:, [*right, *left]], signs)
    plan = _Plan(polynomials[..., middle, :].sum((0, -1)))
    plan.stretches.append(_Stretch(nn.ReLU(), weight, bias, _by_unit(gains)))
    _add_own_units(plan, layer, *_inputs(layer))
    return plan


def _repeat(points: Float[Tensor, "i units"], signs: Float[Tensor, " units"]) -> tuple[Tensor, Tensor]:
    """Return the linear map to ``sign * (x - point)`` for each point of each input."""
    eye = torch.eye(len(points), dtype=points.dtype, device=points.device)
    return torch.kron(eye, signs.unsqueeze(1)), -(signs * points).flatten()


def _by_unit(gains: Float[Tensor, "i o units"]) -> Float[Tensor, "o i_units"]:
    return gains.transpose(0, 1).flatten(1)


# ---- higher degrees


@torch.no_grad()
def _powers(layer: KANLayer) -> _Plan:
    """Give each interval a place that saturates outside it, and mix that place's powers."""
    points, polynomials = _points(layer), interval_polynomials(layer)
    n, grid = layer.in_dim, layer.grid
    widths = points.diff(dim=-1)
    signs = torch.tensor([1.0] * grid + [-1.0], dtype=points.dtype, device=points.device)
    plan = _Plan(polynomials[..., -1, 0].sum(0), _repeat(points[:, [*range(grid), 0]], signs))
    # Places s_m = 1 - a_m / h_m of the shifted inputs a; the first one also counts what lies to the left of the grid.
    own = torch.zeros(n, grid + 1, grid + 1, dtype=points.dtype, device=points.device)
    own[:, range(grid), range(grid)] = -1 / widths
    own[:, 0, grid] = 1 / widths[:, 0]
    own[:, grid] = -own[:, grid - 1]  # what lies to the right of the grid: the last place, turned round
    weight = torch.block_diag(*own)
    bias = torch.ones(n, grid + 1, dtype=points.dtype, device=points.device)
    bias[:, grid] = -1
    for power in range(1, layer.k + 1):
        gains = polynomials[..., power]
        gains = torch.cat([gains, (-1) ** power * gains[..., -1:]], -1)
        activation = nn.ReLU() if power == 1 else PowerReLU(power)
        plan.stretches.append(_Stretch(activation, weight, bias.flatten(), _by_unit(gains)))
    back = torch.zeros(n, grid + 1, dtype=points.dtype, device=points.device)
    back[:, 0], back[:, grid] = 1, -1
    _add_own_units(plan, layer, torch.block_diag(*back.unsqueeze(1)), points[:, 0])
    return plan


def interval_polynomials(layer: KANLayer) -> Float[Tensor, "i o grid k1"]:
    """Return each spline's polynomial on each interval, in powers of ``(right end - x) / width``.

    An identity base is part of it. De Boor's recursion, on polynomials in place of numbers.

    >>> layer = KANLayer(1, 1, grid=1, k=1, base_fun="zero")
    >>> torch.isclose(interval_polynomials(layer).sum(-1), layer.coef[..., :1])
    tensor([[[True]]])
    """
    k, grid, knots, mask = layer.k, layer.grid, layer.knots, layer.spline_mask()
    ends = knots[:, k + 1 : k + 1 + grid]
    widths = ends - knots[:, k : k + grid]

    def times(factor: Tensor, polynomial: Tensor) -> Tensor:
        """Multiply by ``factor - width * s``."""
        shifted = nn.functional.pad(polynomial[..., :-1], (1, 0))
        return factor.unsqueeze(-1) * polynomial - widths.unsqueeze(-1) * shifted

    one = torch.zeros(*widths.shape, k + 1, dtype=knots.dtype, device=knots.device)
    one[..., 0] = 1
    bases = [one]
    for degree in range(1, k + 1):
        longer = [torch.zeros_like(one) for _ in range(degree + 1)]
        for r, lower in enumerate(bases):
            after, before = (knots[:, first : first + grid] for first in (k + 1 + r, k + 1 + r - degree))
            quotient = lower / (after - before).unsqueeze(-1)
            longer[r] = longer[r] - times(ends - after, quotient)
            longer[r + 1] = longer[r + 1] + times(ends - before, quotient)
        bases = longer
    near = (layer.coef * (layer.scale_sp * mask).unsqueeze(-1)).unfold(-1, k + 1, 1)
    result = torch.einsum("iogr,rigp->iogp", near, torch.stack(bases))
    if layer.base is BASES["identity"]:
        slopes = (layer.scale_base * mask).unsqueeze(-1)
        result[..., 0] += slopes * ends.unsqueeze(1)
        result[..., 1] -= slopes * widths.unsqueeze(1)
    return result


# ---- what is no spline, and the module


def _add_own_units(plan: _Plan, layer: KANLayer, x: Float[Tensor, "i units"], at: Float[Tensor, " i"]) -> None:
    """Add units for the base function and for named edges, which need the inputs ``x @ units + at``."""
    base = layer.base
    if base not in (BASES["zero"], BASES["identity"]):
        activation = nn.SiLU() if base is BASES["silu"] else Elementwise(base.name, lambda u: base.evaluate(u, 0)[0])
        plan.stretches.append(_Stretch(activation, x, at, (layer.scale_base * layer.spline_mask()).T))
    for group in layer.fixed_groups():
        a, b, c, d = layer.affine[group.inputs, group.outputs].unbind(-1)
        mix = torch.zeros(layer.out_dim, len(a), dtype=a.dtype, device=a.device)
        mix[group.outputs, range(len(a))] = c
        plan.constant = plan.constant.index_add(0, group.outputs, d)
        weight, bias = a.unsqueeze(1) * x[group.inputs], a * at[group.inputs] + b
        plan.stretches.append(_Stretch(Elementwise(group.function.name, group.function), weight, bias, mix))


def _inputs(layer: KANLayer) -> tuple[Tensor, Tensor]:
    """Return the linear map that leaves the inputs as they are."""
    eye = torch.eye(layer.in_dim, dtype=layer.knots.dtype, device=layer.knots.device)
    return eye, torch.zeros_like(eye[0])


def _points(layer: KANLayer) -> Float[Tensor, "i g1"]:
    return layer.knots[:, layer.k : layer.knots.shape[-1] - layer.k]


def _module(plan: _Plan) -> nn.Sequential:
    parts: dict[str, nn.Module] = {}
    if plan.first is not None:
        parts |= {"repeat": _linear(*plan.first), "relu": nn.ReLU()}
    stretches = plan.stretches
    into = _linear(torch.cat([s.weight for s in stretches]), torch.cat([s.bias for s in stretches]))
    activation = stretches[0].activation
    if len(stretches) > 1:
        activation = Units([len(s.bias) for s in stretches], [s.activation for s in stretches])
    parts |= {"place": into, "power": activation} if parts else {"repeat": into, "relu": activation}
    parts["mix"] = _linear(torch.cat([s.mix for s in stretches], 1), plan.constant)
    return nn.Sequential(OrderedDict(parts))


def _linear(weight: Float[Tensor, "out inputs"], bias: Float[Tensor, " out"]) -> nn.Linear:
    # Not drawn at random first: that would advance torch's global generator.
    linear = cast(nn.Linear, nn.utils.skip_init(nn.Linear, *weight.T.shape, dtype=weight.dtype, device=weight.device))
    linear.weight, linear.bias = nn.Parameter(weight.detach().clone()), nn.Parameter(bias.detach().clone())
    return linear
