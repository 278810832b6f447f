r"""Numbers of a formula that a hand can move, and a network that follows.

A number of the shown formula is, as a rule, no parameter of the network but made of several: ``3.14`` in
``sin(3.14 x)`` is an edge's ``a``, ``2`` in ``2 e^x`` may be the product of two. So a number is moved in the
expression, and the network follows it: of all constants ``a, b, c, d`` of named edges those are found that minimise
``|network(x) - moved(x)|^2`` on the samples, from where they are, by Levenberg-Marquardt; its damping chooses the
shortest way among many. Splines stay.

>>> x = sympy.Symbol("x")
>>> handles = Handles.of(3.5 * sympy.sin(2 * x + 1) + x**2)
>>> [round(value, 3) for value in handles.values]
[3.5, 1.0, 2.0]
>>> handles.moved(0, 4.0).xreplace({x: sympy.S.Zero}).round(3)
3.366
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.network import Network
from kanlab.engine.objective import Objective
from kanlab.engine.solvers.levenberg_marquardt import LevenbergMarquardt
from kanlab.symbolic.edge_curve import Curve
from kanlab.symbolic.evaluate import evaluate_all
from kanlab.symbolic.printing import Place

#: How much equal numbers are set apart, relative to their size: seen at no rounding, and a double tells them apart.
_APART = 2e-13
#: Fractions from this denominator on are written as decimals.
_DECIMAL = 10
#: Samples on which the network follows, and its steps.
_SAMPLES, _STEPS = 400, 100
#: The part of the move that may be missed: what is not seen in a shown number.
_MISSED = 5e-3


@dataclass(frozen=True)
class Handles:
    """The numbers of one expression that can be moved: coefficients, summands, and π where it stands once.

    Attributes
    ----------
    expr
        The expression, its movable numbers unlike each other in digits that nobody sees.
    numbers
        Those numbers, in the order of the tree.
    fractions
        Those that were fractions with small denominators, and are written so.
    """

    expr: sympy.Expr
    numbers: tuple[sympy.Expr, ...]
    fractions: Mapping[int, sympy.Rational]

    @classmethod
    def of(cls, expr: sympy.Expr) -> Handles:
        """Find the numbers of an expression."""
        was: list[sympy.Expr] = []
        found: list[sympy.Expr] = []
        marked = _marked(expr, was, found)
        constants = [part for part in sympy.preorder_traversal(marked) if part == sympy.pi]
        fractions = {
            n: part for n, part in enumerate(was) if isinstance(part, sympy.Rational) and 1 < part.q < _DECIMAL
        }
        once = cast("list[sympy.Expr]", constants) if len(constants) == 1 else []
        return cls(marked, (*found, *once), fractions)

    @property
    def values(self) -> tuple[float, ...]:
        """What the numbers are, with their signs."""
        return tuple(map(float, self.numbers))

    @property
    def places(self) -> Mapping[float, Place]:
        """Where each number stands, by its size: a printer writes signs apart."""
        return {abs(value): Place(n, self.fractions.get(n)) for n, value in enumerate(self.values)}

    def moved(self, index: int, value: float) -> sympy.Expr:
        """Return the expression with another value for one number."""
        if not 0 <= index < len(self.numbers):
            raise ValueError(f"there is no number {index}; the formula has {len(self.numbers)} that can be moved")
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a finite number")
        return cast(sympy.Expr, self.expr.xreplace({self.numbers[index]: sympy.Float(value)}))


def _marked(expr: sympy.Expr, was: list[sympy.Expr], found: list[sympy.Expr]) -> sympy.Expr:
    """Rebuild an expression with its movable numbers unlike each other, noting them."""
    if not expr.free_symbols:
        return expr
    parts = []
    for part in _parts(expr):
        movable = isinstance(part, sympy.Float | sympy.Rational) and not (expr.is_Mul and abs(part) == 1)
        if movable and isinstance(expr, sympy.Add | sympy.Mul):
            was.append(part)
            part = sympy.Float(float(part) * (1 + _APART * len(was)))
            found.append(part)
        else:
            part = _marked(part, was, found)
        parts.append(part)
    rest = expr.args[1:] if isinstance(expr, sympy.Pow) else ()
    return cast(sympy.Expr, expr.func(*parts, *rest)) if parts else expr


def _parts(expr: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield the arguments in which numbers can be moved: exponents stay."""
    args = cast("tuple[sympy.Expr, ...]", expr.args)
    yield from args[:1] if isinstance(expr, sympy.Pow) else args


@torch.no_grad()
def follow(
    network: Network,
    before: tuple[sympy.Expr, ...],
    after: tuple[sympy.Expr, ...],
    variables: tuple[sympy.Symbol, ...],
    curves: Mapping[str, Curve],
) -> None:
    """Change the constants of a network's named edges so that its formula becomes another, in place.

    Parameters
    ----------
    network
        Its samples are where it follows.
    before, after
        One expression an output: the network's own as it is shown, and what it shall be.
    variables, curves
        As of `kanlab.symbolic.formula.Formula`.

    Raises
    ------
    ValueError
        If no constants give that formula (the number follows from others, or belongs to a spline), or it is not finite
        on the data.
    """
    x = network.seen()
    x = x[:: max(1, len(x) // _SAMPLES)]
    old, new = (_values(exprs, variables, curves, x) for exprs in (before, after))
    if not bool(new.isfinite().all()):
        raise ValueError("with this number the formula is not finite on the data")
    move, unseen = _size(new - old), _size(network(x) - old)
    missed = _fit(network, x, new)
    if not missed <= _MISSED * move + 2 * unseen + 1e-12 * _size(new):
        raise ValueError("this number cannot be moved alone: it follows from others, or belongs to a spline")


def _fit(network: Network, x: Float[Tensor, "n n_in"], y: Float[Tensor, "n n_out"]) -> float:
    """Fit the constants of named edges; return what is missed (root mean squared)."""
    objective = Objective(network, x.T.contiguous(), y.to(network.dtype).T.contiguous())
    linear = objective.linear
    free = torch.zeros(linear.size, dtype=network.dtype, device=network.device)
    for plan in linear.plans:
        for _, where in plan.groups:
            free[where] = 1
    objective.hold(free)
    solver = LevenbergMarquardt(objective, damping=1e-3)
    enough = 1e-26 * _size(y) ** 2
    for _ in range(_STEPS):
        if solver.done or solver.current.loss <= enough:
            break
        solver.step()
    linear.write(solver.current.vector)
    return math.sqrt(max(solver.current.loss, 0.0))


def _values(
    exprs: tuple[sympy.Expr, ...], variables: tuple[sympy.Symbol, ...], curves: Mapping[str, Curve], x: Tensor
) -> Tensor:
    columns = dict(zip(variables, x.double().unbind(-1), strict=True))
    return torch.stack(evaluate_all(list(exprs), columns, curves), -1)


def _size(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt())
