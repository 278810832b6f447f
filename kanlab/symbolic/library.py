r"""The functions an edge can be named after.

A :class:`SymbolicFunction` is one function ``f(u)`` in every form the project needs: torch (values and exact
derivative), sympy, text, and what is true of it: where it is defined, and which changes of ``a`` and ``b`` in
``c f(a x + b) + d`` the constants ``c`` and ``d`` can undo. Names and complexities are pykan's where pykan has them.

>>> import torch
>>> get("x^2")(torch.tensor([3.0]))
tensor([9.])
>>> get("x^2").sympy_fn(sympy.Symbol("y"))
y**2
"""

from __future__ import annotations

import difflib
import math
from collections import ChainMap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import sympy
import torch
from torch import Tensor

TorchFunction = Callable[[Tensor], Tensor]
SympyFunction = Callable[[sympy.Expr], sympy.Expr]

#: Which of ``a`` and ``b`` still matter once ``c`` and ``d`` are free:
#: ``constant`` and ``linear`` neither; ``shift`` only ``b`` (``f(s u) = s^p f(u) + const`` for ``s > 0``);
#: ``step`` only where it jumps; ``scale`` only ``a`` (``f(u + s) = e^s f(u)``); ``phase`` both, ``b`` modulo a period;
#: ``free`` both.
Gauge = Literal["constant", "linear", "shift", "step", "scale", "phase", "free"]

#: Inner values at which :func:`register` compares torch with sympy; both signs, inside and outside [-1, 1].
_SAMPLE_POINTS = (-2.3, -1.1, -0.83, -0.41, -0.07, 0.13, 0.37, 0.62, 0.91, 1.4, 2.7, 3.3)


@dataclass(frozen=True)
class Domain:
    """Where a function is smooth: ``low < u < high`` (``<=`` if ``closed``), away from ``pole + n period``.

    A curve must lie in one piece: ``1/u`` on ``[-1, 1]`` is defined at every sample and still wrong.

    >>> Domain(low=0.0, closed=True).covers(torch.tensor([0.0, -1.0]), torch.tensor([2.0, 2.0]))
    tensor([ True, False])
    """

    low: float = -math.inf
    high: float = math.inf
    closed: bool = False
    pole: float | None = None
    period: float = math.inf

    def covers(self, low: Tensor, high: Tensor) -> Tensor:
        """Say for each range ``[low, high]`` whether it lies in one smooth piece of the domain."""
        inside = (low >= self.low) & (high <= self.high) if self.closed else (low > self.low) & (high < self.high)
        if self.pole is None:
            return inside
        if math.isinf(self.period):
            return inside & ((low > self.pole) | (high < self.pole))
        turn_low, turn_high = (low - self.pole) / self.period, (high - self.pole) / self.period
        # Both strictly between the same two poles: the floors agree and the left end is not itself a pole.
        return inside & (turn_low.floor() == turn_high.floor()) & (turn_low != turn_low.floor())


@dataclass(frozen=True)
class SymbolicFunction:
    """One function of the library; calling it evaluates it (the engine's protocol for a fixed edge).

    Attributes
    ----------
    name, text
        The name in calls (``"x^2"``) and the one to show (``"x²"``).
    torch_fn, torch_derivative
        ``f`` and ``f'``, elementwise.
    sympy_fn
        Expression in, expression out.
    complexity
        What naming an edge so costs in a ranking; pykan's scale.
    domain
        Where ``f`` is smooth.
    gauge
        See :data:`Gauge`.
    reflects
        ``f(-u) = ±f(u) + const``, so that ``a`` can be made positive.
    period, alternates
        ``f(u + period) = f(u)``; ``f(u + period / 2) = -f(u)``, so that ``c`` can be made positive.
    """

    name: str
    text: str
    torch_fn: TorchFunction = field(repr=False)
    torch_derivative: TorchFunction = field(repr=False)
    sympy_fn: SympyFunction = field(repr=False)
    complexity: float
    domain: Domain = field(default=Domain(), repr=False)
    gauge: Gauge = field(default="free", repr=False)
    reflects: bool = field(default=False, repr=False)
    period: float | None = field(default=None, repr=False)
    alternates: bool = field(default=False, repr=False)

    def __call__(self, u: Tensor) -> Tensor:
        """Return ``f(u)``."""
        return self.torch_fn(u)

    def derivative(self, u: Tensor) -> Tensor:
        """Return ``f'(u)``."""
        return self.torch_derivative(u)

    def __reduce__(self):
        # Lambdas do not pickle; the name finds the same record in the receiving process.
        return get, (self.name,)


