r"""Fewer inputs: what the function does not depend on shows in its gradient.

If ``y`` does not change along ``w`` in the coordinates ``phi(x_i)``, then ``sum_i w_i (dy/dx_i) / phi'(x_i) = 0``, and
``y`` is a function of fewer combinations ``sum_i a_i phi(x_i)``, those with ``a . w = 0``. With ``phi = log`` the
combinations are products of powers, and ``y`` may itself scale: ``sum_i w_i x_i dy/dx_i = k y``. All such ``w`` are the
null vectors of one matrix (dimensional analysis, read off the data). The exponents are rounded to whole numbers, the
inputs replaced by their combinations exactly, and what is left is a smaller problem.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.discovery.clock import Clock
from kanlab.discovery.expression import Form, add, call, variable
from kanlab.discovery.lattice import bases
from kanlab.discovery.menu.additive import additive_shapes
from kanlab.discovery.menu.product import product_shapes
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem, scaled
from kanlab.discovery.reduction import Reduction, calm, divided, monomial, monomial_form, rounded
from kanlab.discovery.solver import Solver
from kanlab.discovery.surrogate import is_fitted
from kanlab.symbolic import library

#: Surrogates worse than this say nothing.
_WORST = 0.3
#: Singular values (relative to the largest) below this, or below this many times the surrogate's error, may be those
#: of a symmetry.
_NULL, _NULL_LEAST, _NULL_PER_ERROR = 0.3, 2e-3, 100.0
#: Rows nearer to the edge of the box than this are left out: there gradients are poor.
_EDGE = 0.93
#: A vector is near a subspace below this.
_NEAR = 0.12
#: The smaller problem must be fitted this well, in units of the larger one's error.
_AS_GOOD, _ROUNDING = 2.0, 2e-6
_DEEPEST = 5
#: Smaller problems solved for each kind of coordinate.
_TRIED = 2
#: How many numbers of null vectors are tried.
_GAPS = 3


@dataclass(frozen=True)
class Coordinate:
    """The coordinates ``phi(x)`` in which a symmetry is a shift.

    Attributes
    ----------
    name
        Of ``phi`` in the library.
    rate
        ``1 / phi'(x)``.
    fits
        The inputs it is for.
    largest
        The largest whole number among the weights.
    """

    name: str
    rate: Callable[[Tensor], Tensor]
    fits: Callable[[Tensor], bool]
    largest: int


_COORDINATES = (
    Coordinate("log", lambda x: x, lambda x: bool((x != 0).all()), 3),
    Coordinate("x", torch.ones_like, lambda x: True, 2),
    Coordinate("x^2", lambda x: 0.5 / x, lambda x: bool((x != 0).all()), 2),
    Coordinate("1/x", lambda x: -x * x, lambda x: bool((x > 0).all()) or bool((x < 0).all()), 2),
)


def symmetry(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas of fewer inputs."""
    problem = pool.problem
    if problem.n_in < 2 or depth > _DEEPEST:
        return
    full = search.surrogate(problem)
    if full.error > _WORST:
        return
    enough = max(_AS_GOOD * full.error, _ROUNDING, _AS_GOOD * problem.floor)
    null = min(_NULL, _NULL_LEAST + _NULL_PER_ERROR * full.error)
    promise = functools.partial(_promise, clock=search.clock)
    for coordinate in _COORDINATES:
        for alike in _reductions(problem, full.slopes, coordinate, null):
            search.clock.check()
            # All are functions of the same space, so one shows whether it is enough; a second in case of a pole.
            if not any(is_fitted(reduction.problem, enough, search.clock) for reduction in alike[:2]):
                continue
            # The simplest first, then what promises most.
            for reduction in [alike[0], *sorted(alike[1:], key=promise)][:_TRIED]:
                search.clock.check()
                for candidate in search.solve(reduction.problem, depth + 1):
                    yield f"{reduction.text}>{candidate.origin}", reduction.wrap(candidate.form)
            break


def _promise(reduction: Reduction, clock: Clock) -> tuple[int, float]:
    """Order smaller problems: fewer inputs first, then those that a sum or a product of single inputs fits best."""
    small = reduction.problem
    if small.n_in < 2:
        return small.n_in, 0.0
    shapes = [*additive_shapes(small), *product_shapes(small, clock, plain=True)]
    return small.n_in, min((shape.error for shape in shapes), default=1.0)


def _reductions(
    problem: Problem, slopes: Tensor, coordinate: Coordinate, null_below: float
) -> Iterator[list[Reduction]]:
    """Yield lists of smaller problems that are the same but for the choice of the combinations."""
    if not all(coordinate.fits(x) for x in problem.x):
        return
    scales = coordinate.name == "log"
    matrix, size = _matrix(problem, slopes, coordinate, scales=scales)
    _, sizes, rows = torch.linalg.svd(matrix, full_matrices=False)
    sizes = sizes / max(float(sizes[0]), 1e-300)
    for r in _gaps(sizes, min(int((sizes < null_below).sum()), problem.n_in)):
        null = rows[len(rows) - r :] / size
        shifts = null[:, : problem.n_in]
        if torch.linalg.matrix_rank(shifts, rtol=1e-2) < r:
            continue
        space = _complement(shifts)
        if not scales and r == problem.n_in:
            continue
        made = [
            _monomials(problem, basis, null) if scales else _sums(problem, basis, coordinate)
            for basis in bases(space, _NEAR, coordinate.largest)
        ]
        if any(made):
            yield [reduction for reduction in made if reduction is not None]


