r"""How large an edge counts for the penalty: pykan's ``reg_metric`` by their names, as functions of variances.

``edge_forward_spline_n``: ``std(phi_ij) / (std(x_i) + 0.1)`` of the edges that are splines.
``edge_forward_sum``: the same of all edges, those with a name included.
``edge_forward_spline_u``: ``std(phi_ij)`` of the edges that are splines.
``edge_backward``: the edge's score, see `kanlab.engine.attribution`.
``node_backward``: what each node's value owes to each input, a matrix for each level of nodes.

Each has a gradient; ``std`` is ``sqrt(variance + 1e-8) - 1e-4``, which is smooth at 0. Kanlab's own, `RELATIVE`, is
described in `kanlab.engine.penalty` and computed in closed form in `kanlab.engine.sparsity`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from kanlab.engine.attribution import Groups, carry_back

#: The name of kanlab's own.
RELATIVE = "edge_forward_relative"
_SMOOTH = 1e-4
#: What is added to the standard deviation that another is divided by, for nodes and for sums.
_NODE_FLOOR, _SUM_FLOOR = 0.1, 1e-4


@dataclass(frozen=True)
class Variances:
    """Variances over a batch in one layer; ``splines`` is 1 where an edge is a spline."""

    edges: Float[Tensor, "i o"]
    sums: Float[Tensor, " o"]
    nodes: Float[Tensor, " i"]
    splines: Float[Tensor, "i o"]


Metric = Callable[[Sequence[Variances], Groups], list[Tensor]]


def spline_n(layers: Sequence[Variances], groups: Groups) -> list[Tensor]:
    """Return the spreads of splines over those of their inputs."""
    return [edges * layer.splines for edges, layer in zip(all_edges(layers, groups), layers, strict=True)]


def all_edges(layers: Sequence[Variances], groups: Groups) -> list[Tensor]:
    """Return the spreads of all edges over those of their inputs."""
    return [std(layer.edges) / (std(layer.nodes) + _NODE_FLOOR).unsqueeze(-1) for layer in layers]


def spline_u(layers: Sequence[Variances], groups: Groups) -> list[Tensor]:
    """Return the spreads of splines."""
    return [std(layer.edges) * layer.splines for layer in layers]


def edge_backward(layers: Sequence[Variances], groups: Groups) -> list[Tensor]:
    """Return the scores of edges."""
    n_out = len(groups[-1])
    outputs = layers[-1].sums.new_full((n_out,), 1.0 / n_out)
    return carry_back(_shares(layers), groups, outputs)[0]


def node_backward(layers: Sequence[Variances], groups: Groups) -> list[Tensor]:
    """Return what each node of each level owes to each input, ``[n_in, nodes]``."""
    shares = _shares(layers)
    result = []
    for level in range(1, len(layers) + 1):
        own = layers[0].nodes.new_ones(len(groups[level - 1])).diag()
        result.append(carry_back(shares[:level], groups[:level], own)[1][0].mT)
    return result


def std(variance: Tensor) -> Tensor:
    """Return the standard deviation, smoothed at 0."""
    return (variance + _SMOOTH**2).sqrt() - _SMOOTH


def _shares(layers: Sequence[Variances]) -> list[Tensor]:
    return [std(layer.edges) / (std(layer.sums) + _SUM_FLOOR) for layer in layers]


#: pykan's, by name.
METRICS: dict[str, Metric] = {
    "edge_forward_spline_n": spline_n,
    "edge_forward_sum": all_edges,
    "edge_forward_spline_u": spline_u,
    "edge_backward": edge_backward,
    "node_backward": node_backward,
}
