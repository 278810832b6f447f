"""What all panels of a session share beside it: sliders, selection, error, the model that a hand tries out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kanlab.discovery.discovery import Discovery
from kanlab.discovery.solution import Solution
from kanlab.kan import KAN
from kanlab.session import Session
from kanlab.widgets._controls import Controls

Edge = tuple[int, int, int]


@dataclass
class Desk:
    """See the module.

    Attributes
    ----------
    selected
        The edge that the inspector shows.
    error
        The last one that nobody has dismissed yet.
    busy
        A long command's label and progress.
    trial
        A model that a hand is trying out; shown, and in no history.
    considered
        A function that the inspector shows for the selected edge beside those that fit it best.
    found
        What the last search for a formula found.
    compared
        The history entry that stands beside the current one.
    """

    session: Session
    controls: Controls = field(default_factory=Controls)
    selected: Edge | None = None
    error: str | None = None
    busy: dict[str, Any] | None = None
    trial: KAN | None = None
    considered: str | None = None
    found: Discovery | None = None
    compared: int | None = None

    @property
    def shown(self) -> KAN:
        """The model that is drawn: the one being tried, else the session's."""
        return self.trial or self.session.model

    def select(self, edge: Edge | None) -> None:
        """Choose an edge; ValueError where there is none of that name."""
        if edge != self.selected:
            self.considered = None
        self.selected = None if edge is None else self.session.model.check_edge(*edge)

    def drop_lost_selection(self) -> None:
        """Select nothing if the selected edge is gone."""
        try:
            self.select(self.selected)
        except ValueError:
            self.selected = None

    def compare(self, id: int | None) -> None:
        """Put a history entry beside the current one, or none."""
        if id is not None and not 0 <= id < len(self.session.history):
            raise ValueError(f"there is no history entry {id}")
        self.compared = id

    def solution(self, index: int) -> Solution:
        """Return a formula of the front that was found."""
        front = self.found.front if self.found else ()
        if not 0 <= index < len(front):
            raise ValueError(f"there is no formula {index}: the last search found {len(front)}")
        return front[index]

    def attempt(self, change: Callable[[KAN], None]) -> None:
        """Show what a change would do."""
        trial = self.session.model.copy()
        change(trial)
        self.trial = trial
