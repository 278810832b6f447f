"""Samples of a function on a box."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanlab.data.checks import check_dtype


def _count(value: Any, name: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {value!r}") from None
    if number < 1:
        raise ValueError(f"{name} must be at least 1, not {number}")
    return number


def _read_ranges(ranges: Any, n_var: int) -> Tensor:
    try:
        box = torch.as_tensor(np.asarray(ranges, dtype=np.float64))
    except (TypeError, ValueError):
        raise ValueError(f"ranges must be a pair (low, high) or one pair per variable, not {ranges!r}") from None
    if box.shape == (2,):
        box = box.expand(n_var, 2)
    if box.shape != (n_var, 2):
        raise ValueError(
            f"ranges has shape {tuple(box.shape)}: give one pair (low, high), or one per variable, shape ({n_var}, 2)"
        )
    for index, (low, high) in enumerate(box.tolist()):
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ValueError(
                f"the range of variable {index} is ({low:g}, {high:g}): low < high, both finite, is needed"
            )
    return box


def _evaluate(f: Callable[..., Any], x: Tensor, f_mode: str) -> Tensor:
    y = f(x.T if f_mode == "row" else x)
    if not isinstance(y, Tensor | np.ndarray):
        raise TypeError(f"f must return a tensor, [n] or [n, n_out]; it returned {type(y).__name__}")
    y = torch.from_numpy(y.copy()) if isinstance(y, np.ndarray) else y.detach()
    if y.is_complex():
        raise ValueError("f returned complex numbers: a KAN is real, so return y.real and y.imag as two outputs")
    if y.ndim == 1:
        y = y[:, None]
    if y.ndim != 2 or y.shape[0] != x.shape[0]:
        raise ValueError(
            f"f returned shape {tuple(y.shape)} for {x.shape[0]} samples of {x.shape[1]} variable(s): "
            f"[n] or [n, n_out] with n = {x.shape[0]} is needed"
        )
    y = y.to(x.dtype)
    bad = ~torch.isfinite(y).all(dim=1)
    if bad.any():
        where = ", ".join(f"{v:.4g}" for v in x[bad][0].tolist())
        raise ValueError(
            f"f is NaN or infinite at {int(bad.sum())} of {len(x)} samples, first at ({where}): "
            "choose ranges on which f is finite"
        )
    return y


def _normalizer(values: Tensor, what: str) -> tuple[Tensor, Tensor]:
    if len(values) < 2:
        raise ValueError(f"normalize_{what}=True needs at least 2 training samples, not {len(values)}")
    mean, std = values.mean(dim=0), values.std(dim=0)
    flat = torch.nonzero(std == 0).flatten().tolist()
    if flat:
        raise ValueError(f"{what} {flat[0]} is constant and cannot be normalised: pass normalize_{what}=False")
    return mean, std


def create_dataset(
    f: Callable[..., Any],
    n_var: int = 2,
    f_mode: str = "col",
    ranges: Any = (-1, 1),
    train_num: int = 1000,
    test_num: int = 1000,
    normalize_input: bool = False,
    normalize_label: bool = False,
    device: str | torch.device = "cpu",
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> dict[str, Any]:
    """Sample a function uniformly on a box.

    The generator is the function's own, so nothing global is seeded. Draws come in pykan's order: with float64 as
    torch's default dtype there, the samples are the same.

    Parameters
    ----------
    f
        Takes [n, n_var] and returns [n, n_out] or [n]. ``x[:, 0]`` and pykan's ``x[:, [0]]`` both do.
    f_mode
        "col" as above; "row" hands f the transpose [n_var, n], so that ``x[0]`` is the first variable.
    ranges
        One pair (low, high) for all variables, or one pair per variable.
    normalize_input, normalize_label
        Subtract the mean and divide by the standard deviation of the training part. Both are kept in the dataset, as
        ``input_normalizer`` and ``label_normalizer`` (mean, std), to undo it in a formula.

    Returns
    -------
    dict
        train_input [train_num, n_var], train_label [train_num, n_out], test_input, test_label.

    Raises
    ------
    ValueError
        If a range is empty, or f returns another shape, or is not finite on the box.

    Examples
    --------
    >>> data = create_dataset(lambda x: x[:, 0] * x[:, 1], ranges=[(0, 1), (-2, 2)], train_num=5)
    >>> {name: tuple(part.shape) for name, part in data.items()}
    {'train_input': (5, 2), 'train_label': (5, 1), 'test_input': (1000, 2), 'test_label': (1000, 1)}
    """
    if not callable(f):
        raise TypeError(
            f"f must be a function of a tensor [n, n_var], not {type(f).__name__}; dataset_from reads tables"
        )
    if f_mode not in ("col", "row"):
        raise ValueError(f"f_mode must be 'col' or 'row', not {f_mode!r}")
    check_dtype(dtype)
    n_var = _count(n_var, "n_var")
    train_num, test_num = _count(train_num, "train_num"), _count(test_num, "test_num")
    box = _read_ranges(ranges, n_var).to(dtype)

    generator = torch.Generator().manual_seed(seed)
    train_input, test_input = torch.empty(train_num, n_var, dtype=dtype), torch.empty(test_num, n_var, dtype=dtype)
    for column, (low, high) in enumerate(box):
        for samples in (train_input, test_input):
            samples[:, column] = torch.rand(len(samples), generator=generator, dtype=dtype) * (high - low) + low
    train_input, test_input = train_input.to(device), test_input.to(device)
    dataset: dict[str, Any] = {
        "train_input": train_input,
        "train_label": _evaluate(f, train_input, f_mode),
        "test_input": test_input,
        "test_label": _evaluate(f, test_input, f_mode),
    }
    for what, wanted in (("input", normalize_input), ("label", normalize_label)):
        if wanted:
            mean, std = dataset[f"{what}_normalizer"] = _normalizer(dataset[f"train_{what}"], what)
            for part in ("train", "test"):
                dataset[f"{part}_{what}"] = (dataset[f"{part}_{what}"] - mean) / std
    return dataset
