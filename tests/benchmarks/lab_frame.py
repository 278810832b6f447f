"""What one frame of an open Lab costs the kernel, in its parts: processor time of the one thread, without a browser.

``python tests/benchmarks/lab_frame.py`` prints a table and writes nothing. Ten frames a second times a millisecond are
one percent of a core.
"""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from kanlab import KAN, Session, create_dataset
from kanlab.engine.fit import Step
from kanlab.widgets import _state
from kanlab.widgets._hub import Hub, hub_of
from kanlab.widgets._rows import LossRows

ROUNDS = 60


def cost(work: Callable[[], object]) -> float:
    """Return the median of a call's processor time, in ms."""
    spent = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        work()
        spent.append(time.thread_time() - begun)
    return 1000 * statistics.median(spent)


class Socket:
    """Stands for a panel: writes the message as Jupyter does."""

    def send(self, content: Any, buffers: Any = None) -> None:
        json.dumps(content)


def parts(hub: Hub) -> dict[str, Callable[[], object]]:
    """Return what a frame does, and what comes once a second."""
    session, scene, rows = hub.session, hub.scene, hub.live.rows()
    hub.desk.select((0, 0, 0))

    def formula() -> object:
        with torch.no_grad():
            session.model.layer(0).coef.mul_(1.0)  # as a step does: the model is another one
        return scene.formula()

    told, grown = LossRows(), itertools.count(1000, 30)
    return {
        "a whole frame": lambda: hub.teller.frame(grows=True),
        "curves and scores": lambda: _state.arrays_of(session.model, 0.03, 0.01),
        "R²": lambda: _state.r_squared(session, 0.1, 0.1),
        "loss": lambda: json.dumps(told.end(rows[: next(grown)])),
        "nodes' pictures": scene.nodes,
        "formula": formula,
        "selected edge": scene.detail,
    }


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    columns = []
    for width in ([2, 5, 1], [10, 18, 1]):
        dataset = create_dataset(
            lambda x: torch.sin(x).sum(1, keepdim=True), n_var=width[0], train_num=500, test_num=200, seed=0
        )
        session = Session(KAN(width, grid=5, seed=0), dataset)
        session.fit(20, opt="Adam")
        hub, view = hub_of(session), Socket()
        hub.teller.attach(view)
        for index in range(3000):
            hub.live.note(Step(index, 0.123456789, 0.23456789, 0.3456789, 0.1, {}, "Adam"), 0.001 * index)
        hub.runner._wanted = True  # as while it trains
        columns.append({name: cost(work) for name, work in parts(hub).items()})
    print("| ms | 15 edges | 198 edges |\n|---|---|---|")
    for name in columns[0]:
        print(f"| {name} | {' | '.join(f'{column[name]:.2f}' for column in columns)} |")


if __name__ == "__main__":
    main()
