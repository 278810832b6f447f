r"""Base functions: the ``b(x)`` beside the spline on each edge (KAN paper, eq. 2.10, where it is silu).

A base function gives its values and up to three derivatives: training needs the first, exact curvatures of the model
the second, and their linearisation the third. Those of people are differentiated by autograd beyond what they give.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

Elementwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class BaseFunction:
    """A base function by its name; ``evaluate(x, order)`` returns ``[b, b', …][:order + 1]``, ``order`` up to 3."""

    name: str
    evaluate: Callable[[Tensor, int], list[Tensor]] = field(repr=False)
    #: What a person gave, where it stands under no name.
    given: Elementwise | None = field(default=None, repr=False)

    @property
    def is_named(self) -> bool:
        """Whether a file can tell it by its name."""
        return BASES.get(self.name) is self

    def __deepcopy__(self, memo: dict[int, object]) -> BaseFunction:
        return self

    def __reduce__(self):
        # Closures do not pickle; the name finds the same record in the receiving process.
        return base_function, (self.name if self.given is None else self.given,)


def _silu(x: Tensor, order: int) -> list[Tensor]:
    """Evaluate ``x s`` and its derivatives: with ``s' = s (1 - s)``, ``(x s)^(n) = n s^(n-1) + x s^(n)``."""
    s = torch.sigmoid(x)
    value = x * s
    if order == 0:
        return [value]
    parts = [value, torch.addcmul(s, s, x - value)]
    if order > 1:
        slope = s * (1 - s)
        curvature = slope * (1 - 2 * s)
        parts += [2 * slope + x * curvature, 3 * curvature + x * slope * (1 - 6 * slope)]
    return parts[: order + 1]


def _identity(x: Tensor, order: int) -> list[Tensor]:
    return [x, torch.ones_like(x), *[torch.zeros_like(x)] * 2][: order + 1]


def _zero(x: Tensor, order: int) -> list[Tensor]:
    return [torch.zeros_like(x)] * (order + 1)


_BUILT_IN = tuple(
    BaseFunction(name, evaluate) for name, evaluate in (("silu", _silu), ("identity", _identity), ("zero", _zero))
)
#: All base functions that have a name.
BASES: dict[str, BaseFunction] = {base.name: base for base in _BUILT_IN}


def base_function(base_fun: str | Elementwise | BaseFunction) -> BaseFunction:
    """Return the base function of a name, or make one of a function of one tensor.

    >>> base_function(torch.nn.SiLU()).name
    'silu'
    >>> [part.item() for part in base_function(torch.sin).evaluate(torch.zeros(()), 3)]
    [0.0, 1.0, -0.0, -1.0]

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For what is neither a name nor a function.
    """
    if isinstance(base_fun, BaseFunction):
        return base_fun
    if isinstance(base_fun, str):
        if base_fun not in BASES:
            raise ValueError(
                f"base_fun is {base_fun!r}; allowed are {', '.join(map(repr, BASES))}, a function of one tensor, and "
                "what kanlab.register_base names"
            )
        return BASES[base_fun]
    if isinstance(base_fun, nn.SiLU) or base_fun is nn.functional.silu:
        return BASES["silu"]
    if isinstance(base_fun, nn.Identity):
        return BASES["identity"]
    if not callable(base_fun):
        raise TypeError(f"base_fun is {base_fun!r}; allowed are a name or a function of one tensor")
    name = getattr(base_fun, "__name__", type(base_fun).__name__)
    return BaseFunction(name, functools.partial(_by_autograd, base_fun, slope_of(base_fun)), base_fun)


def register_base(name: str, function: Elementwise, derivative: Elementwise | None = None) -> None:
    """Give a base function a name, for ``KAN(..., base_fun=name)``; a file that uses the name needs it again.

    Parameters
    ----------
    name
        Not a built-in one; a name that was registered before is given anew, models made with it keep what they have.
    function
        Elementwise and differentiable.
    derivative
        Its first derivative; by autograd if not given.

    Raises
    ------
    ValueError
        If the name is blank or built in.
    TypeError
        If the function is none.

    Examples
    --------
    >>> import kanlab
    >>> kanlab.register_base("tanh", torch.tanh)
    >>> kanlab.KAN([1, 1], base_fun="tanh").layer(0).base.name
    'tanh'
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a base function's name must be text that is not blank, not {name!r}")
    if name in {base.name for base in _BUILT_IN}:
        raise ValueError(f"the base function {name!r} is built in and stays as it is: take another name")
    if not callable(function) or not (derivative is None or callable(derivative)):
        raise TypeError(f"a base function is a function of one tensor, not {function!r} (derivative {derivative!r})")
    BASES[name] = BaseFunction(name, functools.partial(_by_autograd, function, derivative or slope_of(function)))


def slope_of(function: Elementwise) -> Elementwise:
    """Return ``f'``, by differentiating the sum over the elements; autograd goes on through it.

    >>> slope_of(torch.sin)(torch.zeros(2))
    tensor([1., 1.])
    """

    def derivative(u: Tensor) -> Tensor:
        with torch.enable_grad():
            inner = u if u.requires_grad else u.detach().requires_grad_()
            value = function(inner)
            if not value.requires_grad:
                return torch.zeros_like(u)
            (slope,) = torch.autograd.grad(value.sum(), inner, create_graph=u.requires_grad, materialize_grads=True)
        return slope

    return derivative


def _by_autograd(function: Elementwise, derivative: Elementwise, x: Tensor, order: int) -> list[Tensor]:
    second = slope_of(derivative)
    return [part(x) for part in (function, derivative, second, slope_of(second))[: order + 1]]
