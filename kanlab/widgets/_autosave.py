"""Keeps a session in a file, so that a kernel that dies takes no work along."""

from __future__ import annotations

import pathlib

from safetensors import SafetensorError

from kanlab.session import Session
from kanlab.widgets._desk import Desk
from kanlab.widgets._flow import Pace

#: Seconds of a training that may be lost, and the part of the processor's time that writing may take.
_EVERY, _SHARE = 5.0, 0.02


class Autosave:
    """Writes the session where it is kept, if anywhere: after every command, and now and then while it trains."""

    def __init__(self, desk: Desk):
        self._desk = desk
        self._pace = Pace(_EVERY, _SHARE)
        self.path: pathlib.Path | None = None

    def save(self) -> None:
        """Write the session; that this cannot be done is told, and ends nothing."""
        if self.path is None:
            return
        try:
            self._desk.session.save(self.path)
        except (OSError, SafetensorError) as error:
            self._desk.error = f"the session could not be saved: {error}"

    def stepped(self, now: float) -> None:
        """Write the session if it is time; to be called between two steps."""
        if self.path is not None and self._pace.due(now):
            self._pace.carry_out(self.save, now)


def resumed(session: Session, path: pathlib.Path) -> Session:
    """Return the session that a file holds, if it began as this one: a cell that is run again goes on with its work.

    Raises
    ------
    ValueError
        When the file holds a session that began otherwise, which would be written over.
    """
    if not path.exists():
        return session
    kept = Session.load(path)
    if not kept.began_as(session):
        raise ValueError(
            f"{str(path)!r} holds a session that began with other data or another model: take another file for "
            "autosave, or go on with that session: Lab(Session.load(path), autosave=path)"
        )
    return kept


def require_no_loss(session: Session, path: pathlib.Path) -> None:
    """Refuse to write a session over a file that holds more than it, or another one."""
    if path.exists() and len(resumed(session, path).history) > len(session.history):
        raise ValueError(
            f"{str(path)!r} holds a session with more history than this one: go on with it, "
            "Lab(Session.load(path), autosave=path), or take another file"
        )
