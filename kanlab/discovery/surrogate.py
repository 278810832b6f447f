r"""Smooth stand-ins for the unknown function, good enough to be differentiated.

Two kinds, of several outer functions' ``theta(y)`` each: polynomials of a total degree, in the inputs or in their
logarithms, and Gaussian kernels. The one that judges best on rows it was not fitted on is taken. Its gradient shows
what the function does not depend on: see `kanlab.discovery.menu.symmetry`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.discovery.clock import Clock
from kanlab.discovery.outer import OUTERS
from kanlab.discovery.problem import Problem, scaled
from kanlab.discovery.splines import solve

#: Coefficients of a polynomial: at most this part of the rows, and this many.
_SHARE, _MOST = 0.4, 330
_HIGHEST = 14
#: Inputs that stay above this part of their largest value may be replaced by their logarithms alone.
_MILD = 0.05
#: The inputs in coordinates of size 1, and the derivatives of these by the inputs.
_Coordinates = tuple[Tensor, Tensor]
#: Outer functions whose ``theta(y)`` may be the smoother one.
_SMOOTHER = ("x", "exp", "sqrt", "1/x", "1/sqrt(x)", "x^2")
#: Widths of the Gaussian kernels, in units of the root of the number of inputs, and ridges.
_WIDTHS, _RIDGES = (0.35, 0.7, 1.4), (1e-11, 1e-5)
_ROWS = 900
#: A polynomial this good needs no rival.
_GOOD = 1e-6


@dataclass(frozen=True)
class Surrogate:
    """A fitted stand-in.

    Attributes
    ----------
    error
        Relative error on rows it was not fitted on; see `Problem.typical`.
    slopes
        The gradient of ``y`` by the inputs, at every row.
    """

    error: float
    slopes: Float[Tensor, "n_in n"]


@dataclass(frozen=True)
class _Target:
    """The problem for ``theta(y)``, and the sign of ``theta'``."""

    mapped: Problem
    direction: float

    def error(self, values: Tensor) -> float:
        return self.mapped.typical(values - self.mapped.y, self.mapped.judging)

    def of_y(self, problem: Problem, slopes: Tensor) -> Tensor:
        """Turn the gradient of ``theta(y)`` into that of ``y``; the weights know ``|theta'|``."""
        return slopes * self.direction * (self.mapped.w / problem.w).nan_to_num(0.0, 0.0, 0.0)


def surrogate_of(problem: Problem, clock: Clock) -> Surrogate:
    """Return the best stand-in."""
    best = None
    for found in _all(problem, clock):
        best = found if best is None or found.error < best.error else best
        if best.error <= _GOOD:
            break
    if best is None:
        raise ValueError("a problem without inputs has no stand-in")
    return best


def is_fitted(problem: Problem, enough: float, clock: Clock) -> bool:
    """Say whether some stand-in has an error of at most ``enough``."""
    return problem.n_in == 0 or any(found.error <= enough for found in _all(problem, clock))


def _all(problem: Problem, clock: Clock) -> Iterator[Surrogate]:
    """Yield stand-ins, the cheap ones first."""
    targets = [
        _Target(mapped, outer.direction(problem.y))
        for outer in OUTERS
        if outer.name in _SMOOTHER and (mapped := outer.applied(problem)) is not None
    ]
    coordinates = _coordinates(problem)
    degree = highest_degree(problem.n_in, problem.fitted.stop)
    for t, inner in coordinates:
        clock.check()
        yield _polynomial(problem, targets, t, inner, degree)
    for t, inner in coordinates[:2]:
        for found in _kernels(problem, targets, t, inner):
            clock.check()
            yield found


def highest_degree(n_in: int, rows: int) -> int:
    """Return the highest total degree whose coefficients the rows determine."""
    most = min(_MOST, int(_SHARE * rows))
    return max((d for d in range(1, _HIGHEST + 1) if math.comb(n_in + d, d) <= most), default=1)


def exponents(n_in: int, degree: int) -> Int[Tensor, "k n_in"]:
    """Return the exponents of all monomials up to a total degree, by degree."""
    found = [e for e in itertools.product(range(degree + 1), repeat=n_in) if sum(e) <= degree]
    return torch.tensor(sorted(found, key=sum))


