r"""``F(polynomial)``: a few monomials of low degree, found as an exact fit whose other coefficients are nothing.

Held against all outer functions. Terms are dropped, the smallest first, while the error stays what it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.discovery.expression import Form, add, multiply, number, power, variable
from kanlab.discovery.outer import OUTERS
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.solver import Solver
from kanlab.discovery.splines import solve
from kanlab.discovery.surrogate import exponents

_OUTERS = ("x", "sqrt", "1/x", "exp", "1/sqrt(x)", "x^2", "log")
_DEGREES, _DEGREES_OF_ONE = (2, 3, 4), (3, 4, 5, 6)
#: Coefficients: at most this part of the rows; and terms of a formula people would call a polynomial.
_SHARE, _TERMS = 0.3, 12
#: A polynomial fits exactly or is none.
_EXACT, _WORSE = 1e-8, 1.5


def polynomial(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose polynomials that fit as well as can be told."""
    problem = pool.problem
    for degree in _DEGREES if problem.n_in > 1 else _DEGREES_OF_ONE:
        if math.comb(problem.n_in + degree, degree) > _SHARE * problem.fitted.stop:
            return
        chosen = exponents(problem.n_in, degree)
        rows = _monomials(problem.x, chosen)
        for outer in OUTERS:
            mapped = outer.applied(problem) if outer.name in _OUTERS else None
            if mapped is None:
                continue
            search.clock.check()
            kept = _sparse(mapped, rows)
            if kept is not None:
                form = outer.wrap(_form(chosen, *kept), problem.y)
                yield f"{outer.name}(polynomial {degree})", form


def _monomials(x: Float[Tensor, "n_in n"], chosen: Int[Tensor, "k n_in"]) -> Float[Tensor, "k n"]:
    size = x.abs().amax(-1, keepdim=True).clamp(min=1e-300)
    powers = torch.stack([(x / size) ** p for p in range(int(chosen.max()) + 1)], 1)
    parts = [powers[i, chosen[:, i]] for i in range(len(x))]
    scale = torch.stack([size[i, 0] ** chosen[:, i] for i in range(len(x))]).prod(0)
    return math.prod(parts[1:], start=parts[0]) * scale[:, None]


def _sparse(mapped: Problem, rows: Float[Tensor, "k n"]) -> tuple[list[int], list[float]] | None:
    """Return the terms that are needed and their coefficients, if the fit is exact and they are few."""
    part = mapped.fitted
    unit = rows.norm(dim=-1, keepdim=True)
    design = rows / unit
    coef = solve(design[:, part], mapped.y[part], mapped.w[part])
    error = mapped.relative(coef @ design - mapped.y, mapped.judging)
    allowed = _WORSE * max(error, mapped.floor, 1e-12)
    if error > max(_EXACT, _WORSE * mapped.floor):
        return None
    kept = list(range(len(rows)))
    while len(kept) > 1:
        size = [mapped.relative(c * design[k]) for c, k in zip(coef, kept, strict=True)]
        few = max(1, len(kept) // 4)
        order = sorted(range(len(kept)), key=lambda m: size[m])
        for drop in (few, 1):
            rest = [kept[m] for m in sorted(order[drop:])]
            trial = solve(design[rest][:, part], mapped.y[part], mapped.w[part])
            if mapped.relative(trial @ design[rest] - mapped.y) <= max(allowed, _EXACT):
                kept, coef = rest, trial
                break
        else:
            break
    if len(kept) > _TERMS:
        return None
    return kept, (coef / unit[kept, 0]).tolist()


def _form(chosen: Int[Tensor, "k n_in"], kept: list[int], coefs: list[float]) -> Form:
    terms = [number(0.0)]
    for k, coef in zip(kept, coefs, strict=True):
        factors = [power(variable(i), float(p)) for i, p in enumerate(chosen[k].tolist()) if p]
        terms.append(multiply([number(coef), *factors]))
    return add(terms)
