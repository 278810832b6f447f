"""What the browser may ask: every command's arguments, checked before anything acts on them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any


class Refused(ValueError):
    """A message that is not one of those in the protocol."""


def _number(value: Any) -> float:
    # Compared and not converted: an int of JSON may be too large for a float.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        raise Refused(f"{value!r:.60} is not a finite number")
    return float(value)


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise Refused(f"{value!r} is not a whole number")
    return int(number)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"{value!r:.60} is not true or false")
    return value


def _grid(value: Any) -> int:
    grid = _whole(value)
    if not 1 <= grid <= 200:
        raise Refused(f"grid is {grid}; allowed are 1 to 200")
    return grid


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise Refused(f"{value!r:.60} is not a short text")
    return value


def _edge(value: Any) -> tuple[int, int, int]:
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise Refused(f"{value!r:.60} is not an edge [l, i, j]")
    l, i, j = (_whole(index) for index in value)
    return l, i, j


def _four(value: Any) -> list[float]:
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        raise Refused(f"{value!r:.60} is not four numbers a, b, c, d")
    return [_number(part) for part in value]


def _index(value: Any) -> int:
    index = _whole(value)
    if index < 0:
        raise Refused(f"{index} is not an index")
    return index


def _maybe_index(value: Any) -> int | None:
    return None if value is None else _index(value)


def _maybe_edge(value: Any) -> tuple[int, int, int] | None:
    return None if value is None else _edge(value)


Reader = Callable[[Any], Any]
_CONTROLS: dict[str, Reader] = {
    "lamb": _number,
    "lamb_l1": _number,
    "lamb_entropy": _number,
    "optimizer": _text,
    "steps": _whole,
    "lr": _number,
    "batch": _whole,
    "plateau": _flag,
    "edge_th": _number,
    "node_th": _number,
}
_EDGE: dict[str, Reader] = {"edge": _edge}
_NUMBER: dict[str, Reader] = {"output": _index, "index": _index, "value": _number}
#: Arguments of each command; all are required, except of ``set``.
COMMANDS: dict[str, dict[str, Reader]] = {
    "train": {},
    "pause": {},
    "step": {},
    "reset": {},
    "cancel": {},
    "undo": {},
    "redo": {},
    "dismiss": {},
    "auto_symbolic": {},
    "snap": {},
    "set": _CONTROLS,
    "refine": {"grid": _grid},
    "prune": {"edge_th": _number, "node_th": _number},
    "select": {"edge": _maybe_edge},
    "fix": {**_EDGE, "name": _text},
    "unfix": _EDGE,
    "remove_edge": _EDGE,
    "restore_edge": _EDGE,
    "try_bend": {**_EDGE, "index": _whole, "y": _number},
    "bend": {**_EDGE, "index": _whole, "y": _number},
    "try_constants": {**_EDGE, "constants": _four},
    "constants": {**_EDGE, "constants": _four},
    "untry": {},
    "consider": {**_EDGE, "name": _text},
    "try_fix": {**_EDGE, "name": _text, "constants": _four},
    "fix_constants": {**_EDGE, "name": _text, "constants": _four},
    "discover": {},
    "pick": {"index": _index},
    "simplify": {},
    "try_number": _NUMBER,
    "number": _NUMBER,
    "compare": {"id": _maybe_index},
    "eliminate": {},
    "expand_width": {"l": _index},
    "expand_depth": {},
    "auto_swap": {},
    "goto": {"id": _whole},
}


def check_args(message: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a command's name and its checked arguments.

    >>> check_args({"name": "refine", "args": {"grid": 10}})
    ('refine', {'grid': 10})
    """
    name, args = message.get("name"), message.get("args", {})
    if not isinstance(name, str) or name not in COMMANDS:
        raise Refused(f"{name!r:.60} is not a command; there are {', '.join(COMMANDS)}")
    if not isinstance(args, Mapping):
        raise Refused(f"the arguments of {name} are not a dict")
    readers = COMMANDS[name]
    unknown = [key for key in args if key not in readers]
    missing = [] if name == "set" else [key for key in readers if key not in args]
    if unknown or missing:
        wrong = f"unknown {unknown}" if unknown else f"missing {missing}"
        raise Refused(f"the arguments of {name} are {', '.join(readers) or 'none'}; {wrong}")
    return name, {key: readers[key](value) for key, value in args.items()}
