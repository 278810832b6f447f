r"""``y = x_i^p H(rest)``: powers of single inputs, found where the function is still too rough to be differentiated.

``log |y|`` is fitted by ``p log x_i`` and a polynomial in the other inputs. If ``x_i`` is separate, that judges no
worse than a polynomial in all inputs, and ``p``, averaged over all rows, is near a simple number. All such inputs are
divided out at once, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem, scaled
from kanlab.discovery.reduction import divided, rounded
from kanlab.discovery.solver import Solver
from kanlab.discovery.splines import solve
from kanlab.discovery.surrogate import chebyshev_design

#: Coefficients of the polynomials, as a part of the rows.
_SHARE, _MOST = 0.25, 220
#: An input is separate if the fit without the others' help is no worse than this.
_AS_GOOD = 1.08
#: How near to a simple number an exponent must be: in standard errors, and at all.
_BARS, _NEAR = 3.0, 0.1
#: An exponent less certain than this is no finding.
_SURE = 0.03
_DEEPEST = 5
#: Where a smooth stand-in is better than this, its gradient tells more.
_SMOOTH = 0.02


def peel(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose formulas of what is left when separate powers have been divided out."""
    problem = pool.problem
    if problem.n_in < 2 or depth > _DEEPEST or problem.n < 60 or search.surrogate(problem).error < _SMOOTH:
        return
    exponents = _exponents(problem)
    if not any(exponents):
        return
    reduction = divided("peeled", problem, exponents)
    if reduction is None:
        return
    for candidate in search.solve(reduction.problem, depth + 1):
        yield f"peeled>{candidate.origin}", reduction.wrap(candidate.form)


def _exponents(problem: Problem) -> list[float]:
    size = problem.y.abs()
    usual = float(size.median()) or 1.0
    z = (size + 1e-12 * usual).log()
    # A zero of y is no matter of powers: near it the logarithm says little.
    w = (size / (size + 0.1 * usual)).sqrt()
    logs = problem.x[(problem.x != 0).all(-1)].abs().log()
    full = _held_out(problem, z, w, torch.cat([chebyshev_design(scaled(problem.x), _most(problem)), logs]))[0]
    found = []
    for i, x in enumerate(problem.x):
        p = 0.0
        if bool((x != 0).all()):
            rest = [j for j in range(problem.n_in) if j != i]
            own = x.abs().log()[None]
            others = logs[(logs != own).any(-1)]
            design = torch.cat([chebyshev_design(scaled(problem.x[rest]), _most(problem)), others, own])
            error, slope, bar = _held_out(problem, z, w, design)
            near = rounded(slope, min(_NEAR, 0.02 + _BARS * bar)) if bar < _SURE else None
            p = near if error < _AS_GOOD * full and near is not None else 0.0
        found.append(p)
    if all(found):  # a product of powers alone leaves nothing: other shapes find that
        found[found.index(min(found, key=abs))] = 0.0
    return found


def _most(problem: Problem) -> int:
    return min(_MOST, int(_SHARE * problem.n))


def _held_out(problem: Problem, z: Tensor, w: Tensor, design: Float[Tensor, "k n"]) -> tuple[float, float, float]:
    """Return the held-out error, and the last coefficient with its standard error."""
    part, rest = problem.fitted, problem.judging
    coef = solve(design[:, part], z[part], w[part])
    residual = (coef @ design - z) * w
    error = float(residual[rest].square().mean().sqrt())
    own = design[-1, part] * w[part]
    bar = error / max(float((own - own.mean()).norm()), 1e-300)
    return error, float(coef[-1]), bar
