r"""The penalty of a network on a tape: its value, its gradient, and a positive model of its curvature.

Whatever the metric, the penalty is a function of variances over the batch, of edges, sums and nodes, and (with
``lamb_coef``, ``lamb_coefdiff``) of the coefficients themselves. Its derivatives by the variances are all that the
derivatives by activations are made of: ``d var(phi) / d phi_n = 2 (phi_n - mean) / N``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.linearise import LayerTape, Linearisation, Tape
from kanlab.engine.magnitudes import METRICS, RELATIVE, Metric, Variances
from kanlab.engine.penalty import Penalty

#: Spread (standard deviation) of a hidden node below which its outgoing magnitudes are no longer scaled up.
_HIDDEN_FLOOR = 0.1
#: What inputs count as spread, that of even ones on [-1, 1]: their own spread depends on the unit they came in.
_INPUT_SPREAD = 3**-0.5
#: Magnitudes and coefficients are smoothed below this, which makes the penalty differentiable at zero.
_SMOOTH = 1e-4


@dataclass(frozen=True)
class Slopes:
    """The derivatives of the sum of the layers' ``R`` by the variances of each layer's edges, nodes and sums."""

    edges: list[Float[Tensor, "i o"]] = field(default_factory=list)
    nodes: list[Float[Tensor, " i"]] = field(default_factory=list)
    sums: list[Float[Tensor, " o"]] = field(default_factory=list)


@dataclass
class Regularisation:
    """The sum of the layers' ``R``; its slopes are computed when asked for, which a step not taken never does."""

    value: float = 0.0
    derive: Callable[[], Slopes] = Slopes

    @functools.cached_property
    def slopes(self) -> Slopes:
        """Its derivatives."""
        return self.derive()


@dataclass(frozen=True)
class _Spreads:
    """What one layer's magnitudes are made of."""

    variance: Float[Tensor, "i o"]
    spread: Float[Tensor, "i o"]
    own: Float[Tensor, "i 1"]
    unit: Float[Tensor, "i 1"]
    magnitudes: Float[Tensor, "i o"]


