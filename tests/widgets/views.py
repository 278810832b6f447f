"""A view without a browser: it remembers what it is sent, insists on strict JSON, and reads frames as documented."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

import numpy as np

from kanlab.widgets._commands import handle
from kanlab.widgets._hub import Hub

#: Seconds after which a test that waits has failed.
PATIENCE = 60.0
ARRAYS = ("curves", "ranges", "scores", "doomed", "node_scores", "node_doomed")


class FakeView:
    """Stands for a panel."""

    def __init__(self, hub: Hub):
        self.hub = hub
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self._lock = threading.Lock()
        self._answers: dict[int, Future[dict[str, Any]]] = {}
        self._ids = itertools.count(1_000_000)
        hub.teller.attach(self)

    def send(self, content: Mapping[str, Any], buffers: list[bytes] | None = None) -> None:
        # As Jupyter does, but NaN is an error here: JSON.parse does not know it.
        message = json.loads(json.dumps(content, allow_nan=False))
        with self._lock:
            self.sent.append((message, list(buffers or [])))
        if message["kind"] == "done" and message["id"] in self._answers:
            self._answers[message["id"]].set_result(message)

    # ---- what a person does

    def hello(self) -> None:
        handle(self.hub, self, {"kind": "hello"})
        self.rest()

    def ask(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Send a command and return its answer once all has settled."""
        answer = self.ask_only(name, **args)
        done = answer.result(PATIENCE)
        self.rest()
        return done

    def ask_only(self, name: str, /, **args: Any) -> Future[dict[str, Any]]:
        """Send a command; the future is its answer."""
        id = next(self._ids)
        self._answers[id] = Future()
        handle(self.hub, self, {"kind": "cmd", "id": id, "name": name, "args": args})
        return self._answers[id]

    def rest(self) -> None:
        assert self.hub.runner.wait(PATIENCE), "the runner does not come to rest"

    # ---- what the view was sent

    def of(self, kind: str) -> list[dict[str, Any]]:
        with self._lock:
            return [message for message, _ in self.sent if message["kind"] == kind]

    @property
    def kinds(self) -> list[str]:
        with self._lock:
            return [message["kind"] for message, _ in self.sent]

    @property
    def state(self) -> dict[str, Any]:
        return self.of("state")[-1]["state"]

    def frames(self) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Read all frames, each under the state that was told last before it, as the browser does."""
        state: dict[str, Any] = {}
        with self._lock:
            sent = list(self.sent)
        for message, buffers in sent:
            if message["kind"] == "state":
                state = message["state"]
            elif message["kind"] == "frame" and message["version"] == state.get("version"):
                (buffer,) = buffers
                yield message, decode(buffer, state, message["points"])

    @property
    def frame(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return list(self.frames())[-1]


def decode(buffer: bytes, state: Mapping[str, Any], points: int) -> dict[str, np.ndarray]:
    """Split a frame's buffer as PROTOCOL.md says; its length must be exactly right."""
    edges, nodes = len(state["edges"]), sum(sum(level) for level in state["width"])
    lengths = dict(zip(ARRAYS, (edges * points, edges * 2, edges, edges, nodes, nodes), strict=True))
    flat = np.frombuffer(buffer, dtype="<f4")
    assert len(flat) == sum(lengths.values())
    parts = np.split(flat, np.cumsum(list(lengths.values()))[:-1])
    return dict(zip(ARRAYS, parts, strict=True))
