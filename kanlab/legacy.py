"""The calls of the spring-2024 pykan (0.0.5), as its tutorials and articles use them; they give today's results.

Methods that pykan has since dropped or renamed stand in `EarlierCalls`. Arguments that have since gone are words of a
vocabulary, which `understands` puts before a method: each is ignored, renamed or refused, and says so.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast, overload

from torch import Tensor

Method = TypeVar("Method", bound=Callable[..., Any])


class Word(Protocol):
    """An argument that is no longer one."""

    def translate(self, name: str, options: dict[str, Any]) -> str:
        """Take the argument ``name`` out of ``options``, perhaps put another in; return what to tell, or nothing."""
        ...


@dataclass(frozen=True)
class Ignored:
    """Does nothing any more."""

    reason: str

    def translate(self, name: str, options: dict[str, Any]) -> str:
        """Drop it."""
        del options[name]
        return f"{name} is ignored: {self.reason}"


@dataclass(frozen=True)
class Renamed:
    """Has another name today."""

    today: str

    def translate(self, name: str, options: dict[str, Any]) -> str:
        """Pass it on under today's name."""
        if self.today in options:
            raise TypeError(f"{name} is {self.today} today, and both were given")
        options[self.today] = options.pop(name)
        return f"{name} is {self.today} today"


@dataclass(frozen=True)
class Refused:
    """Asks for something kanlab does in another way; a false value asks for nothing."""

    instead: str

    def translate(self, name: str, options: dict[str, Any]) -> str:
        """Say what to do instead."""
        value = options.pop(name)
        if value:
            raise ValueError(f"{name}={value!r} is not possible: {self.instead}")
        return ""


Vocabulary = Mapping[str, Word]

_NO_FILES = Ignored("nothing is written behind your back; model.save(path) and kanlab.Session keep what you want kept")
_NO_AFFINE = Ignored("nodes have no scale and bias of their own: the edges' curves carry them")
_NO_SPEED = Ignored("kanlab is as fast without it")
CONSTRUCTION: Vocabulary = {
    "noise_scale_base": Renamed("scale_base_sigma"),
    "bias_trainable": _NO_AFFINE,
    "affine_trainable": _NO_AFFINE,
    "symbolic_enabled": _NO_SPEED,
    "save_act": _NO_SPEED,
    "auto_save": _NO_FILES,
    "ckpt_path": _NO_FILES,
}

_NO_DRAWING = Ignored("fit draws nothing; see save_fig")
_SMOOTH = Ignored("magnitudes are smoothed near zero")
TRAINING: Vocabulary = {
    "sglr_avoid": Renamed("singularity_avoiding"),
    "device": Ignored("a model trains where it is, and takes the data there: model.to(device)"),
    "small_mag_threshold": _SMOOTH,
    "small_reg_factor": _SMOOTH,
    "save_fig": Refused(
        "fit writes no files; draw while it goes on: for step in model.fit_steps(dataset, ...): "
        "model.plot(beta=3).savefig(f'{step.index}.png'), or watch it live in kanlab.Lab(model, dataset)"
    ),
    "save_fig_freq": _NO_DRAWING,
    "img_folder": _NO_DRAWING,
    "in_vars": _NO_DRAWING,
    "out_vars": _NO_DRAWING,
    "beta": _NO_DRAWING,
}

_SEARCHED = Ignored("a and b are found wherever they are")
_QUIET = Ignored("nothing is printed")
_WEIGHED = Ignored("error and complexity are weighed by what the data can tell; see kanlab.symbolic.search")
NAMING: Vocabulary = {
    "a_range": _SEARCHED,
    "b_range": _SEARCHED,
    "verbose": _QUIET,
    "random": _SEARCHED,
    "weight_simple": _WEIGHED,
    "r2_loss_fun": _WEIGHED,
    "c_loss_fun": _WEIGHED,
}
DRAWING: Vocabulary = {
    "mask": Ignored("removed edges are never drawn"),
    "mode": Ignored("one drawing serves all"),
    "folder": Ignored("the figure is returned, and savefig writes it"),
}
PRUNING: Vocabulary = {
    "threshold": Renamed("node_th"),
    "mode": Ignored("nodes chosen by hand are for prune_node(active_neurons_id=...)"),
}
READING: Vocabulary = {"simplify": Ignored("kanlab.Formula.simplified() does it")}


