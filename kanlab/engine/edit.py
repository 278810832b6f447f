r"""A network with nodes more, a layer more, nodes in another order, or noise: new networks for old ones.

None of these forgets a spline, a name, a mask or what is frozen; all but `perturbed` (where it is told to) and new
outputs leave the function as it was, to rounding.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanlab.engine import spline
from kanlab.engine.attribution import attribute
from kanlab.engine.layer import KANLayer
from kanlab.engine.network import SILENT, Network
from kanlab.engine.shape import whole

_PER_EDGE = ("coef", "scale_base", "scale_sp", "affine", "mask")
#: What `perturbed` may change.
MODES = ("non-intrusive", "minimal", "all")


# ---- more


@torch.no_grad()
def widened(
    network: Network, l: int, n: int = 1, *, sum_bool: bool = True, mult_arity: int = 2, seed: int = 0
) -> Network:
    """Return the network with ``n`` nodes more on level ``l``, after those of their kind.

    Hidden nodes and inputs come with outgoing edges that are zero and ready to be trained, and hidden nodes with the
    incoming edges of a new network. New outputs are those of a new network.

    Parameters
    ----------
    l
        0 are the inputs, ``depth`` the outputs.
    n
        How many.
    sum_bool
        Sum nodes, or multiplication nodes of ``mult_arity`` factors.
    seed
        Of the new incoming edges.

    Raises
    ------
    ValueError
        For a level that there is not, a number below 1, or inputs that multiply.

    Examples
    --------
    >>> wider = widened(Network([2, 3, 1]), 1, 2)
    >>> wider.width
    [[2, 0], [5, 0], [1, 0]]
    """
    n, arity = whole("n", n, 1), 1 if sum_bool else whole("mult_arity", mult_arity, 2)
    if isinstance(l, bool) or not isinstance(l, int) or not 0 <= l <= network.depth:
        raise ValueError(f"level {l!r} is out of range: 0 are the inputs, {network.depth} the outputs")
    if l == 0 and not sum_bool:
        raise ValueError("inputs cannot be multiplication nodes")
    result = copy.deepcopy(network)
    n_sum, n_mult = network.width[l]
    if sum_bool:
        result.width[l][0] += n
    else:
        result.width[l][1] += n
        result.mult_arity[l] += [arity] * n
    if l:
        below, generator = result.layer(l - 1), torch.Generator().manual_seed(seed)
        at = n_sum if sum_bool else below.out_dim
        _insert(below, 1, at, _fresh(below, below.in_dim, n * arity, generator))
    if l < network.depth:
        above = result.layer(l)
        silent = _fresh(above, n, above.out_dim, torch.Generator())
        for parameter in (silent.coef, silent.scale_base):
            parameter.zero_()
        first = n_sum if sum_bool else n_sum + n_mult
        _insert(above, 0, first, silent)
        if l and result.samples is not None:
            above.knots[first : first + n] = _laid(result.acts().nodes[l][:, first : first + n], above, network)
    if l == 0:
        result.input_id += range(network.n_columns, network.n_columns + n)
        result.n_columns += n
        result.samples = None
    if l in (0, network.depth):
        result.targets = None
    return result


@torch.no_grad()
def deepened(network: Network) -> Network:
    """Return the network with a further layer after its outputs: splines that are the identity, and gaps between.

    >>> deeper = deepened(Network([2, 3, 2], seed=0))
    >>> deeper.width, deeper.layer(2).mask.tolist()
    ([[2, 0], [3, 0], [2, 0], [2, 0]], [[1.0, 0.0], [0.0, 1.0]])
    """
    result = copy.deepcopy(network)
    last, n = network.layer(network.depth - 1), network.n_out
    added = _fresh(last, n, n, torch.Generator(), k=max(1, last.k))
    if network.samples is not None:
        added.knots = _laid(network(network.samples), added, network)
    added.mask.copy_(torch.eye(n))
    added.scale_base.zero_()
    # A spline whose coefficients are the means of k successive knots is the identity (de Boor, ch. IX).
    means = added.knots[:, 1:-1].unfold(-1, added.k, 1).mean(-1)
    added.coef.copy_(means.unsqueeze(1) * torch.eye(n, dtype=means.dtype, device=means.device).unsqueeze(-1))
    result.layers.append(added)
    result.width.append([n, 0])
    result.mult_arity.append([])
    return result


@torch.no_grad()
def perturbed(network: Network, mag: float = 1.0, mode: str = "non-intrusive", *, seed: int = 0) -> Network:
    """Return the network with noise on its edges: ``mag`` times what a new network's edges are.

    Parameters
    ----------
    mag
        Size of the noise, 0 upwards.
    mode
        ``"non-intrusive"``: edges into nodes from which no output is reached; removed ones come back, and the function
        stays. ``"minimal"``: edges that are present. ``"all"``: every edge; removed ones come back.
    seed
        Of the noise.

    Raises
    ------
    ValueError
        For another mode, or a ``mag`` that is negative or not finite.
    """
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}; allowed are {', '.join(map(repr, MODES))}")
    if not isinstance(mag, int | float) or not 0.0 <= mag < float("inf"):
        raise ValueError(f"mag is {mag!r}; allowed are finite numbers from 0 up")
    result, generator = copy.deepcopy(network), torch.Generator().manual_seed(seed)
    for layer, reaching in zip(result.kan_layers(), _reaching(network), strict=True):
        noise = _fresh(layer, layer.in_dim, layer.out_dim, generator)
        if mode == "all":
            chosen = torch.ones_like(layer.mask, dtype=torch.bool)
        else:
            chosen = layer.mask != 0 if mode == "minimal" else (~reaching).expand_as(layer.mask)
        new = chosen & (layer.mask == 0)
        for name in ("coef", "scale_base"):
            old, more = getattr(layer, name), getattr(noise, name)
            where, was_not = (part.view(*part.shape, *[1] * (old.ndim - 2)) for part in (chosen, new))
            # What a removed edge was is forgotten: it comes back as an edge of the noise alone.
            old.copy_(torch.where(where, torch.where(was_not, 0.0, old) + mag * more, old))
        layer.mask[new] = 1
    return result


def _reaching(network: Network) -> list[Tensor]:
    """Say for each layer which of its sums reach an output."""
    result: list[Tensor] = []
    nodes = torch.ones(network.n_out, dtype=torch.bool, device=network.device)
    for layer, groups in zip(reversed(network.kan_layers()), reversed(network.groups), strict=True):
        sums = nodes[[node for node, group in enumerate(groups) for _ in group]]
        result.insert(0, sums)
        nodes = ((layer.mask != 0) & sums).any(1)
    return result


# ---- another order


@torch.no_grad()
def reordered(network: Network, l: int, order: Sequence[int]) -> Network:
    """Return the network with the nodes of hidden level ``l`` in another order, sum nodes before multiplication nodes.

    >>> network = Network([2, 3, 1], seed=0)
    >>> x = torch.rand(5, 2, dtype=torch.float64)
    >>> bool((reordered(network, 1, [2, 0, 1])(x) - network(x)).abs().max() < 1e-15)
    True

    Raises
    ------
    ValueError
        For a level that is not hidden, or an order that is none of its nodes.
    """
    _check_hidden(network, l)
    n_sum, n_mult = network.width[l]
    if sorted(order[:n_sum]) != list(range(n_sum)) or sorted(order) != list(range(n_sum + n_mult)):
        raise ValueError(
            f"order is {list(order)}; level {l} has {n_sum} sum nodes and then {n_mult} multiplication nodes, and each "
            "kind can only change places among itself"
        )
    result, device = copy.deepcopy(network), network.device
    below, above = result.layer(l - 1), result.layer(l)
    subnodes = [m for node in order for m in network.groups[l - 1][node]]
    below.select(torch.arange(below.in_dim, device=device), torch.tensor(subnodes, device=device))
    above.select(torch.tensor(list(order), device=device), torch.arange(above.out_dim, device=device))
    result.mult_arity[l] = [network.mult_arity[l][node - n_sum] for node in order[n_sum:]]
    return result


def swapped(network: Network, l: int, i1: int, i2: int) -> Network:
    """Return the network with two nodes of hidden level ``l`` in each other's place.

    Raises
    ------
    ValueError
        For a level that is not hidden, nodes that there are not, or of different kinds.
    """
    _check_hidden(network, l)
    order = list(range(sum(network.width[l])))
    for i in (i1, i2):
        if isinstance(i, bool) or i not in order:
            raise ValueError(f"node ({l}, {i!r}) is out of range: level {l} has {len(order)} nodes, counted from 0")
    order[i1], order[i2] = order[i2], order[i1]
    return reordered(network, l, order)


def connection_cost(network: Network, x: Float[Tensor, "batch n_in"] | None = None) -> float:
    """Return how far strong edges reach sideways: the sum of scores times the distance between both ends.

    Nodes stand evenly on a line from 0 to 1.
    """
    scores = attribute(network, x).edges
    return float(sum((score * distance).sum() for score, distance in zip(scores, _distances(network), strict=True)))


def untangled(network: Network, x: Float[Tensor, "batch n_in"] | None = None) -> Network:
    """Return the network with hidden nodes swapped as long as that lowers `connection_cost`."""
    scores = [score.cpu() for score in attribute(network, x).edges]
    orders = [list(range(sum(nodes))) for nodes in network.width]
    better = True
    while better:
        better = False
        for l in range(1, network.depth):
            better |= _improve(network, scores, orders, l)
    for l in range(1, network.depth):
        network = reordered(network, l, orders[l])
    return network


def _improve(network: Network, scores: list[Tensor], orders: list[list[int]], l: int) -> bool:
    """Swap the pair of nodes of one level that gains most, in ``orders``; return whether there was one."""
    order, n_sum = orders[l], network.width[l][0]
    cost = _cost_of_places(network, scores, orders, l)
    pairs = [(a, b) for a in range(len(order)) for b in range(a + 1, len(order)) if (a < n_sum) == (b < n_sum)]

    def gain(pair: tuple[int, int]) -> float:
        a, b = pair
        first, second = order[a], order[b]
        return float(cost[first, a] + cost[second, b] - cost[first, b] - cost[second, a])

    best = max(pairs, key=gain, default=None)
    if best is None or gain(best) <= 1e-12 * float(cost.abs().max()):
        return False
    a, b = best
    order[a], order[b] = order[b], order[a]
    return True


def _cost_of_places(
    network: Network, scores: list[Tensor], orders: list[list[int]], l: int
) -> Float[Tensor, "nodes places"]:
    """Return what each node's edges would cost in each place of its level, all other levels as they stand."""
    places = _places(len(orders[l]))
    below, above = (_places(len(orders[m]))[torch.tensor(orders[m]).argsort()] for m in (l - 1, l + 1))
    entering = torch.stack([scores[l - 1][:, list(group)].sum(1) for group in network.groups[l - 1]])
    leaving = torch.stack([scores[l][:, list(group)].sum(1) for group in network.groups[l]], 1)
    near, far = (places - below[:, None]).abs(), (places - above[:, None]).abs()
    return entering @ near.to(entering.dtype) + leaving @ far.to(leaving.dtype)


