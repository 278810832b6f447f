r"""Several random starts of one network, trained for a few steps as one batched tensor program; the best goes on.

A narrow network can be caught in a poor valley however well it is optimised. Its tensors get a leading axis, one entry
a start, and every Levenberg-Marquardt step is taken for all starts at once: for small networks nearly all of a step's
cost is overhead, which is then paid once.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.lay import lay_first
from kanlab.engine.linearise import Linearisation
from kanlab.engine.network import Network
from kanlab.engine.options import Data, Options, batch_last
from kanlab.engine.snapshot import Snapshot, restore, snapshot
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt

#: Steps of each start; half of them before the grids are laid over what the hidden nodes have become.
_STEPS = 16
#: Rows the starts are compared on: enough to tell the valleys apart.
_ROWS = 512
#: Damping as in `LevenbergMarquardt`.
_FLOOR, _LEAST, _MOST = 1e-6, 1e-12, 1e8


def race(network: Network, data: Data, options: Options) -> None:
    """Leave ``network`` at the best of ``options.restarts`` starts, the first being the one it has."""
    x, y = _rows(data, options)
    starts = _starts(network, x, y, options)
    run = _train_together if options.loss_fn is None and options.residual_fn is None else _train_in_turn
    ends = run(network, starts, x, y, options)
    losses = torch.tensor([end.loss for end in ends]).nan_to_num(nan=torch.inf)
    restore(network, ends[int(losses.argmin())].state)


def _rows(data: Data, options: Options) -> tuple[Float[Tensor, "i n"], Tensor]:
    """Return some of the rows; of residuals, all points."""
    if options.residual_fn is not None:
        return data.train_input.T.contiguous(), batch_last(data.train_label)
    rows = torch.randperm(len(data.train_input), generator=torch.Generator().manual_seed(options.seed))[:_ROWS]
    rows = rows.to(data.train_input.device)
    return data.train_input[rows].T.contiguous(), batch_last(data.train_label[rows])


@dataclass(frozen=True)
class _End:
    loss: float
    state: Snapshot


def _starts(network: Network, x: Tensor, y: Tensor, options: Options) -> list[Snapshot]:
    """Return the network's own state and others drawn anew, each on grids over the data; what is frozen stays."""
    generator = torch.Generator().manual_seed(options.seed)
    lay_first(network, x.T, lambda: options.objective(network, x, y).start().value)
    starts = [snapshot(network)]
    other = copy.deepcopy(network)
    for _ in range(options.restarts - 1):
        for layer in other.kan_layers():
            layer.draw(generator)
        other.stretch_grid_to_samples(x.T)
        starts.append(snapshot(other))
    return starts


def stack(network: Network, states: list[Snapshot]) -> Network:
    """Return a network whose tensors have a leading axis, one entry a state."""
    stacked = copy.deepcopy(network)
    layers = [
        {name: torch.stack([layer[name] for layer in same]) for name in same[0]} for same in zip(*states, strict=True)
    ]
    restore(stacked, layers)
    return stacked


@torch.no_grad()
def _train_together(
    network: Network, starts: list[Snapshot], x: Float[Tensor, "i n"], y: Float[Tensor, "o n"], options: Options
) -> list[_End]:
    stacked = stack(network, starts)
    inputs = x.expand(len(starts), -1, -1).contiguous()
    herd = _Herd(stacked, inputs, y)
    herd.train(_STEPS // 2)
    stacked.update_grid_from_samples(x.T)
    herd = _Herd(stacked, inputs, y, herd.damping.clamp(1e-6, 1e-1))
    herd.train(_STEPS // 2)
    states = snapshot(stacked)
    return [
        _End(float(loss), [{name: tensor[m].clone() for name, tensor in layer.items()} for layer in states])
        for m, loss in enumerate(herd.loss)
    ]


class _Herd:
    """Levenberg-Marquardt for every entry of a stacked network; see `LevenbergMarquardt` for each line's why."""

    def __init__(
        self, stacked: Network, x: Float[Tensor, "s i n"], y: Float[Tensor, "o n"], damping: Tensor | None = None
    ):
        self.y = y
        self.linear = Linearisation(stacked, x)
        self.vector = self.linear.read()
        self.free = self.linear.trainable()
        self.tape = self.linear.evaluate(self.vector)
        self.loss = self._losses(self.tape.output)
        self.damping = torch.ones_like(self.loss) if damping is None else damping
        self._growth = torch.full_like(self.loss, 2.0)
        self._stiffness = torch.zeros_like(self.vector)

    def _losses(self, output: Float[Tensor, "s o n"]) -> Float[Tensor, " s"]:
        return (self.y - output).square().mean((-2, -1)).nan_to_num(nan=torch.inf)

    def train(self, steps: int) -> None:
        """Take some steps and put the parameters into the stacked network."""
        for _ in range(steps):
            self._step()
        self.linear.write(self.vector)

    def _step(self) -> None:
        """Take one step of each start that one lowers; damp the others more."""
        jacobian = self.linear.jacobian(self.tape).flatten(-2) * self.free.unsqueeze(-1)
        residual = (self.y - self.tape.output).flatten(-2)
        n = residual.shape[-1]
        hessian = jacobian @ jacobian.mT / n
        descent = (jacobian @ residual.unsqueeze(-1)).squeeze(-1) / n
        diagonal = hessian.diagonal(dim1=-2, dim2=-1)
        self._stiffness = torch.maximum(self._stiffness, diagonal)
        least = _FLOOR * self._stiffness.amax(-1, keepdim=True) + 1e-300
        scaled = self.damping.unsqueeze(-1) * torch.maximum(self._stiffness, least)
        diagonal += scaled
        factor, failed = torch.linalg.cholesky_ex(hessian)
        move = torch.cholesky_solve(descent.unsqueeze(-1), factor).squeeze(-1)
        move = move.where((failed == 0).unsqueeze(-1), 0.0)
        vector = self.vector + move
        tape = self.linear.evaluate(vector)
        loss = self._losses(tape.output)
        expected = (move * (descent + scaled * move)).sum(-1)
        self._judge(vector, loss, expected)

    def _judge(self, vector: Tensor, loss: Tensor, expected: Tensor) -> None:
        better = loss < self.loss
        gain = (self.loss - loss) / expected.clamp_min(1e-300)
        eased = self.damping * (1.0 - (2.0 * gain - 1.0) ** 3).clamp(1 / 3, 2.0)
        self.damping = torch.where(better, eased, self.damping * self._growth).clamp(_LEAST, _MOST)
        self._growth = torch.where(better, 2.0, 2.0 * self._growth)
        self.loss = torch.where(better, loss, self.loss)
        self.vector = torch.where(better.unsqueeze(-1), vector, self.vector)
        self.tape = self.linear.evaluate(self.vector)


@torch.no_grad()
def _train_in_turn(
    network: Network, starts: list[Snapshot], x: Float[Tensor, "i n"], y: Tensor, options: Options
) -> list[_End]:
    """Do the same for any loss, one start after the other."""
    ends, trial = [], copy.deepcopy(network)
    for start in starts:
        restore(trial, start)
        solver = LevenbergMarquardt(options.objective(trial, x, y))
        for half in range(2):
            if half:
                trial.update_grid_from_samples(x.T)
                solver.restart(options.objective(trial, x, y))
            for _ in range(_STEPS // 2):
                if not solver.done:
                    solver.step()
        ends.append(_End(solver.current.loss, snapshot(trial)))
    return ends
