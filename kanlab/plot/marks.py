"""What is drawn of each edge: its curve, how strongly, in which colour, and its function's name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.colors import to_rgba
from torch import Tensor

from kanlab.engine.attribution import attribute
from kanlab.engine.network import Network
from kanlab.plot.layout import Edge

INK = "#1b1b1b"
SYMBOLIC = "#c2410c"
METRICS = ("backward", "forward_n", "forward_u")

_POINTS = 61
_SAMPLES = 150
#: An edge without any effect is there all the same, until it is pruned.
_GHOST = 0.06


@dataclass(frozen=True)
class EdgeMark:
    """What is drawn of one edge: its curve [n, 2], the data on it, how strongly, and its function's name if any."""

    edge: Edge
    curve: np.ndarray
    samples: np.ndarray
    alpha: float
    name: str | None

    def colour(self, strength: float = 1.0) -> tuple[float, float, float, float]:
        """Return the edge's colour, at part of its opacity."""
        return to_rgba(INK if self.name is None else SYMBOLIC, self.alpha * strength)


def _strengths(network: Network, metric: str) -> list[Tensor]:
    """Score each edge: by what reaches the output, or by its spread (over that of its input where normalised)."""
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {metric!r}")
    if network.samples is None:
        return [torch.full_like(layer.mask, torch.inf) for layer in network.kan_layers()]
    if metric == "backward":
        return attribute(network).edges
    acts = network.acts()
    spreads = [post.std(0, correction=0) for post in acts.postacts]
    if metric == "forward_u":
        return spreads
    return [out / pre.std(0, correction=0).clamp_min(1e-12) for out, pre in zip(spreads, acts.preacts, strict=True)]


def _samples(network: Network) -> list[tuple[np.ndarray, np.ndarray]]:
    """Thin the activations on the data out to what a small box can show: [n, in, out] per layer."""
    acts = network.acts()
    step = max(1, len(network.seen()) // _SAMPLES)
    return [
        (pre[::step].cpu().numpy(), post[::step].cpu().numpy())
        for pre, post in zip(acts.preacts, acts.postacts, strict=True)
    ]


def node_strengths(network: Network, marks: Sequence[EdgeMark]) -> list[list[float]]:
    """Per level, how strongly each node is drawn: as its strongest edge, or 0 without any."""
    strengths = [[0.0] * sum(nodes) for nodes in network.width]
    node_of = [{m: n for n, group in enumerate(groups) for m in group} for groups in network.groups]
    for mark in marks:
        l, i, j = mark.edge
        for level, node in ((l, i), (l + 1, node_of[l][j])):
            strengths[level][node] = max(strengths[level][node], mark.alpha)
    return strengths


@torch.no_grad()
def edge_marks(network: Network, beta: float, metric: str, sample: bool) -> list[EdgeMark]:
    """Collect the present edges, faintest first, so that strong ones are drawn over them."""
    scattered = _samples(network) if sample else []
    marks = []
    for l, ((x, y), strength) in enumerate(zip(network.edge_curves(_POINTS), _strengths(network, metric), strict=True)):
        layer = network.layer(l)
        # An edge that cannot be scored is shown, not hidden.
        alphas = torch.tanh(beta * strength).nan_to_num(1.0).clamp_min(_GHOST).tolist()
        for i, j in (layer.mask != 0).nonzero().tolist():
            function = layer.fixed.get((i, j))
            marks.append(
                EdgeMark(
                    edge=(l, i, j),
                    curve=np.stack([x[i].cpu().numpy(), y[i, j].cpu().numpy()], axis=-1),
                    samples=np.stack([part[:, i, j] for part in scattered[l]], axis=-1) if sample else np.empty((0, 2)),
                    alpha=alphas[i][j],
                    name=None if function is None else str(getattr(function, "text", function.name)),
                )
            )
    return sorted(marks, key=lambda mark: mark.alpha)
