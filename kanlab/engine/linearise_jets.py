r"""The network's derivatives by its inputs as a function of one flat parameter vector, linearised by hand.

A residual of a differential equation is a function of jets (see `kanlab.engine.jets`), so second-order training needs
the derivatives of jets by parameters. Carried back to a layer, any derivative by jets becomes one by ``phi``,
``phi'`` and ``phi''`` of its edges, ``e0, e1, e2``; for the weight of a basis that is
``e0 B_b(h_i) + e1 B'_b(h_i) + e2 B''_b(h_i)``, and for the ``a, b, c, d`` of a fixed edge the same with the derivatives
of ``c a^m f^(m)(a h + b)``. Below a hidden layer the third derivative of its edges comes in.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.jets import Jet, combine, edge_cotangents, input_cotangents, inputs_jet, split, through_edges
from kanlab.engine.layer import FixedGroup, function_derivatives
from kanlab.engine.linearise import LayerPlan, Linearisation


@dataclass
class LayerJets:
    """What one layer computed, kept for the derivatives; lists go by the order of the derivative by its inputs."""

    plan: LayerPlan
    inputs: Jet
    bases: list[Float[Tensor, "i rows n"]]
    phi: list[Float[Tensor, "i o n"]]
    fixed: list[list[Float[Tensor, "edges 4 n"]]]
    sums: Jet


@dataclass
class JetTape:
    """The network's jets at one parameter vector."""

    layers: list[LayerJets]
    output: Jet


class JetLinearisation:
    """Evaluate the derivatives up to ``order`` of ``linear``'s network on ``x`` ``[n_in, N]``, and linearise them.

    The parameters are those of ``linear``, which also says when it must be made anew.
    """

    def __init__(self, linear: Linearisation, x: Float[Tensor, "n_in n"], order: int):
        self.linear, self.x, self.order = linear, x, order
        self._inputs = inputs_jet(x, order)
        self._bases = linear.plans[0].layer.bases(x, order)

    @torch.no_grad()
    def evaluate(self, vector: Float[Tensor, " size"]) -> JetTape:
        """Run the network on jets with these parameters."""
        h, layers = self._inputs, []
        for plan, groups in zip(self.linear.plans, self.linear.network.groups, strict=True):
            layers.append(self._run(plan, h, vector, first=not layers))
            h = combine(groups, layers[-1].sums)
        return JetTape(layers, h)

    def _run(self, plan: LayerPlan, h: Jet, vector: Tensor, *, first: bool) -> LayerJets:
        bases = self._bases if first else plan.layer.bases(h[0], self.order + 1)
        weights = plan.weights(vector)
        phi = [weights @ part for part in bases]
        fixed = []
        for group, where in plan.groups:
            values, features = _fixed_edges(group, h[0][group.inputs], vector[where].view(-1, 4), self.order)
            for part, value in zip(phi, values, strict=False):  # the first layer needs one derivative less
                part[group.inputs, group.outputs] = value
            fixed.append(features)
        return LayerJets(plan, h, bases, phi, fixed, through_edges(phi, h))

    @torch.no_grad()
    def jacobian(self, tape: JetTape, by_output: Jet) -> Float[Tensor, "size columns n"]:
        """Return the derivatives by each parameter of what has the derivatives ``by_output`` by the outputs' jets.

        ``by_output`` is ``[columns, n_out, n]`` for the values, then with one and two axes ``n_in`` before the last;
        by second derivatives it is symmetric in the two.
        """
        result = self.x.new_empty(self.linear.size, *by_output[0].shape[::2])
        for layer, edges in self._walk_back(tape, by_output):
            by_edge = [e.permute(1, 2, 0, 3) for e in edges]
            _write_spline_rows(layer, by_edge, result)
            for (group, where), features in zip(layer.plan.groups, layer.fixed, strict=True):
                own = [_at(e, group.inputs, group.outputs).unsqueeze(1) for e in by_edge]
                products = [part.unsqueeze(2) * e for part, e in zip(features, own, strict=True)]
                result[where] = _total(products).flatten(0, 1)
        return result

    @torch.no_grad()
    def pull_back(self, tape: JetTape, by_output: Jet) -> Float[Tensor, " size"]:
        """Return the gradient of a scalar from its derivatives ``[1, n_out, …, n]`` by the outputs' jets."""
        result = self.x.new_zeros(self.linear.size)
        for layer, edges in self._walk_back(tape, by_output):
            plan, shape = layer.plan, layer.phi[0].shape
            by_edge = [e[0].expand(shape) for e in edges]
            plan.keep_weights(_total([e @ part.mT for part, e in zip(layer.bases, by_edge, strict=False)]), result)
            for (group, where), features in zip(plan.groups, layer.fixed, strict=True):
                own = [e[group.inputs, group.outputs].unsqueeze(-1) for e in by_edge]
                result[where] = _total([part @ e for part, e in zip(features, own, strict=True)]).flatten()
        return result

    def _walk_back(self, tape: JetTape, by_output: Jet) -> Iterator[tuple[LayerJets, list[Tensor]]]:
        """Go from the last layer to the first with the derivatives by each one's edges."""
        c = by_output
        for layer, groups in zip(reversed(tape.layers), reversed(self.linear.network.groups), strict=True):
            c = split(groups, layer.sums, c)
            edges = edge_cotangents(layer.inputs, c)
            yield layer, edges
            if layer is not tape.layers[0]:
                c = input_cotangents(layer.phi, layer.inputs, c, edges)


