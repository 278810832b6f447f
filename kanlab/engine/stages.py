"""Training runs one after the other, told as one."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator

from kanlab.engine.network import Network
from kanlab.engine.options import Data, Options, Step
from kanlab.engine.penalty import Penalty
from kanlab.engine.run import Run
from kanlab.engine.stall import Stall

Steps = Generator[Step, "Penalty | None", None]
#: A stage ends when this many steps lower the objective by less than this part.
_FLAT = (4, 0.1)


class Stages:
    """Runs whose steps are counted on; a penalty that is sent into one holds for those that follow."""

    def __init__(self, network: Network, options: Options):
        self.network, self.options = network, options
        #: Steps told so far.
        self.count = 0

    def train(self, data: Data, steps: int | None, *, lay: bool) -> Steps:
        """Go through one run until it is flat, which ends nothing but the stage.

        With ``lay`` the grids are laid over the data at its beginning, and never later.
        """
        once = {"grid_update_num": 1, "start_grid_update_step": -1, "stop_grid_update_step": 1}
        options = dataclasses.replace(self.options, steps=steps, update_grid=lay and self.options.update_grid, **once)
        flat, run = Stall(*_FLAT), Run(self.network, data, options).steps()
        try:
            step = next(run, None)
            while step is not None:
                over = flat.seen(step.objective) or bool(step.reason)
                sent = yield self._counted(dataclasses.replace(step, reason=""))
                self._keep(sent)
                step = None if over else _next(run, sent)
        finally:
            run.close()

    def finish(self, data: Data, steps: int | None) -> Steps:
        """Go through the last run, to its own end."""
        run = Run(self.network, data, dataclasses.replace(self.options, steps=steps)).steps()
        try:
            step = next(run, None)
            while step is not None:
                sent = yield self._counted(step)
                step = _next(run, sent)
        finally:
            run.close()

    def _counted(self, step: Step) -> Step:
        self.count += 1
        return dataclasses.replace(step, index=self.count - 1)

    def _keep(self, sent: Penalty | None) -> None:
        if sent is not None:
            self.options = dataclasses.replace(self.options, penalty=sent)


def _next(run: Steps, sent: Penalty | None) -> Step | None:
    try:
        return run.send(sent)
    except StopIteration:
        return None