def _distances(network: Network) -> list[Tensor]:
    result = []
    for layer, groups in zip(network.kan_layers(), network.groups, strict=True):
        ends = _places(len(groups))[[node for node, group in enumerate(groups) for _ in group]]
        result.append((_places(layer.in_dim)[:, None] - ends).abs().to(layer.mask))
    return result


def _places(n: int) -> Tensor:
    return (torch.arange(n, dtype=torch.float64) + 0.5) / n


# ---- less


def remove_node(network: Network, l: int, i: int, mode: str = "all") -> None:
    """Remove the edges of hidden node ``i`` of level ``l``: ``"all"``, or those ``"up"`` or ``"down"`` from it.

    Raises
    ------
    ValueError
        For what is no hidden node, or another mode.
    """
    if mode not in ("all", "up", "down"):
        raise ValueError(f"mode is {mode!r}; allowed are 'all', 'up' (towards the outputs) and 'down'")
    if not 0 < l < network.depth or not 0 <= i < sum(network.width[l]):
        raise ValueError(f"node ({l}, {i}) is not a hidden node; levels 1 to {network.depth - 1} are hidden")
    if mode != "down":
        for j in range(network.layer(l).out_dim):
            network.layer(l).remove(i, j)
    if mode != "up":
        for subnode in network.groups[l - 1][i]:
            for before in range(network.layer(l - 1).in_dim):
                network.layer(l - 1).remove(before, subnode)


