"""What all panels share: the bundle, the two synced traits, and the hub behind them."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import anywidget
import traitlets

from kanlab.session import Session
from kanlab.widgets._hub import Hub, hub_of

_STATIC = pathlib.Path(__file__).parent / "static"


class Panel(anywidget.AnyWidget):
    """A view of a session; panels of one session are in sync."""

    _esm = _STATIC / "kanlab.js"
    _css = _STATIC / "kanlab.css"
    #: Which panel the front end draws.
    panel = traitlets.Unicode("lab").tag(sync=True)
    #: The last settled picture, which a saved notebook shows without a kernel; written on the main thread only.
    snapshot = traitlets.Dict().tag(sync=True)

    def __init__(self, session: Session, **options: Any):
        if not isinstance(session, Session):
            raise TypeError(f"session is a {type(session).__name__}; a panel shows a kanlab.Session (lab.session)")
        self.hub: Hub = hub_of(session)
        super().__init__(**options)
        self.hub.attach(self)
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return f"<kanlab {type(self).__name__}>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if not self.hub.runner.training:
            self.snapshot = self.hub.snapshot()
        return super()._repr_mimebundle_(**options)

    @property
    def session(self) -> Session:
        """The session shown."""
        return self.hub.session

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a custom message to this panel's views; nothing once it is closed."""
        if self.comm is not None:
            super().send(content, buffers)

    def _receive(self, _: Any, content: Any, __: Any) -> None:
        if isinstance(content, Mapping) and content.get("kind") == "settled":
            if not self.hub.runner.training:
                self.snapshot = self.hub.snapshot()
            return
        self.hub.handle(self, content)


def control(name: str, doc: str) -> property:
    """Make a property that reads and moves one of the controls."""

    def read(panel: Panel) -> Any:
        return getattr(panel.hub.controls, name)

    def move(panel: Panel, value: Any) -> None:
        panel.hub.set(**{name: value})

    return property(read, move, doc=doc)


def finished(future: Future[Any], timeout: float | None = 60.0) -> Any:
    """Wait for a command and return its result, or raise its error."""
    return future.result(timeout)
