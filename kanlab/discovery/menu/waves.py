r"""One input, two functions of it: ``g(x) sin(w x + p) + d`` and ``g(x) + sin(w x + p) + d``.

For a given ``g`` and ``w`` the rest is linear. A grid of both is solved in one batch, and the best are where the fit of
all numbers begins: damped oscillations, beats, oscillations about a trend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.discovery.expression import Form, add, call, multiply, number, power, variable
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.solver import Solver
from kanlab.discovery.splines import solve
from kanlab.symbolic import library

#: Rows, and how many starts of each kind are fitted.
_ROWS, _TRIED = 300, 3
#: Frequencies and rates, for inputs scaled to a range of length 2.
_FREQUENCIES = torch.linspace(0.5, 40.0, 120, dtype=torch.float64)
_RATES = (-6.0, -3.0, -1.5, -0.75, -0.3, 0.3, 0.75, 1.5, 3.0)
_POWERS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
#: A start that explains less than this part of the spread is none.
_WORST = 0.5


#: A relative error, a frequency and linear coefficients.
_Start = tuple[float, float, list[float]]


@dataclass(frozen=True)
class _Envelope:
    """The second function: its values, and its formula."""

    values: Float[Tensor, " n"]
    form: Form


_Starts = Callable[[_Envelope], list[_Start]]


def waves(pool: Pool, search: Solver, depth: int) -> Iterator[tuple[str, Form]]:
    """Propose an oscillation times or plus another function."""
    problem = pool.problem
    if problem.n_in != 1 or problem.n < 30 or not {"sin", "exp"} <= {function.name for function in search.functions}:
        return
    x, half = problem.x[0], 0.5 * float(problem.x.max() - problem.x.min())
    if half == 0:
        return
    envelopes = list(_envelopes(x, half))
    for text, starts in (("times", _products(problem, half)), ("plus", _sums(problem, half))):
        found = []
        for envelope in envelopes:
            search.clock.check()
            found += [(error, envelope, w, coef) for error, w, coef in starts(envelope)]
        for error, envelope, w, coef in sorted(found, key=lambda item: item[0])[:_TRIED]:
            if error < _WORST:
                yield f"wave {text} function", _form(envelope, w, coef, times=text == "times")
    search.clock.check()
    yield "two waves", _two_waves(problem, half)


def _envelopes(x: Float[Tensor, " n"], half: float) -> Iterator[_Envelope]:
    for rate in _RATES:
        form = call(library.get("exp"), variable(0).scaled(rate / half))
        yield _Envelope((rate / half * (x - x.mean())).exp(), form.scaled(math.exp(-rate / half * float(x.mean()))))
    for p in _POWERS:
        if bool((x > 0).all()) or (p >= 1 and bool((x != 0).any())):
            yield _Envelope(x**p, power(variable(0), p))


def _products(problem: Problem, half: float) -> _Starts:
    def starts(envelope: _Envelope) -> list[_Start]:
        rows = _waves(problem, half) * envelope.values[:_ROWS]
        return _solved(problem, half, torch.cat([rows, torch.ones_like(rows[:, :1])], 1))

    return starts


def _sums(problem: Problem, half: float) -> _Starts:
    def starts(envelope: _Envelope) -> list[_Start]:
        rows = _waves(problem, half)
        other = envelope.values[:_ROWS].expand(len(rows), 1, -1)
        return _solved(problem, half, torch.cat([rows, torch.ones_like(rows[:, :1]), other], 1))

    return starts


def _two_waves(problem: Problem, half: float) -> Form:
    """Return the best sum of two oscillations on the grid of frequencies."""
    waves = _waves(problem, half)
    count, n = len(waves), waves.shape[-1]
    y, w = problem.y[:_ROWS], problem.w[:_ROWS]
    design = torch.cat([waves.flatten(0, 1), torch.ones_like(y)[None]]) * w
    gram, right = design @ design.T / n, design @ (y * w) / n
    pairs = torch.combinations(torch.arange(count))
    places = torch.stack([2 * pairs, 2 * pairs + 1], -1).flatten(1)
    places = torch.cat([places, torch.full((len(pairs), 1), 2 * count)], 1)
    square = gram[places[:, :, None], places[:, None, :]] + 1e-12 * torch.eye(5, dtype=gram.dtype)
    coef = torch.linalg.solve(square, right[places])
    best = int((coef * right[places]).sum(-1).argmax())
    first, second = pairs[best].tolist()
    a, b, c, d, shift = coef[best].tolist()
    frequencies = [float(_FREQUENCIES[k]) / half for k in (first, second)]
    return add([_wave(frequencies[0], a, b), _wave(frequencies[1], c, d), number(shift)])


def _wave(w: float, sine: float, cosine: float) -> Form:
    """Return ``sine sin(w x) + cosine cos(w x)`` as one sine."""
    size, phase = math.hypot(sine, cosine), math.atan2(cosine, sine)
    return call(library.get("sin"), variable(0).scaled(w, phase)).scaled(size)


def _waves(problem: Problem, half: float) -> Float[Tensor, "frequency 2 n"]:
    phase = (_FREQUENCIES / half)[:, None] * problem.x[0, :_ROWS]
    return torch.stack([phase.sin(), phase.cos()], 1)


def _solved(problem: Problem, half: float, rows: Float[Tensor, "frequency k n"]) -> list[_Start]:
    """Return the best frequencies: relative error, frequency, linear coefficients."""
    y, w = problem.y[:_ROWS], problem.w[:_ROWS]
    coef = solve(rows, y.expand(len(rows), -1), w.expand(len(rows), -1))
    residual = ((coef.unsqueeze(1) @ rows).squeeze(1) - y) * w
    error = residual.square().mean(-1).sqrt() / max(problem.spread * problem.scale, 1e-300)
    best = error.argsort()[:2].tolist()
    return [(float(error[m]), float(_FREQUENCIES[m]) / half, coef[m].tolist()) for m in best]


def _form(envelope: _Envelope, w: float, coef: list[float], *, times: bool) -> Form:
    wave = _wave(w, coef[0], coef[1])
    if times:
        return add([multiply([envelope.form, wave]), number(coef[2])])
    return add([wave, envelope.form.scaled(coef[3]), number(coef[2])])
