"""Tables of measurements: arrays, tensors and pandas frames, read, checked and split."""

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanlab.data.checks import check_dtype, check_finite, column_label


@dataclass(frozen=True)
class _Table:
    """Columns read from an array, a tensor or a frame: values [n, m] of float64; names where the source has them."""

    what: str
    values: np.ndarray
    names: list[str] | None

    def column(self, index: int) -> str:
        """Name one column in an error message."""
        return column_label(self.what, index, self.names)


def _is_pandas(source: Any, kind: str) -> bool:
    # pandas is looked up, not imported: whoever passes a frame has loaded it.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(source, getattr(pandas, kind))


def _numbers(values: np.ndarray, label: str) -> np.ndarray:
    """Turn an array into float64; booleans become 0 and 1, anything that is no number is an error that says where."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    raise _no_numbers(values.dtype, label)


def _no_numbers(dtype: Any, label: str) -> ValueError:
    if getattr(dtype, "kind", "O") == "c":
        return ValueError(f"{label} is complex: a KAN is real, so pass real and imaginary part as two columns")
    return ValueError(
        f"{label} has dtype {dtype}, not numbers: convert it with .astype(float), encode it (pandas.get_dummies), "
        "or drop it"
    )


def _read_column(series: Any, label: str) -> np.ndarray:
    if getattr(series.dtype, "kind", "O") not in "biuf":
        raise _no_numbers(series.dtype, label)
    return series.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)


def _read_array(source: Any, what: str) -> np.ndarray:
    if isinstance(source, Tensor):
        source = source.detach().cpu()
        return (source.double() if source.is_floating_point() else source).numpy()
    if isinstance(source, np.ma.MaskedArray):
        # What lies under a mask is arbitrary: read it as missing, which is then reported.
        return np.where(np.ma.getmaskarray(source), np.nan, _numbers(source.data, what))
    try:
        return np.asarray(source)
    except ValueError:
        raise ValueError(f"{what} has rows of different lengths: a table [n, columns] is needed") from None


def _read_table(source: Any, what: str) -> _Table:
    if _is_pandas(source, "Series"):
        names = None if source.name is None else [str(source.name)]
        return _Table(what, _read_column(source, column_label(what, 0, names))[:, None], names)
    if _is_pandas(source, "DataFrame"):
        names = [str(name) for name in source.columns]
        columns = [_read_column(source.iloc[:, i], column_label(what, i, names)) for i in range(len(names))]
        return _Table(what, np.stack(columns, axis=1) if columns else np.empty((len(source), 0)), names)
    values = _read_array(source, what)
    if values.ndim not in (1, 2):
        raise ValueError(f"{what} has shape {values.shape}: [n] or [n, columns] is needed")
    return _Table(what, _numbers(values[:, None] if values.ndim == 1 else values, what), None)


def _take_column(X: Any, name: str) -> tuple[Any, Any]:
    if not _is_pandas(X, "DataFrame"):
        raise TypeError(f"y={name!r} names a column, so X must be a pandas DataFrame, not {type(X).__name__}")
    places = [i for i, column in enumerate(X.columns) if str(column) == name]
    if len(places) != 1:
        raise ValueError(f"{len(places)} columns are called {name!r}; the columns are {[str(c) for c in X.columns]}")
    return X.drop(columns=X.columns[places[0]]), X.iloc[:, places[0]]


def _check_same_order(X: Any, y: Any) -> None:
    """Frames are paired row by row, not by index: refuse the one case where this is surely not what is meant."""
    if not (_is_pandas(X, "DataFrame") and (_is_pandas(y, "Series") or _is_pandas(y, "DataFrame"))):
        return
    if not X.index.equals(y.index) and X.index.is_unique and set(X.index) == set(y.index):
        raise ValueError("X and y have the same index in different order: pass y.loc[X.index]")


def _read_classes(y: Any, classes: bool | None) -> tuple[np.ndarray | None, list[str] | None]:
    """Read class indices [n] and the classes' names, each None where there are none (y holds numbers)."""
    if classes is False:
        return None, None
    if _is_pandas(y, "DataFrame") and y.shape[1] == 1:
        y = y.iloc[:, 0]
    if _is_pandas(y, "Series"):
        if y.dtype.name == "category" and not y.isna().any():
            y = y.cat.remove_unused_categories()
            return y.cat.codes.to_numpy(dtype=np.int64, copy=True), [str(c) for c in y.cat.categories]
        whole = getattr(y.dtype, "kind", "O") in "iu" and not y.isna().any()
        y = y.to_numpy(dtype=np.int64) if whole else y.to_numpy()
    values = _read_array(y, "y")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or len(values) == 0:
        return None, None
    if values.dtype.kind in "OU":
        others = [v for v in values if not isinstance(v, str)]
        if 0 < len(others) < len(values):
            raise ValueError(
                f"y mixes text with {len(others)} other value(s), such as {others[0]!r}: name them as a class or drop "
                "those rows"
            )
        if others:
            return None, None
    elif classes is None:
        # Integers 0 … C-1, each of them present, are read as classes; any other integers are counts or amounts.
        found = np.unique(values)
        is_class = values.dtype.kind in "iu" and len(found) > 1 and found[0] == 0 and found[-1] == len(found) - 1
        return (values.astype(np.int64) if is_class else None), None
    elif values.dtype.kind == "f" and not np.isfinite(values).all():
        return None, None
    found, indices = np.unique(values, return_inverse=True)
    return indices.astype(np.int64), [str(v) for v in found]