def set_mode(network: Network, l: int, i: int, j: int, mode: str) -> None:
    """Make an edge its spline again (``"n"``), its function (``"s"``), or nothing (``"off"``).

    Raises
    ------
    ValueError
        For an edge that there is not or that has no function, or another mode.
    """
    network.check_edge(l, i, j)
    layer = network.layer(l)
    if mode == "n":
        layer.unfix(i, j)
        layer.mask[i, j] = 1
    elif mode == "off":
        layer.remove(i, j)
    elif mode != "s":
        raise ValueError(
            f"mode is {mode!r}; allowed are 'n' (spline), 's' (function) and 'off': an edge is never two things at once"
        )
    elif (i, j) not in layer.fixed:
        raise ValueError(f"edge ({l}, {i}, {j}) has no function; fix_symbolic gives it one")


# ---- parts


def _check_hidden(network: Network, l: int) -> None:
    if isinstance(l, bool) or not isinstance(l, int) or not 0 < l < network.depth:
        raise ValueError(f"level {l!r} is not hidden; levels 1 to {network.depth - 1} are")


def _fresh(like: KANLayer, in_dim: int, out_dim: int, generator: torch.Generator, k: int | None = None) -> KANLayer:
    """Return a new layer of the same kind."""
    layer = KANLayer(
        in_dim,
        out_dim,
        grid=like.grid,
        k=like.k if k is None else k,
        base_fun=like.base,
        sp_trainable=like.scale_sp.requires_grad,
        sb_trainable=like.scale_base.requires_grad,
        generator=generator,
        dtype=like.coef.dtype,
    ).to(like.coef.device)
    layer.coef.requires_grad_(like.coef.requires_grad)
    layer.affine.requires_grad_(like.affine.requires_grad)
    return layer


