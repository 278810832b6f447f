"""From a fitted form to a formula people read: its numbers snapped, its length measured."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import sympy
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.clock import Clock
from kanlab.discovery.expression import to_sympy
from kanlab.discovery.pool import EXACT, Candidate, Pool
from kanlab.discovery.rewrite import rewritten
from kanlab.discovery.simplify import shortened, simplified
from kanlab.discovery.snapping import snap
from kanlab.discovery.target import Target
from kanlab.symbolic.constants import exactly, nearest
from kanlab.symbolic.formula import count_parts

#: Bits for each part of a formula.
_PART = 2.0
#: Candidates that are finished.
_MOST = 8
#: With noise, rivals are those within this factor of the least error.
_BAND = 1.05
#: Of the time for finishing, what simplification may take.
_SIMPLIFYING = 0.6
#: An exact formula costing more than this may hide a simpler one.
_LONG = 14.0


def shortlist(pool: Pool, clock: Clock, count: int = _MOST) -> list[Candidate]:
    """Choose what to finish: what is best by description length or next to it, and the front of error against cost."""
    front: list[Candidate] = []
    for candidate in sorted(pool.candidates, key=lambda c: (c.cost, c.error)):
        if not front or max(candidate.error, EXACT) < 0.99 * front[-1].error:
            front.append(candidate)
    front = front[::-1][:count]
    if pool.error <= EXACT:
        return [simplified(pool, c, clock) if c.error <= EXACT and c.cost > _LONG else c for c in front]
    least = _BAND * pool.error
    rivals: list[Candidate] = []
    for candidate in sorted(pool.candidates, key=pool.score):
        alike = (other for other in [*front, *rivals] if other.cost == candidate.cost)
        if candidate.error < least and not any(math.isclose(o.error, candidate.error, rel_tol=1e-6) for o in alike):
            rivals.append(candidate)
    simple = [simplified(pool, candidate, clock) for candidate in rivals[:count]]
    best = min([*simple, *front], key=pool.score)
    return [*simple, *front, *shortened(pool, best, clock)]


@dataclass(frozen=True)
class Part:
    """A finished formula for one output, and its description length in bits: of the errors, and of itself."""

    expr: sympy.Expr
    parts: int
    bits: float
    origin: str


def finished(
    pool: Pool,
    x: Float[Tensor, "n_in n"],
    target: Target,
    variables: tuple[sympy.Symbol, ...],
    seconds: float,
) -> list[Part]:
    """Finish what was found for one output: one formula in any case, others while there is time."""
    clock = Clock(seconds)
    with clock.share(_SIMPLIFYING):
        candidates = shortlist(pool, clock)
    parts: list[Part] = []
    for candidate in candidates:
        if parts and clock.left < 0:
            break
        parts.append(_part(candidate, x, target, variables, clock))
    return parts


def _part(
    candidate: Candidate,
    x: Float[Tensor, "n_in n"],
    target: Target,
    variables: tuple[sympy.Symbol, ...],
    clock: Clock,
) -> Part:
    """Read a candidate's numbers on the training rows, write it out and measure it."""
    form = target.fitted(candidate.form, x)
    snapped = snap(form, x, target.response(form, x), target.weights(form, x), clock=clock)
    expr = to_sympy(snapped.form, variables, say)
    expr = rewritten(expr, variables, x, clock) if clock.left > 0 else expr
    parts = count_parts(expr)
    return Part(expr, parts, target.bits(snapped.form, x) + _PART * parts + snapped.bits, candidate.origin)


@functools.lru_cache(maxsize=1024)
def say(value: float) -> sympy.Expr:
    """Write a number: as the constant that it is to the last bit, or as it stands."""
    exact = [constant for constant in nearest(value, 1e-15, abs_tol=0.0) if constant.value == value]
    other = None if exact else exactly(value, 1e-15)
    exact += [other] if other is not None and other.value == value else []
    return exact[0].expr if exact else sympy.Float(value)
