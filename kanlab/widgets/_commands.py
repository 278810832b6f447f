"""Acts on what the browser sends: `_messages` checks it, the hub does it, and each command is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from kanlab import edit
from kanlab.widgets._hub import Hub
from kanlab.widgets._messages import Refused, check_args
from kanlab.widgets._teller import View

#: Commands that a session knows by another name.
_METHODS = {"fix": "fix_symbolic", "unfix": "unfix_symbolic", "bend": "bend_edge", "constants": "set_constants"}
#: Changes that are shown before they are made.
_ATTEMPTS = {"try_bend": edit.bend_edge, "try_constants": edit.set_constants, "try_fix": edit.fix_constants}
#: Commands that end the training: it would go on from where they lead.
_ENDING = ("undo", "redo", "goto", "reset")


def handle(hub: Hub, view: View, message: Any) -> None:
    """Act on one message; whatever it is, it does no harm. Runs on the main thread or a subshell's."""
    if not isinstance(message, Mapping):
        return
    match message.get("kind"):
        case "hello":
            hub.greet(view)
        case "ack" if isinstance(message.get("seq"), int):
            hub.flow.acknowledge(message["seq"], time.monotonic())
        case "cmd" if isinstance(message.get("id"), int):
            _command(hub, view, message)


def _command(hub: Hub, view: View, message: Mapping[str, Any]) -> None:
    id = message["id"]
    try:
        name, args = check_args(message)
        future = _OWN[name](hub, **args) if name in _OWN else _do(hub, name, args)
    except (Refused, ValueError, TypeError) as error:
        _answer(view, id, error)
        hub.refuse(error)
        return
    if future is None:
        _answer(view, id, None)
    else:
        future.add_done_callback(lambda done: _answer(view, id, done.exception()))


def _answer(view: View, id: int, error: BaseException | None) -> None:
    view.send({"kind": "done", "id": id, "ok": error is None, "error": None if error is None else str(error)})


def _train(hub: Hub) -> Future[Any]:
    hub.start()
    return hub.runner.look(hub.teller.state)


def _pause(hub: Hub) -> Future[Any]:
    hub.runner.pause()
    return hub.runner.look(hub.teller.state)


#: Commands that are not the session's.
_OWN: dict[str, Callable[..., Future[Any] | None]] = {
    "train": _train,
    "pause": _pause,
    "step": lambda hub: hub.start(1),
    "cancel": lambda hub: hub.runner.cancel(),
    "set": Hub.set,
    "select": Hub.select,
    "dismiss": Hub.dismiss,
    "untry": Hub.untry,
    "auto_symbolic": Hub.auto_symbolic,
    "snap": Hub.snap,
    "eliminate": Hub.eliminate,
    "discover": Hub.discover,
    "pick": Hub.pick,
    "simplify": Hub.simplify,
    "try_number": Hub.try_number,
    "number": Hub.number,
    "consider": Hub.consider,
    "compare": Hub.compare,
}


def _do(hub: Hub, name: str, args: dict[str, Any]) -> Future[Any]:
    """Have a session command carried out, or a change of an edge shown."""
    edge = args.pop("edge", None)
    if name in _ATTEMPTS:
        return hub.attempt(lambda model: _ATTEMPTS[name](model, *edge, **args))
    if name in _ENDING:
        hub.runner.pause()
    indices = {} if edge is None else dict(zip("lij", edge, strict=True))
    return hub.do(_METHODS.get(name, name), **indices, **args)