def _write_spline_rows(
    layer: LayerJets, by_edge: list[Float[Tensor, "i o columns n"]], result: Float[Tensor, "size columns n"]
) -> None:
    """Write the Jacobian's rows of a layer's spline weights."""
    plan, rows = layer.plan, result[layer.plan.splines]
    # Hidden layers have one basis derivative more, which only the layers below need.
    parts = layer.bases[: len(by_edge)]
    if plan.dense:
        rows = rows.view(plan.layer.in_dim, plan.layer.out_dim, plan.rows, *rows.shape[1:])
        own = [e.unsqueeze(2) for e in by_edge]
        parts = [part[:, None, :, None] for part in parts]
    else:
        rows = rows.view(len(plan.inputs), plan.rows, *rows.shape[1:])
        own = [_at(e, plan.inputs, plan.outputs).unsqueeze(1) for e in by_edge]
        parts = [part[plan.inputs].unsqueeze(2) for part in parts]
    torch.mul(parts[0], own[0], out=rows)
    for part, e in zip(parts[1:], own[1:], strict=True):
        rows.addcmul_(part, e)


def _total(parts: list[Tensor]) -> Tensor:
    return functools.reduce(torch.add, parts)


def _at(e: Float[Tensor, "i o columns n"], inputs: Tensor, outputs: Tensor) -> Float[Tensor, "edges columns n"]:
    return e[inputs, outputs] if len(e) > 1 else e[0, outputs]


def _fixed_edges(
    group: FixedGroup, x: Float[Tensor, "edges n"], affine: Float[Tensor, "edges 4"], order: int
) -> tuple[list[Float[Tensor, "edges n"]], list[Float[Tensor, "edges 4 n"]]]:
    """Evaluate ``c a^m f^(m)(a x + b)`` up to ``m = order + 1`` and, up to ``order``, its slopes by ``a, b, c, d``."""
    a, b, c, d = affine.unsqueeze(-1).unbind(1)
    f = function_derivatives(group.function, a * x + b, order + 1)
    values = [c * a**m * part for m, part in enumerate(f)]
    values[0] = values[0] + d
    features = []
    for m in range(order + 1):
        by_b = c * a**m * f[m + 1]
        by_a = x * by_b + (m * c * a ** (m - 1) * f[m] if m else 0)
        features.append(torch.stack([by_a, by_b, a**m * f[m], torch.full_like(x, float(m == 0))], 1))
    return values, features
