r"""``F(A(rest) + f(x_i) B(rest))``: a sum whose coefficients depend on the other inputs.

While ``f`` stands, ``A`` and ``B`` follow linearly, and the other way round: alternating least squares, for every outer
function in one batch. When ``f`` has a name, ``A`` and ``B`` are fitted to it anew and are problems of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form, add, multiply, substitute, variable
from kanlab.discovery.naming import Curve, Name, named
from kanlab.discovery.outer import OUTERS, Outer
from kanlab.discovery.pool import Candidate, Pool
from kanlab.discovery.problem import Problem, scaled
from kanlab.discovery.program import Program
from kanlab.discovery.snapping import snap
from kanlab.discovery.solver import Solver
from kanlab.discovery.splines import Splines, solve
from kanlab.discovery.surrogate import chebyshev_design
from kanlab.symbolic.constants import nearest

_OUTERS = ("x", "exp", "sqrt", "1/x", "1/sqrt(x)", "x^2", "log", "arccos", "arcsin")
_GRID, _OWN_GRID = 8, 14
_SWEEPS = 16
_SLOW = 0.97
#: Coefficients of A and of B, at most this part of the rows, and no more than this.
_SHARE, _MOST = 0.15, 60
#: Fits worse than this, or than the best by this factor, are not looked at.
_WORST, _WORSE = 0.05, 5.0
#: Of the time that is left, for A and for B.
_TIME = 0.1
#: By this factor; or, as far as anything is known, to this much above the least error.
_BETTER, _AT_NOISE = 0.3, 1.3
#: A number of f is read as a constant within this many errors of the fit, and this part of itself.
_PER_ERROR, _NEAR = 20.0, 0.02
_NAMES, _DEEPEST, _MOST_INPUTS = 3, 4, 4


@dataclass(frozen=True)
class _Fit:
    """One input singled out under one outer function."""

    outer: Outer
    mapped: Problem
    i: int
    coef: Tensor
    error: float


def varying(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas with one input singled out."""
    problem = pool.problem
    if not 2 <= problem.n_in <= _MOST_INPUTS or depth > _DEEPEST or problem.n < 60:
        return
    fits: list[_Fit] = []
    for i in range(problem.n_in):
        search.clock.check()
        fits += _fits(problem, i)
    # What has been found without singling out an input must be bettered by much, or by as much as noise allows.
    known = min(pool.error, search.surrogate(problem).error)
    fits = [fit for fit in fits if fit.error < max(_BETTER * pool.error, min(_AT_NOISE * known, 0.9 * pool.error))]
    least = min((fit.error for fit in fits), default=1.0)
    worth = [fit for fit in fits if fit.error <= min(max(_WORSE * least, 1e-6), max(_WORST, _AT_NOISE * known))]
    for fit in sorted(worth, key=lambda fit: fit.error * (1 + 0.1 * fit.outer.cost))[:3]:
        yield from _formulas(problem, fit, search, depth)


def _basis(problem: Problem, i: int) -> Float[Tensor, "k n"]:
    """Return what ``A`` and ``B`` are made of: splines of the one other input, polynomials of several."""
    others = [j for j in range(problem.n_in) if j != i]
    if len(others) == 1:
        return Splines(problem.x[others], _GRID).rows[0]
    most = min(_MOST, int(_SHARE * problem.n))
    return chebyshev_design(scaled(problem.x[others]), most)


def _fits(problem: Problem, i: int) -> list[_Fit]:
    targets = [
        (outer, mapped) for outer in OUTERS if outer.name in _OUTERS and (mapped := outer.applied(problem)) is not None
    ]
    rest, own = _basis(problem, i), Splines(problem.x[i : i + 1], _OWN_GRID).rows[0]
    t = scaled(problem.x[i : i + 1])[0]
    found = []
    for start in (t, 2 * t * t - 1):
        coefs, errors = _alternate(problem, targets, rest, own, start)
        found.append([_Fit(o, m, i, c, e) for (o, m), c, e in zip(targets, coefs, errors, strict=True)])
    return [min(pair, key=lambda fit: fit.error) for pair in zip(*found, strict=True)]