class Sparsity:
    """What a `Penalty` makes of a network.

    Parameters
    ----------
    linear
        The network as a function of its parameters.
    penalty
        The strengths.
    scale
        Unit of the outputs, for magnitudes that are relative to it.
    """

    def __init__(self, linear: Linearisation, penalty: Penalty, scale: float):
        self.linear, self.penalty = linear, penalty
        self._scale = scale if penalty.reg_metric == RELATIVE else 1.0
        #: What multiplies the sum of the layers' ``R``.
        self.strength = penalty.lamb * self._scale**2

    @functools.cached_property
    def _present(self) -> list[Float[Tensor, "i o"]]:
        """1 where there is a spline."""
        return [plan.layer.spline_mask() for plan in self.linear.plans]

    @functools.cached_property
    def _first_covariance(self) -> Float[Tensor, "i rows rows"]:
        """The covariances of the first layer's features, which never change."""
        return _covariance(self.linear.first_bases)

    def evaluate(self, tape: Tape) -> Regularisation:
        """Return the sum of the layers' ``R``; it costs nothing where ``lamb`` is 0."""
        if not self.penalty.lamb:
            return Regularisation()
        metric = METRICS.get(self.penalty.reg_metric)
        result = self._relative(tape) if metric is None else self._by_metric(metric, tape)
        result.value += sum(value for value, _ in self._coefficients(tape))
        return result

    # ---- the magnitudes

    def _relative(self, tape: Tape) -> Regularisation:
        layers = [self._spreads(l, layer) for l, layer in enumerate(tape.layers)]
        value = torch.stack([self.penalty.value(layer.magnitudes) for layer in layers]).sum()
        return Regularisation(value.item(), lambda: self._relative_slopes(layers))

    def _spreads(self, l: int, layer: LayerTape) -> _Spreads:
        variance = _variance(layer.phi)
        own, unit = self._unit(l, layer.x)
        smooth = _SMOOTH * unit
        spread = (variance + smooth.square()).sqrt()
        return _Spreads(variance, spread, own, unit, (spread - smooth) / unit * self._present[l])

    def _relative_slopes(self, layers: list[_Spreads]) -> Slopes:
        slopes = Slopes()
        for l, layer in enumerate(layers):
            by_edge = self.penalty.slope(layer.magnitudes) * self._present[l] / (2 * layer.spread * layer.unit)
            slopes.edges.append(by_edge)
            # A magnitude is a function of variance / unit^2, and hidden units are of their node's variance.
            by_node = -(by_edge * layer.variance).sum(1) / layer.own.squeeze(1).square()
            slopes.nodes.append(by_node if l else torch.zeros_like(by_node))
        return slopes

    def _unit(self, l: int, x: Tensor) -> tuple[Float[Tensor, "i 1"], Float[Tensor, "i 1"]]:
        """Return the spread of each node, and what its edges' spreads are measured in: at the end in labels', too."""
        if l == 0:
            own = torch.full_like(x[:, :1], _INPUT_SPREAD)
        else:
            own = (_variance(x).unsqueeze(-1) + _HIDDEN_FLOOR**2).sqrt()
        return own, own * self._unit_of_layer(l)

    def _unit_of_layer(self, l: int) -> float:
        return self._scale if l == len(self.linear.plans) - 1 else 1.0

    def _by_metric(self, metric: Metric, tape: Tape) -> Regularisation:
        leaves, layers = [], []
        for layer, present in zip(tape.layers, self._present, strict=True):
            parts = [_variance(part).requires_grad_() for part in (layer.phi, layer.sums, layer.x)]
            leaves += parts
            layers.append(Variances(*parts, splines=present))
        with torch.enable_grad():
            magnitudes = metric(layers, self.linear.network.groups)
            value = torch.stack([self.penalty.value(a) for a in magnitudes]).sum()

        def derive() -> Slopes:
            slopes = torch.autograd.grad(value, leaves, materialize_grads=True)
            return Slopes(list(slopes[0::3]), list(slopes[2::3]), list(slopes[1::3]))

        return Regularisation(value.item(), derive)

    # ---- the coefficients

    def _coefficients(self, tape: Tape) -> list[tuple[float, Float[Tensor, "i o rows"]]]:
        """Return ``lamb_coef sum |c| + lamb_coefdiff sum |diff c|``, averaged over outputs, and its slopes, a layer."""
        penalty, result = self.penalty, []
        if not penalty.lamb_coef and not penalty.lamb_coefdiff:
            return result
        for l, layer in enumerate(tape.layers):
            coef = layer.weights[..., :-1]
            each = 1.0 / (coef.shape[1] * self._unit_of_layer(l))
            smooth = _SMOOTH * self._unit_of_layer(l)
            sizes, slopes, _ = _smooth_abs(coef, smooth)
            value, slope = penalty.lamb_coef * each * sizes.sum(), penalty.lamb_coef * each * slopes
            sizes, slopes, _ = _smooth_abs(coef.diff(dim=-1), smooth)
            value = value + penalty.lamb_coefdiff * each * sizes.sum()
            slope = slope - penalty.lamb_coefdiff * each * _padded(slopes).diff(dim=-1)
            result.append((value.item(), torch.nn.functional.pad(slope, (0, 1))))
        return result

    # ---- derivatives

    def cotangents(
        self, tape: Tape, reg: Regularisation
    ) -> tuple[list[Float[Tensor, "i o n"]], list[Float[Tensor, "i n"]]]:
        """Return the penalty's derivatives by edge activations and node values, as `Linearisation.pull_back` takes."""
        factor, slopes = 2.0 * self.strength / self.linear.x.shape[-1], reg.slopes
        edges, nodes = [], []
        for l, layer in enumerate(tape.layers):
            by_edge = factor * slopes.edges[l].unsqueeze(-1) * _centred(layer.phi)
            if slopes.sums:
                by_edge = by_edge + factor * slopes.sums[l].unsqueeze(-1) * _centred(layer.sums)
            edges.append(by_edge)
            nodes.append(factor * slopes.nodes[l].unsqueeze(-1) * _centred(layer.x))
        return edges, nodes

    def coefficient_gradient(self, tape: Tape) -> Float[Tensor, " size"] | None:
        """Return the part of the gradient that comes from the coefficients themselves, if there is one."""
        layers = self._coefficients(tape)
        if not layers:
            return None
        result = self.linear.x.new_zeros(self.linear.size)
        for plan, (_, slope) in zip(self.linear.plans, layers, strict=True):
            plan.keep_weights(self.strength * slope, result)
        return result

    @torch.no_grad()
    def add_half_curvature(self, tape: Tape, reg: Regularisation, hessian: Float[Tensor, "size size"]) -> None:
        """Add half of a positive model of the curvature by the parameters: a block for each edge.

        Near the present point a concave function of variances lies below its tangent, and an edge's variance is the
        quadratic form of its centred Gram matrix in its weights; ``|c| <= c^2 / (2 |c0|) + |c0| / 2`` likewise.
        """
        for l, (plan, layer) in enumerate(zip(self.linear.plans, tape.layers, strict=True)):
            if not len(plan.inputs):
                continue
            weight = self.strength * reg.slopes.edges[l].clamp_min(0)[plan.inputs, plan.outputs]
            gram = _covariance(layer.bases) if l else self._first_covariance
            block = hessian[plan.splines, plan.splines].view(len(plan.inputs), plan.rows, len(plan.inputs), plan.rows)
            blocks = torch.diagonal(block, dim1=0, dim2=2)
            blocks.add_((weight[:, None, None] * gram[plan.inputs]).permute(1, 2, 0))
            self._add_coefficient_curvature(l, layer, blocks)

    def _add_coefficient_curvature(self, l: int, layer: LayerTape, blocks: Float[Tensor, "rows rows edges"]) -> None:
        penalty, plan = self.penalty, layer.plan
        if not penalty.lamb_coef and not penalty.lamb_coefdiff:
            return
        coef = layer.weights[plan.inputs, plan.outputs, :-1]
        each = 0.5 * self.strength / (layer.weights.shape[1] * self._unit_of_layer(l))
        smooth = _SMOOTH * self._unit_of_layer(l)
        diagonal = penalty.lamb_coef * each * _smooth_abs(coef, smooth)[2]
        bent = penalty.lamb_coefdiff * each * _smooth_abs(coef.diff(dim=-1), smooth)[2]
        both = _padded(bent)
        own = torch.diagonal(blocks[:-1, :-1])
        own.add_(diagonal + both[:, 1:] + both[:, :-1])
        torch.diagonal(blocks[:-1, :-1], 1).sub_(bent)
        torch.diagonal(blocks[:-1, :-1], -1).sub_(bent)


def _centred(values: Tensor) -> Tensor:
    return values - values.mean(-1, keepdim=True)


def _variance(values: Float[Tensor, "*s n"]) -> Float[Tensor, "*s"]:
    """Return the variance over the batch; several times faster than torch's own, which goes row by row."""
    return torch.linalg.vector_norm(_centred(values), dim=-1).square() / values.shape[-1]


def _covariance(values: Float[Tensor, "i rows n"]) -> Float[Tensor, "i rows rows"]:
    centred = _centred(values)
    return centred @ centred.mT / values.shape[-1]


def _padded(values: Tensor) -> Tensor:
    return torch.nn.functional.pad(values, (1, 1))


def _smooth_abs(values: Tensor, smooth: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``sqrt(v^2 + smooth^2) - smooth``, its slope, and the slope over ``v``."""
    size = (values.square() + smooth**2).sqrt()
    return size - smooth, values / size, 1.0 / size
