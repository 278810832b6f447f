r"""``P(x) + Q(x) y + R(x) y^2 = 0``: roots of quadratic equations, such as ``sqrt(a^2 + b^2) - c``.

The equation is linear in all coefficients, so they are a null vector, as for ratios of polynomials. Its solution is
``y = (-Q ± sqrt(Q^2 - 4 P R)) / (2 R)`` with the sign of ``2 R y + Q``, which must be the same on all rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.discovery.expression import Form, add, call, multiply, power
from kanlab.discovery.menu.rational import monomials, null_vector, polynomial_form
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.solver import Solver
from kanlab.discovery.surrogate import exponents
from kanlab.symbolic import library

#: Total degrees in the inputs and y; y at most squared.
_DEGREES = (2, 3)
_SHARE, _MOST = 0.3, 130
_TERMS, _SMALL = 10, 1e-6


def quadratic(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose the root of a quadratic equation that holds exactly."""
    problem = pool.problem
    for degree in _DEGREES:
        chosen = exponents(problem.n_in + 1, degree)
        chosen = chosen[chosen[:, -1] <= 2]
        if len(chosen) > min(_MOST, _SHARE * problem.n):
            return
        search.clock.check()
        form = _root(problem, chosen)
        if form is not None:
            yield f"root of a quadratic equation {degree}", form
            return


def _root(problem: Problem, chosen: Int[Tensor, "k m"]) -> Form | None:
    rows = monomials(torch.cat([problem.x, problem.y[None]]), chosen)
    coef = null_vector(rows)
    if coef is None:
        return None
    size = coef.abs() * rows.abs().amax(-1)
    kept = size > _SMALL * size.max()
    if not bool(kept[chosen[:, -1] == 2].any()) or int(kept.sum()) > _TERMS:
        return None
    coef, chosen, rows = coef[kept], chosen[kept], rows[kept]
    branch = _branch(problem.y, chosen[:, -1], coef, rows)
    if branch is None:
        return None
    p, q, r = (polynomial_form(chosen[part, :-1], coef[part]) for part in (chosen[:, -1] == d for d in range(3)))
    inside = add([multiply([q, q]), multiply([p, r]).scaled(-4.0)])
    if not inside.terms:
        return None
    above = add([q.scaled(-1.0), call(library.get("sqrt"), inside).scaled(branch)])
    return multiply([above, power(r, -1.0)]).scaled(0.5) if r.terms else above.scaled(0.5 / r.constant)


def _branch(
    y: Float[Tensor, " n"], degree: Int[Tensor, " k"], coef: Float[Tensor, " k"], rows: Float[Tensor, "k n"]
) -> float | None:
    """Return the sign of the root, or None where it is not always the same."""
    slope = (degree * coef) @ rows / y  # the derivative of the equation by y
    sign = slope[y != 0].sign()
    return float(sign[0]) if len(sign) and bool((sign == sign[0]).all()) else None
