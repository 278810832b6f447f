"""Everything a person does to a model, as commands with a history: undo, redo, branches, a script, one file.

The session is the only thing that changes. Each command leaves an `Entry` with the model as it was then, so that going
back is exact. Undo moves to the parent entry; doing something else from there starts a branch and nothing is lost.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from kanlab import edit, store
from kanlab.curve import LossCurve, Row
from kanlab.engine.fit import SAMPLE_LIMIT, Step, evaluate
from kanlab.engine.penalty import Penalty
from kanlab.history import Command, Entry, pack, unpack
from kanlab.kan import KAN, Dataset
from kanlab.shaping import Shaping
from kanlab.symbolic.search import Progress
from kanlab.symbolic.snap import Snap, snap_steps


class Session(Shaping):
    """A model, its data and what was done to it.

    Parameters
    ----------
    model
        Copied: the session's own is ``session.model``.
    dataset
        As `kanlab.create_dataset` and `kanlab.dataset_from` make it.
    names, out_names
        Of the inputs and outputs, any text; taken from the dataset where it has them.

    Examples
    --------
    >>> from kanlab import KAN, Session, create_dataset
    >>> dataset = create_dataset(lambda x: x[:, 0] ** 2, n_var=1, train_num=100, test_num=50)
    >>> session = Session(KAN([1, 1], seed=0), dataset, names=["x"])
    >>> step = session.fit(steps=5)
    >>> session.undo()
    >>> [entry.label for entry in session.history], session.current.label
    (['start', 'fit 5'], 'start')
    """

    def __init__(
        self,
        model: KAN,
        dataset: Dataset,
        names: Sequence[str] | None = None,
        out_names: Sequence[str] | None = None,
    ):
        if not isinstance(model, KAN):
            raise TypeError(f"model is a {type(model).__name__}; a session works on a kanlab.KAN")
        self.model = model.copy()
        self.data = self.model.read_data(dataset)
        self.dataset = dict(dataset)
        names = dataset.get("input_names") if names is None else names
        out_names = dataset.get("output_names") if out_names is None else out_names
        if names is not None and not isinstance(names, str):
            names = self.model.of_inputs(names)
        self.names = _names("names", names, self.model.n_in, "x")
        self.out_names = _names("out_names", out_names, self.model.n_out, "f")
        if self.model.samples is None:
            self._introduce(self.model)
        #: Called, without arguments, after every change of the session.
        self.listeners: list[Callable[[], None]] = []
        self._fit: _Fit | None = None
        self._entries: list[Entry] = []
        self._redo: dict[int, int] = {}
        self._at = 0
        self._record(Command("start"), "start")

    def _introduce(self, model: KAN) -> None:
        """Show a model the data; random curves that never saw any are stretched over it, else they explode there."""
        untouched = model.origin is not None and _same(KAN(**model.origin), model)
        model.show(self.data.train_input[:SAMPLE_LIMIT], self.data.train_label[:SAMPLE_LIMIT])
        if untouched:
            model.stretch_grid_to_samples(self.data.train_input)

    # ---- history

    @property
    def history(self) -> tuple[Entry, ...]:
        """All entries, branches included, in the order they were made."""
        return tuple(self._entries)

    @property
    def current(self) -> Entry:
        """The entry the session stands on."""
        return self._entries[self._at]

    def path(self) -> list[Entry]:
        """Return the entries from the start to the current one."""
        entries = [self.current]
        while (parent := entries[-1].parent) is not None:
            entries.append(self._entries[parent])
        return entries[::-1]

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return self.current.parent is not None

    @property
    def can_redo(self) -> bool:
        """Whether something was undone that can be done again."""
        return self._at in self._redo

    def undo(self) -> None:
        """Go back to before the last command, exactly."""
        if self.current.parent is None:
            raise ValueError("there is nothing to undo: this is the start of the session")
        self.goto(self.current.parent)

    def redo(self) -> None:
        """Do again what was undone last."""
        if not self.can_redo:
            raise ValueError("there is nothing to redo: nothing was undone from here")
        self.goto(self._redo[self._at])

    def goto(self, id: int) -> None:
        """Go to any entry of the history."""
        if not isinstance(id, int) or not 0 <= id < len(self._entries):
            raise ValueError(f"there is no history entry {id!r}; they are numbered 0 to {len(self._entries) - 1}")
        self._require_rest()
        child: Entry = self._entries[id]
        self._at = id
        self.model = child.model.copy()
        while child.parent is not None:
            self._redo[child.parent] = child.id
            child = self._entries[child.parent]
        self._told()

    def rows(self) -> list[Row]:
        """Return the training curve of the current branch since the last reset: ``(step, train, test, reg)``."""
        return [row for entry in self.since_reset() for row in entry.rows]

    def since_reset(self) -> list[Entry]:
        """Return the entries of the current branch from the last reset on (from the start, without one)."""
        path = self.path()
        resets = [m for m, entry in enumerate(path) if entry.command.name == "reset"]
        return path[resets[-1] :] if resets else path

    def losses(self, model: KAN | None = None) -> tuple[float, float]:
        """Return root mean squared errors on the training and held-out rows (for class labels: cross-entropies)."""
        classes = self.data.train_label.ndim == 1
        losses = evaluate(model or self.model, self.data, torch.nn.functional.cross_entropy if classes else None)
        return losses["train_loss"], losses["test_loss"]

    def _entry(self, command: Command, label: str, curve: LossCurve | None = None, snaps: Sequence[Snap] = ()) -> Entry:
        """Make the entry that comes next: the model as it is now, and what brought it about."""
        curve = curve or LossCurve()
        parent = self._at if self._entries else None
        step = 0 if parent is None or command.name == "reset" else self._entries[parent].step + curve.steps
        train, test = self.losses()
        command = Command(command.name, {key: _python(value) for key, value in command.args.items()})
        id, model = len(self._entries), self.model.copy()
        return Entry(id, parent, command, label, model, train, test, step, tuple(curve.rows()), tuple(snaps))

    def _record(
        self, command: Command, label: str, curve: LossCurve | None = None, snaps: Sequence[Snap] = ()
    ) -> Entry:
        entry = self._entry(command, label, curve, snaps)
        self._entries.append(entry)
        if entry.parent is not None:
            self._redo[entry.parent] = entry.id
        self._at = entry.id
        self._told()
        return entry

    def _change(self, command: Command, label: str, change: Callable[[KAN], KAN | None]) -> Entry:
        """Change a copy of the model, or put another in its place, and record that; a failure changes nothing."""
        self._require_rest()
        trial = self.model.copy()
        other = change(trial)
        self.model = trial if other is None else other
        return self._record(command, label)

    def _told(self) -> None:
        for listener in self.listeners:
            listener()

    def _require_rest(self) -> None:
        """Commands wait their turn: training in the background owns the model."""
        if self._fit:
            raise RuntimeError("the session is being trained; stop that first (lab.pause(); lab.wait())")

    # ---- commands

    def fit_steps(
        self, steps: int | None = 50, lamb: float = 0.0, lamb_l1: float = 1.0, lamb_entropy: float = 2.0, **options: Any
    ) -> Generator[Step, Penalty | None, None]:
        """Train, yielding after each step; however it is left, it is one entry with the best state.

        A `Penalty` sent in acts on the next step and is remembered, so that the script repeats it.
        """
        self._require_rest()
        schedule: Mapping[int, Mapping[str, float]] = options.pop("schedule", None) or {}
        options = {key: _python(value) for key, value in options.items()}
        args: dict[str, Any] = {"lamb": lamb, "lamb_l1": lamb_l1, "lamb_entropy": lamb_entropy, **options}
        if self.data.train_label.ndim == 1 and "loss_fn" not in options:
            options = {**options, "loss_fn": torch.nn.functional.cross_entropy}
        weights = {name: options[name] for name in ("lamb_coef", "lamb_coefdiff", "reg_metric") if name in options}
        penalty = Penalty(lamb, lamb_l1, lamb_entropy, **weights)
        training = self.model.fit_steps(
            self.dataset, options.pop("opt", "auto"), steps, lamb, lamb_l1, lamb_entropy, **options
        )
        before = self.current.step
        self._fit = fit = _Fit(args, penalty)
        sent: Penalty | None = None
        try:
            while True:
                try:
                    step = next(training) if sent is None else training.send(sent)
                except StopIteration:
                    break
                fit.curve.append((before + step.index + 1, step.train_loss, step.test_loss, step.reg))
                sent = yield step
                if sent is None and step.index + 1 in schedule:
                    sent = dataclasses.replace(penalty, **schedule[step.index + 1])
                if sent is not None:
                    fit.changes[step.index + 1] = _changed(penalty, sent)
        finally:
            training.close()
            self._fit = None
            if fit.curve.steps:
                self._record(fit.command(), fit.label(), fit.curve)

    def fit(self, steps: int = 50, lamb: float = 0.0, **options: Any) -> Step | None:
        """Train; returns the last step. ``schedule={step: {"lamb": ...}}`` changes the penalty on the way."""
        last = None
        for step in self.fit_steps(steps, lamb, **options):
            last = step
        return last

    def prune(self, edge_th: float = 3e-2, node_th: float = 1e-2) -> Entry:
        """Remove edges and hidden nodes that score below the thresholds."""
        self._require_rest()
        before = self.model
        self.model = self.model.prune(edge_th, node_th)
        gone = before.n_edge - self.model.n_edge
        return self._record(Command("prune", {"edge_th": edge_th, "node_th": node_th}), f"prune {gone} edges")

    def refine(self, grid: int) -> Entry:
        """Go to another number of intervals."""
        self._require_rest()
        self.model = self.model.refine(grid)
        return self._record(Command("refine", {"grid": grid}), f"grid {grid}")

    def fix_symbolic(self, l: int, i: int, j: int, name: str, fit_params_bool: bool = True) -> Entry:
        """Give an edge a function."""
        args = {"l": l, "i": i, "j": j, "name": name} | ({} if fit_params_bool else {"fit_params_bool": False})

        def fixed(model: KAN) -> None:
            model.fix_symbolic(l, i, j, name, fit_params_bool)

        return self._change(Command("fix_symbolic", args), f"fix ({l}, {i}, {j}) {name}", fixed)

    def fix_constants(self, l: int, i: int, j: int, name: str, constants: Sequence[float]) -> Entry:
        """Give an edge a function with constants ``a, b, c, d`` of one's own: ``c f(a x + b) + d``."""
        args = {"l": l, "i": i, "j": j, "name": name, "constants": [float(value) for value in constants]}
        return self._change(
            Command("fix_constants", args),
            f"fix ({l}, {i}, {j}) {name}, own constants",
            lambda model: edit.fix_constants(model, l, i, j, name, constants),
        )

    def unfix_symbolic(self, l: int, i: int, j: int) -> Entry:
        """Give an edge its spline back."""
        command = Command("unfix_symbolic", {"l": l, "i": i, "j": j})
        return self._change(command, f"unfix ({l}, {i}, {j})", lambda model: model.unfix_symbolic(l, i, j))

    def remove_edge(self, l: int, i: int, j: int) -> Entry:
        """Remove an edge."""
        command = Command("remove_edge", {"l": l, "i": i, "j": j})
        return self._change(command, f"remove ({l}, {i}, {j})", lambda model: model.remove_edge(l, i, j))

    def restore_edge(self, l: int, i: int, j: int) -> Entry:
        """Bring a removed edge back as it last was on this branch: its spline, and its name if it had one."""
        return self._change(
            Command("restore_edge", {"l": l, "i": i, "j": j}),
            f"restore ({l}, {i}, {j})",
            lambda model: edit.restore_edge(model, l, i, j, self._last_with(l, i, j)),
        )

    def _last_with(self, l: int, i: int, j: int) -> KAN | None:
        """Return the latest model of this branch, of the present shape, that had an edge; None without one."""
        for entry in reversed(self.path()):
            model = entry.model
            if (model.width, model.mult_arity) != (self.model.width, self.model.mult_arity):
                return None
            if l < model.depth and model.layer(l).mask[i, j] != 0:
                return model
        return None

    def bend_edge(self, l: int, i: int, j: int, index: int, y: float) -> Entry:
        """Move a control point of a spline to height ``y``; see `kanlab.edit.control_points`."""
        args = {"l": l, "i": i, "j": j, "index": index, "y": y}
        return self._change(
            Command("bend_edge", args),
            f"bend ({l}, {i}, {j})",
            lambda model: edit.bend_edge(model, l, i, j, index, y),
        )

    def set_constants(self, l: int, i: int, j: int, constants: Sequence[float]) -> Entry:
        """Set ``a, b, c, d`` of a named edge ``c f(a x + b) + d``."""
        args = {"l": l, "i": i, "j": j, "constants": [float(value) for value in constants]}
        return self._change(
            Command("set_constants", args),
            f"constants of ({l}, {i}, {j})",
            lambda model: edit.set_constants(model, l, i, j, constants),
        )

    def set_all_constants(self, constants: Sequence[Sequence[float]], label: str = "set constants") -> Entry:
        """Set the constants of several named edges at once: rows ``l, i, j, a, b, c, d``.

        It is what the Lab does when a number of the formula is moved; ``label`` is what the history says.
        """
        rows = [[*map(int, row[:3]), *map(float, row[3:])] for row in constants]

        def moved(model: KAN) -> None:
            for l, i, j, *values in rows:
                edit.set_constants(model, int(l), int(i), int(j), values)

        return self._change(Command("set_all_constants", {"constants": rows, "label": label}), label, moved)

    def auto_symbolic_steps(self, lib: Iterable[str] | None = None) -> Generator[Progress, None, Entry]:
        """Name all edges, yielding progress; closing the generator leaves everything as it was."""
        self._require_rest()
        chosen = None if lib is None else list(lib)
        trial = self.model.copy()
        yield from trial.auto_symbolic_steps(chosen)
        self.model = trial
        return self._record(Command("auto_symbolic", {} if chosen is None else {"lib": chosen}), "auto symbolic")

    def auto_symbolic(self, lib: Iterable[str] | None = None) -> Entry:
        """Name all edges."""
        for _ in self.auto_symbolic_steps(lib):
            pass
        return self.current

    def snap_steps(self) -> Generator[Progress, None, Entry]:
        """Snap constants, yielding progress; closing the generator leaves everything as it was."""
        self._require_rest()
        trial = self.model.copy()
        snaps = yield from snap_steps(trial)
        self.model = trial
        return self._record(Command("snap"), f"snap {len(snaps)} constants", snaps=snaps)

    def snap(self) -> Entry:
        """Snap constants to 0, 1, π, e, √2, whole and rational numbers where the data allows it; see ``snaps``."""
        for _ in self.snap_steps():
            pass
        return self.current

    @property
    def snaps(self) -> tuple[Snap, ...]:
        """What the last command snapped."""
        return self.current.snaps

    def reset(self) -> Entry:
        """Go on from the model as it came; the history stays."""
        self._require_rest()
        self.model = self._entries[0].model.copy()
        return self._record(Command("reset"), "reset")

    # ---- script and file

    def formula(self):
        """Return the current model's formula, with the session's names."""
        return self.model.formula(self.names, self.out_names)

    def script(self) -> str:
        """Return a Python script that repeats the session, from the data on, to the same model and formula."""
        lines = [*self._beginning, *(entry.command.code() for entry in self.path()[1:]), "formula = session.formula()"]
        return "\n".join(lines) + "\n"

    @functools.cached_property
    def _beginning(self) -> list[str]:
        """The script's lines up to the first command; made once, since panels ask for the script at every change."""
        start = self._entries[0].model
        lines = [
            "import kanlab",
            "",
            f"# dataset: {tuple(self.data.train_input.shape)} training inputs, fingerprint {self.fingerprint()}",
        ]
        if start.origin is not None and self._is_new(start):
            call = ", ".join(f"{key}={value!r}" for key, value in start.origin.items())
            lines.append(f"model = kanlab.KAN({call})")
        else:
            lines += [
                "# The session began with a model that had been worked on: session.history[0].model.save('start.kan')",
                "model = kanlab.KAN.load('start.kan')",
            ]
        call = f"kanlab.Session(model, dataset, names={self.names!r}, out_names={self.out_names!r})"
        return [*lines, f"session = {call}"]

    def _is_new(self, start: KAN) -> bool:
        """Whether a model is what its constructor makes, as it came or as the session introduced it."""
        made = KAN(**(start.origin or {}))
        came = _same(made, start)
        self._introduce(made)
        return came or _same(made, start)

    def fingerprint(self) -> str:
        """Return a short hash of the training rows."""
        digest = hashlib.sha256()
        for part in (self.data.train_input, self.data.train_label):
            digest.update(part.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:12]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the data, the names and the whole history to one file.

        A training that goes on is written as if it ended with the step that was taken last; to be called between two
        steps.
        """
        tensors: dict[str, Tensor] = {
            f"data.{name}": value
            for name in ("train_input", "train_label", "test_input", "test_label")
            if (value := getattr(self.data, name)) is not None
        }
        history, at, redo, entries = self._entries, self._at, dict(self._redo), []
        if self._fit and self._fit.curve.steps:
            now = self._entry(self._fit.command(), self._fit.label(), self._fit.curve)
            history, at, redo = [*history, now], now.id, {**redo, at: now.id}
        for entry in history:
            record, parts = pack(entry)
            entries.append(record)
            tensors |= parts
        config = {
            "names": self.names,
            "out_names": self.out_names,
            "entries": entries,
            "at": at,
            "redo": sorted(redo.items()),
        }
        store.write(path, "session", config, tensors)

    def began_as(self, other: Session) -> bool:
        """Whether both began with the same data and the same model."""
        return self.fingerprint() == other.fingerprint() and _same(self.history[0].model, other.history[0].model)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Session:
        """Read a session that `save` wrote: same model, same history.

        Raises
        ------
        ValueError
            When the file is damaged or holds something else.
        """
        config, tensors = store.read(path, "session")
        try:
            dataset = {name.removeprefix("data."): part for name, part in tensors.items() if name.startswith("data.")}
            entries = [unpack(id, record, tensors) for id, record in enumerate(config["entries"])]
            session = cls(entries[0].model, dataset, config["names"], config["out_names"])
            session._entries = entries
            session._redo = {parent: child for parent, child in config["redo"] if entries[child].parent == parent}
            session.goto(config["at"])
        except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
            raise ValueError(f"{str(path)!r} is damaged: {error}") from error
        return session


def _names(what: str, names: Any, count: int, letter: str) -> list[str]:
    if names is None:
        return [letter] if count == 1 else [f"{letter}_{m}" for m in range(1, count + 1)]
    if isinstance(names, str) or len(names) != count:
        raise ValueError(f"{what} is {names!r}; {count} are needed")
    names = [str(name) for name in names]
    if len(set(names)) != count:
        raise ValueError(f"{what} is {names!r}; each must be different")
    if not all(name.strip() for name in names):
        raise ValueError(f"{what} is {names!r}; none may be blank")
    return names


def _same(a: KAN, b: KAN) -> bool:
    """Whether two models are equal in all but the samples they have seen."""
    (config, ours), (other_config, theirs) = store.to_record(a), store.to_record(b)
    names = [name for name in ours if name.startswith("layers.")]
    return config == other_config and all(torch.equal(ours[name], theirs[name]) for name in names)


def _changed(before: Penalty, after: Penalty) -> dict[str, Any]:
    """Return what a script says of a penalty: the three that the panel shows, and what else is another."""
    shown = ("lamb", "lamb_l1", "lamb_entropy")
    return {name: value for name, value in vars(after).items() if name in shown or value != getattr(before, name)}


def _plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    return isinstance(value, int | float | str | bool)


def _python(value: Any) -> Any:
    """Return numbers of numpy as Python's own: a script and a file know no others."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


@dataclasses.dataclass
class _Fit:
    """A training that goes on: its arguments, how the penalty was changed after which step, and the curve so far."""

    args: dict[str, Any]
    penalty: Penalty
    curve: LossCurve = dataclasses.field(default_factory=LossCurve)
    changes: dict[int, dict[str, float]] = dataclasses.field(default_factory=dict)

    @property
    def _acted(self) -> dict[int, dict[str, float]]:
        """The changes that a step has followed."""
        return {step: change for step, change in self.changes.items() if step < self.curve.steps}

    def command(self) -> Command:
        """Return what repeats it."""
        shown = {key: value for key, value in self.args.items() if _plain(value)}
        schedule = {"schedule": self._acted} if self._acted else {}
        return Command("fit", {"steps": self.curve.steps, **shown, **schedule})

    def label(self) -> str:
        """Return it for people."""
        acted = self._acted
        lamb = acted[max(acted)]["lamb"] if acted else self.penalty.lamb
        return f"fit {self.curve.steps}" + (f", lamb {lamb:g}" if self.penalty.lamb or acted else "")
