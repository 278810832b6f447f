r"""Backward elimination: remove the least important part, refit, keep what held-out rows allow.

One row in five is held out. The weakest node (then the weakest edge) is removed, its mean folded into what stays, and
the rest refitted for a few steps. A smaller network may spend the parameters it saved on finer grids: where the refit
does not hold, the grids grow until there are as many parameters again as there were at the start. So networks are
compared at the same number of parameters, and a removal fails because a part is needed, not because the grid is coarse.

The tolerance comes from the whole network itself: its held-out loss ``E``, refitted without those rows, plus two
standard errors of ``E`` (after the one-standard-error rule of Breiman et al. 1984, sec. 3.4.3). It grows with the noise
of the labels, which no network can tell from the held-out rows.

A removal that exceeds the tolerance without being hopeless is kept as a detour when nothing else is left to try: the
way down to a much smaller network may lead over one that fits a little worse. It counts only if a network within the
tolerance is found behind it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanlab.engine import solvers
from kanlab.engine.attribution import Scores, attribute
from kanlab.engine.lay import lay_again, lay_first
from kanlab.engine.losses import LossFunction
from kanlab.engine.network import Network
from kanlab.engine.objective import Objective
from kanlab.engine.options import SAMPLE_LIMIT, batch_last
from kanlab.engine.prune import Cut, Edge, apply_cut, bare_outputs, edges_around, whole_cut
from kanlab.engine.refit import Interrupted, refit
from kanlab.engine.snapshot import restore, snapshot
from kanlab.engine.threads import stretches

#: One row in so many is held out; fewer rows than this tell nothing.
_HELD_OUT, _LEAST_ROWS = 5, 10
#: Parts of the held-out rows whose losses give the standard error, and how many of these are allowed.
_PIECES, _ERRORS = 20, 2.0
#: What is allowed in any case, relative to what a constant would lose: nobody sees a part this small.
_ROUNDING = 1e-12
#: A finer grid that lowers a hopeless loss by less than this part shows that the grid is not the reason.
_SLOW = 0.5

Edges = tuple[Edge, ...]
Lay = Callable[[Network, Tensor, Callable[[], float]], object]


@dataclass(frozen=True)
class Removal:
    """One removal that was tried.

    Attributes
    ----------
    edges
        What was to go, by its place in the network as it stood.
    error
        The held-out error after the refit: root mean squared for the default loss, else the loss itself.
    tolerance
        The error allowed.
    network
        The smallest network within the tolerance so far; not to be changed.
    """

    edges: Edges
    error: float
    tolerance: float
    network: Network

    @property
    def holds(self) -> bool:
        """Whether the network does without."""
        return self.error <= self.tolerance


class _Judge:
    """Rows to fit, and rows held out to judge by."""

    def __init__(self, x: Float[Tensor, "n n_in"], y: Tensor, loss_fn: LossFunction | None):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0)).to(x.device)
        held, kept = order[: len(x) // _HELD_OUT], order[len(x) // _HELD_OUT :].sort().values
        self.x, self.y, self.loss_fn = x[kept], y[kept], loss_fn
        self._held = x[held], y[held]
        self._loss = nn.functional.mse_loss if loss_fn is None else loss_fn

    @torch.no_grad()
    def loss(self, network: Network) -> float:
        """Return the held-out loss."""
        x, y = self._held
        return float(self._loss(network(x), y))

    @torch.no_grad()
    def limits(self, network: Network) -> tuple[float, float]:
        """Return the loss that is allowed, and the one beyond which a removal is hopeless."""
        x, y = self._held
        prediction = network(x)
        constant = float(self._loss(prediction.mean(0).expand_as(prediction), y))
        pieces = min(_PIECES, len(x))
        losses = torch.stack([self._loss(p, t) for p, t in zip(prediction.chunk(pieces), y.chunk(pieces), strict=True)])
        spread = float(losses.std()) if len(losses) > 1 else 0.0
        allowed = self.loss(network) + _ERRORS * spread / math.sqrt(len(losses)) + _ROUNDING * abs(constant)
        halfway = math.sqrt(allowed * constant) if min(allowed, constant) > 0 else (allowed + constant) / 2
        return allowed, max(allowed, halfway)

    def shown(self, loss: float) -> float:
        """Return a loss as people read it."""
        return math.sqrt(loss) if self.loss_fn is None else loss


class Elimination:
    """See the module; `steps` is the generator, to be gone through once."""

    def __init__(
        self,
        network: Network,
        x: Float[Tensor, "n n_in"],
        y: Tensor,
        *,
        loss_fn: LossFunction | None = None,
        tolerance: float | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ):
        if len(x) < _LEAST_ROWS:
            raise ValueError(f"there are {len(x)} labelled rows; at least {_LEAST_ROWS} can tell what is needed")
        if tolerance is not None and not 0 <= tolerance < math.inf:
            raise ValueError(f"tolerance is {tolerance!r}; allowed are finite errors from 0 up, or None to find it")
        self._given, self._tolerance, self._interrupted = network, tolerance, interrupted
        self._all, self._loss_fn = (x, y), loss_fn
        self._judge = _Judge(x, y, loss_fn)
        self._allowed = self._hopeless = -math.inf
        #: What was refused, and whether beyond hope; and how many parts are tried at once.
        self._refused: dict[Edges, bool] = {}
        self._at_once = 1

    def steps(self) -> Generator[Removal, None, Network]:
        """Try removals one by one, yielding each; the generator's value is the smaller network."""
        smallest = copy.deepcopy(self._given)
        try:
            self._begin(smallest)
            following: Network | None = smallest
            while following is not None:
                current, following, detour = following, None, (self._hopeless, None)
                for edges, cut in self._candidates(current):
                    trial, loss = self._without(current, cut)
                    if loss <= self._allowed:
                        smallest = following = trial
                    elif loss < detour[0]:
                        detour = (loss, trial)
                    self._note(edges, loss)
                    yield Removal(edges, self._judge.shown(loss), self._judge.shown(self._allowed), smallest)
                    if following is not None:
                        break
                following = following or detour[1]
                self._forget_refusals(current, following)
            smallest = copy.deepcopy(smallest)
            self._allowed = -math.inf
            self._refit(smallest, *self._all)
        except Interrupted:
            smallest = copy.deepcopy(smallest)
        smallest.show(*(part[:SAMPLE_LIMIT] for part in self._all))
        return smallest

    def _begin(self, network: Network) -> None:
        lay = lay_again if network.samples is not None else lay_first
        network.show(self._judge.x, self._judge.y)
        self._refit(network, self._judge.x, self._judge.y, lay)
        self._budget = _parameters(network)
        self._allowed, self._hopeless = self._judge.limits(network)
        if self._tolerance is not None:
            self._allowed = self._tolerance**2 if self._loss_fn is None else self._tolerance
            self._hopeless = max(self._allowed, self._hopeless)

    # ---- what to try

    def _candidates(self, network: Network) -> Iterator[tuple[Edges, Cut]]:
        """Go through nodes and then edges, weakest first; several at once for as long as that goes well."""
        scores = attribute(network)
        for parts in (_nodes(network, scores), _edges(network, scores)):
            left = [part for part in parts if part not in self._refused]
            together = tuple(edge for part in left[: min(self._at_once, len(left) // 2)] for edge in part)
            for edges in dict.fromkeys([together, *left]):
                cut = _cut(network, scores, edges)
                if cut is not None:
                    yield edges, cut

    def _note(self, edges: Edges, loss: float) -> None:
        if loss <= self._allowed:
            self._at_once *= 2
        else:
            self._at_once = 1
            self._refused[edges] = not loss < self._hopeless

    def _forget_refusals(self, before: Network, after: Network | None) -> None:
        """Give what was refused another chance, unless it was hopeless and has kept its place."""
        same = after is not None and after.width == before.width
        self._refused = {edges: True for edges, hopeless in self._refused.items() if hopeless and same}

    # ---- trying

    def _without(self, network: Network, cut: Cut) -> tuple[Network, float]:
        """Return the network without what the cut names, refitted, and its held-out loss."""
        trial = apply_cut(network, cut)
        loss = self._refit(trial, self._judge.x, self._judge.y)
        while loss > self._allowed and self._grow(trial):
            before, loss = loss, self._refit(trial, self._judge.x, self._judge.y)
            if loss > self._hopeless and loss > _SLOW * before:
                break
        return trial, loss

    def _refit(self, network: Network, x: Float[Tensor, "n n_in"], y: Tensor, lay: Lay = lay_again) -> float:
        """Lay the grids, train for a few steps and return the held-out loss; infinity if numbers are left.

        The step with the lowest held-out loss is kept: beyond it a network may only learn its rows by heart.
        """
        inputs, labels = x.T.contiguous(), batch_last(y)
        best = math.inf, snapshot(network)

        def objective() -> Objective:
            return Objective(network, inputs, labels, None, self._loss_fn)

        def reached() -> bool:
            nonlocal best
            loss = self._judge.loss(network)
            if loss < best[0]:
                best = loss, snapshot(network)
            return loss <= self._allowed

        try:
            lay(network, x, lambda: objective().start().value)
            solver = solvers.make(solvers.choose("auto", objective()), objective())
            if not reached():
                refit(solver, reached, self._interrupted)
        except FloatingPointError:
            return math.inf
        finally:
            restore(network, best[1])
        return best[0]

    def _grow(self, network: Network) -> bool:
        """Double the grids, as far as the parameters that were saved reach; say whether they grew."""
        more = self._budget / max(1, _parameters(network))
        before, sizes = network.grid, []
        for layer in network.kan_layers():
            rows = layer.coef.shape[-1] + 1
            sizes.append(max(layer.grid, min(2 * layer.grid, layer.grid + int(rows * (more - 1)))))
        if sizes != before:
            network.update_grid_from_samples(self._judge.x, sizes)
        return sizes != before


def _parameters(network: Network) -> int:
    return sum(int(layer.spline_mask().sum()) * (layer.coef.shape[-1] + 1) for layer in network.kan_layers())


def _nodes(network: Network, scores: Scores) -> list[Edges]:
    """Return the edges around each hidden node, weakest first; nodes with a named edge are wanted."""
    found = []
    for l in range(1, network.depth):
        for node, score in enumerate(scores.nodes[l].tolist()):
            edges = [edge for edge in edges_around(network, l, node) if _is(network.layer(edge[0]).mask, edge)]
            if edges and all(_is(network.layer(edge[0]).spline_mask(), edge) for edge in edges):
                found.append((score, tuple(edges)))
    return [edges for _, edges in sorted(found)]


def _edges(network: Network, scores: Scores) -> list[Edges]:
    """Return the spline edges, weakest first."""
    found = []
    for l, layer in enumerate(network.kan_layers()):
        for i, j in layer.spline_mask().nonzero().tolist():
            found.append((float(scores.edges[l][i, j]), ((l, i, j),)))
    return [edges for _, edges in sorted(found)]


def _is(marks: Tensor, edge: Edge) -> bool:
    return bool(marks[edge[1], edge[2]])


def _cut(network: Network, scores: Scores, edges: Edges) -> Cut | None:
    """Return the cut of these edges, or None where it cuts nothing or an output would be left bare."""
    weak = [torch.zeros_like(layer.mask, dtype=torch.bool) for layer in network.kan_layers()]
    for l, i, j in edges:
        weak[l][i, j] = True
    cut = whole_cut(network, scores, weak)
    return cut if cut.n_edges and not bare_outputs(network, cut) else None


def eliminate_steps(
    network: Network,
    x: Float[Tensor, "n n_in"],
    y: Tensor,
    *,
    loss_fn: LossFunction | None = None,
    tolerance: float | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Generator[Removal, None, Network]:
    """Remove parts of a trained network for as long as held-out rows allow; the network itself stays as it is.

    Parameters
    ----------
    network
        A trained network; edges with a name are kept.
    x, y
        Inputs ``[n, n_in]`` and labels ``[n, n_out]`` (or what ``loss_fn`` takes); at least 10 rows.
    loss_fn
        ``loss_fn(prediction, label)``, a mean over rows; None is the mean squared error.
    tolerance
        The held-out error allowed (root mean squared for the default loss), or None: found as the module says.
    interrupted
        Asked within removals; True ends with the smallest network so far.

    Returns
    -------
    Generator
        Of a `Removal` for each that was tried; its value is the smaller network, refitted to all rows.

    Raises
    ------
    ValueError
        For too few rows, or a tolerance that is no error.

    Examples
    --------
    >>> x = torch.rand(200, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    >>> steps = eliminate_steps(Network([2, 1], seed=0), x, torch.sin(3 * x[:, :1]))
    >>> [(removal.edges, removal.holds) for removal in steps]
    [(((0, 1, 0),), True)]
    """
    elimination = Elimination(network, x, y, loss_fn=loss_fn, tolerance=tolerance, interrupted=interrupted)
    return stretches(elimination.steps(), _parameters(network) * len(x))
