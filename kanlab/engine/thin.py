r"""Jumps to sparser networks that small steps cannot make.

The penalised objective has a valley for each subset of edges in use; a descent ends in the one it starts in. A jump
silences the least important node or edge, folds its mean into a survivor and refits for a few steps; or it squeezes the
network with a stronger penalty and lets go again. It is taken only if ``loss + lamb * R`` ends lower than before: the
same objective, so ``lamb`` alone decides how sparse.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch

from kanlab.engine.attribution import Scores, attribute
from kanlab.engine.base import BASES
from kanlab.engine.network import Network
from kanlab.engine.objective import Evaluation, Objective
from kanlab.engine.prune import Edge, edges_around, leave_means
from kanlab.engine.refit import Interrupted, below, refit
from kanlab.engine.snapshot import restore, snapshot
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.engine.stall import Stall

#: A score below this counts as silent already.
_SILENT = 1e-3
_JUMPS = 5
#: How much stronger the penalty is, for so many steps each, when a network is squeezed.
_SQUEEZE, _SQUEEZE_STEPS = (10.0, 10.0, 1.0, 1.0), 10
#: One of these ends sooner where so many steps lower the objective by less than this part.
_SETTLED = (2, 1e-3)
#: Part of the objective that a jump must gain: less is what the refitting steps alone would bring.
_GAIN = 1e-2


class Thinner:
    """Tries jumps on one network, each refused candidate once until another is taken.

    It is made where a run begins: a squeeze starts there.
    """

    def __init__(self, network: Network, interrupted: Callable[[], bool] = lambda: False):
        self.network = network
        self._interrupted = interrupted
        self._refused: set[tuple[Edge, ...]] = set()
        self._begun: Network | None = copy.deepcopy(network)
        #: The last look found nothing left to try.
        self.exhausted = False

    def forget(self) -> None:
        """Give what was refused another chance: the objective is another."""
        self._refused.clear()
        self.exhausted = False

    def jump_on(self, solver: LevenbergMarquardt) -> None:
        """Jump while jumps succeed, a few times at most: an edge may grow back."""
        for _ in range(_JUMPS):
            if not self.jump(solver):
                return

    def jump(self, solver: LevenbergMarquardt) -> bool:
        """Try the weakest node, then the weakest edge; put the solver (and network) there if the objective falls."""
        scores = attribute(self.network)
        candidates = [edges for edges in (self._weakest_node(scores), self._weakest_edge(scores)) if edges]
        self.exhausted = not candidates and self._begun is None
        for edges in candidates:
            found = self._without(solver.objective, edges, solver.current.value)
            if found.value < below(solver.current.value, _GAIN):
                solver.current = found
                solver.objective.linear.write(found.vector)
                self.forget()
                return True
            solver.objective.linear.write(solver.current.vector)
            self._refused.add(edges)
        return self._squeeze(solver)

    def _squeeze(self, solver: LevenbergMarquardt) -> bool:
        """Go from where the run began with a stronger penalty, then with its own; stay there if that ends lower."""
        if self._begun is None:
            return False
        objective, trial, self._begun = solver.objective, self._begun, None
        penalty = objective.penalty
        samples = objective.linear.x.T
        again = solver
        for strength in _SQUEEZE:
            trial.update_grid_from_samples(samples)
            squeezed = objective.like(trial, replace(penalty, lamb=strength * penalty.lamb))
            again = LevenbergMarquardt(squeezed, damping=0.1)
            settled = Stall(*_SETTLED)
            for _ in range(_SQUEEZE_STEPS):
                if again.done or settled.seen(again.current.value):
                    break
                self._step(again)
        if not again.current.value < below(solver.current.value, _GAIN):
            return False
        restore(self.network, snapshot(trial))
        solver.restart(objective.like(self.network))
        self.forget()
        return True

    def _step(self, trial: LevenbergMarquardt) -> None:
        if self._interrupted():
            raise Interrupted
        trial.step()

    def _weakest_node(self, scores: Scores) -> tuple[Edge, ...]:
        found: list[tuple[float, tuple[Edge, ...]]] = []
        for l in range(1, self.network.depth):
            loud = (scores.nodes[l] > _SILENT).nonzero().flatten().tolist()
            if len(loud) < 2:
                continue
            for node in loud:
                edges = self._around(l, node)
                if edges and edges not in self._refused:
                    found.append((float(scores.nodes[l][node]), edges))
        return min(found)[1] if found else ()

    def _around(self, l: int, node: int) -> tuple[Edge, ...]:
        """All edges that enter and leave a node and can fall silent."""
        return tuple(edge for edge in edges_around(self.network, l, node) if self._can_fall_silent(edge))

    def _weakest_edge(self, scores: Scores) -> tuple[Edge, ...]:
        found = []
        for l, i, j in self.network.edges():
            score = float(scores.edges[l][i, j])
            others = int((scores.edges[l][:, j] > _SILENT).sum()) > 1
            if score > _SILENT and others and self._can_fall_silent((l, i, j)) and ((l, i, j),) not in self._refused:
                found.append((score, ((l, i, j),)))
        return min(found)[1] if found else ()

    def _can_fall_silent(self, edge: Edge) -> bool:
        """Whether an edge is a spline that may be made zero: no part of it is frozen, or the frozen base is zero."""
        l, i, j = edge
        layer = self.network.layer(l)
        free = layer.coef.requires_grad and (layer.scale_base.requires_grad or layer.base is BASES["zero"])
        return free and bool(layer.spline_mask()[i, j])

    def _without(self, objective: Objective, edges: tuple[Edge, ...], goal: float) -> Evaluation:
        """Silence the edges, fold their means, refit until the objective is below the goal or hardly falls."""
        trial = LevenbergMarquardt(objective.like(self._silenced(edges)), damping=0.1)
        refit(trial, lambda: trial.current.value < below(goal, 2 * _GAIN), self._interrupted, goal=goal)
        return objective.evaluate(trial.current.vector)

    @torch.no_grad()
    def _silenced(self, edges: tuple[Edge, ...]) -> Network:
        silenced = copy.deepcopy(self.network)
        gone = [torch.zeros_like(layer.mask, dtype=torch.bool) for layer in silenced.kan_layers()]
        for l, i, j in edges:
            silenced.layer(l).coef[i, j] = 0
            if silenced.layer(l).scale_base.requires_grad:
                silenced.layer(l).scale_base[i, j] = 0
            gone[l][i, j] = True
        for layer, silent, phi in zip(silenced.kan_layers(), gone, self.network.acts().postacts, strict=True):
            leave_means(layer, silent, phi.mean(0))
        return silenced
