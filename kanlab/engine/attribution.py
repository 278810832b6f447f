r"""Which nodes and edges matter: scores carried back from the outputs, or from any other node.

``edge_score[i, j] = subnode_score[j] * std(phi_ij) / std(sum_j)`` and ``node_score[i] = sum_j edge_score[i, j]``,
starting from one at each output and averaged over outputs (KAN 2.0, arXiv 2408.10205, eq. 4.2). A multiplication
node gives its score to each of its factors. An edge that carries all of its sum and reaches the output has score 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.network import Acts, Network

Groups = Sequence[Sequence[tuple[int, ...]]]


@dataclass(frozen=True)
class Scores:
    """Scores on one set of samples: ``edges[l]`` is ``[in_dim, out_dim]``, ``nodes[l]`` ``[nodes]``, inputs first."""

    edges: list[Float[Tensor, "i o"]]
    nodes: list[Float[Tensor, " nodes"]]

    @property
    def features(self) -> Float[Tensor, " n_in"]:
        """Return the inputs' scores."""
        return self.nodes[0]


@torch.no_grad()
def attribute(network: Network, x: Float[Tensor, "batch n_in"] | None = None) -> Scores:
    """Score every node and edge on ``x`` (default: the samples the model was trained on).

    >>> network = Network([2, 1], seed=0)
    >>> scores = attribute(network, torch.rand(50, 2, generator=torch.Generator().manual_seed(0)))
    >>> scores.edges[0].shape, scores.features.shape
    (torch.Size([2, 1]), torch.Size([2]))
    """
    return attribute_acts(network, network.acts(x))


@torch.no_grad()
def attribute_acts(network: Network, acts: Acts) -> Scores:
    """Score every node and edge from activations that are known already, as `Network.acts` returns them."""
    outputs = torch.full((network.n_out,), 1.0 / network.n_out, dtype=network.dtype, device=network.device)
    edges, nodes = carry_back(edge_shares(acts), network.groups, outputs)
    return Scores(edges, nodes)


@torch.no_grad()
def node_attribution(
    network: Network, l: int, x: Float[Tensor, "batch n_in"] | None = None
) -> Float[Tensor, "nodes n_in"]:
    """Score the inputs for each node of level ``l`` (1 is the first after the inputs) as if it were the output.

    >>> network = Network([3, 2, 1], seed=0)
    >>> node_attribution(network, 1, torch.rand(50, 3, generator=torch.Generator().manual_seed(0))).shape
    torch.Size([2, 3])

    Raises
    ------
    ValueError
        If there is no such level.
    """
    if isinstance(l, bool) or not isinstance(l, int) or not 1 <= l <= network.depth:
        raise ValueError(f"level {l!r} has no nodes to score inputs for: levels 1 to {network.depth} have")
    own = torch.eye(len(network.groups[l - 1]), dtype=network.dtype, device=network.device)
    return carry_back(edge_shares(network.acts(x))[:l], network.groups[:l], own)[1][0]


def feature_interaction(
    network: Network,
    l: int,
    neuron_th: float = 1e-2,
    feature_th: float = 1e-2,
    x: Float[Tensor, "batch n_in"] | None = None,
) -> dict[tuple[int, ...], int]:
    """Count which inputs meet in the nodes of level ``l``: ``{inputs: number of nodes}``.

    Parameters
    ----------
    l
        Level of nodes, 1 for the first after the inputs.
    neuron_th
        Nodes to which no input matters more than this are left out.
    feature_th
        An input belongs to a node if it matters more than this part of the one that matters most.
    x
        Samples; those of training if not given.

    Examples
    --------
    >>> network = Network([3, 2, 1], seed=0)
    >>> network.layer(0).mask[2, 0] = network.layer(0).mask[0, 1] = 0
    >>> feature_interaction(network, 1, x=torch.rand(50, 3, generator=torch.Generator().manual_seed(0)))
    {(0, 1): 1, (1, 2): 1}
    """
    scores = node_attribution(network, l, x)
    strongest = scores.amax(1, keepdim=True)
    belongs = (scores > feature_th * strongest)[strongest.squeeze(1) > neuron_th]
    return dict(Counter(tuple(row.nonzero().flatten().tolist()) for row in belongs))


def carry_back(
    shares: Sequence[Float[Tensor, "i o"]], groups: Groups, score: Float[Tensor, "*s nodes"]
) -> tuple[list[Float[Tensor, "*s i o"]], list[Float[Tensor, "*s nodes"]]]:
    """Carry the scores of the last level's nodes back through each edge's share of its sum.

    Returns the scores of the edges, a matrix a layer, and of the nodes, inputs first.
    """
    edges: list[Tensor] = []
    nodes = [score]
    for share, group in zip(reversed(shares), reversed(groups), strict=True):
        node_of = [node for node, subnodes in enumerate(group) for _ in subnodes]
        edges.insert(0, score[..., None, node_of] * share)
        score = edges[0].sum(-1)
        nodes.insert(0, score)
    return edges, nodes


def edge_shares(acts: Acts) -> list[Float[Tensor, "i o"]]:
    """Return ``std(phi_ij) / std(sum_j)`` of each layer."""
    shares = []
    for postacts in acts.postacts:
        edges, sums = _std(postacts), _std(postacts.sum(1))
        share = edges / sums.clamp_min(1e-12 * float(edges.max()) + 1e-300)
        # Edges that cancel each other can each exceed their sum without end; a share above 10 says nothing more.
        shares.append(share.clamp_max(10.0))
    return shares


def _std(values: Tensor) -> Tensor:
    """Return the standard deviations over the batch, exactly 0 for a constant, several times as fast as torch's."""
    from_first = values - values[:1]
    return (from_first - from_first.mean(0)).square().mean(0).sqrt()
