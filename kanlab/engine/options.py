"""What training takes and tells: data, options and the record of a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from kanlab.engine import solvers
from kanlab.engine.losses import LossFunction
from kanlab.engine.network import Network
from kanlab.engine.objective import Objective
from kanlab.engine.penalty import Penalty
from kanlab.engine.residuals import ResidualFunction, ResidualObjective

#: Rows kept as the model's samples: enough for scores and curves, little to carry.
SAMPLE_LIMIT = 4096
Metric = Callable[[], "Tensor | float"]


def metric_name(metric: Metric) -> str:
    """Return the name a metric is told under."""
    return getattr(metric, "__name__", type(metric).__name__)


def batch_last(label: Tensor) -> Tensor:
    """Return labels ``[n, n_out]`` as the engine has them, ``[n_out, n]``; class indices ``[n]`` as they are."""
    return label.T.contiguous() if label.ndim == 2 else label


@dataclass(frozen=True)
class Data:
    """Training and (possibly no) held-out rows, checked by whoever made it.

    With a ``residual_fn`` its points stand after the rows that have labels.
    """

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
    residual_fn: ResidualFunction | None = None
    lr: float | None = None
    batch: int = -1
    metrics: Sequence[Metric] = ()
    seed: int = 0
    grids: Sequence[int] = ()
    restarts: int = 1
    #: Asked within long steps; True ends training at the last step told.
    interrupted: Callable[[], bool] = lambda: False

    def __post_init__(self):
        if self.opt not in solvers.NAMES:
            raise ValueError(f"opt is {self.opt!r}; allowed are {', '.join(map(repr, solvers.NAMES))}")
        for name in ("steps", "grid_update_num"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ValueError(f"{name} is {value!r}; allowed are whole numbers from 0 up")
        for name in ("start_grid_update_step", "stop_grid_update_step", "seed"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} is {value!r}; allowed are whole numbers")
        for name in ("loss_fn", "interrupted"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise TypeError(f"{name} is {value!r}; it must be a function")
        for grid in self.grids:
            if isinstance(grid, bool) or not isinstance(grid, int) or grid < 1:
                raise ValueError(f"grids holds {grid!r}; allowed are whole numbers from 1 up, such as [3, 5, 10, 20]")
        if isinstance(self.restarts, bool) or not isinstance(self.restarts, int) or self.restarts < 1:
            raise ValueError(f"restarts is {self.restarts!r}; allowed are whole numbers from 1 up")
        if self.lr is not None and not (isinstance(self.lr, (int, float)) and 0 < self.lr < math.inf):
            raise ValueError(f"lr is {self.lr!r}; allowed are finite numbers above 0, or None for the solver's own")
        if not isinstance(self.batch, int) or isinstance(self.batch, bool) or (self.batch < 1 and self.batch != -1):
            raise ValueError(
                f"batch is {self.batch!r}; allowed are whole numbers from 1 up, or -1 for all rows at once"
            )
        self._check_residuals()
        names = ["train_loss", "test_loss", "reg", *(metric_name(metric) for metric in self.metrics)]
        for metric in self.metrics:
            if not callable(metric):
                raise TypeError(f"metrics holds {metric!r}; a metric is a function without arguments")
            if names.count(metric_name(metric)) > 1:
                raise ValueError(f"the name {metric_name(metric)!r} is taken: give each metric a __name__ of its own")

    def _check_residuals(self) -> None:
        if self.residual_fn is None:
            return
        if not callable(self.residual_fn):
            raise TypeError(f"residual_fn is {self.residual_fn!r}; it must be a function of the model u")
        if self.loss_fn is not None:
            raise ValueError("residual_fn and loss_fn exclude each other: return what the loss would square as a term")
        if self.batch != -1:
            raise ValueError(f"batch is {self.batch}; with residual_fn all points are used at each step: leave it out")

    def objective(self, network: Network, x: Tensor, y: Tensor, penalty: Penalty | None = None) -> Objective:
        """Make what is minimised, on inputs ``[n_in, n]`` and labels; see `Objective` and `ResidualObjective`."""
        if self.residual_fn is None:
            return Objective(network, x, y, penalty, self.loss_fn)
        return ResidualObjective(network, x, y, self.residual_fn, penalty)

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
        Root mean squared errors for the default loss, else the loss itself; nan without test rows. Of residuals the
        loss is the sum of their mean squares, and the test loss is the root mean squared error of the outputs.
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

    def told(self) -> dict[str, float]:
        """Return losses, penalty and metrics by their names."""
        return {"train_loss": self.train_loss, "test_loss": self.test_loss, "reg": self.reg, **self.metrics}
