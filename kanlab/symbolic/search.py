r"""Which function is on which edge.

`suggest_symbolic` ranks the library on one edge's curve. `search_steps` names all edges, choosing by what a name does
to the *output* on held-out rows: each candidate is fixed in a copy, the whole network is refitted for a few
Levenberg-Marquardt steps, and the simplest name whose error holds up wins (edge-by-edge R² prefers imitators:
arXiv 2603.15250). Splines are first refined as far as held-out rows say it helps, since a coarse spline blurs its
function. Names are then reconsidered one by one until none can be bettered. An edge that no name fits stays a spline.

Scores are ``-(3 log10 sqrt(1 - R² + tol²) + 0.35 cost)``: ten times less error is worth about nine units of cost, and
errors below ``tol``, what the data can tell, are worth nothing. The cost is the function's complexity and 0.7 for each
constant it takes beyond two: ``cos(0.04 x)`` imitates ``x²`` with one constant more.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from kanlab.engine.attribution import attribute
from kanlab.engine.network import Network
from kanlab.engine.prune import preview_cut, prune
from kanlab.engine.threads import few_threads, stretches
from kanlab.symbolic.affine import AffineFit, fit_affine
from kanlab.symbolic.library import SymbolicFunction, resolve
from kanlab.symbolic.referee import ROWS, Referee, referee_of, resolution

Edge = tuple[int, int, int]
#: Names tried on an edge, and how far (in score) behind the first a name may lie to be tried.
_CANDIDATES, _WINDOW = 4, 6.0
#: Refitting steps for a comparison, and at the end.
_SHORT, _LONG = 12, 60
#: Grids to refine to, and the part of the held-out error that must go for it.
_GRIDS, _WORTH = (10, 20), 0.2
#: Squared relative error below which a formula counts as exact.
_EXACT = 1e-20
_PASSES = 2
#: Squared errors within this factor of each other are a tie.
_TIED = 2.0
#: What a search computes at once is small, whatever the data: it looks at `ROWS` rows.
_WORK = 0


@dataclass(frozen=True)
class Suggestion:
    """A function for an edge: ``c f(a x + b) + d``, its true R² on the edge's data, and its score (more is better).

    ``tied``: the curve cannot tell it from the first of its ranking, which is only cheaper or happens to come first.
    """

    name: str
    r2: float
    complexity: float
    score: float
    a: float
    b: float
    c: float
    d: float
    tied: bool = False

    @property
    def affine(self) -> tuple[float, float, float, float]:
        """The constants together."""
        return self.a, self.b, self.c, self.d


@dataclass(frozen=True)
class Progress:
    """How far a search is: ``done`` of ``total`` edges looked at, and what happened last."""

    done: int
    total: int
    text: str


def score(one_minus_r2: float, cost: float, tol: float) -> float:
    """Weigh error against cost; see the module.

    >>> score(1e-10, 2, 1e-3) > score(1e-12, 4, 1e-3)
    True
    """
    return -(1.5 * math.log10(max(one_minus_r2, 0.0) + tol**2) + 0.35 * cost)


def cost(function: SymbolicFunction) -> float:
    """Return a function's complexity, and something for each constant beyond ``c`` and ``d``."""
    return function.complexity + 0.7 * function.constants


@torch.no_grad()
def suggest_all(network: Network, edges: Sequence[Edge], lib: Iterable[str] | None = None) -> list[list[Suggestion]]:
    """Rank the library on several edges at once, each list best first."""
    functions = resolve(lib)
    if not edges:
        return []
    with few_threads(_WORK):
        x, y = _edge_samples(network, edges)
        fit = fit_affine(x, y, functions)
        tol = resolution(network)
    return [_ranked(fit, row, functions, tol) for row in range(len(edges))]


def suggest_symbolic(
    network: Network, l: int, i: int, j: int, lib: Iterable[str] | None = None, topk: int = 5
) -> list[Suggestion]:
    """Rank the library's functions on one edge, best first."""
    edge = network.check_edge(l, i, j)
    return suggest_all(network, [edge], lib)[0][:topk]


