"""What all panels share: the bundle, the two synced traits, and the hub behind them."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

import anywidget
import traitlets

from kanlab.session import Session
from kanlab.widgets._commands import handle
from kanlab.widgets._hub import Hub, hub_of
from kanlab.widgets._parts import hidden_parts
from kanlab.widgets._picture import picture_of

#: Languages of the front end (`frontend/src/lib/languages.ts`).
LANGUAGES = ("en", "ko", "zh", "ja")
_STATIC = pathlib.Path(__file__).parent / "static"


class Panel(anywidget.AnyWidget):
    """A view of a session; panels of one session are in sync."""

    _esm = _STATIC / "kanlab.js"
    _css = _STATIC / "kanlab.css"
    #: Which panel the front end draws.
    panel = traitlets.Unicode("lab").tag(sync=True)
    #: The last settled picture, which a saved notebook shows without a kernel; written on the main thread only.
    snapshot = traitlets.Dict().tag(sync=True)

    #: Parts that are not shown; see `kanlab.widgets._parts.PARTS`.
    hidden = traitlets.List(traitlets.Unicode()).tag(sync=True)
    #: "en", "ko", "zh" or "ja"; "" is the browser's.
    language = traitlets.Enum(["", *LANGUAGES], "").tag(sync=True)

    def __init__(
        self,
        session: Session,
        *,
        show: Iterable[str] | None = None,
        hide: Iterable[str] | None = None,
        language: str | None = None,
        **options: Any,
    ):
        if not isinstance(session, Session):
            raise TypeError(f"session is a {type(session).__name__}; a panel shows a kanlab.Session (lab.session)")
        hidden = hidden_parts(show, hide)
        if language not in (None, *LANGUAGES):
            raise ValueError(f"language is {language!r}; allowed are None (the browser's) and {', '.join(LANGUAGES)}")
        self.hub: Hub = hub_of(session)
        super().__init__(hidden=hidden, language=language or "", **options)
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return f"<kanlab {type(self).__name__}>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if not self.hub.runner.training:
            self.snapshot = self.hub.scene.snapshot()
        bundle = super()._repr_mimebundle_(**options)
        if not self.snapshot or not bundle:
            return bundle
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        # Where widgets cannot be drawn (GitHub, a page made without their state) the picture is what is left.
        return {**data, "image/svg+xml": picture_of(self.snapshot)}, metadata

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
                self.snapshot = self.hub.scene.snapshot()
            return
        handle(self.hub, self, content)


def control(name: str, doc: str) -> property:
    """Make a property that reads and moves one of the controls."""

    def read(panel: Panel) -> Any:
        return getattr(panel.hub.desk.controls, name)

    def move(panel: Panel, value: Any) -> None:
        panel.hub.set(**{name: value})

    return property(read, move, doc=doc)


def finished(future: Future[Any], timeout: float | None = 60.0) -> Any:
    """Wait for a command and return its result, or raise its error."""
    return future.result(timeout)
