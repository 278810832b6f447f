"""What a session's history is made of: commands and entries, and how they lie in a file."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor

from kanlab import store
from kanlab.curve import Row
from kanlab.engine.penalty import Penalty
from kanlab.engine.shape import parse_arity, parse_width, per_layer
from kanlab.kan import DEFAULTS, KAN
from kanlab.symbolic.snap import Snap

Edge = tuple[int, int, int]


@dataclass(frozen=True)
class Command:
    """A method of `Session` and its arguments: plain numbers, texts, lists and dicts."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)

    def code(self) -> str:
        """Return the call, as Python."""
        return f"session.{self.name}({', '.join(f'{key}={value!r}' for key, value in self.args.items())})"


@dataclass(frozen=True)
class Entry:
    """The session after one command.

    Attributes
    ----------
    id, parent
        Entries are numbered from 0, the start, whose parent is None.
    command, label
        What was done, for the script and for people.
    model
        The model then; not to be changed.
    train_loss, test_loss
        On the session's data.
    step
        Training steps taken so far on this branch, since the last reset.
    rows
        ``(step, train, test, reg)`` of the training this command did; of a long one not every step.
    snaps
        The constants this command snapped.
    """

    id: int
    parent: int | None
    command: Command
    label: str
    model: KAN = field(repr=False)
    train_loss: float
    test_loss: float
    step: int
    rows: tuple[Row, ...] = field(default=(), repr=False)
    snaps: tuple[Snap, ...] = field(default=(), repr=False)


def pack(entry: Entry) -> store.Record:
    """Describe an entry: a JSON-able record, and tensors whose names begin with ``entries.<id>.``."""
    config, parts = store.to_record(entry.model)
    tensors = {f"entries.{entry.id}.{name}": part for name, part in parts.items()}
    tensors[f"entries.{entry.id}.rows"] = torch.tensor(entry.rows, dtype=torch.float64).reshape(-1, 4)
    record = {
        "parent": entry.parent,
        "command": [entry.command.name, _jsonable(entry.command.args)],
        "label": entry.label,
        "losses": [_number(entry.train_loss), _number(entry.test_loss)],
        "step": entry.step,
        "snaps": [[snap.text, snap.cost, snap.error] for snap in entry.snaps],
        "model": config,
        "origin": entry.model.origin if entry.id == 0 else None,
    }
    return record, tensors


#: What a file may name as commands: they go into the script, which people run.
_COMMANDS = (
    "start", "fit", "prune", "refine", "fix_symbolic", "unfix_symbolic", "remove_edge", "restore_edge", "bend_edge",
    "set_constants", "set_all_constants", "fix_constants", "auto_symbolic", "snap", "reset", "eliminate", "remove_node",
    "expand_width", "expand_depth", "perturb", "swap", "auto_swap", "open_formula"
)  # fmt: skip


def unpack(id: int, record: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Entry:
    """Make the entry that `pack` described.

    Raises
    ------
    ValueError, TypeError, LookupError
        When the record is not one.
    """
    own = {
        name.removeprefix(f"entries.{id}."): part for name, part in tensors.items() if name.startswith(f"entries.{id}.")
    }
    rows = tuple((int(step), *rest) for step, *rest in own.pop("rows").tolist())
    model = cast(KAN, store.from_record(KAN, record["model"], own))
    model.origin = _origin(record["origin"], model)
    parent = record["parent"]
    if not (parent is None if id == 0 else isinstance(parent, int) and 0 <= parent < id):
        raise ValueError(f"entry {id} has parent {parent!r}")
    train, test = (math.nan if value is None else float(value) for value in record["losses"])
    snaps = tuple(_snap(*snap) for snap in record["snaps"])
    label, step = str(record["label"]), int(record["step"])
    return Entry(id, parent, _command(*record["command"]), label, model, train, test, step, cast(Any, rows), snaps)


def _origin(origin: Any, model: KAN) -> dict[str, Any] | None:
    """Return the constructor's arguments from a file, if they make a model of this shape (and so of known size)."""
    if origin is None:
        return None
    unknown = [key for key in origin if key != "width" and key not in DEFAULTS]
    if unknown:
        raise ValueError(f"the model's call has arguments that KAN does not take: {unknown}")
    width, call = parse_width(origin["width"]), {**DEFAULTS, **origin}
    if width != model.width or parse_arity(call["mult_arity"], width) != model.mult_arity:
        return None
    for name, own in (("grid", model.grid), ("k", [layer.k for layer in model.kan_layers()])):
        if per_layer(name, call[name], model.depth) != own:
            return None
    KAN(**origin)  # refuses what is no call of KAN
    return dict(origin)


def _command(name: str, args: Mapping[str, Any]) -> Command:
    if name not in _COMMANDS or not all(key.isidentifier() for key in args):
        raise ValueError(f"{name!r} with {list(args)} is not a command")
    args = dict(args)
    if "schedule" in args:
        args["schedule"] = {int(step): dict(values) for step, values in args["schedule"].items() if Penalty(**values)}
    return Command(name, args)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _jsonable(args: Mapping[str, Any]) -> dict[str, Any]:
    return copy.deepcopy({key: dict(value) if isinstance(value, Mapping) else value for key, value in args.items()})


def _snap(text: str, cost: float, error: float | None = None) -> Snap:
    return Snap(str(text), float(cost), None if error is None else float(error))
