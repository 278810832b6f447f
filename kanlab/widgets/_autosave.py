"""Keeps a session in a file, so that a kernel that dies takes nothing along."""

from __future__ import annotations

import pathlib

from safetensors import SafetensorError

from kanlab.session import Session
from kanlab.widgets._desk import Desk


class Autosave:
    """Writes the session where it is kept, if anywhere."""

    def __init__(self, desk: Desk):
        self._desk = desk
        self.path: pathlib.Path | None = None

    def save(self) -> None:
        """Write the session; that this cannot be done is told, and ends nothing."""
        if self.path is None:
            return
        session: Session = self._desk.session
        try:
            session.save(self.path)
        except (OSError, SafetensorError) as error:
            self._desk.error = f"the session could not be saved: {error}"
