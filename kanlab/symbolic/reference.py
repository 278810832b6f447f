r"""What a formula must equal: its network, in the units of the formula's variables, and how well it does.

With normalisers the network saw ``(x - mean) / std`` and gave ``(y - mean) / std``, while the formula is of ``x`` and
gives ``y``. A derivative's reference is the network's own derivative, by automatic differentiation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.network import Network

#: Largest difference between formula and model, relative to the output's spread, that is called agreement.
_AGREEMENT = {torch.float64: 1e-9}
_AGREEMENT_OTHER = 1e-4
#: At most so many samples are compared where no dataset is given.
_ROWS = 1000

Values = Callable[[Tensor], Tensor]


class FormulaWarning(UserWarning):
    """A formula that is shown or exported does not agree with its model."""


@dataclass(frozen=True)
class Check:
    """How well a formula agrees with its model, and both with the data.

    Attributes
    ----------
    agreement
        Largest absolute difference between formula and model, relative to the output's spread over the data.
    train_rmse, test_rmse
        Root mean squared error of the formula itself; ``None`` without labels of the output's shape.
    agrees
        Whether ``agreement`` is at the level of rounding.
    message
        What is wrong, if something is.
    """

    agreement: float
    train_rmse: float | None
    test_rmse: float | None
    agrees: bool
    message: str | None = None


@dataclass(frozen=True)
class Scale:
    """A normaliser: the normalised value of ``x`` is ``(x - mean) / std``, column by column."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def read(cls, pair: Any, count: int, what: str) -> Scale | None:
        """Read ``(mean, std)``, each one number a column (or one for all); None stays None.

        >>> Scale.read(([1.0, 2.0], 0.5), 2, "normalizer")
        Scale(mean=(1.0, 2.0), std=(0.5, 0.5))
        """
        if pair is None:
            return None
        if len(pair) != 2:
            raise ValueError(f"{what} has {len(pair)} parts: give (mean, std)")
        mean, std = (torch.as_tensor(part, dtype=torch.float64).detach().flatten().tolist() for part in pair)
        mean, std = (part * count if len(part) == 1 else part for part in (mean, std))
        if len(mean) != count or len(std) != count:
            raise ValueError(f"{what} has {len(mean)} means and {len(std)} deviations: {count} of each are needed")
        if not all(map(math.isfinite, [*mean, *std])) or not all(value > 0 for value in std):
            raise ValueError(f"{what} is {pair!r}: means must be finite, standard deviations positive")
        return cls(tuple(mean), tuple(std))

    def normalised(self, x: Float[Tensor, "n columns"]) -> Float[Tensor, "n columns"]:
        """Return ``(x - mean) / std``."""
        return (x - x.new_tensor(self.mean)) / x.new_tensor(self.std)

    def original(self, x: Float[Tensor, "n columns"]) -> Float[Tensor, "n columns"]:
        """Return ``x std + mean``."""
        return x * x.new_tensor(self.std) + x.new_tensor(self.mean)


