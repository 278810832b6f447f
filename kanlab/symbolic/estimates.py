r"""How well the data know the numbers of a formula: their standard errors, and the constants they may be.

With the formula's values ``f(x, k)`` at the samples, ``K = df / dk`` and noise of variance ``sigma^2``, the numbers
``k`` of a least-squares fit have the covariance ``sigma^2 (K' K)^-1`` (Seber & Wild, *Nonlinear Regression*, sec. 2.1).
The numbers of a folded formula need not be free of each other: one parameter of the network can stand in several
places (``a^2`` and ``b / a`` instead of ``a`` and ``b``). They then move together, along the directions ``N`` in which
the network's own Jacobian can follow, and the covariance is ``sigma^2 N (N' K' K N)^-1 N'``. This is the delta method
without a derivative of the folding. The weights of splines that are left count as unknown, too.

What is written as a whole number, a fraction or by a name (π) counts as known. Where a number can be traded for
another without changing any value, its error is infinite.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast, overload

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.linearise import Linearisation
from kanlab.symbolic.constants import Constant, nearest, saying, worth_saying
from kanlab.symbolic.edge_curve import Curve
from kanlab.symbolic.evaluate import evaluate_all
from kanlab.symbolic.reference import Reference

#: Deviation, relative to an output's spread, that is rounding: no number is known better than this allows.
_ROUNDING = 1e-12
#: Directions whose effect is below this part of the largest have none.
_RANK = 1e-10
#: What of a direction the network cannot follow, or does not determine, up to which it can, or does.
_FOLLOWED = 1e-5
#: A proposal lies within so many standard errors, and within this part of the number.
_ERRORS, _NEAR = 2.0, 0.05
#: Numbers in the network's Jacobian above which no errors are computed.
_MOST = 2e6


@dataclass(frozen=True)
class Estimate:
    """A number of a formula, as the data know it.

    Attributes
    ----------
    value
        The number.
    error
        Its standard error; infinite where the data do not determine it, NaN where it is not known: without labels, for
        a number that no parameter of the network moves (one in a function of one's own), and in very large networks.
    proposal
        The constant it may be: one within two standard errors that takes less to say than the number as far as its
        error tells it, or None.
    rmse_change
        By how much the root mean squared error would rise with the proposal, the other numbers refitted; NaN without.
    """

    value: float
    error: float
    proposal: Constant | None = None
    rmse_change: float = math.nan

    def __str__(self) -> str:
        """Write the number with as many digits as its error leaves, and the error.

        >>> str(Estimate(3.14159, 0.0023)), str(Estimate(2.5, math.inf)), str(Estimate(2.5, math.nan))
        ('3.1416 ± 0.0023', '2.5 (not determined)', '2.5')
        """
        if not math.isfinite(self.error):
            return f"{self.value:.6g}" + (" (not determined)" if math.isinf(self.error) else "")
        places = 1 - math.floor(math.log10(self.error)) if self.error > 0 else 15
        if 0 <= places <= 15 and abs(self.value) < 1e6:
            return f"{self.value:.{places}f} ± {self.error:.{places}f}"
        return f"{self.value:.10g} ± {self.error:.2g}"


class Estimates(Sequence[Estimate]):
    """The numbers of a formula in the order in which they stand there; shown as a table.

    >>> print(Estimates([Estimate(0.5, 0.01)]))
    number         may be  RMSE
    0.500 ± 0.010  -       -
    """

    def __init__(self, rows: Sequence[Estimate]):
        self._rows = tuple(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Estimate: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Estimate]: ...

    def __getitem__(self, index: int | slice) -> Estimate | Sequence[Estimate]:
        return self._rows[index]

    def __repr__(self) -> str:
        lines = list(self._lines())
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)

    def _repr_html_(self) -> str:
        head, *rows = ["".join(f"<{tag}>{cell}</{tag}>" for cell in line) for tag, line in self._tagged()]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _tagged(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for place, line in enumerate(self._lines()):
            yield ("td" if place else "th"), line

    def _lines(self) -> Iterator[tuple[str, str, str]]:
        yield "number", "may be", "RMSE"
        for row in self._rows:
            name, change = (str(row.proposal.expr), f"{row.rmse_change:+.1e}") if row.proposal else ("-", "-")
            yield str(row), name, change


def estimates(
    exprs: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    curves: Mapping[str, Curve],
    reference: Reference,
) -> Estimates:
    """Return the numbers of a formula with their standard errors, from the samples that its network has seen.

    Parameters
    ----------
    exprs, variables, curves
        As a `Formula` has them.
    reference
        The network, with the training rows and labels that it keeps (up to 4096 rows: with more, errors are too wide).

    Examples
    --------
    See `kanlab.symbolic.formula.Formula.constants`.
    """
    numbers = free_numbers(exprs)
    model = reference.model
    own = None
    if numbers and not reference.by and model.targets is not None and model.targets.ndim == 2:
        own = _network_effects(reference)
    if own is None:
        return Estimates([Estimate(float(number), math.nan) for number in numbers])
    data = _Data.of(reference)
    effects = _effects(exprs, numbers, dict(zip(variables, data.x.unbind(-1), strict=True)), curves)
    errors, rank = _errors(effects, *own, data)
    return Estimates([data.estimate(float(n), float(e), rank) for n, e in zip(numbers, errors, strict=True)])


def free_numbers(exprs: Sequence[sympy.Expr]) -> list[sympy.Float]:
    """Return the numbers in expressions that are no constants, in order and once each.

    >>> x = sympy.Symbol("x")
    >>> free_numbers([2 * sympy.sin(3.17 * x) + 0.73, sympy.pi * x + 0.73])
    [0.730000000000000, 3.17000000000000]
    """
    parts = itertools.chain.from_iterable(map(sympy.preorder_traversal, exprs))
    found = [part for part in parts if isinstance(part, sympy.Float)]
    return [number for number in dict.fromkeys(found) if not _is_constant(float(number))]


def _is_constant(value: float) -> bool:
    return not math.isfinite(value) or any(near.value == value for near in nearest(value, 1e-15))


@dataclass(frozen=True)
class _Data:
    """Samples in the units of the formula, and what its network leaves over of their labels."""

    x: Float[Tensor, "n n_in"]
    rest: Float[Tensor, "n n_out"]
    rounding: Float[Tensor, " n_out"]

    @classmethod
    @torch.no_grad()
    def of(cls, reference: Reference) -> _Data:
        x, y = reference.labelled()
        return cls(x, y - reference(x), _ROUNDING * y.std(0, correction=0))

    def variance(self, rank: int) -> Float[Tensor, " n_out"]:
        """Return the variance of each output's noise, where ``rank`` directions were fitted."""
        n, n_out = self.rest.shape
        return torch.maximum(self.rest.square().sum(0) / (n - rank / n_out), self.rounding.square())

    def estimate(self, value: float, error: float, rank: int) -> Estimate:
        """Return a number with the best of the constants near it."""
        if not 0 < error < math.inf:
            return Estimate(value, error)
        room = _ERRORS * error
        near = nearest(value, min(room / max(abs(value), 1e-300), _NEAR), abs_tol=room)
        near = [c for c in near if abs(c.value - value) <= room and worth_saying(c, value, error)]
        if not near:
            return Estimate(value, error)
        best = min(near, key=lambda c: saying(c, value, error))
        squares = float(self.rest.square().mean())
        more = ((best.value - value) / error) ** 2 * float(self.variance(rank).mean()) / self.rest.numel()
        return Estimate(value, error, best, math.sqrt(squares + more) - math.sqrt(squares))


def _effects(
    exprs: Sequence[sympy.Expr],
    numbers: Sequence[sympy.Float],
    columns: dict[sympy.Symbol, Tensor],
    curves: Mapping[str, Curve],
) -> Float[Tensor, "numbers rows"]:
    """Return the derivative of each value by each number; the rows of the outputs one after the other."""
    symbols = [sympy.Dummy(f"k{place}", real=True) for place in range(len(numbers))]
    n = len(next(iter(columns.values())))
    # A number of its own for each sample: one backward pass then gives all samples' derivatives.
    leaves = [torch.full((n,), float(number), dtype=torch.float64).requires_grad_() for number in numbers]
    names = dict(zip(numbers, symbols, strict=True))
    free = [cast(sympy.Expr, expr.xreplace(names)) for expr in exprs]
    with torch.enable_grad():
        values = evaluate_all(free, {**columns, **dict(zip(symbols, leaves, strict=True))}, curves)
        slopes = [_slopes(value, leaves) for value in values]
    return torch.cat(slopes, -1)


def _slopes(value: Tensor, leaves: list[Tensor]) -> Float[Tensor, "numbers n"]:
    if not value.requires_grad:
        return torch.zeros(len(leaves), len(leaves[0]), dtype=torch.float64)
    return torch.stack(torch.autograd.grad(value.sum(), leaves, retain_graph=True, materialize_grads=True))


@torch.no_grad()
def _network_effects(
    reference: Reference,
) -> tuple[Float[Tensor, "size rows"], Float[Tensor, "weights rows"]] | None:
    """Return the derivatives by all parameters of the network, and by its splines' alone; None if that is too much."""
    model = copy.deepcopy(reference.model).double()
    linear = Linearisation(model, model.seen().T.contiguous())
    if linear.size * model.n_out * linear.x.shape[-1] > _MOST:
        return None
    own = linear.jacobian(linear.evaluate(linear.read()))
    if reference.outputs:
        own = own * own.new_tensor(reference.outputs.std).unsqueeze(-1)
    own = own.flatten(1)
    splines = [own[plan.splines] for plan in linear.plans]
    return own, torch.cat(splines)


def _errors(
    effects: Float[Tensor, "numbers rows"],
    own: Float[Tensor, "size rows"],
    splines: Float[Tensor, "weights rows"],
    data: _Data,
) -> tuple[Float[Tensor, " numbers"], int]:
    """Return the standard errors, and how many directions the data determine; see the module."""
    if not bool(effects.isfinite().all() and own.isfinite().all()):
        return torch.full_like(effects[:, 0], math.nan), 0
    size = torch.linalg.vector_norm(effects, dim=-1, keepdim=True)
    unit = effects / size.clamp_min(1e-300)
    moves = _followed(unit, own)
    if not len(moves):
        return torch.full_like(effects[:, 0], math.nan), 0
    directions = torch.cat([moves @ unit, _unit(splines)])
    # The numbers, in directions: rows of zeros stand for the splines' weights.
    written = torch.cat([moves.T, moves.new_zeros(len(unit), len(splines))], 1)
    u, s, v = torch.linalg.svd(directions, full_matrices=False)
    keep = s > _RANK * s.amax()
    u, s, v = u[:, keep], s[keep], v[keep]
    if len(s) >= own.shape[1]:
        return torch.full_like(effects[:, 0], math.inf), len(s)
    noise = data.variance(len(s)).repeat_interleave(len(data.x)).sqrt()
    inside = written @ u
    spread = torch.linalg.vector_norm((inside / s) @ (v * noise), dim=-1) / size.squeeze(1)
    lost = torch.linalg.vector_norm(written - inside @ u.T, dim=-1) > _FOLLOWED
    spread = torch.where(lost | (size.squeeze(1) == 0), math.inf, spread)
    return spread.masked_fill(torch.linalg.vector_norm(moves, dim=0) < _FOLLOWED, math.nan), len(s)


def _followed(unit: Float[Tensor, "numbers rows"], own: Float[Tensor, "size rows"]) -> Float[Tensor, "moves numbers"]:
    """Return the directions of the numbers whose effects the network's parameters have, too; an orthonormal basis."""
    _, s, v = torch.linalg.svd(_unit(own), full_matrices=False)
    tangent = v[s > _RANK * s.amax()]
    rest = unit - unit @ tangent.T @ tangent
    squares, moves = torch.linalg.eigh(rest @ rest.T)
    return moves[:, squares <= _FOLLOWED**2].T


def _unit(rows: Float[Tensor, "p rows"]) -> Float[Tensor, "p rows"]:
    return rows / torch.linalg.vector_norm(rows, dim=-1, keepdim=True).clamp_min(1e-300)
