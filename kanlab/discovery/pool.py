"""The formulas found for one problem, each with all its numbers fitted together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from kanlab.discovery.expression import Call, Form, Input, Term
from kanlab.discovery.problem import Problem
from kanlab.discovery.program import Program
from kanlab.discovery.refit import refit

#: Relative error that counts as none.
EXACT = 1e-9
#: How near to the problem's floor is at the floor.
_AT_FLOOR = 1.05
#: Steps of a first fit, and of one that is worth more.
_STEPS, _MORE = 40, 120
#: A fit this good is worth more steps.
_PROMISING = 1e-3
#: What a free number costs.
_NUMBER = 0.4
#: What a unit of cost is worth, in nats.
_PRICE = 3.0


@dataclass(frozen=True)
class Candidate:
    """A fitted formula.

    Attributes
    ----------
    form
        The formula of the problem's inputs.
    error
        Its relative root mean squared error on all rows.
    cost
        See `size`.
    origin
        The shape it came from.
    """

    form: Form
    error: float
    cost: float
    origin: str


@dataclass
class Pool:
    """Fits what is proposed for a problem, and keeps it."""

    problem: Problem
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def enough(self) -> float:
        """The relative error at which a formula is as good as can be told."""
        return max(EXACT, _AT_FLOOR * self.problem.floor)

    def add(self, form: Form, origin: str) -> Candidate | None:
        """Fit a proposal and keep it; None if it is not finite on the data."""
        candidate = self.fit(form, origin)
        if candidate is not None:
            self.candidates.append(candidate)
        return candidate

    def fit(self, form: Form, origin: str) -> Candidate | None:
        """Fit all numbers of a form together; None if it is not finite on the data."""
        problem = self.problem
        enough = 1e-15 * problem.scale
        w = problem.w if problem.is_weighted else None
        fitted = refit(form, problem.x, problem.y, w, steps=_STEPS, enough=enough)
        if self.enough * problem.scale < fitted.rmse < _PROMISING * problem.scale:
            fitted = refit(fitted.form, problem.x, problem.y, w, steps=_MORE, enough=enough)
        if not math.isfinite(fitted.rmse):
            return None
        return Candidate(fitted.form, fitted.rmse / problem.scale, size(fitted.form), origin)

    @property
    def error(self) -> float:
        """The smallest error so far."""
        return min((candidate.error for candidate in self.candidates), default=math.inf)

    @property
    def done(self) -> bool:
        """Whether a formula is as good as can be told."""
        return any(candidate.error <= self.enough for candidate in self.candidates)

    def best(self, count: int) -> list[Candidate]:
        """Return the best few, weighing error against cost."""
        return sorted(self.candidates, key=self.score)[:count]

    def score(self, candidate: Candidate) -> float:
        """Return a description length in nats: of the errors, and of the formula."""
        floor = max(self.problem.floor, EXACT)
        return self.problem.n * math.log(math.hypot(candidate.error, floor)) + _PRICE * candidate.cost


def size(form: Form) -> float:
    """Return the cost of a formula: of its functions, its inputs, what joins them, and its free numbers."""
    return _size(form) + _NUMBER * Program(form).size


def _size(form: Form) -> float:
    return sum(map(_term_size, form.terms)) + 0.7 * max(0, len(form.terms) - 1)


def _term_size(term: Term) -> float:
    if isinstance(term, Input):
        return 1.0
    if isinstance(term, Call):
        return term.function.complexity + _size(term.inner)
    return sum(map(_size, term.factors)) + 0.5 * (len(term.factors) - 1)
