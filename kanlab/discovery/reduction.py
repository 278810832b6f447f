"""Smaller problems made exactly: inputs replaced by combinations of them, ``y`` divided by powers of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form, multiply, power, substitute, variable
from kanlab.discovery.problem import Problem


@dataclass(frozen=True)
class Reduction:
    """A smaller problem and how its formula becomes one of the larger.

    Attributes
    ----------
    text
        What was done.
    problem
        The smaller problem.
    inputs
        Its inputs as formulas of the larger one's.
    factor
        What its target was divided by, if it was.
    """

    text: str
    problem: Problem
    inputs: tuple[Form, ...]
    factor: Form | None = None

    def wrap(self, form: Form) -> Form:
        """Return the formula in the larger problem's inputs."""
        inner = substitute(form, self.inputs)
        return inner if self.factor is None else multiply([self.factor, inner])


def monomial(x: Float[Tensor, "n_in n"], exponents: Sequence[float]) -> Float[Tensor, " n"]:
    """Return ``prod_i x_i^p_i``; an input with exponent 0 may have any value."""
    result = torch.ones_like(x[0]) if len(x) else x.new_ones(x.shape[1:])
    for values, p in zip(x, exponents, strict=True):
        if p:
            result = result * values**p
    return result


def monomial_form(exponents: Sequence[float]) -> Form:
    """Return ``prod_i x_i^p_i``."""
    return multiply([power(variable(i), float(p)) for i, p in enumerate(exponents) if p])


def calm(x: Float[Tensor, "n_in n"], row: Sequence[int]) -> list[int]:
    """Return the exponents or their opposites, whichever product strays less."""
    size = monomial(x, row).abs()
    inverse = size.reciprocal()
    strays = [float(u.max() / u.median().clamp(min=1e-300)) for u in (size, inverse)]
    return [-p for p in row] if strays[1] < 0.5 * strays[0] else list(row)


def divided(
    text: str,
    problem: Problem,
    exponents: Sequence[float],
    x: Float[Tensor, "m n"] | None = None,
    inputs: Sequence[Form] | None = None,
) -> Reduction | None:
    """Return the problem for ``y / prod_i x_i^p_i``, perhaps in other inputs; None where that is not finite.

    Without other inputs, those that were divided by are gone.
    """
    signed = (problem.x < 0).any(-1).tolist()
    if any(negative and not float(p).is_integer() for negative, p in zip(signed, exponents, strict=True)):
        return None
    factor = monomial(problem.x, exponents)
    if x is None or inputs is None:
        rest = [i for i, p in enumerate(exponents) if not p]
        x, inputs = problem.x[rest], [variable(i) for i in rest]
    if not bool(x.isfinite().all()) or not bool((1 / factor).isfinite().all()):
        return None
    small = problem.mapped(problem.y / factor, 1 / factor).with_inputs(x)
    return Reduction(text, small, tuple(inputs), monomial_form(exponents) if any(exponents) else None)


def rounded(p: float, tol: float = 0.12) -> float | None:
    """Return the nearest whole number, half, third or quarter within ``tol`` of the distance between such, or None."""
    for parts in (1, 2, 3, 4):
        nearest = round(p * parts) / parts
        if abs(p - nearest) < tol / parts:
            return nearest
    return None