_HALF_LINE = Domain(low=0.0, closed=True)
_POSITIVE = Domain(low=0.0)
_NOT_ZERO = Domain(pole=0.0)
_UNIT = Domain(low=-1.0, high=1.0, closed=True)
_OPEN_UNIT = Domain(low=-1.0, high=1.0)
_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)


def _power(n: int) -> SymbolicFunction:
    text = f"x{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(digit)] for digit in str(n))}"
    return SymbolicFunction(
        f"x^{n}",
        text,
        lambda u: u**n,
        lambda u: n * u ** (n - 1),
        lambda u: u**n,
        2 if n == 2 else 3,
        gauge="shift",
        reflects=True,
    )


def _reciprocal(n: int) -> SymbolicFunction:
    power = "" if n == 1 else f"^{n}"
    return SymbolicFunction(
        f"1/x{power}",
        f"1/{'x' if n == 1 else _power(n).text}",
        lambda u: u**-n,
        lambda u: -n * u ** (-n - 1),
        lambda u: 1 / u**n,
        {1: 2, 2: 2, 3: 3, 4: 4, 5: 5}[n],
        domain=_NOT_ZERO,
        gauge="shift",
        reflects=True,
    )


# fmt: off
_ENTRIES = (
    SymbolicFunction("0", "0", torch.zeros_like, torch.zeros_like, lambda u: sympy.S.Zero, 0, gauge="constant"),
    SymbolicFunction("x", "x", lambda u: u, torch.ones_like, lambda u: u, 1, gauge="linear", reflects=True),
    *(_power(n) for n in (2, 3, 4, 5)),
    *(_reciprocal(n) for n in (1, 2, 3, 4, 5)),
    SymbolicFunction("sqrt", "√x", torch.sqrt, lambda u: 0.5 / torch.sqrt(u), sympy.sqrt, 2,
                     domain=_HALF_LINE, gauge="shift"),
    SymbolicFunction("x^1.5", "x^1.5", lambda u: u * torch.sqrt(u), lambda u: 1.5 * torch.sqrt(u),
                     lambda u: u ** sympy.Rational(3, 2), 4, domain=_HALF_LINE, gauge="shift"),
    SymbolicFunction("1/sqrt(x)", "1/√x", torch.rsqrt, lambda u: -0.5 * torch.rsqrt(u) / u,
                     lambda u: 1 / sympy.sqrt(u), 2, domain=_POSITIVE, gauge="shift"),
    SymbolicFunction("exp", "eˣ", torch.exp, torch.exp, sympy.exp, 2, gauge="scale"),
    SymbolicFunction("log", "log x", torch.log, torch.reciprocal, sympy.log, 2, domain=_POSITIVE, gauge="shift"),
    SymbolicFunction("sin", "sin x", torch.sin, torch.cos, sympy.sin, 2,
                     gauge="phase", reflects=True, period=2 * math.pi, alternates=True),
    SymbolicFunction("cos", "cos x", torch.cos, lambda u: -torch.sin(u), sympy.cos, 2,
                     gauge="phase", reflects=True, period=2 * math.pi, alternates=True),
    SymbolicFunction("tan", "tan x", torch.tan, lambda u: 1 + torch.tan(u) ** 2, sympy.tan, 3,
                     domain=Domain(pole=math.pi / 2, period=math.pi), reflects=True, period=math.pi),
    SymbolicFunction("arcsin", "arcsin x", torch.arcsin, lambda u: torch.rsqrt(1 - u * u), sympy.asin, 4,
                     domain=_UNIT, reflects=True),
    SymbolicFunction("arccos", "arccos x", torch.arccos, lambda u: -torch.rsqrt(1 - u * u), sympy.acos, 4,
                     domain=_UNIT, reflects=True),
    SymbolicFunction("arctan", "arctan x", torch.arctan, lambda u: 1 / (1 + u * u), sympy.atan, 4, reflects=True),
    SymbolicFunction("arctanh", "artanh x", torch.arctanh, lambda u: 1 / (1 - u * u), sympy.atanh, 4,
                     domain=_OPEN_UNIT, reflects=True),
    SymbolicFunction("sinh", "sinh x", torch.sinh, torch.cosh, sympy.sinh, 3, reflects=True),
    SymbolicFunction("cosh", "cosh x", torch.cosh, torch.sinh, sympy.cosh, 3, reflects=True),
    SymbolicFunction("tanh", "tanh x", torch.tanh, lambda u: torch.cosh(u) ** -2, sympy.tanh, 3, reflects=True),
    SymbolicFunction("gaussian", "e^(−x²)", lambda u: torch.exp(-u * u), lambda u: -2 * u * torch.exp(-u * u),
                     lambda u: sympy.exp(-(u**2)), 3, reflects=True),
    SymbolicFunction("abs", "|x|", torch.abs, torch.sgn, sympy.Abs, 3, gauge="shift", reflects=True),
    SymbolicFunction("sgn", "sgn x", torch.sgn, torch.zeros_like, sympy.sign, 3, gauge="step", reflects=True),
    SymbolicFunction("sigmoid", "σ(x)", torch.sigmoid, lambda u: torch.sigmoid(u) * torch.sigmoid(-u),
                     lambda u: 1 / (1 + sympy.exp(-u)), 3, reflects=True),
    SymbolicFunction("erf", "erf x", torch.erf, lambda u: _TWO_BY_ROOT_PI * torch.exp(-u * u), sympy.erf, 4,
                     reflects=True),
)
# fmt: on

