r"""The network as a function of one flat parameter vector, with its exact first derivatives by hand.

Second-order training needs the Jacobian of every sample's output by every parameter. For a KAN it is an outer
product: with ``delta_j = d out / d sum_j`` carried back from the output,
``d out / d w_ijb = delta_j * B_b(x_i)``, and for a fixed edge ``c * f(a x + b) + d`` the same with the features
``c f' x, c f', f, 1``. Autograd would build the same numbers a hundred times more slowly.

The parameter vector holds, layer by layer, the weights of the spline edges ``[edges, G + k + 1]`` (coefficients times
``scale_sp``, then ``scale_base``; in their `kanlab.engine.frame.Frame` where inputs come in unusual units) and the
``a, b, c, d`` of the fixed edges ``[edges, 4]``. Removed edges have none.
"""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.frame import PLAIN
from kanlab.engine.layer import FixedGroup, KANLayer, LocalBases, sum_edges
from kanlab.engine.network import Network


@dataclass(frozen=True)
class LayerPlan:
    """Where one layer's parameters lie in the flat vector, and which edges they belong to."""

    layer: KANLayer
    inputs: Tensor
    outputs: Tensor
    dense: bool
    splines: slice
    groups: list[tuple[FixedGroup, slice]]

    @property
    def rows(self) -> int:
        """Number of features of a spline edge."""
        return self.layer.coef.shape[-1] + 1

    def weights(self, vector: Float[Tensor, "*s size"]) -> Float[Tensor, "*s i o rows"]:
        """Take the layer's weights out of the flat vector; zero where there is no spline."""
        shape = (self.layer.in_dim, self.layer.out_dim, self.rows)
        own = vector[..., self.splines]
        if self.dense:
            return own.unflatten(-1, shape)
        weights = vector.new_zeros(*vector.shape[:-1], *shape)
        weights[..., self.inputs, self.outputs, :] = own.unflatten(-1, (-1, self.rows))
        return weights

    def keep_weights(self, weights: Float[Tensor, "*s i o rows"], vector: Float[Tensor, "*s size"]) -> None:
        """Put numbers like the layer's weights where these have their place in the flat vector."""
        rows = vector[self.splines]
        if self.dense:
            rows.view(weights.shape).copy_(weights)
        else:
            rows.view(-1, self.rows).copy_(weights[self.inputs, self.outputs])


@dataclass
class LayerTape:
    """What one layer computed, kept for the derivatives; what only some of them need is computed when asked for."""

    plan: LayerPlan
    x: Float[Tensor, "*s i n"]
    bases: Float[Tensor, "*s i rows n"]
    weights: Float[Tensor, "*s i o rows"]
    fixed: list[Float[Tensor, "*s edges 4 n"]]
    fixed_values: list[Float[Tensor, "*s edges n"]]
    fixed_slopes: list[Float[Tensor, "*s edges n"]]
    sums: Float[Tensor, "*s subnodes n"]
    #: What is nonzero of the bases and their derivatives; none are needed of the inputs'.
    local: LocalBases | None

    @functools.cached_property
    def phi(self) -> Float[Tensor, "*s i o n"]:
        """The activation of every edge."""
        return self._with_fixed(self.weights @ self.bases, self.fixed_values)

    @functools.cached_property
    def slopes(self) -> Float[Tensor, "*s i o n"]:
        """The derivative ``d phi_ij / d x_i`` of every edge."""
        local = self.local or self.plan.layer.local_bases(self.x, order=1)
        return self._with_fixed(self.weights @ local.dense(1), self.fixed_slopes)

    def _with_fixed(self, edges: Tensor, values: list[Tensor]) -> Tensor:
        for (group, _), value in zip(self.plan.groups, values, strict=True):
            edges[..., group.inputs, group.outputs, :] = value
        return edges


@dataclass
class Tape:
    """The network evaluated at one parameter vector."""

    layers: list[LayerTape]
    output: Float[Tensor, "*s n_out n"]