def _edge_samples(network: Network, edges: Sequence[Edge]) -> tuple[Tensor, Tensor]:
    """Return inputs and activations ``[edges, n]`` where the data is (on the grid's range, before any data)."""
    if network.samples is None:
        curves = network.edge_curves(201)
        xs = [curves[l][0][i] for l, i, _ in edges]
    else:
        nodes = network.acts(network.samples[:ROWS]).nodes
        xs = [nodes[l][:, i] for l, i, _ in edges]
    ys = [network.layer(l).edge(i, j, x) for (l, i, j), x in zip(edges, xs, strict=True)]
    return torch.stack(xs), torch.stack(ys)


def _ranked(fit: AffineFit, row: int, functions: Sequence[SymbolicFunction], tol: float) -> list[Suggestion]:
    found = []
    for column, function in enumerate(functions):
        r2 = float(fit.r2[row, column])
        if not math.isfinite(r2):
            continue
        a, b, c, d = (float(part[row, column]) for part in (fit.a, fit.b, fit.c, fit.d))
        value = score(1 - r2, cost(function), tol)
        if function.gauge == "phase":  # sin and cos are one family: the one nearer to plain ± reads better
            value -= 1e-3 * min(abs(b), abs(math.pi - abs(b)))
        found.append(Suggestion(function.name, r2, function.complexity, value, a, b, c, d))
    return _with_ties(sorted(found, key=lambda suggestion: -suggestion.score), tol)


def _with_ties(ranked: list[Suggestion], tol: float) -> list[Suggestion]:
    """Mark what leaves over hardly more than the first does, errors below ``tol`` being worth nothing."""
    if not ranked:
        return []
    enough = _TIED * (1 - ranked[0].r2 + tol**2)
    others = [dataclasses.replace(s, tied=1 - s.r2 + tol**2 <= enough) for s in ranked[1:]]
    return [ranked[0], *others]


# ---- the whole network


@dataclass
class _Named:
    """A network with some edges named, its held-out error, and what those names cost."""

    network: Network
    error: float
    costs: dict[Edge, float]

    @property
    def score(self) -> float:
        return score(self.error, sum(self.costs.values()), 1e-9)


def search_steps(
    network: Network, lib: Iterable[str] | None = None, r2_threshold: float = 0.0
) -> Generator[Progress, None, Network]:
    """Name the edges of a copy of ``network``, yielding progress; the return value is the named copy.

    Closing the generator stops the search. The order is from the most certain edge to the least.
    """
    names = [function.name for function in resolve(lib)]
    return stretches(_search_steps(network, names, r2_threshold), _WORK)


def _search_steps(network: Network, names: list[str], r2_threshold: float) -> Generator[Progress, None, Network]:
    referee = referee_of(network)
    network = _without_silence(network, referee)
    state = _sharpened(copy.deepcopy(network), referee)
    waiting = [edge for edge in network.edges() if _is_spline(network, edge)]
    candidates: dict[Edge, list[Suggestion]] = {}
    total = len(waiting)
    while waiting:
        ranked = suggest_all(state.network, waiting, names)
        first = max(range(len(waiting)), key=lambda m: ranked[m][0].score if ranked[m] else -math.inf)
        edge = waiting.pop(first)
        candidates[edge] = _worth_trying([s for s in ranked[first] if s.r2 >= r2_threshold])
        allowed = referee.allowed(state.error)
        tried: list[_Named] = []
        for suggestion in candidates[edge]:
            yield Progress(total - len(waiting) - 1, total, f"edge {edge}: trying {suggestion.name}")
            tried.append(_with_name(state, edge, suggestion, referee))
        good = [named for named in tried if named.error <= allowed]
        if good:
            state = max(good, key=lambda named: named.score)
            text = f"edge {edge} is {_name(state.network, edge)}"
        else:
            text = f"edge {edge} stays a spline"
        yield Progress(total - len(waiting), total, text)
    for _ in range(_PASSES):
        better = _reconsidered(state, candidates, referee)
        if better is None:
            break
        state = better
        yield Progress(total, total, "names reconsidered")
    result = _with_own_splines(network, state.network)
    referee.refit(result, _LONG, everything=True)
    return result