def _alternate(
    problem: Problem, targets: list[tuple[Outer, Problem]], rest: Tensor, own: Tensor, start: Tensor
) -> tuple[Tensor, list[float]]:
    """Return the spline coefficients of ``f`` under each outer function, and the held-out errors."""
    part = problem.fitted
    z = torch.stack([mapped.y for _, mapped in targets])
    w = torch.stack([mapped.w for _, mapped in targets])
    f = start.expand(len(targets), -1)
    before = torch.full((len(targets),), torch.inf, dtype=z.dtype)
    k = len(rest)
    coef = own.new_zeros(len(targets), len(own))
    for _ in range(_SWEEPS):
        design = torch.cat([rest.expand(len(targets), -1, -1), f.unsqueeze(1) * rest], 1)
        both = solve(design[..., part], z[:, part], w[:, part])
        a, b = both[:, :k] @ rest, both[:, k:] @ rest
        error = ((a + f * b - z) * w)[:, part].square().mean(-1)
        if bool((error > _SLOW**2 * before).all()):
            break
        before = error
        coef = solve(b.unsqueeze(1)[..., part] * own[:, part], (z - a)[:, part], w[:, part])
        f = coef @ own
        f = f - f[:, part].mean(-1, keepdim=True)
        f = f / f[:, part].square().mean(-1, keepdim=True).sqrt().clamp(min=1e-300)
    design = torch.cat([rest.expand(len(targets), -1, -1), f.unsqueeze(1) * rest], 1)
    both = solve(design[..., part], z[:, part], w[:, part])
    residual = (both.unsqueeze(1) @ design)[:, 0] - z
    return coef, [mapped.relative(r, problem.judging) for (_, mapped), r in zip(targets, residual, strict=True)]


def _formulas(problem: Problem, fit: _Fit, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    splines = Splines(problem.x[fit.i : fit.i + 1], _OWN_GRID)
    curve = Curve(splines.points(0), splines.curve(fit.coef), max(fit.error, problem.floor))
    (names,) = named([curve], search.functions, _NAMES)
    for name in names:
        search.clock.check()
        tol = min(_NEAR, _PER_ERROR * fit.error)
        a, b = (_read_roughly(value, tol) for value in (name.a, name.b))
        f = Name(name.function, a, b, 1.0, 0.0, name.score).of(variable(fit.i))
        program = Program(f)
        values = program(program.start, problem.x)
        for inner in _inner(problem, fit, f, values, search, depth):
            yield f"{fit.outer.name}(A + {name.function.name} B)", fit.outer.wrap(inner, problem.y)


def _read_roughly(value: float, tol: float) -> float:
    """Return the simplest constant near a number that is no better known than its spline."""
    close = nearest(value, tol, abs_tol=tol)
    return close[0].value if close else value


def _inner(problem: Problem, fit: _Fit, f: Form, values: Tensor, search: Solver, depth: int) -> Iterator[Form]:
    """Solve for ``A`` and ``B``, now that ``f`` has values of its own.

    One of them is solved as it was fitted and its numbers are read; what that leaves for the other is exact.
    """
    rest, part, mapped = _basis(problem, fit.i), problem.fitted, fit.mapped
    design = torch.cat([rest, values * rest])
    both = solve(design[:, part], mapped.y[part], mapped.w[part])
    error = max(mapped.relative(both @ design - mapped.y, problem.judging), problem.floor)
    if error > max(3 * fit.error, 1e-3):
        return
    others = [j for j in range(problem.n_in) if j != fit.i]
    inputs = [variable(j) for j in others]
    a, b = both[: len(rest)] @ rest, both[len(rest) :] @ rest
    ratio = float((mapped.w.square() * a * b).sum() / (mapped.w * b).square().sum().clamp(min=1e-300))
    if mapped.relative(a - ratio * b) < 2 * error:
        left = _divided(mapped, values + ratio, problem.x[others])
        for candidate in search.solve(left, depth + 1):
            yield multiply([f.scaled(1.0, ratio), substitute(candidate.form, inputs)])
        return
    rough = replace(mapped, x=problem.x[others], floor=2 * error)
    for candidate, known in _read(replace(rough, y=b, w=mapped.w * values.abs()), search, depth):
        left = replace(rough, y=mapped.y - values * known, floor=max(0.1 * candidate.error, mapped.floor))
        for other in search.solve(left, depth + 1, _TIME)[:2]:
            yield add([substitute(other.form, inputs), multiply([f, substitute(candidate.form, inputs)])])
    for candidate, known in _read(replace(rough, y=a), search, depth):
        left = _divided(replace(mapped, y=mapped.y - known), values, problem.x[others])
        left = replace(left, floor=max(0.1 * candidate.error, mapped.floor))
        for other in search.solve(left, depth + 1, _TIME)[:2]:
            yield add([substitute(candidate.form, inputs), multiply([f, substitute(other.form, inputs)])])


def _divided(mapped: Problem, factor: Tensor, x: Float[Tensor, "m n"]) -> Problem:
    """Return the problem for what a factor leaves, without the rows where the factor is nothing."""
    rows = factor.abs() > 1e-9 * factor.abs().max()
    return mapped.mapped(mapped.y / factor, 1 / factor).with_inputs(x).only(rows)


def _read(rough: Problem, search: Solver, depth: int) -> Iterator[tuple[Candidate, Tensor]]:
    """Yield formulas for fitted values, their numbers read, and the values of these."""
    for candidate in search.solve(rough, depth + 1, _TIME)[:2]:
        search.clock.check()
        form = snap(candidate.form, rough.x, rough.y, rough.w, clock=search.clock).form
        program = Program(form)
        yield replace(candidate, form=form), program(program.start, rough.x)
