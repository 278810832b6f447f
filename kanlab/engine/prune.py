"""Scores to masks to a smaller KAN.

What is removed leaves its mean behind: it is folded into a surviving edge of the same sum, so that pruning a nearly
constant edge costs its variation only.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from kanlab.engine.attribution import Scores, attribute
from kanlab.engine.layer import KANLayer
from kanlab.engine.network import Network

Edge = tuple[int, int, int]


@dataclass(frozen=True)
class Cut:
    """What would go: ``edges[l]`` ``[in_dim, out_dim]`` and ``nodes[l]`` are true where something present leaves."""

    edges: list[Tensor]
    nodes: list[Tensor]

    @property
    def n_edges(self) -> int:
        """How many edges would go."""
        return int(sum(edges.sum() for edges in self.edges))

    @property
    def n_nodes(self) -> int:
        """How many nodes would go."""
        return int(sum(nodes.sum() for nodes in self.nodes))


def _threshold(name: str, value: float) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0.0 <= value < float("inf"):
        raise ValueError(f"{name} is {value!r}; allowed are finite numbers from 0 up, such as 0.03")
    return float(value)


def preview_cut(network: Network, scores: Scores, *, edge_th: float = 3e-2, node_th: float = 1e-2) -> Cut:
    """Say which edges and hidden nodes pruning at these thresholds would remove; nothing is changed.

    Edges scoring below ``edge_th`` and all edges of hidden nodes scoring below ``node_th`` go, then whatever no longer
    leads from an input to an output. A factor of a multiplication node that stays keeps its strongest edge.
    """
    edge_th, node_th = _threshold("edge_th", edge_th), _threshold("node_th", node_th)
    weak = [score < edge_th for score in scores.edges]
    for l in range(1, network.depth):
        weak[l] |= (scores.nodes[l] < node_th)[:, None]
    return whole_cut(network, scores, weak)


def whole_cut(network: Network, scores: Scores, weak: list[Tensor]) -> Cut:
    """Complete a cut of the edges marked ``weak[l]`` ``[in_dim, out_dim]``, as `preview_cut` says."""
    before = [layer.mask != 0 for layer in network.kan_layers()]
    kept = [mask & ~gone for mask, gone in zip(before, weak, strict=True)]
    alive = _drop_dangling(network, kept, before, scores)
    nodes = [torch.zeros_like(node, dtype=torch.bool) for node in scores.nodes]
    for l in range(1, network.depth):
        nodes[l] = _present(network, before, l) & ~alive[l]
    return Cut([mask & ~keep for mask, keep in zip(before, kept, strict=True)], nodes)


def bare_outputs(network: Network, cut: Cut) -> list[int]:
    """Return the outputs that a cut would leave without any edge."""
    last = network.depth - 1
    gone, mask = cut.edges[last], network.layer(last).mask != 0
    lost = _by_node(network, last, mask.any(0)) & ~_by_node(network, last, (mask & ~gone).any(0))
    return lost.nonzero().flatten().tolist()


def plan_cut(network: Network, scores: Scores, *, edge_th: float = 3e-2, node_th: float = 1e-2) -> Cut:
    """Return the same cut as `preview_cut`, if it can be made.

    Raises
    ------
    ValueError
        If an output would be left without any edge.
    """
    return possible(network, scores, preview_cut(network, scores, edge_th=edge_th, node_th=node_th))


def possible(network: Network, scores: Scores, cut: Cut) -> Cut:
    """Return the cut, if every output keeps an edge; else raise ValueError."""
    bare = bare_outputs(network, cut)
    if bare:
        last = network.depth - 1
        best = float(scores.edges[last][:, list(network.groups[last][bare[0]])].max())
        raise ValueError(
            f"pruning would leave output {bare[0]} without any edge; its strongest edge scores {best:.3g}: "
            "take lower thresholds, or train first"
        )
    return cut


def edges_around(network: Network, l: int, node: int) -> tuple[Edge, ...]:
    """Return the edges that enter and leave a node of level ``l`` (1 … depth - 1), removed ones included."""
    entering = [(l - 1, i, j) for j in network.groups[l - 1][node] for i in range(network.layer(l - 1).in_dim)]
    return (*entering, *((l, node, j) for j in range(network.layer(l).out_dim)))


def _by_node(network: Network, l: int, per_subnode: Tensor) -> Tensor:
    """Whether any subnode of each node after layer ``l`` is marked."""
    if len(per_subnode) == len(network.groups[l]):  # plain sums alone
        return per_subnode
    return torch.stack([per_subnode[list(group)].any() for group in network.groups[l]])


def _by_subnode(network: Network, l: int, per_node: Tensor) -> Tensor:
    if network.layer(l).out_dim == len(per_node):
        return per_node
    return torch.cat([node.expand(len(group)) for node, group in zip(per_node, network.groups[l], strict=True)])


def _present(network: Network, masks: list[Tensor], l: int) -> Tensor:
    """Which nodes of level ``l`` (1 … depth - 1) have edges on both sides."""
    return _by_node(network, l - 1, masks[l - 1].any(0)) & masks[l].any(1)


def _drop_dangling(network: Network, kept: list[Tensor], before: list[Tensor], scores: Scores) -> list[Tensor]:
    """Shrink ``kept`` in place until every edge leads from an input to an output; return which nodes remain."""
    alive = [torch.ones_like(node, dtype=torch.bool) for node in scores.nodes]
    for _ in range(network.depth + 1):
        for l in range(1, network.depth):
            alive[l] = _present(network, kept, l)
            kept[l - 1] &= _by_subnode(network, l - 1, alive[l])
            kept[l] &= alive[l][:, None]
    for l in range(network.depth):
        # An output stays anyway; only one that still has edges is worth completing.
        needed = alive[l + 1] if l < network.depth - 1 else _by_node(network, l, kept[l].any(0))
        stays = _by_subnode(network, l, needed) & ~kept[l].any(0)
        for j in stays.nonzero().flatten().tolist():  # a factor of a product that stays
            candidates = torch.where(before[l][:, j] & alive[l], scores.edges[l][:, j], -1.0)
            kept[l][int(candidates.argmax()), j] = True
    return alive


@torch.no_grad()
def apply_cut(network: Network, cut: Cut) -> Network:
    """Return a smaller copy without what the cut names; the original stays as it is."""
    result = copy.deepcopy(network)
    phis = result.acts().postacts
    for layer, gone, phi in zip(result.kan_layers(), cut.edges, phis, strict=True):
        for i, j in gone.nonzero().tolist():
            layer.remove(i, j)
        leave_means(layer, gone, phi.mean(0))
    return compact(result)


def leave_means(layer: KANLayer, gone: Tensor, means: Tensor) -> None:
    """Add what these edges contributed on average to a surviving edge of the same sum, where there is one."""
    survive = (layer.mask != 0) & ~gone
    for j in gone.any(0).nonzero().flatten().tolist():
        survivors = survive[:, j].nonzero().flatten().tolist()
        if survivors:
            add_constant(layer, survivors[0], j, means[gone[:, j], j].sum())


def add_constant(layer: KANLayer, i: int, j: int, constant: Tensor) -> None:
    """Add a constant to one edge: to ``d`` of a fixed one, to all coefficients of a spline (bases sum to one)."""
    if (i, j) in layer.fixed:
        layer.affine[i, j, 3] += constant
    else:
        layer.coef[i, j] += constant / layer.scale_sp[i, j]


@torch.no_grad()
def compact(network: Network) -> Network:
    """Return a copy without the hidden nodes that no edge uses."""
    masks = [layer.mask != 0 for layer in network.kan_layers()]
    keep = [torch.ones(network.n_in, dtype=torch.bool)]
    keep += [_present(network, masks, l) for l in range(1, network.depth)]
    keep.append(torch.ones(network.n_out, dtype=torch.bool))
    result = copy.deepcopy(network)
    result.width, result.mult_arity = [], []
    for (n_sum, _), arities, nodes in zip(network.width, network.mult_arity, keep, strict=True):
        kept = [arity for arity, stays in zip(arities, nodes[n_sum:].tolist(), strict=True) if stays]
        result.width.append([int(nodes[:n_sum].sum()), len(kept)])
        result.mult_arity.append(kept)
    for l, layer in enumerate(result.kan_layers()):
        inputs = keep[l].nonzero().flatten()
        outputs = _by_subnode(network, l, keep[l + 1]).nonzero().flatten()
        layer.select(inputs, outputs)
    return result


def prune(network: Network, *, edge_th: float = 3e-2, node_th: float = 1e-2) -> Network:
    """Return a smaller copy without the edges and hidden nodes that score below the thresholds.

    Scores are taken on the samples the model was trained on.
    """
    return apply_cut(network, plan_cut(network, attribute(network), edge_th=edge_th, node_th=node_th))


def prune_nodes(network: Network, threshold: float = 1e-2, active: Sequence[Sequence[int]] | None = None) -> Network:
    """Return a smaller copy without the hidden nodes that score below the threshold, or are not among the active.

    Parameters
    ----------
    active
        For each hidden level, the nodes to keep; in place of the threshold.

    Raises
    ------
    ValueError
        If ``active`` is none of that, or an output would be left without any edge.
    """
    scores = attribute(network)
    if active is None:
        return apply_cut(network, plan_cut(network, scores, edge_th=0.0, node_th=threshold))
    if len(active) != network.depth - 1:
        raise ValueError(f"active is {active!r}; one list of nodes for each of the {network.depth - 1} hidden levels")
    weak = [torch.zeros_like(edges, dtype=torch.bool) for edges in scores.edges]
    for l, nodes in enumerate(active, 1):
        weak[l] |= ~_marked(f"active[{l - 1}]", nodes, len(scores.nodes[l])).to(network.device)[:, None]
    return apply_cut(network, possible(network, scores, whole_cut(network, scores, weak)))


def prune_inputs(network: Network, threshold: float = 1e-2, active: Sequence[int] | None = None) -> Network:
    """Return a copy without the inputs that score below the threshold, or are not among the active.

    The copy still takes all columns of the data and picks its own, see `Network.input_id`. An input that is the only
    one of a factor of a product stays.

    Raises
    ------
    ValueError
        If ``active`` are no inputs, or an output would be left without any edge.
    """
    scores = attribute(network)
    if active is None:
        keep = scores.features >= _threshold("threshold", threshold)
    else:
        keep = _marked("active_inputs", active, network.n_in).to(network.device)
    weak = [torch.zeros_like(edges, dtype=torch.bool) for edges in scores.edges]
    weak[0] |= ~keep[:, None]
    cut = possible(network, scores, whole_cut(network, scores, weak))
    result, first = apply_cut(network, cut), network.layer(0)
    keep |= ((first.mask != 0) & ~cut.edges[0]).any(1)
    kept = keep.nonzero().flatten()
    layer = result.layer(0)
    layer.select(kept, torch.arange(layer.out_dim, device=kept.device))
    result.width[0] = [len(kept), 0]
    result.input_id = [network.input_id[m] for m in kept.tolist()]
    if result.samples is not None:
        result.samples = result.samples[:, kept]
    return result


def _marked(name: str, chosen: Sequence[int], count: int) -> Tensor:
    """Return true at the chosen places."""
    marks = torch.zeros(count, dtype=torch.bool)
    for place in chosen:
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < count:
            raise ValueError(f"{name} holds {place!r}; allowed are whole numbers from 0 to {count - 1}")
        marks[place] = True
    if not bool(marks.any()):
        raise ValueError(f"{name} is empty; at least one has to stay")
    return marks
