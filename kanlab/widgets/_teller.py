"""Tells panels what a scene holds, by custom messages, in one order for all."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from typing import Any, Protocol

from kanlab.widgets._flow import Flow
from kanlab.widgets._scene import Scene


class View(Protocol):
    """A panel, as its hub sees it."""

    def send(self, content: Mapping[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send a custom message to all views of this panel."""
        ...


class Teller:
    """Sends to all views that are alive, or to one.

    Both the runner's thread and the kernel's tell; what is told last must be what was found last.
    """

    def __init__(self, scene: Scene, flow: Flow):
        self._scene, self._flow = scene, flow
        self._views: weakref.WeakSet[View] = weakref.WeakSet()
        self._lock = threading.RLock()

    def attach(self, view: View) -> None:
        """Add a panel."""
        with self._lock:
            self._views.add(view)

    def all(self, to: View | None = None) -> None:
        """Send state, frame, pictures and detail."""
        with self._lock:
            self.state(to)
            self.frame(to)
            self.nodes(to)
            self.detail(to)
            if self._scene.front() is not None:
                self.front(to)
            if self._scene.comparison() is not None:
                self.comparison(to)

    def state(self, to: View | None = None) -> None:
        """Send the state."""
        with self._lock:
            self._send({"kind": "state", "state": self._scene.state()}, to=to)

    def frame(self, to: View | None = None, *, grows: bool = False) -> None:
        """Send a frame."""
        with self._lock:
            seq = self._flow.next()
            header, arrays = self._scene.frame(grows=grows)
            self._send({"kind": "frame", "seq": seq} | header, [arrays.buffer()], to=to)

    def formula(self) -> None:
        """Send the formula."""
        with self._lock:
            self._send({"kind": "formula", "formula": self._scene.formula()})

    def nodes(self, to: View | None = None) -> None:
        """Send the nodes' pictures."""
        with self._lock:
            pictures, version = self._scene.nodes(), self._scene.version
            self._send({"kind": "nodes", "version": version} | pictures.header(), [pictures.buffer()], to=to)

    def detail(self, to: View | None = None) -> None:
        """Send the selected edge."""
        with self._lock:
            self._send({"kind": "detail", "detail": self._scene.detail()}, to=to)

    def front(self, to: View | None = None) -> None:
        """Send what the last search found."""
        with self._lock:
            self._send({"kind": "front", "front": self._scene.front()}, to=to)

    def comparison(self, to: View | None = None) -> None:
        """Send the two states that stand side by side."""
        with self._lock:
            self._send({"kind": "comparison", "comparison": self._scene.comparison()}, to=to)

    def model(self) -> None:
        """Send what depends on the model's numbers alone: frame, pictures and formula."""
        with self._lock:
            self.frame()
            self.nodes()
            self.formula()

    def selection(self) -> None:
        """Send what depends on the selection."""
        with self._lock:
            self.state()
            self.detail()

    def _send(self, content: Mapping[str, Any], buffers: list[bytes] | None = None, to: View | None = None) -> None:
        for view in list(self._views) if to is None else [to]:
            view.send(content, buffers)
