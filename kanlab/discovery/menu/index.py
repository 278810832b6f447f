r"""``y = g(u)`` with ``u`` a product of powers or a sum of all inputs: one combination decides everything.

Whether it does shows without knowing ``g``: sort the rows by ``u``, and neighbours have nearly the same ``y`` (von
Neumann's ratio of the mean squared difference of neighbours to the variance is near 0 instead of 2). All combinations
with small whole numbers are tried, so ``g`` may oscillate as it likes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form, add, variable
from kanlab.discovery.lattice import small_vectors
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.reduction import Reduction, calm, monomial, monomial_form
from kanlab.discovery.solver import Solver

#: The ratio below which neighbours agree, and how much better than the typical combination that must be.
_AGREE, _BETTER = 0.2, 0.25
_LARGEST, _MOST_INPUTS, _CHUNK = 2, 6, 512
_DEEPEST = 5
_TRIED = 2


def index(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas of a single combination of all inputs."""
    problem = pool.problem
    if not 2 <= problem.n_in <= _MOST_INPUTS or depth > _DEEPEST:
        return
    vectors = small_vectors(problem.n_in, _LARGEST)
    vectors = vectors[(vectors != 0).sum(-1) > 1]
    found: list[tuple[float, Reduction]] = []
    if bool((problem.x != 0).all()):
        found += _best(problem, vectors, problem.x.abs().log(), "product")
    found += _best(problem, vectors, problem.x, "sum")
    for _, reduction in sorted(found, key=lambda item: item[0])[:_TRIED]:
        search.clock.check()
        for candidate in search.solve(reduction.problem, depth + 1):
            yield f"{reduction.text}>{candidate.origin}", reduction.wrap(candidate.form)


def _best(problem: Problem, vectors: Tensor, x: Float[Tensor, "n_in n"], text: str) -> list[tuple[float, Reduction]]:
    ratios = torch.cat([_ratios(part.to(x.dtype) @ x, problem) for part in vectors.split(_CHUNK)])
    place = int(ratios.argmin())
    ratio, usual = float(ratios[place]), float(ratios.median())
    if not ratio < min(_AGREE, _BETTER * usual):
        return []
    row = calm(problem.x, vectors[place].tolist()) if text == "product" else vectors[place].tolist()
    if text == "product":
        u, inner = monomial(problem.x, row), monomial_form(row)
    else:
        u, inner = (
            vectors[place].to(x.dtype) @ problem.x,
            add([variable(i).scaled(float(a)) for i, a in enumerate(row)]),
        )
    if not bool(u.isfinite().all()):
        return []
    return [(ratio, Reduction(f"g({text})", problem.with_inputs(u[None]), (inner,)))]


def _ratios(u: Float[Tensor, "vector n"], problem: Problem) -> Float[Tensor, " vector"]:
    """Return von Neumann's ratio of ``y`` in the order of each ``u``."""
    y = problem.y * problem.w if problem.is_weighted else problem.y
    return y[u.argsort(-1)].diff(dim=-1).square().mean(-1) / y.var().clamp(min=1e-300)
