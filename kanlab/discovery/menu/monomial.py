r"""``F(c + k prod_i x_i^p_i)`` for positive inputs: exponents are numbers like others, fitted with them.

They start from the slopes of ``log |theta(y) - c|`` in ``log x_i`` for a few ``c``.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from kanlab.discovery.expression import Form, add, call, number, variable
from kanlab.discovery.outer import OUTERS
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.reduction import monomial_form, rounded
from kanlab.discovery.solver import Solver
from kanlab.discovery.splines import solve
from kanlab.symbolic import library

_OUTERS = ("x", "sqrt", "exp", "1/x", "1/sqrt(x)", "x^2", "log", "tanh", "sin", "arcsin")
#: Relative error of the fit in logarithms above which a start is not worth fitting.
_WORST = 0.7


def monomial_with_offset(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose products of powers with an offset under each outer function."""
    problem = pool.problem
    if problem.n_in < 2 or not bool((problem.x > 0).all()):
        return
    for outer in OUTERS:
        mapped = outer.applied(problem) if outer.name in _OUTERS else None
        if mapped is None:
            continue
        for offset in _offsets(mapped.y):
            fit = _slopes(mapped, offset)
            if fit is None:
                continue
            sign, size, exponents = fit
            nearest = [rounded(p, 0.35) for p in exponents]
            simple = [p if p is not None else q for p, q in zip(nearest, exponents, strict=True)]
            for form in (monomial_form(simple), _free(exponents)):
                inner = add([form.scaled(sign * size), number(offset or 1e-9 * size)])
                yield f"{outer.name}(powers + c)", outer.wrap(inner, problem.y)


def _offsets(z: Tensor) -> list[float]:
    """Return constants that may have been added: none, one, and the ends of the range."""
    low, high = float(z.min()), float(z.max())
    step = 1e-3 * (high - low)
    return [c for c in (0.0, 1.0, low - step, high + step) if not low < c < high]


def _slopes(mapped: Problem, offset: float) -> tuple[float, float, list[float]] | None:
    """Return the sign, the factor and the exponents of ``theta(y) - offset``."""
    rest = mapped.y - offset
    sign = 1.0 if float(rest.median()) > 0 else -1.0
    rest = sign * rest
    if not bool((rest > 0).all()):
        return None
    z = rest.log()
    rows = torch.cat([mapped.x.log(), torch.ones_like(mapped.x[:1])])
    coef = solve(rows, z, rest / (rest + rest.median()))
    lost = (coef @ rows - z).square().mean() / z.var().clamp(min=1e-300)
    if float(lost) > _WORST**2:
        return None
    return sign, float(coef[-1].exp()), coef[:-1].tolist()


def _free(exponents: list[float]) -> Form:
    """Return the product of powers with free exponents."""
    logs = [call(library.get("log"), variable(i)).scaled(p) for i, p in enumerate(exponents)]
    return call(library.get("exp"), add(logs))
