r"""The Feynman equations of the KAN paper in dimensionless form (arXiv:2404.19756, table 2).

Each is written twice, as text and as a torch function, so that one can be checked against the other. The ranges are
ours: boxes on which the equation is finite.

>>> ROWS["I.12.11"].text
'1 + a*sin(theta)'
>>> dataset("I.12.11", train_num=5)["train_input"].shape
torch.Size([5, 2])
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kanlab.data import create_dataset

SOURCE = "arXiv:2404.19756, table 2"
_PI = torch.pi


@dataclass(frozen=True)
class Row:
    """One equation.

    Attributes
    ----------
    name
        Its place in the Feynman lectures.
    text
        The right side, as `kanlab.KAN.from_formula` reads it.
    variables
        Their names, in order.
    ranges
        ``(low, high)`` of each.
    function
        The same of one column per variable.
    """

    name: str
    text: str
    variables: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    function: Callable[..., Tensor]


_UNIT, _TURN, _UP = (-1.0, 1.0), (-3.0, 3.0), (0.5, 2.0)

ROWS = {
    row.name: row
    for row in (
        Row("I.6.2", "exp(-theta**2/(2*sigma**2))/sqrt(2*pi*sigma**2)", ("theta", "sigma"), (_UNIT, _UP),
            lambda t, s: torch.exp(-t**2 / (2 * s**2)) / torch.sqrt(2 * _PI * s**2)),
        Row("I.6.2b", "exp(-(theta - theta1)**2/(2*sigma**2))/sqrt(2*pi*sigma**2)", ("theta", "theta1", "sigma"),
            (_UNIT, _UNIT, _UP), lambda t, u, s: torch.exp(-(t - u)**2 / (2 * s**2)) / torch.sqrt(2 * _PI * s**2)),
        Row("I.9.18", "a/((b - 1)**2 + (c - d)**2 + (e - f)**2)", ("a", "b", "c", "d", "e", "f"),
            (_UNIT, (2.0, 4.0), (2.0, 4.0), _UNIT, (2.0, 4.0), _UNIT),
            lambda a, b, c, d, e, f: a / ((b - 1)**2 + (c - d)**2 + (e - f)**2)),
        Row("I.12.11", "1 + a*sin(theta)", ("a", "theta"), (_UNIT, _TURN), lambda a, t: 1 + a * torch.sin(t)),
        Row("I.13.12", "a*(1/b - 1)", ("a", "b"), (_UNIT, _UP), lambda a, b: a * (1 / b - 1)),
        Row("I.15.3x", "(1 - a)/sqrt(1 - b**2)", ("a", "b"), (_UNIT, (-0.8, 0.8)),
            lambda a, b: (1 - a) / torch.sqrt(1 - b**2)),
        Row("I.16.6", "(a + b)/(1 + a*b)", ("a", "b"), ((-0.8, 0.8), (-0.8, 0.8)), lambda a, b: (a + b) / (1 + a * b)),
        Row("I.18.4", "(1 + a*b)/(1 + a)", ("a", "b"), (_UP, _UNIT), lambda a, b: (1 + a * b) / (1 + a)),
        Row("I.26.2", "arcsin(n*sin(theta))", ("n", "theta"), ((0.0, 0.99), _TURN),
            lambda n, t: torch.arcsin(n * torch.sin(t))),
        Row("I.27.6", "1/(1 + a*b)", ("a", "b"), (_UP, _UP), lambda a, b: 1 / (1 + a * b)),
        Row("I.29.16", "sqrt(1 + a**2 - 2*a*cos(theta1 - theta2))", ("a", "theta1", "theta2"), (_UNIT, _TURN, _TURN),
            lambda a, t, u: torch.sqrt(1 + a**2 - 2 * a * torch.cos(t - u))),
        Row("I.30.3", "sin(n*theta/2)**2/sin(theta/2)**2", ("n", "theta"), ((1.0, 4.0), (0.4, 5.0)),
            lambda n, t: torch.sin(n * t / 2)**2 / torch.sin(t / 2)**2),
        Row("I.30.5", "arcsin(a/n)", ("a", "n"), (_UNIT, (1.05, 4.0)), lambda a, n: torch.arcsin(a / n)),
        Row("I.37.4", "1 + a + 2*sqrt(a)*cos(delta)", ("a", "delta"), ((0.1, 1.0), _TURN),
            lambda a, d: 1 + a + 2 * torch.sqrt(a) * torch.cos(d)),
        Row("I.40.1", "n0*exp(-a)", ("n0", "a"), (_UNIT, _UNIT), lambda n, a: n * torch.exp(-a)),
        Row("I.44.4", "n*ln(a)", ("n", "a"), (_UNIT, _UP), lambda n, a: n * torch.log(a)),
        Row("I.50.26", "cos(a) + alpha*cos(a)**2", ("a", "alpha"), (_TURN, _UNIT),
            lambda a, b: torch.cos(a) + b * torch.cos(a)**2),
        Row("II.2.42", "(a - 1)*b", ("a", "b"), (_UNIT, _UNIT), lambda a, b: (a - 1) * b),
        Row("II.6.15a", "c*sqrt(a**2 + b**2)/(4*pi)", ("a", "b", "c"), (_UP, _UP, _UNIT),
            lambda a, b, c: c * torch.sqrt(a**2 + b**2) / (4 * _PI)),
        Row("II.11.7", "n0*(1 + a*cos(theta))", ("n0", "a", "theta"), (_UNIT, _UNIT, _TURN),
            lambda n, a, t: n * (1 + a * torch.cos(t))),
        Row("II.11.27", "n*alpha/(1 - n*alpha/3)", ("n", "alpha"), ((0.0, 1.0), (0.0, 2.0)),
            lambda n, a: n * a / (1 - n * a / 3)),
        Row("II.35.18", "n0/(exp(a) + exp(-a))", ("n0", "a"), (_UNIT, _UNIT),
            lambda n, a: n / (torch.exp(a) + torch.exp(-a))),
        Row("II.36.38", "a + alpha*b", ("a", "alpha", "b"), (_UNIT, _UNIT, _UNIT), lambda a, c, b: a + c * b),
        Row("II.38.3", "a/b", ("a", "b"), (_UNIT, _UP), lambda a, b: a / b),
        Row("III.9.52", "a*sin((b - c)/2)**2/((b - c)/2)**2", ("a", "b", "c"), (_UNIT, (1.0, 4.0), (-4.0, -1.0)),
            lambda a, b, c: a * torch.sin((b - c) / 2)**2 / ((b - c) / 2)**2),
        Row("III.10.19", "sqrt(1 + a**2 + b**2)", ("a", "b"), (_UNIT, _UNIT), lambda a, b: torch.sqrt(1 + a**2 + b**2)),
        Row("III.17.37", "beta*(1 + alpha*cos(theta))", ("alpha", "beta", "theta"), (_UNIT, _UNIT, _TURN),
            lambda a, b, t: b * (1 + a * torch.cos(t))),
    )
}  # fmt: skip


def dataset(name: str, train_num: int = 1000, test_num: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Sample an equation, with the names of its variables.

    Raises
    ------
    ValueError
        For a name that is not in `ROWS`.
    """
    if name not in ROWS:
        raise ValueError(f"there is no equation {name!r}: they are {', '.join(ROWS)}")
    row = ROWS[name]
    samples = create_dataset(
        lambda x: row.function(*x.unbind(-1)),
        n_var=len(row.variables),
        ranges=row.ranges,
        train_num=train_num,
        test_num=test_num,
        seed=seed,
    )
    return samples | {"input_names": list(row.variables), "output_names": ["f"]}
