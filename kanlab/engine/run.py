"""One training run: a solver's steps, the grids laid anew between some of them, the best state kept."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator

import torch
from torch import Tensor

from kanlab.engine import solvers
from kanlab.engine.lay import lay_again, lay_first
from kanlab.engine.linearise import Linearisation
from kanlab.engine.losses import shown, shown_loss
from kanlab.engine.network import Network
from kanlab.engine.objective import Evaluation, Objective
from kanlab.engine.options import Data, Options, Step, batch_last, metric_name
from kanlab.engine.penalty import Penalty
from kanlab.engine.snapshot import restore, snapshot
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.engine.stall import Stall
from kanlab.engine.thin import Interrupted, Thinner

#: Training without a number of steps ends when this many steps lower the objective by less than this part.
_FLAT = (50, 3e-2)
#: With a penalty, a jump is tried when this many steps lower the objective by less than this part,
_STALLED = (5, 0.3)
#: and training ends when no jump is left to try and this many lower it by less than this part.
_SETTLED = (5, 1e-4)


class _Best:
    """The best state so far under one penalty: a copy of the network once a grid, then a vector of parameters."""

    def __init__(self, network: Network):
        self._network, self.value = network, math.inf
        self._frame, self._knots = snapshot(network), _knots(network)
        self._vector: Tensor | None = None
        self._linear: Linearisation | None = None

    def note(self, objective: Objective, now: Evaluation) -> None:
        if not now.value < self.value:
            return
        self.value = now.value
        if any(old is not new for old, new in zip(self._knots, _knots(self._network), strict=True)):
            self._frame, self._knots = snapshot(self._network), _knots(self._network)
        self._vector, self._linear = now.vector, objective.linear

    def put_back(self) -> None:
        restore(self._network, self._frame)
        if self._linear is not None and self._vector is not None:
            self._linear.write(self._vector)


def _knots(network: Network) -> list[Tensor]:
    return [layer.knots for layer in network.kan_layers()]


class Run:
    """See the module; `steps` is the generator, to be gone through once."""

    def __init__(self, network: Network, data: Data, options: Options):
        self.network, self.data, self.options = network, data, options
        self.penalty = options.penalty
        self._x, self._y = data.train_input.T.contiguous(), batch_last(data.train_label)
        n = self._x.shape[-1]
        self._epoch = math.ceil(n / options.batch) if 0 < options.batch < n else 1
        self._batches = _batches(self._x, self._y, options)
        self._splines = any(bool(layer.spline_mask().any()) for layer in network.kan_layers())
        self._stall, self._settled, self._plateau = Stall(*_STALLED), Stall(*_SETTLED), Stall(*_FLAT)
        self._best = _Best(network)
        self._test: Linearisation | None = None

    def steps(self) -> Generator[Step, Penalty | None, None]:
        """Train, yielding after each step; a `Penalty` sent in acts on the next one."""
        options, index = self.options, 0
        try:
            if options.steps is None or options.steps > 0:
                self._begin()
            while options.steps is None or index < options.steps:
                if index:
                    self._between(index)
                try:
                    now = self._step()
                except Interrupted:  # this step never was: the best state is that of the last one told
                    return
                if self._epoch > 1 and (index + 1) % self._epoch == 0:
                    self._note_all_rows()
                reason = self._reason(index, now.value)
                sent = yield self._told(index, now, reason)
                if sent is not None and sent != self.penalty:
                    self.penalty, self._best = sent, _Best(self.network)
                    self._settled, self._plateau = Stall(*_SETTLED), Stall(*_FLAT)
                    self._thinner.forget()
                elif reason:
                    return
                index += 1
        finally:
            if self._epoch > 1:  # a batch's own loss says little; all rows judge, once an epoch and at the end
                self._note_all_rows()
            self._best.put_back()

    # ---- before and between steps

    def _objective(self) -> Objective:
        return self.options.objective(self.network, *next(self._batches), self.penalty)

    def _on_all_rows(self) -> tuple[Objective, Evaluation]:
        objective = self.options.objective(self.network, self._x, self._y, self.penalty)
        return objective, objective.start()

    def _value(self) -> float:
        return self._on_all_rows()[1].value

    def _note_all_rows(self) -> None:
        self._best.note(*self._on_all_rows())

    def _begin(self) -> None:
        self._note_all_rows()
        if self.options.updates_grid(0):
            lay_first(self.network, self.data.train_input, self._value)
        self._thinner = Thinner(self.network, self.options.interrupted)
        objective = self._objective()
        self.name = solvers.choose(self.options.opt, objective)
        self.solver = solvers.make(self.name, objective, lr=self.options.lr)
        _require_finite(self.solver.current.value)
        if self._epoch == 1:
            self._best.note(objective, self.solver.current)

    def _between(self, index: int) -> None:
        """Lay the grids anew if it is time, and let the solver go on with what has changed."""
        laid = (
            self._splines
            and self.options.updates_grid(index)
            and lay_again(self.network, self.data.train_input, self._value)
        )
        if laid:
            self.solver.restart(self._objective())
            self._test = None
        elif self._epoch > 1 or self.solver.objective.penalty is not self.penalty:
            self.solver.rebase(self._objective())
        else:
            return
        if self._epoch == 1:
            self._best.note(self.solver.objective, self.solver.current)

    # ---- a step

    def _step(self) -> Evaluation:
        now = self.solver.step()
        if self.penalty.lamb and isinstance(self.solver, LevenbergMarquardt) and self._stall.seen(now.value):
            self._thinner.jump_on(self.solver)
            self._test = None
        if self._epoch == 1:
            self._best.note(self.solver.objective, self.solver.current)
        return self.solver.current

    def _reason(self, index: int, value: float) -> str:
        options = self.options
        if not math.isfinite(value):
            return "diverged: the loss is no longer a finite number; the best state so far is kept"
        if self._epoch == 1 and value <= self.solver.objective.least:
            return "converged: the loss is so low that nothing is left to be learnt"
        soon = range(index + 1, options.stop_grid_update_step) if self._splines else ()
        if self.solver.done and self._epoch == 1 and not any(options.updates_grid(i) for i in soon):
            return "converged: no step lowers the objective any more"
        flat = isinstance(self.solver, LevenbergMarquardt) and self._plateau.seen(value)
        if options.steps is None and flat:
            return f"converged: the objective has been flat for {_FLAT[0]} steps"
        if self.penalty.lamb and self._epoch == 1 and self._settled.seen(value) and self._thinner.exhausted:
            return "converged: the objective is flat, and there is no node or edge that it could do without"
        return ""

    def _told(self, index: int, now: Evaluation, reason: str) -> Step:
        return Step(
            index,
            now.loss if self.options.residual_fn else shown(now.loss, self.options.loss_fn),
            self._test_loss(now),
            now.reg,
            now.value,
            {metric_name(metric): _number(metric()) for metric in self.options.metrics},
            self.name,
            reason,
        )

    @torch.no_grad()
    def _test_loss(self, now: Evaluation) -> float:
        x, y = self.data.test_input, self.data.test_label
        if x is None or y is None or not len(x):
            return math.nan
        if self._test is None:  # what does not change while the grids stay is computed once
            self._test = Linearisation(self.network, x.T.contiguous())
        return shown_loss(self._test.evaluate(now.vector).output.T, y, self.options.loss_fn)


def _batches(x: Tensor, y: Tensor, options: Options) -> Iterator[tuple[Tensor, Tensor]]:
    """Give all rows each time, or mini-batches that go through every row once an epoch."""
    n = x.shape[-1]
    if options.batch <= 0 or options.batch >= n:
        while True:
            yield x, y
    generator = torch.Generator().manual_seed(options.seed)
    while True:
        order = torch.randperm(n, generator=generator).to(x.device)
        for rows in order.split(options.batch):
            yield x[:, rows], y[..., rows]


def _require_finite(value: float) -> None:
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss is {value} before the first step: an activation left the finite numbers "
            "(a fixed function outside its domain, or weights that were set by hand); undo the last change"
        )


def _number(value: Tensor | float) -> float:
    return float(value.detach() if isinstance(value, Tensor) else value)
