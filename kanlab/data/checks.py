"""What a model may be trained on: the checks of a dataset, and the words in which they complain."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

_PARTS = ("train_input", "train_label", "test_input", "test_label")


def column_label(what: str, index: int, names: Sequence[str] | None) -> str:
    """Name a column in an error message: by its name, else by its place."""
    return f"column {names[index]!r}" if names else f"{what}[:, {index}]"


def check_dtype(dtype: torch.dtype) -> None:
    """Refuse a type in which splines are not computed."""
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float64 or torch.float32, not {dtype!r}")


def check_finite(values: Tensor, what: str, names: Sequence[str] | None) -> None:
    """Refuse NaN and infinity in values [n, columns], saying where and how many."""
    bad = ~torch.isfinite(values)
    if not bad.any():
        return
    found = []
    for index in torch.nonzero(bad.any(dim=0)).flatten().tolist():
        nans = int(torch.isnan(values[:, index]).sum())
        count = int(bad[:, index].sum())
        kind = "NaN" if nans == count else "infinite" if nans == 0 else "NaN or infinite"
        found.append(f"{column_label(what, index, names)} ({count} of {len(values)} {kind})")
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    raise ValueError(
        f"{what} is not finite in {', '.join(found[:5])}{more}: drop those rows or fill the values "
        "(of a DataFrame: df.dropna(), df.fillna(df.median()))"
    )


def check_size(values: Tensor, what: str, names: Sequence[str] | None) -> None:
    """Refuse values [n, columns] so large that products of them leave the finite numbers."""
    most = torch.finfo(values.dtype).max ** 0.25
    large = (values.abs() > most).any(dim=0).nonzero().flatten().tolist()
    if large:
        which = ", ".join(column_label(what, index, names) for index in large[:5])
        raise ValueError(
            f"{which} holds values beyond {most:.0e}, whose products leave the finite numbers of {values.dtype}: "
            "divide by a unit, or subtract the mean and divide by the standard deviation"
        )


def _read_part(dataset: Mapping[str, Any], key: str) -> Tensor:
    value = dataset[key]
    if not isinstance(value, Tensor | np.ndarray):
        raise TypeError(f"dataset[{key!r}] must be a tensor, not {type(value).__name__}")
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biufc":
        raise TypeError(
            f"dataset[{key!r}] has dtype {value.dtype}, not numbers: convert it with .astype(float), or let "
            "kanlab.dataset_from(X, y) read the table"
        )
    # Copied, since an array may be read-only (a frame's is) and torch must not share such memory.
    value = torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value.detach()
    if value.is_complex():
        raise ValueError(f"dataset[{key!r}] is complex: a KAN is real, so pass real and imaginary part as two columns")
    is_label = key.endswith("label")
    if value.ndim == 1 and is_label:
        whole = not value.is_floating_point() and value.dtype != torch.bool
        return value.long() if whole else value[:, None]
    if value.ndim != 2:
        allowed = "[n, n_out] or class indices [n]" if is_label else "[n, n_in]"
        raise ValueError(f"dataset[{key!r}] has shape {tuple(value.shape)}: {allowed} is needed")
    return value


def _check_width(key: str, found: int, wanted: int, what: str) -> None:
    if found != wanted:
        raise ValueError(f"dataset[{key!r}] has {found} column(s), but the model has {wanted} {what}(s)")


def _check_classes(key: str, labels: Tensor, n_out: int | None) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (n_out is not None and high >= n_out):
        allowed = "0 or more" if n_out is None else f"0 to {n_out - 1}, as the model has {n_out} output(s)"
        raise ValueError(
            f"dataset[{key!r}] holds integers [n], read as class indices, from {low} to {high}; allowed are {allowed}. "
            "If they are numbers to fit, convert them with .double()"
        )


def check_dataset(
    dataset: Any,
    n_in: int | None = None,
    n_out: int | None = None,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
) -> dict[str, Tensor]:
    """Check what a model is to be trained on, and return its four tensors in one dtype on one device.

    The dataset itself stays as it is. Labels [n] of numbers become [n, 1]; integer labels [n] are class indices and
    stay [n] of type int64. A dataset without test part gets an empty one.

    Parameters
    ----------
    dataset
        A dict as `create_dataset` or `dataset_from` make it; arrays in place of tensors will do.
    n_in, n_out
        The model's number of inputs and outputs, where they are to be checked.

    Raises
    ------
    TypeError, ValueError
        If a part is missing, is no tensor, has another shape, or holds NaN or infinite values.

    Examples
    --------
    >>> checked = check_dataset({"train_input": torch.rand(5, 2), "train_label": torch.rand(5)}, n_in=2)
    >>> checked["train_label"].shape, checked["train_label"].dtype, checked["test_input"].shape
    (torch.Size([5, 1]), torch.float64, torch.Size([0, 2]))
    """
    if not isinstance(dataset, Mapping):
        raise TypeError(
            f"dataset must be a dict with {', '.join(_PARTS)}, not {type(dataset).__name__}: "
            "kanlab.dataset_from(X, y) makes one from a table"
        )
    keys = _PARTS if any(key in dataset for key in _PARTS[2:]) else _PARTS[:2]
    missing = [key for key in keys if key not in dataset]
    if missing:
        raise ValueError(f"dataset lacks {', '.join(missing)}; it has {', '.join(map(str, dataset)) or 'nothing'}")
    parts = {key: _read_part(dataset, key) for key in keys}
    if len(keys) == 2:
        parts |= {f"test_{what}": parts[f"train_{what}"][:0] for what in ("input", "label")}

    if len(parts["train_input"]) == 0:
        raise ValueError("dataset['train_input'] has no rows")
    for part in ("train", "test"):
        rows = len(parts[f"{part}_input"]), len(parts[f"{part}_label"])
        if rows[0] != rows[1]:
            raise ValueError(f"dataset has {rows[0]} {part} inputs and {rows[1]} {part} labels: one label per row")
    for what in ("input", "label"):
        train, test = parts[f"train_{what}"], parts[f"test_{what}"]
        if train.shape[1:] != test.shape[1:]:
            raise ValueError(
                f"dataset['train_{what}'] has shape {tuple(train.shape)} and dataset['test_{what}'] "
                f"{tuple(test.shape)}: only the number of rows may differ"
            )
    if n_in is not None:
        _check_width("train_input", parts["train_input"].shape[1], n_in, "input")
    if n_out is not None and parts["train_label"].ndim == 2:
        _check_width("train_label", parts["train_label"].shape[1], n_out, "output")

    for key, value in parts.items():
        if value.ndim == 1:
            if len(value):
                _check_classes(key, value, n_out)
            parts[key] = value.to(device)
        else:
            parts[key] = value.to(dtype=dtype, device=device)
            known = dataset.get("input_names" if key.endswith("input") else "output_names")
            names = known if known and len(known) == value.shape[1] else None
            check_finite(parts[key], key, names)
            check_size(parts[key], key, names)
    return parts