def _with_own_splines(network: Network, named: Network) -> Network:
    """Keep the person's splines under the names where all edges have one: unfixing gives them back as they were.

    Where a spline is left it has been refined and trained along with the names, and stays so.
    """
    if any(_is_spline(named, edge) for edge in named.edges()):
        return named
    result = copy.deepcopy(network)
    for l, i, j in named.edges():
        function = named.layer(l).fixed.get((i, j))
        if function is not None and named.layer(l).mask[i, j] != 0:
            a, b, c, d = named.layer(l).affine[i, j].tolist()
            result.layer(l).fix(i, j, function, (a, b, c, d))
    return result


def _without_silence(network: Network, referee: Referee) -> Network:
    """Cut what carries next to nothing, if the rows held out do not miss it: a name for it would mean nothing."""
    cut = preview_cut(network, attribute(network))
    if not cut.n_edges:
        return network
    try:
        smaller = prune(network)
    except ValueError:  # an output that nothing reaches yet
        return network
    allowed = referee.allowed(referee.error(network))
    return smaller if referee.refit(copy.deepcopy(smaller), 2 * _SHORT) <= allowed else network


def _sharpened(network: Network, referee: Referee) -> _Named:
    """Refine the splines as far as it pays on the rows held out."""
    best = _Named(network, referee.refit(network, _SHORT), {})
    for grid in _GRIDS:
        if grid <= max(best.network.grid):
            continue
        finer = best.network.refined(grid)
        error = referee.refit(finer, _SHORT)
        if error > (1 - _WORTH) * best.error:
            break
        best = _Named(finer, error, {})
    return best


def _worth_trying(ranked: list[Suggestion]) -> list[Suggestion]:
    """Keep the leading names, one of each family (sin and cos are the same curves)."""
    kept: list[Suggestion] = []
    families: set[str] = set()
    for suggestion in ranked:
        function = resolve([suggestion.name])[0]
        if suggestion.score < ranked[0].score - _WINDOW or len(kept) == _CANDIDATES:
            break
        family = function.twin.name if function.twin else function.name
        if family not in families:
            families.add(family)
            kept.append(suggestion)
    return kept


def _with_name(state: _Named, edge: Edge, suggestion: Suggestion, referee: Referee, steps: int = _SHORT) -> _Named:
    trial = copy.deepcopy(state.network)
    fix(trial, edge, suggestion)
    error = referee.refit(trial, steps)
    return _Named(trial, error, {**state.costs, edge: cost(resolve([suggestion.name])[0])})


def _reconsidered(state: _Named, candidates: dict[Edge, list[Suggestion]], referee: Referee) -> _Named | None:
    """Try the other candidates on each edge, now that the rest has names; return a better network if there is one."""
    if state.error < _EXACT:
        return None
    best = state
    for edge, suggestions in candidates.items():
        for suggestion in suggestions:
            if suggestion.name == _name(best.network, edge):
                continue
            named = _with_name(best, edge, suggestion, referee, steps=2 * _SHORT)
            allowed = referee.allowed(best.error)
            if named.error <= allowed and named.score > best.score + 1e-6:
                best = named
    return best if best is not state else None


def _name(network: Network, edge: Edge) -> str | None:
    l, i, j = edge
    function = network.layer(l).fixed.get((i, j))
    return function.name if function else None


def _is_spline(network: Network, edge: Edge) -> bool:
    l, i, j = edge
    layer = network.layer(l)
    return bool(layer.mask[i, j] != 0) and (i, j) not in layer.fixed


def fix(network: Network, edge: Edge, suggestion: Suggestion) -> None:
    """Put a suggestion on its edge."""
    l, i, j = edge
    network.layer(l).fix(i, j, resolve([suggestion.name])[0], suggestion.affine)


@torch.no_grad()
def agreement(network: Network, edge: Edge) -> float:
    """Return the R² of a fixed edge's function, as it stands, against the spline it replaced."""
    l, i, j = edge
    layer = network.layer(l)
    x, fixed = _edge_samples(network, [edge])
    function = layer.fixed[i, j]
    layer.unfix(i, j)
    spline = layer.edge(i, j, x[0])
    layer.fixed = {**layer.fixed, (i, j): function}
    total = (spline - spline.mean()).square().sum()
    return float(1 - (fixed[0] - spline).square().sum() / total.clamp_min(1e-300))