def _gaps(sizes: Tensor, count: int) -> list[int]:
    """Return how many of the last singular values may be nothing: where the step to the next one is largest."""
    step = [
        (float(sizes[-r - 1] / sizes[-r].clamp(min=1e-300)) if r < len(sizes) else 2.0, r) for r in range(1, count + 1)
    ]
    return [r for _, r in sorted(step, reverse=True)[:_GAPS]]


def _matrix(
    problem: Problem, slopes: Tensor, coordinate: Coordinate, *, scales: bool
) -> tuple[Float[Tensor, "n columns"], Float[Tensor, " columns"]]:
    """Return the columns of the null vector's equation, each of unit size, and their sizes."""
    inside = scaled(problem.x).abs().amax(0) < max(_EDGE, 0.7 ** (1 / problem.n_in))
    columns = slopes * torch.stack([coordinate.rate(x) for x in problem.x])
    if scales:
        columns = torch.cat([columns, -problem.y[None]])
    weight = problem.w * inside
    if coordinate.name == "x^2":
        weight = weight * scaled_size(problem.x)
    columns = (columns * weight).nan_to_num(0.0, 0.0, 0.0)
    # A few rows near a pole must not decide.
    length = columns.norm(dim=0)
    columns = columns * (length.median() * 10 / length.clamp(min=1e-300)).clamp(max=1.0)
    size = columns.norm(dim=-1).clamp(min=1e-300)
    return (columns / size[:, None]).T, size


def scaled_size(x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"]:
    """Return the smallest of the inputs in units of their largest."""
    return (x.abs() / x.abs().amax(-1, keepdim=True)).amin(0)


def _complement(shifts: Float[Tensor, "r n_in"]) -> Float[Tensor, "m n_in"]:
    """Return orthonormal rows that span what is perpendicular to the shifts."""
    _, _, rows = torch.linalg.svd(shifts, full_matrices=True)
    return rows[len(shifts) :]


def _sums(problem: Problem, basis: Int[Tensor, "m n_in"], coordinate: Coordinate) -> Reduction | None:
    phi = library.get(coordinate.name)
    x = basis.to(problem.x.dtype) @ phi(problem.x)
    forms = [call(phi, variable(i)) for i in range(problem.n_in)]
    inputs = tuple(
        add([forms[i].scaled(float(a)) for i, a in enumerate(row) if a]) if sum(map(bool, row)) > 1 else _plain(row)
        for row in basis.tolist()
    )
    alone = [row.index(1) if sum(map(bool, row)) == 1 else None for row in basis.tolist()]
    x = torch.stack([problem.x[i] if i is not None else values for i, values in zip(alone, x, strict=True)])
    return Reduction(f"{coordinate.name} groups", problem.with_inputs(x), inputs, None)


def _plain(row: list[int]) -> Form:
    return variable(row.index(1))


def _monomials(problem: Problem, basis: Int[Tensor, "m n_in"], null: Float[Tensor, "r columns"]) -> Reduction | None:
    """Return the problem for products of powers, ``y`` divided by one where it scales."""
    exponents = _prefactor(problem, basis, null)
    if exponents is None:
        return None
    rows = [calm(problem.x, row) for row in basis.tolist()]
    x = torch.stack([monomial(problem.x, row) for row in rows]) if rows else problem.x[:0]
    return divided("powers", problem, exponents, x, [monomial_form(row) for row in rows])


def _prefactor(problem: Problem, basis: Int[Tensor, "m n_in"], null: Float[Tensor, "r columns"]) -> list[float] | None:
    """Return the simplest exponents ``p`` with ``w . p = k`` for all ``(w, k)``, as halves or thirds."""
    shifts, rates = null[:, : problem.n_in], null[:, problem.n_in]
    rough = torch.linalg.lstsq(shifts, rates[:, None], driver="gelsd").solution[:, 0]
    found: list[tuple[float, list[float]]] = []
    m = len(basis)
    rows = basis.to(null.dtype)
    for zero in itertools.combinations(range(problem.n_in), m):
        minor = rows[:, list(zero)]
        if m and abs(float(torch.linalg.det(minor))) < 1e-9:
            continue
        exact = rough - rows.T @ torch.linalg.solve(minor.T, rough[list(zero)]) if m else rough
        simple = [rounded(float(p)) for p in exact]
        if all(p is not None for p in simple):
            cost = sum(abs(p) + (not float(p).is_integer()) for p in simple if p is not None)
            found.append((cost, [float(p) for p in simple if p is not None]))
        if len(found) > 20:
            break
    return min(found, key=lambda item: item[0])[1] if found else None
