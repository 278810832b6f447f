"""Training as a generator of frozen records.

Each step is taken when the next record is asked for, so pausing is not asking. Sending a `Penalty` into the generator
changes the very next step. However it ends (finished, closed, interrupted, failed) the network holds the best state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanlab.engine import solvers
from kanlab.engine.network import Network
from kanlab.engine.objective import LossFunction, Objective
from kanlab.engine.penalty import Penalty
from kanlab.engine.snapshot import restore, snapshot
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.engine.thin import Interrupted, Thinner
from kanlab.engine.threads import stretches

Metric = Callable[[], "Tensor | float"]
#: Rows kept as the model's samples: enough for scores and curves, little to carry.
SAMPLE_LIMIT = 4096
#: Training without a number of steps ends when this many steps lower the objective by less than this part.
_FLAT = (50, 3e-2)
#: Laying the grid anew may raise the objective by this part; more says that it tore the function.
_TORN = 0.5

#: How many times lower a stretched start must be than one that keeps the function.
_FAR_LOWER = 100.0


@dataclass(frozen=True)
class Data:
    """Training and (possibly no) held-out rows, checked by whoever made it."""

    train_input: Float[Tensor, "n n_in"]
    train_label: Tensor
    test_input: Float[Tensor, "m n_in"] | None = None
    test_label: Tensor | None = None


@dataclass(frozen=True)
class Options:
    """How to train; see `kanlab.KAN.fit` for the meaning of each."""

    opt: str = "auto"
    steps: int | None = 50
    penalty: Penalty = field(default_factory=Penalty)
    update_grid: bool = True
    grid_update_num: int = 10
    start_grid_update_step: int = -1
    stop_grid_update_step: int = 50
    loss_fn: LossFunction | None = None
    lr: float | None = None
    batch: int = -1
    metrics: Sequence[Metric] = ()
    seed: int = 0
    #: Asked within long steps; True ends training at the last step told.
    interrupted: Callable[[], bool] = lambda: False

    def __post_init__(self):
        if self.opt not in solvers.NAMES:
            raise ValueError(f"opt is {self.opt!r}; allowed are {', '.join(map(repr, solvers.NAMES))}")
        for name in ("steps", "grid_update_num"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ValueError(f"{name} is {value!r}; allowed are whole numbers from 0 up")
        if self.lr is not None and not (isinstance(self.lr, (int, float)) and 0 < self.lr < math.inf):
            raise ValueError(f"lr is {self.lr!r}; allowed are finite numbers above 0, or None for the solver's own")
        if not isinstance(self.batch, int) or isinstance(self.batch, bool) or (self.batch < 1 and self.batch != -1):
            raise ValueError(
                f"batch is {self.batch!r}; allowed are whole numbers from 1 up, or -1 for all rows at once"
            )
        names = ["train_loss", "test_loss", "reg", *(_name(metric) for metric in self.metrics)]
        for metric in self.metrics:
            if not callable(metric):
                raise TypeError(f"metrics holds {metric!r}; a metric is a function without arguments")
            if names.count(_name(metric)) > 1:
                raise ValueError(f"the name {_name(metric)!r} is taken: give each metric a __name__ of its own")

    def updates_grid(self, index: int) -> bool:
        """Whether the grid is laid anew before step ``index``."""
        if not self.update_grid or not self.grid_update_num:
            return False
        every = max(1, self.stop_grid_update_step // self.grid_update_num)
        return self.start_grid_update_step < index < self.stop_grid_update_step and index % every == 0


@dataclass(frozen=True)
class Step:
    """One training step.

    Attributes
    ----------
    index
        Counted from 0.
    train_loss, test_loss
        Root mean squared errors for the default loss, else the loss itself; nan without test rows.
    reg
        The sum over layers of what ``lamb`` multiplies; 0 while ``lamb`` is 0.
    objective
        What the solver minimised.
    metrics
        The value of each metric by its name.
    solver
        The optimiser in use.
    reason
        Why training ends with this step, or empty.
    """

    index: int
    train_loss: float
    test_loss: float
    reg: float
    objective: float
    metrics: dict[str, float]
    solver: str
    reason: str = ""


class _Best:
    """The best state so far under one penalty."""

    def __init__(self, network: Network):
        self.network, self.value, self.state = network, math.inf, snapshot(network)

    def note(self, value: float) -> None:
        if value < self.value:
            self.value, self.state = value, snapshot(self.network)


class _Stall:
    """Notices that steps no longer lower the objective much: by less than a part, over a number of steps."""

    def __init__(self, over: int, part: float):
        self._over, self._part = over, part
        self._recent: list[float] = []

    def seen(self, value: float) -> bool:
        """Whether the last values fell by too little; each such look starts a new count."""
        self._recent.append(value)
        if len(self._recent) <= self._over:
            return False
        first = self._recent[0]
        self._recent = []
        return first - value < self._part * abs(first)


def fit_steps(network: Network, data: Data, options: Options) -> Generator[Step, Penalty | None, None]:
    """Train ``network`` in place, yielding after each step; see the module.

    Raises
    ------
    FloatingPointError
        When the loss is not a finite number before the first step.
    ValueError
        When the labels are class indices and there is no ``loss_fn`` for them.
    """
    if options.loss_fn is None and data.train_label.ndim == 1:
        raise ValueError(
            f"the labels have shape {tuple(data.train_label.shape)}, class indices: they need a loss_fn such as "
            "torch.nn.CrossEntropyLoss(); numbers to fit are [n, n_out] floats"
        )
    return stretches(_fit_steps(network, data, options), _parameters(network) * len(data.train_input))


def _fit_steps(network: Network, data: Data, options: Options) -> Generator[Step, Penalty | None, None]:
    network.show(data.train_input[:SAMPLE_LIMIT], data.train_label[:SAMPLE_LIMIT])
    x, y = data.train_input.T.contiguous(), _batch_last(data.train_label)
    penalty, solver, thinner, name = options.penalty, None, None, ""
    best = _Best(network)
    batches = _batches(x, y, options)
    epoch = math.ceil(x.shape[-1] / options.batch) if 0 < options.batch < x.shape[-1] else 1

    def value() -> float:
        return Objective(network, x, y, penalty, options.loss_fn).start().value

    stall, plateau = _Stall(5, 0.3), _Stall(*_FLAT)
    splines = any(bool(layer.spline_mask().any()) for layer in network.kan_layers())
    index = 0
    try:
        best.note(value())
        while options.steps is None or index < options.steps:
            laid = options.updates_grid(index) and (solver is None or splines)
            if laid and solver is None:
                _lay_first(network, data.train_input, value)
            elif laid:
                laid = _lay_again(network, data.train_input, value)
            if solver is None or laid or epoch > 1 or solver.objective.penalty is not penalty:
                objective = Objective(network, *next(batches), penalty, options.loss_fn)
                if solver is None:
                    name = solvers.choose(options.opt, objective)
                    solver = solvers.make(name, objective, lr=options.lr)
                    _require_finite(solver.current.value)
                elif laid:
                    solver.restart(objective)
                else:
                    solver.rebase(objective)
                if epoch == 1:
                    best.note(solver.current.value)
            if thinner is None:
                thinner = Thinner(network, options.interrupted)
            result = solver.step()
            if penalty.lamb and isinstance(solver, LevenbergMarquardt) and stall.seen(result.value):
                try:
                    thinner.jump_on(solver)
                except Interrupted:  # this step never was: the best state is that of the last one told
                    return
                result = solver.current
            if epoch == 1:
                best.note(result.value)
            elif (index + 1) % epoch == 0:
                best.note(value())
            reason = _reason(solver, options, index, result.value, may_lay=splines, whole=epoch == 1)
            flat = isinstance(solver, LevenbergMarquardt) and plateau.seen(result.value)
            if not reason and options.steps is None and flat:
                reason = f"converged: the objective has been flat for {_FLAT[0]} steps"
            sent = yield Step(
                index,
                _shown(result.loss, options),
                _test_loss(network, data, options),
                result.reg,
                result.value,
                {_name(metric): float(metric()) for metric in options.metrics},
                name,
                reason,
            )
            if sent is not None and sent != penalty:
                penalty, best, plateau = sent, _Best(network), _Stall(*_FLAT)
            elif reason:
                return
            index += 1
    finally:
        if epoch > 1:  # a batch's own loss says little; all rows judge, once an epoch and at the end
            best.note(value())
        restore(network, best.state)


@torch.no_grad()
def _lay_first(network: Network, x: Float[Tensor, "n n_in"], value: Callable[[], float]) -> None:
    """Lay the grids over the data: keeping the function or, if that starts far lower, stretching it with the grid.

    The grid of a new model can lie so far from the data that its splines' end polynomials are astronomical there; that
    of a trained one stays if another would tear its function.
    """
    before, was = snapshot(network), value()
    network.stretch_grid_to_samples(x)
    stretched, start = snapshot(network), value()
    restore(network, before)
    network.update_grid_from_samples(x)
    kept = value()
    if not kept <= (1 + _TORN) * was:
        restore(network, before)
        kept = was
    if not kept <= _FAR_LOWER * start:
        restore(network, stretched)


def _lay_again(network: Network, x: Float[Tensor, "n n_in"], value: Callable[[], float]) -> bool:
    """Lay the grids anew, unless that tears the function; return whether it was done."""
    before, was = snapshot(network), value()
    network.update_grid_from_samples(x)
    if value() <= (1 + _TORN) * was:
        return True
    restore(network, before)
    return False


def _parameters(network: Network) -> int:
    return sum(layer.coef.numel() for layer in network.kan_layers())


def _batch_last(label: Tensor) -> Tensor:
    return label.T.contiguous() if label.ndim == 2 else label


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


def _reason(solver: solvers.Solver, options: Options, index: int, value: float, *, may_lay: bool, whole: bool) -> str:
    if not math.isfinite(value):
        return "diverged: the loss is no longer a finite number; the best state so far is kept"
    soon = range(index + 1, options.stop_grid_update_step) if may_lay else ()
    if solver.done and whole and not any(options.updates_grid(i) for i in soon):
        return "converged: no step lowers the objective any more"
    return ""


def _shown(loss: float, options: Options) -> float:
    return math.sqrt(loss) if options.loss_fn is None else loss


@torch.no_grad()
def _test_loss(network: Network, data: Data, options: Options) -> float:
    if data.test_input is None or data.test_label is None or not len(data.test_input):
        return math.nan
    prediction = network(data.test_input)
    loss = nn.functional.mse_loss if options.loss_fn is None else options.loss_fn
    return _shown(float(loss(prediction, data.test_label)), options)


def _name(metric: Metric) -> str:
    return getattr(metric, "__name__", type(metric).__name__)