_BUILT_IN = {function.name: function for function in _ENTRIES}
_REGISTERED: dict[str, SymbolicFunction] = {}
_LIBRARY = ChainMap(_REGISTERED, _BUILT_IN)
#: pykan's second names.
_ALIASES = {"x^0.5": "sqrt", "1/x^0.5": "1/sqrt(x)"}

#: What is offered when no library is given.
DEFAULT_LIBRARY = (
    "x", "x^2", "x^3", "x^4", "sqrt", "1/x", "exp", "log", "sin", "cos", "tan", "tanh", "abs", "gaussian",
)  # fmt: skip


def names() -> tuple[str, ...]:
    """Return the names of all functions, built-in ones first."""
    return (*_BUILT_IN, *_REGISTERED)


def get(name: str) -> SymbolicFunction:
    """Return the function called ``name``.

    Raises
    ------
    ValueError
        If there is none; the message lists the nearest names.
    """
    function = _LIBRARY.get(_ALIASES.get(name, name)) if isinstance(name, str) else None
    if function is not None:
        return function
    close = difflib.get_close_matches(str(name), [*names(), *_ALIASES], n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(map(repr, close))}?" if close else f"known are {', '.join(names())};"
    raise ValueError(f"no function is called {name!r}: {hint} kanlab.register adds one")


def resolve(lib: Iterable[str] | None) -> tuple[SymbolicFunction, ...]:
    """Return the functions named in ``lib``, in its order and once each; ``None`` means :data:`DEFAULT_LIBRARY`.

    >>> [function.name for function in resolve(["x", "sin", "x"])]
    ['x', 'sin']
    """
    if isinstance(lib, str):
        raise TypeError(f"lib is the text {lib!r}: give a list of names, such as [{lib!r}]")
    functions = tuple(dict.fromkeys(get(name) for name in (DEFAULT_LIBRARY if lib is None else lib)))
    if not functions:
        raise ValueError("lib is empty: give at least one name, or None for the default library")
    return functions


