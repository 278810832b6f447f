r"""Which nodes and edges matter: scores carried back from the outputs.

``edge_score[i, j] = subnode_score[j] * std(phi_ij) / std(sum_j)`` and ``node_score[i] = sum_j edge_score[i, j]``,
starting from one at each output and averaged over outputs (KAN 2.0, arXiv 2408.10205, eq. 4.2). A multiplication
node gives its score to each of its factors. An edge that carries all of its sum and reaches the output has score 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.network import Network


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
    phis = [phi.permute(1, 2, 0) for phi in network.acts(x).postacts]
    score = torch.full((network.n_out,), 1.0 / network.n_out, dtype=network.dtype, device=network.device)
    edges: list[Tensor] = []
    nodes = [score]
    for l in reversed(range(network.depth)):
        phi = phis[l]
        by_subnode = torch.cat([node.expand(len(group)) for node, group in zip(score, network.groups[l], strict=True)])
        edge_spread = phi.std(-1, correction=0)
        sum_spread = phi.sum(0).std(-1, correction=0)
        share = edge_spread / sum_spread.clamp_min(1e-12 * float(edge_spread.max()) + 1e-300)
        # Edges that cancel each other can each exceed their sum without end; a share above 10 says nothing more.
        edge = by_subnode * share.clamp_max(10.0)
        score = edge.sum(1)
        edges.insert(0, edge)
        nodes.insert(0, score)
    return Scores(edges, nodes)