def _laid(values: Float[Tensor, "batch nodes"], layer: KANLayer, network: Network) -> Float[Tensor, "nodes knots"]:
    """Return knots over the values that reach a layer."""
    return spline.sample_knots(values.T, layer.grid, layer.k, network.grid_eps, least=SILENT)


def _insert(layer: KANLayer, axis: int, at: int, new: KANLayer) -> None:
    """Put the edges of ``new`` into ``layer``: as inputs from ``at`` on (axis 0), or as outputs (axis 1)."""
    for name in (*_PER_EDGE, "knots") if axis == 0 else _PER_EDGE:
        old = getattr(layer, name)
        value = torch.cat(
            [old.narrow(axis, 0, at), getattr(new, name), old.narrow(axis, at, old.shape[axis] - at)], axis
        )
        is_parameter = isinstance(old, nn.Parameter)
        setattr(layer, name, nn.Parameter(value, requires_grad=old.requires_grad) if is_parameter else value)
    count = (new.in_dim, new.out_dim)[axis]
    moved = {}
    for edge, function in layer.fixed.items():
        place = list(edge)
        place[axis] += count if place[axis] >= at else 0
        moved[place[0], place[1]] = function
    layer.fixed = moved
    layer.in_dim, layer.out_dim = layer.mask.shape