def chebyshev_design(t: Float[Tensor, "n_in n"], most: int) -> Float[Tensor, "k n"]:
    """Return the products of Chebyshev polynomials of the highest total degree that gives at most ``most``."""
    degree = max((d for d in range(1, _HIGHEST + 1) if math.comb(len(t) + d, d) <= most), default=1)
    return _design(t, degree)[0]


def _design(t: Float[Tensor, "n_in n"], degree: int) -> tuple[Float[Tensor, "k n"], Float[Tensor, "n_in k n"]]:
    """Return products of Chebyshev polynomials, and their derivatives by each input."""
    values, slopes = [torch.ones_like(t), t], [torch.zeros_like(t), torch.ones_like(t)]
    for _ in range(degree - 1):
        values.append(2 * t * values[-1] - values[-2])
        slopes.append(2 * values[-2] + 2 * t * slopes[-1] - slopes[-2])
    value, slope = torch.stack(values, 1), torch.stack(slopes, 1)
    chosen = exponents(len(t), degree)
    parts = [value[i, chosen[:, i]] for i in range(len(t))]
    design = math.prod(parts[1:], start=parts[0])
    by_input = []
    for i in range(len(t)):
        others = [part for j, part in enumerate(parts) if j != i]
        by_input.append(math.prod(others, start=slope[i, chosen[:, i]]))
    return design, torch.stack(by_input)


def _coordinates(problem: Problem) -> list[_Coordinates]:
    """Return the inputs scaled to [-1, 1], and with their logarithms in place of those that are positive."""
    x = problem.x
    low, high = x.amin(-1), x.amax(-1)
    positive, mild = low > 0, low > _MILD * high
    choices = [torch.zeros_like(positive), mild, positive]
    found: list[_Coordinates] = []
    for m, logs in enumerate(choices):
        if any(bool((logs == other).all()) for other in choices[:m]):
            continue
        u = torch.where(logs[:, None], x.clamp(min=1e-300).log(), x)
        half = 0.5 * (u.amax(-1) - u.amin(-1))
        slope = 1 / half.where(half > 0, 1.0)[:, None]
        found.append((scaled(u), torch.where(logs[:, None], slope / x, slope)))
    return found


def _polynomial(problem: Problem, targets: list[_Target], t: Tensor, inner: Tensor, degree: int) -> Surrogate:
    """Fit every target by one polynomial each; ``inner`` is the derivative of ``t`` by ``x``."""
    design, by_input = _design(t, degree)
    part = problem.fitted
    found = []
    for target in targets:
        coef = solve(design[:, part], target.mapped.y[part], target.mapped.w[part])
        found.append((target.error(coef @ design), coef, target))
    error, coef, target = min(found, key=lambda item: item[0])
    return Surrogate(error, target.of_y(problem, (coef @ by_input) * inner))


def _kernels(problem: Problem, targets: list[_Target], t: Tensor, inner: Tensor) -> Iterator[Surrogate]:
    """Fit ``sum_m c_m exp(-|t - t_m|^2 / 2 width^2)`` to all targets at once."""
    rows = slice(0, min(problem.fitted.stop, _ROWS))
    z = torch.stack([target.mapped.y for target in targets])
    centre = z[:, rows].mean(-1, keepdim=True)
    distance = torch.cdist(t[:, rows].T.contiguous(), t.T.contiguous()).square()
    for width in _WIDTHS:
        length = width * math.sqrt(problem.n_in)
        kernel = torch.exp(distance * (-0.5 / length**2))
        for ridge in _RIDGES:
            square = kernel[:, rows].clone()
            square.diagonal().add_(ridge)
            factor, failed = torch.linalg.cholesky_ex(square)
            if failed:
                continue
            coefs = torch.cholesky_solve((z[:, rows] - centre).T, factor).T
            values = coefs @ kernel + centre
            errors = [target.error(v) for target, v in zip(targets, values, strict=True)]
            best = min(range(len(errors)), key=lambda m: errors[m])
            slopes = _kernel_slopes(coefs[best], kernel, t, rows, length) * inner
            yield Surrogate(errors[best], targets[best].of_y(problem, slopes))


def _kernel_slopes(
    coef: Float[Tensor, " m"], kernel: Float[Tensor, "m n"], t: Float[Tensor, "n_in n"], rows: slice, length: float
) -> Float[Tensor, "n_in n"]:
    weighted = coef[:, None] * kernel
    return (t[:, rows] @ weighted - t * weighted.sum(0)) / length**2
