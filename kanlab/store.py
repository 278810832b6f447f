"""Models as tensors and plain data, and files of them: safetensors with a JSON header, never pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from kanlab.engine.network import Network
from kanlab.engine.shape import parse_arity, parse_width

if TYPE_CHECKING:
    from kanlab.symbolic.library import SymbolicFunction

FORMAT = 1
_TENSORS = ("coef", "scale_base", "scale_sp", "affine", "knots", "mask")
Record = tuple[dict[str, Any], dict[str, Tensor]]


def to_record(network: Network) -> Record:
    """Describe a model: a JSON-able configuration, and its tensors (copies).

    Raises
    ------
    ValueError
        When its base function has no name.
    """
    base, tensors = network.layer(0).base, {}
    if not base.is_named:
        raise ValueError(
            f"the base function {base.name!r} is code, which a file does not hold: give it a name with "
            "kanlab.register_base(name, function), and make the model with base_fun=name"
        )
    for l, layer in enumerate(network.kan_layers()):
        for name in _TENSORS:
            tensors[f"layers.{l}.{name}"] = getattr(layer, name).detach().cpu().contiguous().clone()
    for name in ("samples", "targets"):
        value = getattr(network, name)
        if value is not None:
            tensors[name] = value.detach().cpu().contiguous().clone()
    config = {
        "width": network.width,
        "grid": network.grid,
        "k": [layer.k for layer in network.kan_layers()],
        "mult_arity": network.mult_arity,
        "grid_eps": network.grid_eps,
        "input_id": network.input_id,
        "n_columns": network.n_columns,
        "base_fun": base.name,
        "dtype": str(network.dtype).removeprefix("torch."),
        "frozen": sorted(name for name, parameter in network.named_parameters() if not parameter.requires_grad),
        "fixed": [
            [l, i, j, function.name]
            for l, layer in enumerate(network.kan_layers())
            for (i, j), function in sorted(layer.fixed.items())
        ],
    }
    return config, tensors


def from_record(kind: type[Network], config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Network:
    """Build the model that `to_record` described.

    Raises
    ------
    ValueError
        When the parts do not fit together.
    """
    try:
        _require_sizes(config, tensors)
        network = kind(
            config["width"],
            grid=config["grid"],
            k=config["k"],
            mult_arity=config["mult_arity"],
            grid_eps=config["grid_eps"],
            base_fun=config["base_fun"],
            dtype=getattr(torch, {"float64": "float64", "float32": "float32"}[config["dtype"]]),
        )
        for l, layer in enumerate(network.kan_layers()):
            for name in _TENSORS:
                value, old = tensors[f"layers.{l}.{name}"], getattr(layer, name)
                if value.shape != old.shape or value.dtype != old.dtype:
                    raise ValueError(f"layers.{l}.{name} is {tuple(value.shape)}, expected {tuple(old.shape)}")
                with torch.no_grad():
                    old.copy_(value)
        for l, i, j, name in config["fixed"]:
            l, i, j = network.check_edge(l, i, j)
            layer = network.layer(l)
            layer.fixed = {**layer.fixed, (i, j): _named(l, i, j, name)}
        for name in config["frozen"]:
            network.get_parameter(name).requires_grad_(False)
        network.input_id, network.n_columns = _columns(network, config["input_id"], config["n_columns"])
        network.samples, network.targets = _seen(network, tensors.get("samples"), tensors.get("targets"))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        reason = str(error) if isinstance(error, ValueError) else repr(error)
        raise ValueError(f"this does not describe a kanlab model: {reason}") from error
    return network


def _named(l: int, i: int, j: int, name: str) -> SymbolicFunction:
    """Return an edge's function; a user's own must be registered anew in each process."""
    from kanlab.symbolic import library  # with sympy, which files of splines do not need

    if isinstance(name, str) and not library.known(name):
        raise ValueError(
            f"edge ({l}, {i}, {j}) carries {name!r}, which is not in the library here: "
            f"call kanlab.register({name!r}, ...) as before saving, then load again"
        )
    return library.get(name)


def _require_sizes(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Refuse a configuration larger than its tensors, before memory is taken for it."""
    width = parse_width(config["width"])
    if any(after[1] > tensors[f"layers.{l}.coef"].shape[1] for l, after in enumerate(width[1:])):
        raise ValueError("there are more multiplication nodes than edges lead to")
    arities = parse_arity(config["mult_arity"], width)
    for l, (before, after) in enumerate(pairwise(width)):
        subnodes = after[0] + sum(arities[l + 1])
        expected = (sum(before), subnodes, config["grid"][l] + config["k"][l])
        found = tuple(tensors[f"layers.{l}.coef"].shape)
        if found != expected:
            raise ValueError(f"layers.{l}.coef is {found}, expected {expected}")


def _columns(network: Network, input_id: Any, n_columns: Any) -> tuple[list[int], int]:
    """Return which columns of the data are the inputs, if they can be."""
    if sorted(set(input_id)) != list(input_id) or len(input_id) != network.n_in:
        raise ValueError(f"input_id is {input_id}: {network.n_in} columns in their order are needed")
    if not all(type(m) is int for m in (*input_id, n_columns)) or not 0 <= input_id[0] <= input_id[-1] < n_columns:
        raise ValueError(f"input_id is {input_id}, of {n_columns} columns")
    return list(input_id), n_columns


def _seen(network: Network, samples: Tensor | None, targets: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """Return the samples and labels if they fit the model."""
    if samples is not None and (
        samples.ndim != 2 or samples.shape[1] != network.n_in or samples.dtype != network.dtype
    ):
        raise ValueError(f"samples are {tuple(samples.shape)} {samples.dtype}, expected [n, {network.n_in}]")
    if targets is not None and (samples is None or targets.ndim not in (1, 2) or len(targets) != len(samples)):
        raise ValueError(f"targets are {tuple(targets.shape)}: they do not go with the samples")
    return samples, targets


def write(path: str | os.PathLike[str], kind: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write one file; what stood there is replaced only once the new file is whole."""
    path = Path(path)
    header = {"kanlab": json.dumps({"format": FORMAT, "kind": kind, "config": config})}
    partial = path.with_name(path.name + ".part")
    try:
        save_file({name: value.contiguous() for name, value in tensors.items()}, partial, metadata=header)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read(path: str | os.PathLike[str], kind: str) -> Record:
    """Read a file that `write` made.

    Raises
    ------
    FileNotFoundError
        When there is none.
    ValueError
        When it is damaged, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["kanlab"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
        found, config, version = header["kind"], header["config"], header["format"]
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not a kanlab file, or it is damaged: {error}") from error
    if version != FORMAT:
        raise ValueError(f"{str(path)!r} has format {version}; this version of kanlab reads format {FORMAT}")
    if found != kind:
        raise ValueError(f"{str(path)!r} holds a {found}, not a {kind}")
    return config, tensors