class Linearisation:
    """Evaluate ``network`` on ``x`` ``[n_in, N]`` as a function of its flat parameters, with derivatives.

    It must be made anew when grids, masks or fixed edges change.
    """

    def __init__(self, network: Network, x: Float[Tensor, "*s n_in n"]):
        self.network = network
        self.plans: list[LayerPlan] = []
        start = 0
        for layer in network.kan_layers():
            mask = layer.spline_mask()
            inputs, outputs = mask.nonzero(as_tuple=True)
            stop = start + len(inputs) * (layer.coef.shape[-1] + 1)
            splines, start = slice(start, stop), stop
            groups = []
            for group in layer.fixed_groups():
                stop = start + 4 * len(group.inputs)
                groups.append((group, slice(start, stop)))
                start = stop
            self.plans.append(LayerPlan(layer, inputs, outputs, bool(mask.all()), splines, groups))
        self.size = start
        self._look_at(x)

    def _look_at(self, x: Float[Tensor, "*s n_in n"]) -> None:
        self.x = x
        self.first_bases = self.plans[0].layer.bases(x)[0]

    def at(self, x: Float[Tensor, "*s n_in n"]) -> Linearisation:
        """Return the same function of the parameters on other inputs."""
        other = copy.copy(self)
        other._look_at(x)
        return other

    # ---- the flat vector

    @torch.no_grad()
    def read(self) -> Float[Tensor, "*s size"]:
        """Collect the network's parameters."""
        parts = []
        for plan in self.plans:
            weights, affine = plan.layer.weights(), plan.layer.affine
            parts.append(weights[..., plan.inputs, plan.outputs, :].flatten(-2))
            parts += [affine[..., group.inputs, group.outputs, :].flatten(-2) for group, _ in plan.groups]
        return torch.cat(parts, -1)

    @torch.no_grad()
    def write(self, vector: Float[Tensor, "*s size"]) -> None:
        """Put a parameter vector into the network."""
        for plan in self.plans:
            layer = plan.layer
            if plan.dense and layer.frame is PLAIN:
                weights = plan.weights(vector)
                torch.div(weights[..., :-1], layer.scale_sp.unsqueeze(-1), out=layer.coef.data)
                layer.scale_base.copy_(weights[..., -1])
            else:
                weights = vector[..., plan.splines].unflatten(-1, (-1, plan.rows))
                layer.keep_weights(weights, plan.inputs, plan.outputs)
            for group, where in plan.groups:
                layer.affine[..., group.inputs, group.outputs, :] = vector[..., where].unflatten(-1, (-1, 4))

    def trainable(self) -> Float[Tensor, "*s size"]:
        """Return 1 for parameters that may change, 0 for those with ``requires_grad`` off."""
        stack = self.plans[0].layer.coef.shape[:-3]
        free = self.x.new_ones(*stack, self.size)
        for plan in self.plans:
            rows = free[..., plan.splines].unflatten(-1, (-1, plan.rows))
            rows[..., :-1] *= float(plan.layer.coef.requires_grad)
            scaled = plan.layer.scale_sp[..., plan.inputs, plan.outputs] != 0
            rows[..., :-1] *= scaled.to(free.dtype).unsqueeze(-1)
            rows[..., -1] *= float(plan.layer.scale_base.requires_grad)
            for _, where in plan.groups:
                free[..., where] *= float(plan.layer.affine.requires_grad)
        return free

    # ---- forward

    def evaluate(self, vector: Float[Tensor, "*s size"]) -> Tape:
        """Run the network with these parameters."""
        h, tapes = self.x, []
        for l, plan in enumerate(self.plans):
            tapes.append(self._run(plan, h, vector, first=l == 0))
            h = self.network.combine(l, tapes[-1].sums)
        return Tape(tapes, h)

    def _run(self, plan: LayerPlan, x: Tensor, vector: Tensor, *, first: bool) -> LayerTape:
        layer = plan.layer
        if first:
            local, bases = None, self.first_bases
        else:
            local = layer.local_bases(x, order=1)
            bases = local.dense(0)
        weights = plan.weights(vector)
        sums = sum_edges(weights, bases)
        features, fixed_values, fixed_slopes = [], [], []
        for group, where in plan.groups:
            a, b, c, d = vector[..., where].unflatten(-1, (-1, 4, 1)).unbind(-2)
            inner = x[..., group.inputs, :]
            u = a * inner + b
            f, slope = group.function(u), c * group.function.derivative(u)
            value = c * f + d
            sums.index_add_(-2, group.outputs, value)
            features.append(torch.stack([slope * inner, slope, f, torch.ones_like(f)], -2))
            fixed_values.append(value)
            fixed_slopes.append(a * slope)
        return LayerTape(plan, x, bases, weights, features, fixed_values, fixed_slopes, sums, local)

    # ---- derivatives

    def split_nodes(self, l: int, sums: Tensor, delta: Float[Tensor, "*s o nodes n"]) -> Float[Tensor, "*s o sub n"]:
        """Carry derivatives by layer ``l``'s nodes to its subnodes: through a product, times the other factors."""
        arities = self.network.mult_arity[l + 1]
        if not arities:
            return delta
        n_sum = self.network.width[l + 1][0]
        through = [
            delta[..., n_sum + node, None, :] * _other_factors(factors).unsqueeze(-3)
            for node, factors in enumerate(sums[..., n_sum:, :].split(arities, -2))
        ]
        return torch.cat([delta[..., :n_sum, :], *through], -2)

    def jacobian(
        self, tape: Tape, by_output: Float[Tensor, "*s columns o n"] | None = None
    ) -> Float[Tensor, "*s size columns n"]:
        """Return the derivative of each output of each sample by each parameter.

        With ``by_output``, of what has these derivatives by the outputs.
        """
        *stack, n_out, n = tape.output.shape
        delta = by_output
        if delta is None:
            each = torch.eye(n_out, dtype=self.x.dtype, device=self.x.device)
            delta = each.unsqueeze(-1).expand(*stack, -1, -1, n)
        result = self.x.new_empty(*stack, self.size, delta.shape[-3], n)
        for l in reversed(range(len(self.plans))):
            plan, layer = self.plans[l], tape.layers[l]
            delta = self.split_nodes(l, layer.sums, delta)
            by_sum = delta.transpose(-3, -2)
            rows = result[..., plan.splines, :, :]
            if plan.dense:
                shape = (plan.layer.in_dim, plan.layer.out_dim, plan.rows)
                bases = layer.bases[..., :, None, :, None, :]
                torch.mul(bases, by_sum[..., None, :, None, :, :], out=rows.unflatten(-3, shape))
            elif len(plan.inputs):
                bases = layer.bases[..., plan.inputs, :, None, :]
                out = rows.unflatten(-3, (-1, plan.rows))
                torch.mul(bases, by_sum[..., plan.outputs, None, :, :], out=out)
            for (group, where), features in zip(plan.groups, layer.fixed, strict=True):
                own = features.unsqueeze(-2) * by_sum[..., group.outputs, None, :, :]
                result[..., where, :, :] = own.flatten(-4, -3)
            if l:
                delta = (layer.slopes.unsqueeze(-4) * delta.unsqueeze(-3)).sum(-2)
        return result

    def pull_back(
        self,
        tape: Tape,
        output: Float[Tensor, "o n"] | None,
        edges: list[Float[Tensor, "i o n"]] | None = None,
        nodes: list[Float[Tensor, "i n"]] | None = None,
    ) -> Float[Tensor, " size"]:
        """Return the gradient of a scalar from its derivatives by the outputs, edge activations and node values."""
        result = self.x.new_zeros(self.size)
        by_node = torch.zeros_like(tape.output) if output is None else output
        for l in reversed(range(len(self.plans))):
            layer = tape.layers[l]
            by_sum = self.split_nodes(l, layer.sums, by_node.unsqueeze(0))[0]
            if edges is None:
                by_node = self._pull_sums(layer, by_sum, result, to_nodes=l > 0)
            else:
                by_node = self._pull_edges(layer, by_sum + edges[l], result, to_nodes=l > 0)
            if l and nodes is not None:
                by_node = by_node + nodes[l]
        return result

    def _pull_sums(self, layer: LayerTape, by_sum: Float[Tensor, "o n"], result: Tensor, *, to_nodes: bool) -> Tensor:
        """Write one layer's gradient from the derivatives by its sums; return those by its inputs.

        All edges of a sum share its derivative, so that two matrix products do, and no array has a row per edge.
        """
        plan = layer.plan
        by_weight = (layer.bases.flatten(0, 1) @ by_sum.mT).unflatten(0, layer.bases.shape[:2]).mT
        plan.keep_weights(by_weight, result)
        for (group, where), features in zip(plan.groups, layer.fixed, strict=True):
            result[where] = (features @ by_sum[group.outputs].unsqueeze(-1)).flatten()
        if not to_nodes or layer.local is None:
            return by_sum
        by_basis = layer.weights.transpose(1, 2).flatten(0, 1) @ by_sum
        by_node = layer.local.contract(by_basis.unflatten(0, layer.bases.shape[:2]), order=1)
        for (group, _), slope in zip(plan.groups, layer.fixed_slopes, strict=True):
            by_node.index_add_(0, group.inputs, slope * by_sum[group.outputs])
        return by_node

    def _pull_edges(
        self, layer: LayerTape, by_edge: Float[Tensor, "i o n"], result: Tensor, *, to_nodes: bool
    ) -> Tensor:
        """Do the same from the derivatives by each edge."""
        plan = layer.plan
        plan.keep_weights(by_edge @ layer.bases.mT, result)
        for (group, where), features in zip(plan.groups, layer.fixed, strict=True):
            result[where] = (features @ by_edge[group.inputs, group.outputs].unsqueeze(-1)).flatten()
        return (layer.slopes * by_edge).sum(1) if to_nodes else by_edge


def _other_factors(factors: Float[Tensor, "arity n"]) -> Float[Tensor, "arity n"]:
    """Return for each factor the product of all others."""
    products = [
        torch.cat([factors[..., :m, :], factors[..., m + 1 :, :]], -2).prod(-2) for m in range(factors.shape[-2])
    ]
    return torch.stack(products, -2)
