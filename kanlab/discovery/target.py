r"""What one output is to be: numbers, or the log odds of a class.

Numbers are fitted by least squares. Log odds are not in the data: a first estimate of them is what the search is asked
for, and every formula it finds is then fitted to the labels themselves. Both are least squares in the end, the second
on a working response that depends on where one is (iteratively reweighted: McCullagh & Nelder 1989, sec. 2.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form
from kanlab.discovery.pool import EXACT
from kanlab.discovery.problem import Problem, scaled
from kanlab.discovery.program import Program
from kanlab.discovery.refit import refit
from kanlab.discovery.splines import Splines, solve
from kanlab.discovery.surrogate import chebyshev_design

#: Log odds are kept within this: beyond it the labels say nothing more.
_FAR = 8.0
_ROUNDS = 12
#: Splines and mixed terms of the first estimate, and the ridges tried on it.
_GRID, _MIXED = 3, 20
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
#: Relative error that the first estimate may have.
_ROUGH = 0.1


class Target(Protocol):
    """One output as the search and the finish see it."""

    def problem(self, x: Float[Tensor, "n_in n"]) -> Problem:
        """Return what to search."""
        ...

    def fitted(self, form: Form, x: Float[Tensor, "n_in n"]) -> Form:
        """Return the form with its numbers fitted to the labels."""
        ...

    def response(self, form: Form, x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"]:
        """Return what least squares is to reach near the form."""
        ...

    def weights(self, form: Form, x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"] | None:
        """Return the weights of its errors."""
        ...

    def bits(self, form: Form, x: Float[Tensor, "n_in n"]) -> float:
        """Return the description length of the labels, given the form."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Numbers to fit, ``[n]``."""

    y: Float[Tensor, " n"]

    def problem(self, x: Float[Tensor, "n_in n"]) -> Problem:
        """Return the question for the numbers themselves."""
        return Problem.of(x, self.y[: x.shape[-1]])

    def fitted(self, form: Form, x: Float[Tensor, "n_in n"]) -> Form:
        """Return the form: reading its numbers fits them."""
        return form

    def response(self, form: Form, x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"]:
        """Return the numbers."""
        return self.y

    def weights(self, form: Form, x: Float[Tensor, "n_in n"]) -> None:
        """Return none: all rows count alike."""

    def bits(self, form: Form, x: Float[Tensor, "n_in n"]) -> float:
        """Return ``n log2(error / spread)``, the error no smaller than what counts as none."""
        program = Program(form)
        error = float((program(program.start, x) - self.y).square().mean().sqrt())
        spread = float(self.y.std(correction=0)) or 1.0
        return len(self.y) * math.log2(max(error / spread, EXACT)) if math.isfinite(error) else math.inf


@dataclass(frozen=True)
class LogOdds:
    """Log odds of a class against the first one, from the rows of the two: ``among`` says which, ``label`` 1 or 0."""

    label: Float[Tensor, " n"]
    among: Float[Tensor, " n"]

    def problem(self, x: Float[Tensor, "n_in n"]) -> Problem:
        """Return the question for a first estimate of the log odds."""
        rows = self.among[: x.shape[-1]] > 0
        x, label = x[:, rows], self.label[: len(rows)][rows]
        z = _first_estimate(x, label)
        p = z.sigmoid()
        problem = Problem(x, z, (p * (1 - p)).sqrt(), 1.0)
        return Problem(x, z, problem.w, problem.spread or 1.0, _ROUGH)

    def fitted(self, form: Form, x: Float[Tensor, "n_in n"]) -> Form:
        """Return the form with the numbers that make the labels likeliest, as far as steps lead there."""
        best, least = form, self.bits(form, x)
        for _ in range(_ROUNDS):
            step = refit(best, x, self.response(best, x), self.weights(best, x), steps=4).form
            bits = self.bits(step, x)
            if not bits < least - 1e-6:
                break
            best, least = step, bits
        return best

    def response(self, form: Form, x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"]:
        """Return ``f + (label - p) / (p (1 - p))``."""
        f = self._values(form, x)
        p = f.sigmoid()
        return f + (self.label - p) / (p * (1 - p))

    def weights(self, form: Form, x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"]:
        """Return the roots of ``p (1 - p)``; 0 for rows of other classes."""
        p = self._values(form, x).sigmoid()
        return (p * (1 - p)).sqrt() * self.among

    def bits(self, form: Form, x: Float[Tensor, "n_in n"]) -> float:
        """Return minus the binary logarithm of the labels' probability."""
        program = Program(form)
        f = program(program.start, x)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(f, self.label, self.among, reduction="sum")
        return float(loss) / math.log(2) if bool(f.isfinite().all()) else math.inf

    def _values(self, form: Form, x: Float[Tensor, "n_in n"]) -> Float[Tensor, " n"]:
        program = Program(form)
        return program(program.start, x).clamp(-_FAR, _FAR)


def _first_estimate(x: Float[Tensor, "n_in n"], label: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Return log odds from splines of each input and a few mixed terms, the ridge chosen on rows held out."""
    rows = torch.cat([Splines(x, _GRID).rows[:, :-1].flatten(0, 1), chebyshev_design(scaled(x), _MIXED)])
    held_out = torch.arange(len(label)) % 4 == 3
    found = []
    for ridge in _RIDGES:
        coef = _logistic(rows[:, ~held_out], label[~held_out], ridge)
        f = (coef @ rows).clamp(-_FAR, _FAR)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(f[held_out], label[held_out])
        found.append((float(loss), ridge))
    coef = _logistic(rows, label, min(found)[1])
    return (coef @ rows).clamp(-_FAR, _FAR)


def _logistic(rows: Float[Tensor, "k n"], label: Float[Tensor, " n"], ridge: float) -> Float[Tensor, " k"]:
    """Return the coefficients of a logistic regression with a ridge, by reweighted least squares."""
    k = len(rows)
    pull = math.sqrt(ridge) * torch.eye(k, dtype=rows.dtype)
    design, zeros = torch.cat([rows, pull], -1), rows.new_zeros(k)
    coef = zeros
    for _ in range(_ROUNDS):
        f = (coef @ rows).clamp(-_FAR, _FAR)
        p = f.sigmoid()
        spread = p * (1 - p)
        response = torch.cat([f + (label - p) / spread, zeros])
        coef = solve(design, response, torch.cat([spread.sqrt(), torch.ones_like(zeros)]))
    return coef
