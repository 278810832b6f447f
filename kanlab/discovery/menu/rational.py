r"""``F(P(x) / Q(x))``: a ratio of polynomials is a null vector.

``theta(y) Q(x) = P(x)`` is linear in all coefficients, so they are the null vector of the columns
``[x^e, -theta(y) x^e]``: exactly one, if the degree is the least possible. Terms that are nothing in it are dropped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.discovery.expression import Form, add, call, multiply, number, power, substitute, variable
from kanlab.discovery.outer import OUTERS
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.solver import Solver
from kanlab.discovery.surrogate import exponents
from kanlab.symbolic import library

_OUTERS = ("x", "sqrt", "exp", "1/sqrt(x)", "x^2", "arccos", "arcsin", "tanh")
_DEGREES = (1, 2, 3)
#: Columns, as a part of the rows.
_SHARE, _MOST = 0.3, 170
#: Singular values below this, relative to the largest, are nothing.
_NOTHING = 1e-11
_TERMS, _SMALL = 12, 1e-6
#: Inputs whose range is an angle's may come as sine and cosine.
_ANGLE = (1.5, 13.0)


def rational(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose ratios of polynomials that fit exactly."""
    problem = pool.problem
    for x, inputs in _features(problem):
        for degree in _DEGREES:
            chosen = exponents(len(x), degree)
            if 2 * len(chosen) > min(_MOST, _SHARE * problem.n):
                break
            for outer in OUTERS:
                search.clock.check()
                mapped = outer.applied(problem) if outer.name in _OUTERS else None
                form = None if mapped is None else _ratio(mapped.with_inputs(x), chosen)
                if form is not None:
                    yield f"{outer.name}(ratio {degree})", outer.wrap(substitute(form, inputs), problem.y)


def _features(problem: Problem) -> Iterator[tuple[Float[Tensor, "m n"], list[Form]]]:
    """Return the inputs, and the inputs with angles replaced by their cosines and sines."""
    inputs = [variable(i) for i in range(problem.n_in)]
    yield problem.x, inputs
    for name in ("cos", "sin"):
        rows, forms, changed = [], [], False
        for x, form in zip(problem.x, inputs, strict=True):
            angle = _ANGLE[0] < float(x.max() - x.min()) < _ANGLE[1] and float(x.abs().max()) < _ANGLE[1]
            function = library.get(name if angle else "x")
            rows.append(function(x))
            forms.append(call(function, form))
            changed = changed or angle
        if changed:
            yield torch.stack(rows), forms


def _ratio(mapped: Problem, chosen: Int[Tensor, "k m"]) -> Form | None:
    rows = monomials(mapped.x, chosen)
    coef = null_vector(torch.cat([rows, -mapped.y * rows]))
    if coef is None:
        return None
    k = len(chosen)
    size = coef.abs() * torch.cat([rows, rows * mapped.y]).abs().amax(-1)
    kept = size > _SMALL * size.max()
    if not bool(kept[k:].any()) or int(kept.sum()) > _TERMS:
        return None
    above, below = (polynomial_form(chosen[part], c[part]) for part, c in ((kept[:k], coef[:k]), (kept[k:], coef[k:])))
    return multiply([above, power(below, -1.0)]) if below.terms else above.scaled(1 / below.constant)


def monomials(x: Float[Tensor, "m n"], chosen: Int[Tensor, "k m"]) -> Float[Tensor, "k n"]:
    """Return the products of powers with these exponents."""
    powers = torch.stack([x**p for p in range(int(chosen.max()) + 1)], 1)
    parts = [powers[i, chosen[:, i]] for i in range(len(x))]
    return math.prod(parts[1:], start=parts[0])


def null_vector(columns: Float[Tensor, "k n"]) -> Float[Tensor, " k"] | None:
    """Return the one combination of columns that is nothing on all rows, or None if there is none or more than one."""
    # Rows of any size count alike: near a pole they are all large.
    columns = columns / columns.norm(dim=0).clamp(min=1e-300)
    unit = columns.norm(dim=-1, keepdim=True).clamp(min=1e-300)
    _, size, vectors = torch.linalg.svd((columns / unit).T, full_matrices=False)
    if not (float(size[-1]) < _NOTHING * float(size[0]) and float(size[-2]) > 1e3 * _NOTHING * float(size[0])):
        return None
    return vectors[-1] / unit[:, 0]


def polynomial_form(chosen: Int[Tensor, "k m"], coef: Float[Tensor, " k"]) -> Form:
    """Return the sum of products of powers."""
    terms = [
        multiply([number(c), *(power(variable(i), float(p)) for i, p in enumerate(row) if p)])
        for row, c in zip(chosen.tolist(), coef.tolist(), strict=True)
    ]
    return add(terms)