def register(
    name: str,
    torch_fn: TorchFunction,
    sympy_fn: SympyFunction,
    complexity: float = 3,
    *,
    derivative: TorchFunction | None = None,
    domain: Domain | None = None,
    text: str | None = None,
) -> SymbolicFunction:
    """Add a function to the library under ``name``; registering it again replaces it.

    Parameters
    ----------
    name
        What calls and menus use; must not be a built-in name.
    torch_fn
        Elementwise and differentiable: ``f(u)`` of a float64 tensor.
    sympy_fn
        The same function of a sympy expression.
    complexity
        Its cost in a ranking: 1 is a line, 2 a sine, 3 a tanh.
    derivative
        ``f'(u)``; by automatic differentiation if not given.
    domain
        Where it is smooth, if not everywhere.
    text
        The name to show; ``name`` if not given.

    Raises
    ------
    ValueError
        If the name is built in, or torch and sympy disagree at a sample point, or cannot be compared at any.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a function's name must be text that is not blank, not {name!r}")
    if name in _BUILT_IN or name in _ALIASES:
        raise ValueError(f"{name!r} is built in and stays as it is: register the function under another name")
    if not complexity >= 0:
        raise ValueError(f"complexity must be a number of at least 0, not {complexity!r}")
    _check_agreement(name, torch_fn, sympy_fn, domain or Domain())
    function = SymbolicFunction(
        name, text or name, torch_fn, derivative or _autograd_derivative(torch_fn), sympy_fn, complexity,
        domain=domain or Domain(),
    )  # fmt: skip
    _REGISTERED[name] = function
    return function


def unregister(name: str) -> None:
    """Take a registered function out of the library again; models that already use it keep it."""
    if name not in _REGISTERED:
        raise ValueError(f"{name!r} is not a registered function: registered are {', '.join(_REGISTERED) or 'none'}")
    del _REGISTERED[name]


def _autograd_derivative(torch_fn: TorchFunction) -> TorchFunction:
    """Return ``f'`` by reverse-mode differentiation of the sum over the elements."""

    def derivative(u: Tensor) -> Tensor:
        with torch.enable_grad():
            inner = u if u.requires_grad else u.detach().requires_grad_()
            value = torch_fn(inner)
            if not value.requires_grad:
                return torch.zeros_like(u)
            (slope,) = torch.autograd.grad(value.sum(), inner, create_graph=u.requires_grad)
        return slope

    return derivative


def _check_agreement(name: str, torch_fn: TorchFunction, sympy_fn: SympyFunction, domain: Domain) -> None:
    """Compare the two forms of a function where both are real and finite; raise if they differ or never are."""
    points = torch.tensor(_SAMPLE_POINTS, dtype=torch.float64)
    points = points[domain.covers(points, points)]
    values = torch_fn(points)
    if not isinstance(values, Tensor) or values.shape != points.shape:
        got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"the torch form of {name!r} must keep the shape: {tuple(points.shape)} in, {got} out")
    u = sympy.Symbol("u", real=True)
    expr = sympy.sympify(sympy_fn(u), strict=True)
    compared = 0
    for point, value in zip(points.tolist(), values.tolist(), strict=True):
        exact = sympy.N(expr.subs(u, sympy.Float(point, 17)), 17)
        if not (math.isfinite(value) and (exact.is_Float or exact.is_Integer)):
            continue
        if not math.isclose(value, float(exact), rel_tol=1e-8, abs_tol=1e-10):
            raise ValueError(
                f"the two forms of {name!r} differ: at u = {point} torch gives {value:.9g} and sympy {float(exact):.9g}"
            )
        compared += 1
    if not compared:
        raise ValueError(
            f"the two forms of {name!r} could not be compared: at no u in {list(_SAMPLE_POINTS)} are torch and sympy "
            f"({expr}) both real numbers; use functions sympy can evaluate"
        )
