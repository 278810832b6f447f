r"""Evaluate a form on many samples, and its derivative by each of its free numbers.

The derivatives are accumulated backwards, sample by sample: one pass from the output to the inputs gives all rows of
the Jacobian, each written once. Held numbers (see `kanlab.discovery.expression`) have no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Call, Form, Input, Product, Term, lets_factors_out

#: The place of a number that is not free.
HELD = -1


class Program:
    """A form with its free numbers in one vector.

    Parameters
    ----------
    form
        In normal form.

    Examples
    --------
    >>> from kanlab.discovery.expression import variable
    >>> program = Program(variable(0).scaled(2.0, 1.0))
    >>> program.start, program(program.start, torch.ones(1, 3, dtype=torch.float64))
    ([2.0, 1.0], tensor([3., 3., 3.], dtype=torch.float64))
    """

    def __init__(self, form: Form):
        self.start: list[float] = []
        #: The places of constants inside a sine.
        self.phases: set[int] = set()
        self._root = self._form(form, held_weight=False, held_constant=False)

    @property
    def size(self) -> int:
        """How many numbers are free."""
        return len(self.start)

    def __call__(self, numbers: Sequence[float], x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"]:
        """Evaluate."""
        value = self._root.forward(numbers, x)
        return value if isinstance(value, Tensor) else x.new_full(x.shape[1:], value)

    def jacobian(self, numbers: Sequence[float], x: Float[Tensor, "n_in n"]) -> Float[Tensor, "size n"]:
        """Return the derivative by each free number, at the numbers of the last evaluation."""
        rows = x.new_zeros(self.size, x.shape[-1])
        self._root.backward(numbers, x.new_ones(x.shape[1:]), rows)
        return rows

    def form(self, numbers: Sequence[float]) -> Form:
        """Return the form with these numbers; the same terms in the same order."""
        return self._root.form(numbers)

    def _place(self, value: float, *, held: bool) -> int:
        if held:
            return HELD
        self.start.append(value)
        return len(self.start) - 1

    def _form(self, form: Form, *, held_weight: bool, held_constant: bool) -> _Sum:
        """Give what is free its place: not a first weight that is held at 1, nor a constant that is absent."""
        places = [
            self._place(weight, held=held_weight and position == 0) for position, weight in enumerate(form.weights)
        ]
        constant = self._place(form.constant, held=held_constant or form.constant == 0.0)
        return _Sum(form, places, constant, [self._term(term) for term in form.terms])

    def _term(self, term: Term) -> _Cell:
        if isinstance(term, Input):
            return _Variable(term)
        if isinstance(term, Call):
            out, is_exp = lets_factors_out(term.function), term.function.name == "exp"
            inner = self._form(term.inner, held_weight=out, held_constant=is_exp)
            if term.function.name == "sin":
                self.phases.add(inner.constant)
            return _Function(term, inner)
        return _Factors([self._form(factor, held_weight=True, held_constant=False) for factor in term.factors])


@dataclass
class _Variable:
    term: Input

    def forward(self, numbers: Sequence[float], x: Tensor) -> Tensor:
        return x[self.term.index]

    def backward(self, numbers: Sequence[float], by: Tensor, rows: Tensor) -> None:
        pass

    def form(self, numbers: Sequence[float]) -> Term:
        return self.term

    @property
    def is_free(self) -> bool:
        return False


@dataclass
class _Function:
    term: Call
    inner: _Sum
    at: Tensor = field(init=False)

    def forward(self, numbers: Sequence[float], x: Tensor) -> Tensor:
        self.at = self.inner.forward(numbers, x)
        return self.term.function(self.at)

    def backward(self, numbers: Sequence[float], by: Tensor, rows: Tensor) -> None:
        self.inner.backward(numbers, by * self.term.function.derivative(self.at), rows)

    def form(self, numbers: Sequence[float]) -> Term:
        return Call(self.term.function, self.inner.form(numbers))

    @property
    def is_free(self) -> bool:
        return self.inner.is_free


@dataclass
class _Factors:
    factors: list[_Sum]
    values: list[Tensor] = field(init=False)

    def forward(self, numbers: Sequence[float], x: Tensor) -> Tensor:
        self.values = [factor.forward(numbers, x) for factor in self.factors]
        product = self.values[0]
        for value in self.values[1:]:
            product = product * value
        return product

    def backward(self, numbers: Sequence[float], by: Tensor, rows: Tensor) -> None:
        for position, factor in enumerate(self.factors):
            if factor.is_free:
                others = by
                for other, value in enumerate(self.values):
                    if other != position:
                        others = others * value
                factor.backward(numbers, others, rows)

    def form(self, numbers: Sequence[float]) -> Term:
        return Product(tuple(factor.form(numbers) for factor in self.factors))

    @property
    def is_free(self) -> bool:
        return any(factor.is_free for factor in self.factors)


@dataclass
class _Sum:
    source: Form
    places: list[int]
    constant: int
    cells: list[_Cell]
    values: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.is_free = (
            self.constant != HELD or any(place != HELD for place in self.places) or any(c.is_free for c in self.cells)
        )

    def _weight(self, position: int, numbers: Sequence[float]) -> float:
        place = self.places[position]
        return self.source.weights[position] if place == HELD else numbers[place]

    def _constant(self, numbers: Sequence[float]) -> float:
        return self.source.constant if self.constant == HELD else numbers[self.constant]

    def forward(self, numbers: Sequence[float], x: Tensor) -> Tensor:
        self.values = [cell.forward(numbers, x) for cell in self.cells]
        total: Tensor | None = None
        for position, value in enumerate(self.values):
            weight = self._weight(position, numbers)
            if total is None:
                total = value if weight == 1.0 else value * weight
            else:
                total = torch.add(total, value, alpha=weight)
        constant = self._constant(numbers)
        if total is None:
            return x.new_full(x.shape[1:], constant)
        return total if constant == 0.0 else total + constant

    def backward(self, numbers: Sequence[float], by: Tensor, rows: Tensor) -> None:
        if self.constant != HELD:
            rows[self.constant] = by
        for position, cell in enumerate(self.cells):
            if self.places[position] != HELD:
                torch.mul(by, self.values[position], out=rows[self.places[position]])
            if cell.is_free:
                weight = self._weight(position, numbers)
                cell.backward(numbers, by if weight == 1.0 else by * weight, rows)

    def form(self, numbers: Sequence[float]) -> Form:
        weights = tuple(self._weight(position, numbers) for position in range(len(self.cells)))
        return Form(tuple(cell.form(numbers) for cell in self.cells), weights, self._constant(numbers))


_Cell = _Variable | _Function | _Factors
