r"""The library: the functions an edge can be named after, by name.

A `SymbolicFunction` is one function ``f(u)`` in every form the project needs (`kanlab.symbolic.function`); the
built-in ones stand in `kanlab.symbolic.entries`, `register` adds a user's own. Files and messages carry names only.

>>> import torch
>>> get("x^2")(torch.tensor([3.0]))
tensor([9.])
>>> get("x^2").sympy_fn(sympy.Symbol("y"))
y**2
"""

from __future__ import annotations

import copyreg
import difflib
import math
from collections import ChainMap
from collections.abc import Iterable

import sympy
import torch
from torch import Tensor

from kanlab.symbolic.entries import ALIASES, ENTRIES
from kanlab.symbolic.function import Domain as Domain
from kanlab.symbolic.function import SymbolicFunction as SymbolicFunction
from kanlab.symbolic.function import SympyFunction, TorchFunction

#: Inner values at which `register` compares torch with sympy; both signs, inside and outside [-1, 1].
_SAMPLE_POINTS = (-2.3, -1.1, -0.83, -0.41, -0.07, 0.13, 0.37, 0.62, 0.91, 1.4, 2.7, 3.3)

_BUILT_IN = {function.name: function for function in ENTRIES}
_REGISTERED: dict[str, SymbolicFunction] = {}
_LIBRARY = ChainMap(_REGISTERED, _BUILT_IN)
#: What is offered when no library is given.
DEFAULT_LIBRARY = (
    "x", "x^2", "x^3", "x^4", "sqrt", "1/x", "exp", "log", "sin", "cos", "tan", "tanh", "abs", "gaussian",
)  # fmt: skip


def names() -> tuple[str, ...]:
    """Return the names of all functions, built-in ones first."""
    return (*_BUILT_IN, *_REGISTERED)


def known(name: str) -> bool:
    """Say whether there is a function of that name, or second name."""
    return ALIASES.get(name, name) in _LIBRARY


def get(name: str) -> SymbolicFunction:
    """Return the function called ``name``.

    Raises
    ------
    ValueError
        If there is none; the message lists the nearest names.
    """
    function = _LIBRARY.get(ALIASES.get(name, name)) if isinstance(name, str) else None
    if function is not None:
        return function
    close = difflib.get_close_matches(str(name), [*names(), *ALIASES], n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(map(repr, close))}?" if close else f"known are {', '.join(names())};"
    raise ValueError(f"no function is called {name!r}: {hint} kanlab.register adds one")


def everything() -> tuple[str, ...]:
    """Return the names of all functions that say something of ``x``: all but the constants."""
    return tuple(name for name in names() if get(name).gauge != "constant")


def resolve(lib: Iterable[str] | None) -> tuple[SymbolicFunction, ...]:
    """Return the functions named in ``lib``, in its order and once each.

    ``None`` means :data:`DEFAULT_LIBRARY`, the text ``"all"`` everything there is (see `everything`).

    >>> [function.name for function in resolve(["x", "sin", "x"])]
    ['x', 'sin']
    >>> len(resolve("all")) > 60
    True
    """
    if isinstance(lib, str):
        if lib != "all":
            raise TypeError(f'lib is the text {lib!r}: give a list of names, such as [{lib!r}], or "all"')
        lib = everything()
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
    if name in _BUILT_IN or name in ALIASES:
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


def _by_name(function: SymbolicFunction) -> tuple:
    return get, (function.name,)


# Lambdas do not pickle; the name finds the record of the receiving process.
copyreg.pickle(SymbolicFunction, _by_name)


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