def understands(*vocabularies: Vocabulary) -> Callable[[Method], Method]:
    """Let a method take arguments that it no longer has, with a DeprecationWarning for each.

    >>> @understands({"speed": Renamed("pace")})
    ... def walk(pace=1):
    ...     return pace
    >>> with warnings.catch_warnings(action="ignore"):
    ...     walk(speed=3)
    3
    """
    words = {name: word for vocabulary in vocabularies for name, word in vocabulary.items()}

    def put_before(method: Method) -> Method:
        @functools.wraps(method)
        def call(*args: Any, **options: Any) -> Any:
            for name in sorted(words.keys() & options.keys()):
                if told := words[name].translate(name, options):
                    warnings.warn(told, DeprecationWarning, stacklevel=2)
            return method(*args, **options)

        return cast(Method, call)

    return put_before


def chosen_nodes(
    depth: int, mode: str, active_neurons_id: Sequence[Sequence[int]] | None
) -> Sequence[Sequence[int]] | None:
    """Return the nodes that ``prune_node(mode="manual")`` keeps on each hidden level; None for ``mode="auto"``.

    pykan's lists begin at the first hidden level; those of spring 2024 begin at the inputs, which stay.
    """
    if mode not in ("auto", "manual") or (mode == "manual") != (active_neurons_id is not None):
        raise ValueError(f"mode is {mode!r}; allowed are 'auto', and 'manual' with active_neurons_id")
    if active_neurons_id is not None and len(active_neurons_id) == depth:
        return active_neurons_id[1:]
    return active_neurons_id


class EarlierCalls:
    """Methods that pykan's tutorials of spring 2024 call, each a line into today's; a part of `kanlab.KAN`."""

    @overload
    def train(self: Any, mode: bool = True) -> Any: ...
    @overload
    def train(self: Any, mode: Mapping[str, Any], *args: Any, **options: Any) -> dict[str, list[float]]: ...
    @understands(TRAINING)
    def train(self: Any, mode: Any = True, *args: Any, **options: Any) -> Any:
        """Set the training mode as any module, or (as pykan did in 2024) train on a dataset: then `fit`."""
        if isinstance(mode, Mapping):
            return self.fit(mode, *args, **options)
        return super().train(mode, *args, **options)  # pyright: ignore[reportAttributeAccessIssue]

    def update_grid(self: Any, x: Tensor) -> None:
        """Lay the grids over the data: `update_grid_from_samples`."""
        self.update_grid_from_samples(x)

    def initialize_from_another_model(self: Any, another_model: Any, x: Tensor) -> Any:
        """Become the same function as a model of this shape, on this model's grids; return this model.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        if (self.width, self.mult_arity) != (another_model.width, another_model.mult_arity):
            raise ValueError(f"the models differ in width: {self.width} here, {another_model.width} there")
        same = another_model.refine(self.grid)
        same.show(x)
        self.take_over(same)
        return self

    def unfix_symbolic_all(self: Any) -> None:
        """Give all edges their splines back."""
        for l, layer in enumerate(self.kan_layers()):
            for i, j in layer.fixed:
                self.unfix_symbolic(l, i, j)

    def save_ckpt(self: Any, name: str, folder: str | os.PathLike[str] = "./model_ckpt") -> None:
        """Write the model to a file in a folder, which is made where it is missing."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.save(Path(folder) / name)

    def load_ckpt(self: Any, name: str, folder: str | os.PathLike[str] = "./model_ckpt") -> None:
        """Become the model that `save_ckpt` wrote."""
        self.take_over(type(self).load(Path(folder) / name))
