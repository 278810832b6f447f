r"""What a symbolic function is: one ``f(u)`` in every form the project needs, and what is true of it.

An edge carries ``c f(a x + b) + d``. Some of the four constants are redundant, depending on the function: a factor in
``x^2`` can stand inside or outside. The record says which (`Gauge`), and which algebraic moves leave a formula as it
is (``degree``, ``parity``, ``period``, ``twin``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sympy
import torch
from torch import Tensor

TorchFunction = Callable[[Tensor], Tensor]
SympyFunction = Callable[[sympy.Expr], sympy.Expr]

#: Which of ``a`` and ``b`` still matter once ``c`` and ``d`` are free:
#: ``constant`` and ``linear`` neither; ``shift`` only ``b`` (``f(s u) = s^p f(u) + const`` for ``s > 0``);
#: ``step`` only where it jumps; ``scale`` only ``a`` (``f(u + s) = e^s f(u)``); ``phase`` both, ``b`` modulo a period;
#: ``free`` both.
Gauge = Literal["constant", "linear", "shift", "step", "scale", "phase", "free"]

#: How many of ``a`` and ``b`` matter.
_FREE = {"constant": 0, "linear": 0, "shift": 1, "step": 1, "scale": 1, "phase": 2, "free": 2}


@dataclass(frozen=True)
class Domain:
    """Where a function is smooth: ``low < u < high`` (``<=`` if ``closed``), away from ``pole + n period``.

    A curve must lie in one piece: ``1/u`` on ``[-1, 1]`` is defined at every sample and still wrong.

    >>> Domain(low=0.0, closed=True).covers(torch.tensor([0.0, -1.0]), torch.tensor([2.0, 2.0]))
    tensor([ True, False])
    """

    low: float = -math.inf
    high: float = math.inf
    closed: bool = False
    pole: float | None = None
    period: float = math.inf

    def covers(self, low: Tensor, high: Tensor) -> Tensor:
        """Say for each range ``[low, high]`` whether it lies in one smooth piece of the domain."""
        return Domains.of([self], low).covers(low, high)


@dataclass(frozen=True)
class Domains:
    """Several domains as columns, to look at many ranges at once; a pole at infinity is none."""

    columns: Tensor

    @classmethod
    def of(cls, domains: Sequence[Domain], like: Tensor) -> Domains:
        """Collect domains, one after the other, as tensors of the kind of ``like``."""
        rows = [(d.low, d.high, float(d.closed), math.inf if d.pole is None else d.pole, d.period) for d in domains]
        return cls(torch.tensor(rows, dtype=like.dtype, device=like.device).T)

    def __getitem__(self, rows: Tensor) -> Domains:
        return Domains(self.columns[:, rows])

    def against(self) -> Domains:
        """Return them with one more axis, to meet ranges ``[domain, any]``."""
        return Domains(self.columns.unsqueeze(-1))

    @property
    def walls(self) -> tuple[Tensor, Tensor]:
        """The lower and the upper end."""
        return self.columns[0], self.columns[1]

    @property
    def closed(self) -> Tensor:
        """Whether the ends belong to the domain."""
        return self.columns[2] > 0

    def covers(self, low: Tensor, high: Tensor) -> Tensor:
        """Say for each range ``[low, high]`` whether it lies in one smooth piece of its domain."""
        wall_low, wall_high, _, pole, period = self.columns.unbind(0)
        inside = (low > wall_low) & (high < wall_high) | self.closed & (low >= wall_low) & (high <= wall_high)
        turn_low, turn_high = (low - pole) / period, (high - pole) / period
        # Both strictly between the same two poles: the floors agree and the left end is not itself a pole.
        floor = turn_low.floor()
        between = (floor == turn_high.floor()) & (turn_low != floor)
        return inside & torch.where(period.isfinite(), between, (low > pole) | (high < pole))


@dataclass(frozen=True)
class Twin:
    """``f(u) = c g(a u + b) + d`` for another function ``g``: on an edge the two are one family of curves."""

    name: str
    a: float
    b: float
    c: float
    d: float


@dataclass(frozen=True, eq=False)
class SymbolicFunction:
    """One function of the library; calling it evaluates it (the engine's protocol for a fixed edge).

    Attributes
    ----------
    name, text
        The name in calls (``"x^2"``) and the one to show (``"x²"``).
    torch_fn, torch_derivative
        ``f`` and ``f'``, elementwise. Where ``f'`` is infinite or jumps, at an end of the domain, it counts as 0: an
        infinite slope would stop every solver.
    sympy_fn
        Expression in, expression out.
    complexity
        What naming an edge so costs in a ranking; pykan's scale.
    domain
        Where ``f`` is smooth.
    gauge
        See :data:`Gauge`.
    degree
        ``p`` where ``f(s u) = s^p f(u)`` for all ``s > 0``.
    parity, offset
        ``f(-u) = parity f(u) + offset`` with parity 1 or -1; parity 0 if there is no such rule.
    period, alternates
        ``f(u + period) = f(u)``; ``f(u + period / 2) = -f(u)``, so that ``c`` can be made positive.
    waves
        It oscillates without end: a fit starts from many frequencies.
    twin
        An earlier function of the library that is the same up to the four constants, as sin is to cos.
    """

    name: str
    text: str
    torch_fn: TorchFunction = field(repr=False)
    torch_derivative: TorchFunction = field(repr=False)
    sympy_fn: SympyFunction = field(repr=False)
    complexity: float
    domain: Domain = field(default=Domain(), repr=False)
    gauge: Gauge = field(default="free", repr=False)
    degree: float | None = field(default=None, repr=False)
    parity: int = field(default=0, repr=False)
    offset: float = field(default=0.0, repr=False)
    period: float | None = field(default=None, repr=False)
    alternates: bool = field(default=False, repr=False)
    waves: bool = field(default=False, repr=False)
    twin: Twin | None = field(default=None, repr=False)

    def __call__(self, u: Tensor) -> Tensor:
        """Return ``f(u)``."""
        return self.torch_fn(u)

    def derivative(self, u: Tensor) -> Tensor:
        """Return ``f'(u)``."""
        return self.torch_derivative(u)

    @property
    def reflects(self) -> bool:
        """Whether ``a`` can be made positive by changing ``c`` and ``d``."""
        return self.parity != 0

    @property
    def constants(self) -> int:
        """How many constants matter besides ``c`` and ``d``."""
        return _FREE[self.gauge]

    def __copy__(self) -> SymbolicFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SymbolicFunction:
        return self