def _read_names(names: Any, count: int) -> list[str]:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"names must be a list of strings, one per input, not {names!r}")
    if len(names) != count:
        raise ValueError(f"{len(names)} names were given for {count} input(s): {list(names)!r}")
    return list(names)


def _check_columns(table: _Table, dtype: torch.dtype) -> None:
    """Refuse what no model can use: no column, a name that occurs twice, a value that is not finite in dtype."""
    if table.values.shape[1] == 0:
        raise ValueError(f"{table.what} has no columns")
    names = table.names or []
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the names {twice!r} occur more than once: rename the columns so that each name is unique")
    check_finite(torch.from_numpy(table.values).to(dtype), table.what, table.names)


def _check_varying(table: _Table, rows: Tensor) -> None:
    """Refuse columns that are constant where the model trains: a spline on a point is undefined."""
    values = table.values[rows.numpy()]
    flat = np.flatnonzero((values == values[0]).all(axis=0))
    if len(flat):
        which = ", ".join(table.column(i) for i in flat[:5])
        raise ValueError(
            f"{which} of {table.what} is constant in the training rows, so nothing can be learned from it: drop it, "
            "or split with another seed if it varies elsewhere"
        )


def _warn_of_copies(table: _Table) -> None:
    first: dict[bytes, int] = {}
    for index in range(table.values.shape[1]):
        key = np.ascontiguousarray(table.values[:, index]).tobytes()
        if key in first:
            warnings.warn(
                f"{table.column(index)} repeats {table.column(first[key])}: no model can tell them apart, so drop one",
                stacklevel=3,
            )
        first.setdefault(key, index)


def _split(n: int, test_size: Any, seed: int) -> tuple[Tensor, Tensor]:
    if not isinstance(test_size, float | np.floating) or not 0 < test_size < 1:
        raise ValueError(f"test_size must be a fraction between 0 and 1, such as 0.2, not {test_size!r}")
    n_test = max(1, round(n * test_size))
    if n - n_test < 2:
        raise ValueError(
            f"{n} row(s) with test_size={test_size} leave {n - n_test} to train on: at least 2 are needed, "
            "so pass more rows or a smaller test_size"
        )
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return order[n_test:], order[:n_test]


def dataset_from(
    X: Any,
    y: Any,
    test_size: float = 0.2,
    seed: int = 0,
    names: Sequence[str] | None = None,
    dtype: torch.dtype = torch.float64,
    classes: bool | None = None,
) -> dict[str, Any]:
    """Split a table into a dataset, after checking that every number in it can be learned from.

    Parameters
    ----------
    X
        Inputs [n, n_in], or [n] for one input: array, tensor, nested list, pandas DataFrame or Series. Booleans
        become 0 and 1.
    y
        Labels [n] or [n, n_out] of the same kinds, or the name of a column of X, which is then no input.
    test_size
        The fraction of rows, drawn by a generator of its own with ``seed``, that is kept for testing.
    names
        Names of the inputs; by default a frame's column names.
    classes
        Whether y holds classes. By default text, categoricals and integers 0 … C-1, each of them present, do; other
        integers and all floats are numbers. ``classes=False`` keeps integers as numbers; ``classes=True`` makes every
        different value a class.

    Returns
    -------
    dict
        train_input, train_label, test_input, test_label; ``input_names`` and ``output_names`` where they are known.
        Classes give labels [n] of type int64 for ``torch.nn.CrossEntropyLoss`` and a model with one output per class;
        their names are the output names.

    Raises
    ------
    ValueError
        If a value is missing, infinite or no number, a column is constant in the training rows, a name occurs twice,
        or lengths or shapes disagree.

    Warns
    -----
    UserWarning
        If two columns are equal, or there are more inputs than training rows.

    Examples
    --------
    >>> data = dataset_from([[0.0, 1.0], [1.0, 5.0], [2.0, 3.0], [4.0, 4.0]], [1.0, 2.0, 0.5, 3.0], test_size=0.25)
    >>> data["train_input"].shape, data["test_label"].shape
    (torch.Size([3, 2]), torch.Size([1, 1]))
    """
    check_dtype(dtype)
    if isinstance(y, str):
        X, y = _take_column(X, y)
    _check_same_order(X, y)
    inputs = _read_table(X, "X")
    if names is not None:
        inputs = _Table("X", inputs.values, _read_names(names, inputs.values.shape[1]))
    indices, class_names = _read_classes(y, classes)
    labels = _read_table(y, "y") if indices is None else _Table("y", indices[:, None], None)
    if len(inputs.values) != len(labels.values):
        raise ValueError(f"X has {len(inputs.values)} rows and y has {len(labels.values)}: one label per row is needed")
    for table in (inputs, labels):
        _check_columns(table, dtype)
    train, test = _split(len(inputs.values), test_size, seed)
    for table in (inputs, labels):
        _check_varying(table, train)
    _warn_of_copies(inputs)
    if inputs.values.shape[1] > len(train):
        warnings.warn(
            f"{inputs.values.shape[1]} inputs but only {len(train)} training rows: a model will learn them by heart; "
            "use fewer inputs",
            stacklevel=2,
        )

    x = torch.from_numpy(inputs.values).to(dtype)
    t = torch.from_numpy(labels.values).to(dtype) if indices is None else torch.from_numpy(indices)
    dataset: dict[str, Any] = {
        "train_input": x[train],
        "train_label": t[train],
        "test_input": x[test],
        "test_label": t[test],
    }
    output_names = labels.names if indices is None else class_names
    if inputs.names:
        dataset["input_names"] = inputs.names
    if output_names:
        dataset["output_names"] = output_names
    return dataset
