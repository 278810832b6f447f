"""The training panel: start, pause, step, reset, and the sliders."""

from __future__ import annotations

from typing import Any

from kanlab.session import Session
from kanlab.widgets._base import Panel, control, finished


class TrainingPanel(Panel):
    """Buttons and sliders of the training; each is a property too and acts on the next step."""

    def __init__(self, session: Session, **options: Any):
        super().__init__(session, panel="training", **options)

    lamb = control("lamb", "Strength of the sparsity penalty.")
    lamb_l1 = control("lamb_l1", "Weight of the magnitudes in the penalty.")
    lamb_entropy = control("lamb_entropy", "Weight of the entropies in the penalty.")
    optimizer = control("optimizer", '"auto", "LM", "LBFGS" or "Adam".')
    lr = control("lr", "Learning rate of Adam and LBFGS; 0: their own.")
    batch = control("batch", "Rows a step takes; 0: all.")
    plateau = control("plateau", "Whether training stops where the loss no longer falls.")
    steps = control("steps", "Steps that Train takes; 0: until paused or converged.")

    @property
    def running(self) -> bool:
        """Whether it trains."""
        return self.hub.runner.training

    @property
    def grid(self) -> int:
        """Intervals of the splines; setting it refines in place."""
        return max(self.session.model.grid)

    @grid.setter
    def grid(self, value: int) -> None:
        finished(self.hub.do("refine", grid=value))

    def start(self, steps: int | None = None) -> None:
        """Train in the background."""
        self.hub.start(steps)

    def pause(self) -> None:
        """Stop after the present step."""
        self.hub.runner.pause()

    def reset(self) -> None:
        """Go on from the model as it came."""
        self.pause()
        finished(self.hub.do("reset"))
