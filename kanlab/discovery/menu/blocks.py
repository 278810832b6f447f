r"""``F(A(x_1, x_2) + B(x_3))`` and ``F(A B)``: groups of inputs that do not interact.

A polynomial for ``theta(y)`` shows which inputs interact: its mixed terms. Groups without any between them are fitted
apart and are problems of their own. One is solved first, on the values of its fit; its numbers are read, and what is
left for the others is then exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.clock import Clock
from kanlab.discovery.expression import Form, add, multiply, substitute, variable
from kanlab.discovery.outer import OUTERS, Outer
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem, scaled
from kanlab.discovery.program import Program
from kanlab.discovery.snapping import snap
from kanlab.discovery.solver import Solver
from kanlab.discovery.splines import solve
from kanlab.discovery.surrogate import chebyshev_design, exponents, highest_degree

_OUTERS = ("x", "sqrt", "exp", "1/x", "1/sqrt(x)", "x^2", "log")
#: The interaction of two inputs counts if it is larger than the error by one of these.
_ABOVE = (3.0, 10.0, 50.0)
_WORST, _AT_NOISE, _DEEPEST, _MOST_INPUTS = 0.08, 1.3, 4, 8
#: Coefficients of one group's polynomial.
_SHARE, _MOST = 0.3, 130
_TRIED = 3
#: Of the time that is left, for a group on fitted values.
_SHARE_OF_TIME = 0.2


@dataclass(frozen=True)
class _Split:
    """Groups of inputs that do not interact in ``theta(y)``, and how well that fits."""

    outer: Outer
    mapped: Problem
    groups: tuple[tuple[int, ...], ...]
    parts: tuple[Float[Tensor, " n"], ...]
    error: float


def blocks(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose sums and products of formulas of fewer inputs."""
    problem = pool.problem
    if not 3 <= problem.n_in <= _MOST_INPUTS or depth > _DEEPEST:
        return
    worst = max(_WORST, _AT_NOISE * search.surrogate(problem).error)
    splits = sorted(
        _splits(problem, worst, search.clock), key=lambda split: (split.error > 1e-6, _size(split), split.outer.cost)
    )
    for split in splits[:_TRIED]:
        search.clock.check()
        for form in _solved(split, search, depth):
            if split.outer.name == "exp":
                yield "product of blocks", form.scaled(split.outer.sign(problem.y) or 1.0)
            else:
                yield f"{split.outer.name}(sum of blocks)", split.outer.wrap(form, problem.y)


def _size(split: _Split) -> int:
    return max(map(len, split.groups))


def _splits(problem: Problem, worst: float, clock: Clock) -> Iterator[_Split]:
    degree = min(5, highest_degree(problem.n_in, problem.fitted.stop))
    if degree < 2:
        return
    most = len(exponents(problem.n_in, degree))
    design = chebyshev_design(scaled(problem.x), most)
    chosen = exponents(problem.n_in, degree)
    seen = set()
    for outer in OUTERS:
        mapped = outer.applied(problem) if outer.name in _OUTERS else None
        if mapped is None:
            continue
        clock.check()
        part = problem.fitted
        coef = solve(design[:, part], mapped.y[part], mapped.w[part])
        error = mapped.relative(coef @ design - mapped.y, problem.judging)
        if error > 3 * worst:
            continue
        mixed = _interactions(mapped, design, coef, chosen)
        for above in _ABOVE:
            groups = _groups(mixed > above * max(error, 1e-10))
            if len(groups) > 1 and (outer.name, groups) not in seen and any(len(g) > 1 for g in groups):
                seen.add((outer.name, groups))
                split = _fitted(problem, outer, mapped, groups)
                if split.error < min(worst, max(2 * error, 1e-8)):
                    yield split
                    break


def _interactions(mapped: Problem, design: Tensor, coef: Tensor, chosen: Tensor) -> Float[Tensor, "n_in n_in"]:
    """Return the size of all mixed terms of each pair of inputs."""
    n_in = chosen.shape[1]
    mixed = design.new_zeros(n_in, n_in)
    for i, j in itertools.combinations(range(n_in), 2):
        both = (chosen[:, i] > 0) & (chosen[:, j] > 0)
        mixed[i, j] = mixed[j, i] = mapped.relative(coef[both] @ design[both])
    return mixed


def _groups(linked: Tensor) -> tuple[tuple[int, ...], ...]:
    """Return the connected groups of inputs."""
    rest, groups = set(range(len(linked))), []
    while rest:
        group, waiting = set(), [min(rest)]
        while waiting:
            i = waiting.pop()
            group.add(i)
            waiting += [j for j in rest if bool(linked[i, j]) and j not in group]
        rest -= group
        groups.append(tuple(sorted(group)))
    return tuple(groups)


def _fitted(problem: Problem, outer: Outer, mapped: Problem, groups: Sequence[tuple[int, ...]]) -> _Split:
    most = max(20, min(_MOST, int(_SHARE * problem.n / len(groups))))
    # The first of each design is the constant: one of them is enough.
    designs = [chebyshev_design(scaled(problem.x[list(group)]), most)[1:] for group in groups]
    design = torch.cat([torch.ones_like(problem.x[:1]), *designs])
    part = problem.fitted
    coef = solve(design[:, part], mapped.y[part], mapped.w[part])
    error = mapped.relative(coef @ design - mapped.y, problem.judging)
    parts, at = [], 1
    for rows in designs:
        parts.append(coef[at : at + len(rows)] @ rows)
        at += len(rows)
    parts[0] = parts[0] + coef[0]
    return _Split(outer, mapped, tuple(groups), tuple(parts), error)


def _solved(split: _Split, search: Solver, depth: int) -> Iterator[Form]:
    """Solve the easiest group on its fitted values, and the rest on what that leaves."""
    order = sorted(range(len(split.groups)), key=lambda g: (len(split.groups[g]), -float(split.parts[g].std())))
    first = order[0]
    product = split.outer.name == "exp"
    rest = [i for g in order[1:] for i in split.groups[g]]
    source = split.mapped if not product else _undone(split)
    values = split.parts[first].exp() if product else split.parts[first]
    weight = source.w * (source.y / values).abs() if product else source.w
    small = replace(source, x=source.x[list(split.groups[first])], y=values, w=weight, floor=3 * split.error)
    for candidate in search.solve(small, depth + 1, _SHARE_OF_TIME)[:2]:
        search.clock.check()
        own = snap(candidate.form, small.x, small.y, clock=search.clock).form
        at = Program(own)
        known = at(at.start, small.x)
        left = source.mapped(source.y / known, 1 / known) if product else replace(source, y=source.y - known)
        left = replace(left.with_inputs(source.x[rest]), floor=max(candidate.error * 0.1, split.mapped.floor))
        outside = substitute(own, [variable(i) for i in split.groups[first]])
        for other in search.solve(left, depth + 1)[:2]:
            inside = substitute(other.form, [variable(i) for i in rest])
            yield multiply([outside, inside]) if product else add([outside, inside])


def _undone(split: _Split) -> Problem:
    """Return the problem for ``|y|`` itself, of which the logarithm was a sum."""
    y = split.mapped.y.exp()
    return split.mapped.mapped(y, y)
