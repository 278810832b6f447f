r"""A KAN: layers of edges with sums, and products where asked, at the nodes.

``KAN(x) = (Phi_{L-1} o ... o Phi_0)(x)`` (KAN paper, arXiv 2404.19756, eq. 2.7), with multiplication nodes after
KAN 2.0 (arXiv 2408.10205, sec. 2): a layer's edges end in *subnodes* (sums); a sum node is one of them, a
multiplication node the product of ``mult_arity`` of them. Multiplication nodes stand after the sum nodes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanlab.engine import spline
from kanlab.engine.layer import KANLayer
from kanlab.engine.shape import Arity, Width, parse_arity, parse_width, per_layer, whole

Value = TypeVar("Value")
#: Range of a hidden node's values below which no grid is laid over them.
SILENT = 1e-9


#: Even points over the range of each input of a layer, and each edge's values there.
Curve = tuple[Float[Tensor, "i n"], Float[Tensor, "i o n"]]


@dataclass(frozen=True)
class Acts:
    """All activations for one batch (``[batch, ...]``), as `Network.acts` returns them."""

    nodes: list[Float[Tensor, "batch nodes"]]
    preacts: list[Float[Tensor, "batch in_dim out_dim"]]
    postacts: list[Float[Tensor, "batch in_dim out_dim"]]


class Network(nn.Module):
    """The trainable function; `kanlab.KAN` adds what people do with it.

    Parameters
    ----------
    width
        Nodes per layer; ``[n_sum, n_mult]`` where a layer has multiplication nodes.
    grid, k
        Intervals and degree of the splines, for all layers or one per layer.
    mult_arity
        How many sums a multiplication node multiplies: a number, or a list for each level of nodes with a number for
        each of its multiplication nodes, such as ``[[], [2, 3], []]`` for ``width=[2, [5, 2], 1]``.
    seed
        Of the initial values; nothing global is seeded.
    grid_eps
        Mixes even (1) and quantile (0) grids whenever the grid is laid.
    device
        Where the parameters are; the initial values are the same everywhere.
    **start
        ``base_fun``, ``noise_scale``, ``scale_base_mu``, ``scale_base_sigma``, ``sp_trainable``, ``sb_trainable``,
        ``sparse_init``, ``grid_range``, ``dtype``: see `kanlab.engine.start.Start`.

    Examples
    --------
    >>> network = Network([2, 5, 1], grid=5, seed=0)
    >>> network(torch.zeros(10, 2)).shape
    torch.Size([10, 1])
    """

    def __init__(
        self,
        width: Width,
        grid: int | Sequence[int] = 3,
        k: int | Sequence[int] = 3,
        *,
        mult_arity: Arity = 2,
        seed: int | torch.Generator = 0,
        grid_eps: float = 1.0,
        device: str | torch.device | None = None,
        **start: Any,
    ):
        super().__init__()
        self.width = parse_width(width)
        #: For each level of nodes, how many sums each of its multiplication nodes multiplies.
        self.mult_arity = parse_arity(mult_arity, self.width)
        self.grid_eps = float(grid_eps)
        if not 0.0 <= self.grid_eps <= 1.0:
            raise ValueError(f"grid_eps is {grid_eps}; it mixes even (1) and quantile (0) grids, so 0 to 1 are allowed")
        generator = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(whole("seed", seed, 0))
        depth = len(self.width) - 1
        grids = [whole("grid", g, 1) for g in per_layer("grid", grid, depth)]
        degrees = [whole("k", d, 0) for d in per_layer("k", k, depth)]
        self.layers = nn.ModuleList(
            KANLayer(
                sum(self.width[l]),
                self.width[l + 1][0] + sum(self.mult_arity[l + 1]),
                grid=grids[l],
                k=degrees[l],
                generator=generator,
                **start,
            )
            for l in range(depth)
        )
        #: The inputs the model was last trained on or shown; scores, ranges and curves are taken on them.
        self.samples: Tensor | None = None
        #: The labels of those samples, where it was trained: what a formula is chosen by.
        self.targets: Tensor | None = None
        #: Which columns of the data the inputs are, and how many there are: all, until inputs are pruned.
        self.input_id = list(range(self.n_in))
        self.n_columns = self.n_in
        self.to(device)

    # ---- shape

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.width[0][0]

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return sum(self.width[-1])

    @property
    def n_edge(self) -> int:
        """Number of edges that are present."""
        return int(sum(layer.mask.count_nonzero() for layer in self.kan_layers()))

    @property
    def n_sum(self) -> int:
        """Number of hidden nodes that are sums."""
        return sum(n_sum for n_sum, _ in self.width[1:-1])

    @property
    def n_mult(self) -> int:
        """Number of hidden nodes that multiply."""
        return sum(n_mult for _, n_mult in self.width[1:-1])

    @property
    def depth(self) -> int:
        """Number of layers of edges."""
        return len(self.width) - 1

    @property
    def dtype(self) -> torch.dtype:
        """Of the parameters; inputs are cast to it."""
        return self.layer(0).coef.dtype

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.layer(0).coef.device

    @property
    def grid(self) -> list[int]:
        """Intervals of each layer."""
        return [layer.grid for layer in self.kan_layers()]

    @property
    def groups(self) -> list[list[tuple[int, ...]]]:
        """For each layer, which subnodes make each node: a 1-tuple is a sum node, more are multiplied."""
        result = []
        for (n_sum, _), arities in zip(self.width[1:], self.mult_arity[1:], strict=True):
            ends = list(accumulate(arities, initial=n_sum))
            result.append([(m,) for m in range(n_sum)] + [tuple(range(*pair)) for pair in pairwise(ends)])
        return result

    def layer(self, l: int) -> KANLayer:
        """Return layer ``l``."""
        return cast(KANLayer, self.layers[l])

    def kan_layers(self) -> list[KANLayer]:
        """Return all layers."""
        return [self.layer(l) for l in range(self.depth)]

    def edges(self) -> Iterator[tuple[int, int, int]]:
        """Go through all edges ``(l, i, j)``, removed ones included."""
        for l, layer in enumerate(self.kan_layers()):
            for i in range(layer.in_dim):
                for j in range(layer.out_dim):
                    yield l, i, j

    def check_edge(self, l: int, i: int, j: int) -> tuple[int, int, int]:
        """Return the edge if there is such a place, else say what is allowed."""
        name = f"edge ({l}, {i}, {j})"
        if not all(isinstance(index, int) and not isinstance(index, bool) for index in (l, i, j)):
            raise TypeError(f"{name}: an edge is three whole numbers (layer, input, output)")
        if not 0 <= l < self.depth:
            raise ValueError(f"{name} is out of range: there are {self.depth} layers, counted from 0")
        layer = self.layer(l)
        if not 0 <= i < layer.in_dim:
            raise ValueError(f"{name} is out of range: layer {l} has {layer.in_dim} inputs, counted from 0")
        if not 0 <= j < layer.out_dim:
            raise ValueError(f"{name} is out of range: layer {l} has {layer.out_dim} outputs, counted from 0")
        return l, i, j

    # ---- evaluation

    def combine(self, l: int, sums: Float[Tensor, "*s subnodes n"]) -> Float[Tensor, "*s nodes n"]:
        """Make the nodes after layer ``l`` from its subnodes."""
        arities = self.mult_arity[l + 1]
        if not arities:
            return sums
        plain, *factors = sums.split([self.width[l + 1][0], *arities], -2)
        return torch.cat([plain, *(part.prod(-2, keepdim=True) for part in factors)], -2)

    def read(self, x: Tensor) -> Float[Tensor, "n_in n"]:
        """Check and cast a batch ``[batch, n_in]``; the engine's layout has the batch last.

        Where inputs were pruned, a batch may also have all columns of the data; those of the inputs are taken.
        """
        return self.columns(_real_tensor(x)).to(self.dtype).T

    def columns(self, x: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch n_in"]:
        """Return the columns of the data that are inputs."""
        if x.ndim != 2 or x.shape[1] not in (self.n_in, self.n_columns):
            all_columns = "" if self.n_columns == self.n_in else f", or all {self.n_columns} columns of the data"
            raise ValueError(f"x has shape {tuple(x.shape)}; this model takes [batch, {self.n_in}]{all_columns}")
        return x if x.shape[1] == self.n_in else x[:, self.input_id]

    def of_inputs(self, values: Sequence[Value]) -> list[Value]:
        """Return what belongs to the inputs, given one for each of them or one for each column of the data."""
        return [values[m] for m in self.input_id] if len(values) == self.n_columns else list(values)

    def forward(self, x: Float[Tensor, "batch n_in"]) -> Float[Tensor, "batch n_out"]:
        """Evaluate the model."""
        h = self.read(x)
        for l, layer in enumerate(self.kan_layers()):
            h = self.combine(l, layer(h))
        return h.T

    def acts(self, x: Float[Tensor, "batch n_in"] | None = None) -> Acts:
        """Evaluate all nodes and edges on ``x`` (default: the samples the model was trained on)."""
        return self._acts(self.seen() if x is None else x, lambda layer, h: layer.postacts(h))

    @torch.no_grad()
    def acts_and_curves(self, n: int) -> tuple[Acts, list[Curve]]:
        """Return `acts` and `edge_curves`, in one pass over the layers."""
        even, curves = self._even(n), []

        def evaluate(layer: KANLayer, h: Tensor) -> Tensor:
            low, high = h.amin(-1, keepdim=True), h.amax(-1, keepdim=True)
            x = low + (high - low) * even
            phi = layer.postacts(torch.cat([h, x], -1))
            curves.append((x, phi[..., -n:]))
            return phi[..., :-n]

        return self._acts(self.seen(), evaluate), curves

    def _acts(self, x: Tensor, evaluate: Callable[[KANLayer, Tensor], Tensor]) -> Acts:
        h = self.read(x)
        nodes, preacts, postacts = [h.T], [], []
        for l, layer in enumerate(self.kan_layers()):
            phi = evaluate(layer, h)
            preacts.append(h.T.unsqueeze(-1).expand(-1, -1, layer.out_dim))
            postacts.append(phi.permute(2, 0, 1))
            h = self.combine(l, phi.sum(0))
            nodes.append(h.T)
        return Acts(nodes, preacts, postacts)

    def _even(self, n: int) -> Float[Tensor, " n"]:
        return torch.linspace(0, 1, n, dtype=self.dtype, device=self.device)

    def seen(self) -> Float[Tensor, "batch n_in"]:
        """Return the samples the model knows, or say that there are none yet."""
        if self.samples is None:
            raise ValueError("the model has seen no data yet: call fit(dataset), or pass the inputs x")
        return self.samples

    def show(self, x: Float[Tensor, "batch n_in"], y: Tensor | None = None) -> None:
        """Let the model know the data: scores, ranges and curves are taken on these samples."""
        self.samples = self.read(x).T.detach().clone()
        self.targets = None if y is None else y.detach().clone()

    @torch.no_grad()
    def edge_curves(self, n: int = 101) -> list[Curve]:
        """Sample every edge at ``n`` even points over the range of its data (of its grid, before any data)."""
        if self.samples is not None:
            return self.acts_and_curves(n)[1]
        curves = []
        for layer in self.kan_layers():
            low, high = layer.knots[:, layer.k, None], layer.knots[:, -layer.k - 1, None]
            x = low + (high - low) * self._even(n)
            curves.append((x, layer.postacts(x)))
        return curves

    # ---- the grid

    @torch.no_grad()
    def update_grid_from_samples(self, x: Float[Tensor, "batch n_in"], grid: int | Sequence[int] | None = None) -> None:
        """Lay every layer's grid over the data that reaches it, optionally with another number of intervals.

        Layer by layer, the splines are refitted before the next layer's inputs are computed, so the function changes
        only by what the new grids cannot represent. Optimisers must forget their history after this. The random
        curves of a model that was never trained are carried to the data's range as they are instead: continued from
        the initial range they could be of any size there.

        Raises
        ------
        FloatingPointError
            When values that reach a layer are not finite.
        """
        h = self.read(x).expand(*self.layer(0).coef.shape[:-3], -1, -1)  # of a stack of networks, for each
        sizes = self.grid if grid is None else per_layer("grid", grid, self.depth)
        for l, (layer, size) in enumerate(zip(self.kan_layers(), sizes, strict=True)):
            layer.regrid(self._knots(l, h, whole("grid", size, 1)))
            h = self.combine(l, layer(h))

    @torch.no_grad()
    def stretch_grid_to_samples(self, x: Float[Tensor, "batch n_in"]) -> None:
        """Lay every layer's grid over the data that reaches it, each spline stretched with its grid.

        Unlike `update_grid_from_samples` this changes the function. It is for a model that has learnt nothing yet.
        """
        h = self.read(x)
        for l, layer in enumerate(self.kan_layers()):
            layer.stretch(self._knots(l, h, layer.grid))
            h = self.combine(l, layer(h))

    def _knots(self, l: int, h: Float[Tensor, "*s i n"], grid: int) -> Float[Tensor, "*s i knots"]:
        """Return layer ``l``'s knots for the values that reach it."""
        if not bool(h.isfinite().all()):
            raise FloatingPointError(
                f"no grid can be laid: values that reach layer {l} are not finite numbers (a fixed function outside "
                "its domain, or weights that were set by hand); undo the last change"
            )
        # An input is what it is, in any unit; a hidden node this still is silent, and will move when it wakes.
        least = 0.0 if l == 0 else SILENT
        return spline.sample_knots(h, grid, self.layer(l).k, self.grid_eps, least=least)

    @torch.no_grad()
    def refined(self, grid: int | Sequence[int]) -> Network:
        """Return a copy on another number of intervals, the samples' grids kept.

        With more intervals the old knots are kept and intervals are split, so the function is the same; with fewer,
        even knots on the same range take the nearest splines.
        """
        result = copy.deepcopy(self)
        for layer, size in zip(result.kan_layers(), per_layer("grid", grid, self.depth), strict=True):
            size = whole("grid", size, 1)
            points = layer.knots[:, layer.k : layer.knots.shape[-1] - layer.k]
            if size >= layer.grid:
                points = spline.subdivide(points, size)
            else:
                even = torch.linspace(0, 1, size + 1, dtype=self.dtype, device=self.device)
                points = points[:, :1] + (points[:, -1:] - points[:, :1]) * even
            layer.regrid(spline.extend_knots(points, layer.k))
        return result


def _real_tensor(x: Any) -> Tensor:
    """Return inputs, of whatever kind that holds real numbers, as a tensor."""
    if not isinstance(x, Tensor):
        if hasattr(x, "to_numpy"):  # a table
            x = x.to_numpy(copy=True)  # a table's own memory may be read-only
        try:
            x = torch.as_tensor(x)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(
                f"x is {type(x).__name__} and holds no table of numbers; allowed are tensors, arrays and nested lists "
                "[batch, n_in]"
            ) from error
    if x.is_complex():
        raise ValueError("x is complex: a KAN is real, so pass real and imaginary part as two columns")
    return x.to_dense() if x.is_sparse else x
