"""Simpler formulas that fit as well: functions replaced by simpler ones, terms and factors left out.

With noise a formula may imitate another, ``sin(0.07 x)`` an ``x``. Each change is followed by a fit of all numbers and
stays if the description length falls.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.clock import Clock, OutOfTimeError
from kanlab.discovery.expression import Call, Form, Input, Term, add, call, multiply, number
from kanlab.discovery.naming import Curve, edge_functions, named
from kanlab.discovery.pool import Candidate, Pool
from kanlab.discovery.program import Program
from kanlab.discovery.splines import POINTS

#: What a function may become.
_SIMPLE = ("x", "x^2", "1/x", "sqrt", "exp", "log", "sin")
#: Names tried for one function.
_NAMES = 2
_ROUNDS = 6


def simplified(pool: Pool, candidate: Candidate, clock: Clock) -> Candidate:
    """Return the candidate after all changes that shorten its description, as far as time allows."""
    with contextlib.suppress(OutOfTimeError):
        for _ in range(_ROUNDS):
            better = _better(pool, candidate, clock)
            if better is None:
                break
            candidate = better
    return candidate


def shortened(pool: Pool, candidate: Candidate, clock: Clock) -> list[Candidate]:
    """Return what is left of a sum when its terms go one by one, the least missed first, as far as time allows."""
    found: list[Candidate] = []
    with contextlib.suppress(OutOfTimeError):
        while len(candidate.form.terms) > 1:
            trials = []
            for form in _without_a_term(candidate.form):
                clock.check()
                trials.append(pool.fit(form, candidate.origin))
            left = [trial for trial in trials if trial is not None and trial.form.terms]
            if not left:
                break
            candidate = min(left, key=lambda trial: trial.error)
            found.append(candidate)
    return found


def _better(pool: Pool, candidate: Candidate, clock: Clock) -> Candidate | None:
    for form in _changes(candidate.form, pool.problem.x):
        clock.check()
        trial = pool.fit(form, candidate.origin)
        if trial is not None and pool.score(trial) < pool.score(candidate) - 1e-9:
            return trial
    return None


def _changes(form: Form, x: Float[Tensor, "n_in n"]) -> Iterator[Form]:
    """Yield the form with one part left out or replaced."""
    yield from _without_a_term(form)
    for position, term in enumerate(form.terms):

        def put(new: Form, position: int = position) -> Form:
            rest = [
                Form((other,), (weight,))
                for m, (other, weight) in enumerate(zip(form.terms, form.weights, strict=True))
                if m != position
            ]
            return add([*rest, new.scaled(form.weights[position]), number(form.constant)])

        for change in _term_changes(term, x):
            yield put(change)


def _without_a_term(form: Form) -> Iterator[Form]:
    if len(form.terms) > 1:
        for position in range(len(form.terms)):
            terms = form.terms[:position] + form.terms[position + 1 :]
            weights = form.weights[:position] + form.weights[position + 1 :]
            yield Form(terms, weights, form.constant)
    if form.terms and form.constant:
        yield Form(form.terms, form.weights)


def _term_changes(term: Term, x: Float[Tensor, "n_in n"]) -> Iterator[Form]:
    if isinstance(term, Input):
        return
    if isinstance(term, Call):
        yield from _other_names(term, x)
        for inner in _changes(term.inner, x):
            if inner.terms:
                yield call(term.function, inner)
        return
    for position, factor in enumerate(term.factors):
        others = [other for m, other in enumerate(term.factors) if m != position]
        yield multiply(others)
        for change in _changes(factor, x):
            if change.terms:
                yield multiply([*others, change])


def _other_names(term: Call, x: Float[Tensor, "n_in n"]) -> Iterator[Form]:
    """Yield simpler functions that have nearly the same curve where the inner values are."""
    u, y = _values(term.inner, x), _values(Form((term,), (1.0,)), x)
    if not bool(u.isfinite().all() and y.isfinite().all()) or float(u.max() - u.min()) == 0:
        return
    points = torch.linspace(0, 1, POINTS, dtype=u.dtype)
    at = torch.lerp(u.min(), u.max(), points)
    values = term.function(at)
    if not bool(values.isfinite().all()):
        return
    functions = tuple(f for f in edge_functions(_SIMPLE) if f.complexity <= term.function.complexity)
    functions = tuple(f for f in functions if f is not term.function)
    if functions:
        for name in named([Curve(at, values, 0.02)], functions, _NAMES)[0]:
            yield name.of(term.inner)


def _values(form: Form, x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"]:
    program = Program(form)
    return program(program.start, x)
