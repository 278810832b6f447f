r"""One input: ``F(c_0 + c_1 x^p + c_2 x^q)``, all pairs of exponents in one batch.

For given exponents the rest is linear, so all are tried: Lennard-Jones' ``r^-12 - r^-6``, ``x - 1/x``, series.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.discovery.expression import Form, add, number, power, variable
from kanlab.discovery.outer import OUTERS
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.solver import Solver
from kanlab.discovery.splines import solve

_WHOLE = (1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0, 5.0, -5.0, 6.0, -6.0, 8.0, -8.0, 9.0, -9.0, 12.0, -12.0)
_HALVES = (0.5, -0.5, 1.5, -1.5, 2.5, -2.5)
_OUTERS = ("x", "sqrt", "exp", "1/x", "x^2")
#: Rows, and how many pairs are fitted further under each outer function.
_ROWS, _TRIED = 300, 2
#: Relative error of a pair that is not worth it; two powers of the same curve fit anything roughly.
_WORST = 0.02


def powers(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose sums of two powers of one input and a constant."""
    problem = pool.problem
    if problem.n_in != 1 or problem.n < 20:
        return
    exponents = _exponents(problem.x[0])
    pairs = torch.tensor(list(itertools.combinations(range(len(exponents)), 2)))
    if not len(pairs):
        return
    unit = problem.x[0].abs().max()
    x = problem.x[0] / unit
    rows = torch.stack([x[:_ROWS] ** p for p in exponents])
    for outer in OUTERS:
        mapped = outer.applied(problem) if outer.name in _OUTERS else None
        if mapped is None:
            continue
        search.clock.check()
        for error, pair, coef in _best(mapped, rows, pairs):
            if error < max(_WORST, 1.3 * problem.floor):
                form = _form([exponents[k] for k in pair], coef, float(unit))
                yield f"{outer.name}(two powers)", outer.wrap(form, problem.y)


def _exponents(x: Float[Tensor, " n"]) -> tuple[float, ...]:
    if bool((x > 0).all()):
        return (*_WHOLE, *_HALVES)
    return _WHOLE if bool((x != 0).all()) else tuple(p for p in _WHOLE if p > 0)


def _best(
    mapped: Problem, rows: Float[Tensor, "exponent n"], pairs: Int[Tensor, "pair 2"]
) -> list[tuple[float, list[int], list[float]]]:
    """Return the best pairs: relative errors, places of the exponents, and linear numbers."""
    coef, residual = _fitted(mapped, rows, pairs)
    w = mapped.w[:_ROWS]
    error = (residual * w).square().mean(-1).sqrt() / mapped.scale
    error = error.where((coef != 0).all(-1), torch.inf)
    return [(float(error[m]), pairs[m].tolist(), coef[m].tolist()) for m in error.argsort()[:_TRIED].tolist()]


def _fitted(mapped: Problem, rows: Tensor, pairs: Tensor) -> tuple[Float[Tensor, "pair 3"], Float[Tensor, "pair n"]]:
    y, w = mapped.y[:_ROWS].expand(len(pairs), -1), mapped.w[:_ROWS].expand(len(pairs), -1)
    design = torch.cat([rows[pairs], torch.ones_like(y).unsqueeze(1)], 1)
    size = design.square().mean(-1, keepdim=True).sqrt().clamp(min=1e-300)
    coef = solve(design / size, y, w)
    return coef / size[..., 0], (coef.unsqueeze(1) @ (design / size)).squeeze(1) - y


def _form(exponents: list[float], coef: list[float], unit: float) -> Form:
    """Return the sum, whose linear numbers belong to the input in units of ``unit``."""
    terms = [power(variable(0), p).scaled(c / unit**p) for p, c in zip(exponents, coef, strict=False)]
    return add([*terms, number(coef[2])])