@dataclass(frozen=True, eq=False)
class Reference:
    """A network between its normalisers, differentiated by the inputs in ``by``, in this order."""

    model: Network
    inputs: Scale | None = None
    outputs: Scale | None = None
    by: tuple[int, ...] = ()

    def __call__(self, x: Float[Tensor, "n n_in"]) -> Float[Tensor, "n n_out"]:
        """Return the values a formula must have, in double precision."""
        if not self.by:
            with torch.no_grad():
                return self._values(x)
        with torch.enable_grad():
            x = x.detach().double().requires_grad_()
            columns = list(self._values(x).unbind(-1))
            for place in self.by:
                columns = [_slope(column, x)[:, place] for column in columns]
        return torch.stack(columns, -1).detach()

    def _values(self, x: Tensor) -> Tensor:
        y = self.model(self.inputs.normalised(x.double()) if self.inputs else x).double()
        return self.outputs.original(y) if self.outputs else y

    def samples(self) -> Float[Tensor, "n n_in"]:
        """Return rows to compare on: those the model has seen; without any, rows drawn over its first grid."""
        model = self.model
        if model.samples is not None:
            x = model.samples[:: -(-len(model.samples) // _ROWS)]
        else:
            layer = model.layer(0)
            ends = layer.knots[:, [layer.k, layer.knots.shape[-1] - layer.k - 1]]
            unit = torch.rand(_ROWS, model.n_in, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
            x = ends[:, 0] + (ends[:, 1] - ends[:, 0]) * unit.to(ends)
        x = x.detach().double()
        return self.inputs.original(x) if self.inputs else x

    def labelled(self) -> tuple[Float[Tensor, "n n_in"], Float[Tensor, "n n_out"]]:
        """Return the training rows that the model keeps, in the units of the formula.

        Raises
        ------
        ValueError
            If it keeps no labels that are numbers.
        """
        x, y = self.model.seen().detach().double(), self.model.targets
        if y is None or y.ndim != 2:
            raise ValueError("the model keeps no labels that are numbers: train it on some")
        y = y.detach().double()
        return (self.inputs.original(x) if self.inputs else x), (self.outputs.original(y) if self.outputs else y)

    def read(self, dataset: Mapping[str, Any], part: str) -> tuple[Tensor | None, Tensor | None]:
        """Return inputs and labels of a part, ``train`` or ``test``, in the units of the formula.

        A dataset that says how it was normalised is taken back where the formula has normalisers too.
        """
        x, y = dataset.get(f"{part}_input"), dataset.get(f"{part}_label")
        x = None if x is None else self.model.columns(x)
        scales = (
            (x, self.inputs, dataset.get("input_normalizer"), self.model.n_in, "input_normalizer"),
            (y, self.outputs, dataset.get("label_normalizer"), self.model.n_out, "label_normalizer"),
        )
        x, y = (
            scale.original(values.double())
            if values is not None and own is not None and (scale := Scale.read(pair, count, what)) is not None
            else values
            for values, own, pair, count, what in scales
        )
        return x, y


def compare(values: Tensor, expected: Tensor, dtype: torch.dtype) -> tuple[float, str | None]:
    """Return the largest relative difference between two sets of outputs, and what is wrong with it, if anything is.

    >>> compare(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [1.0]]), torch.float64)
    (0.0, None)
    """
    strange = int((values.isfinite() != expected.isfinite()).any(-1).sum())
    if strange:
        return math.inf, f"the formula and the model are not both finite at {strange} of {len(values)} samples"
    difference = float(((values - expected).abs() / spread(expected)).nan_to_num().max())
    if difference <= _AGREEMENT.get(dtype, _AGREEMENT_OTHER):
        return difference, None
    return difference, f"the formula differs from the model by up to {difference:.1e} of the output's spread"


def spread(y: Float[Tensor, "n n_out"]) -> Float[Tensor, " n_out"]:
    """Return the range of each column, or its size where it is constant, or 1 where it is zero."""
    y = y.nan_to_num(posinf=0.0, neginf=0.0)
    wide, size = y.amax(0) - y.amin(0), y.abs().amax(0)
    return torch.where(wide > 1e-12 * size, wide, torch.where(size > 0, size, 1.0))


def rmse(values: Tensor, label: Tensor | None) -> float | None:
    """Return the root mean squared error, None without labels of the outputs' shape."""
    if label is not None and label.ndim == 1 and values.shape[1] == 1 and label.is_floating_point():
        label = label[:, None]
    if label is None or label.shape != values.shape:
        return None
    return float((values - label).square().mean().sqrt())


@torch.no_grad()
def check(values: Values, reference: Reference, dataset: Mapping[str, Any] | None = None) -> Check:
    """Compare a formula's values with its reference, and with the labels; see `kanlab.Formula.check`."""
    parts = {name: reference.read(dataset or {}, name) for name in ("train", "test")}
    inputs = [x for x, _ in parts.values() if x is not None]
    x = torch.cat(inputs) if inputs else reference.samples()
    agreement, message = compare(values(x), reference(x), reference.model.dtype)
    errors = {name: None if x is None else rmse(values(x), label) for name, (x, label) in parts.items()}
    return Check(agreement, errors["train"], errors["test"], message is None, message)


def _slope(column: Tensor, x: Tensor) -> Tensor:
    """Return the derivative of each row's value by that row; zero where it does not depend on it."""
    if not column.requires_grad:
        return torch.zeros_like(x)
    (slope,) = torch.autograd.grad(column.sum(), x, create_graph=True, allow_unused=True)
    return torch.zeros_like(x) if slope is None else slope
