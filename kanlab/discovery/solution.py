"""A formula that was found, and what can be done with it."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import sympy
import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanlab.kan import KAN
from kanlab.session import Session
from kanlab.symbolic import printing, source
from kanlab.symbolic.evaluate import evaluate_all


@dataclass(frozen=True, eq=False)
class Solution:
    """A formula for the data.

    Attributes
    ----------
    exprs
        One expression for each output; their numbers are exact where the data allowed it. For classes they are logits,
        log odds against the first class, whose own logit is 0.
    variables
        The symbols of all inputs, in the data's order; each bears the input's name.
    outputs
        The names of the outputs.
    complexity
        Number of operations, functions, numbers and variables.
    train_rmse, test_rmse
        Root mean squared errors, for classes cross-entropies (in nats); no row of the test part had a say in the
        formula.
    bits
        Description length: of the errors on the training rows, and of the formula. The shortest is called best.
    origin
        The shape it came from.
    """

    exprs: tuple[sympy.Expr, ...]
    variables: tuple[sympy.Symbol, ...]
    outputs: tuple[str, ...]
    complexity: int
    train_rmse: float
    test_rmse: float
    bits: float
    origin: str
    dataset: Mapping[str, Any] = field(repr=False)

    @property
    def expr(self) -> sympy.Basic:
        """The expression; with several outputs, a tuple of them."""
        return self.exprs[0] if len(self.exprs) == 1 else sympy.Tuple(*self.exprs)

    def latex(self, digits: int | None = 4) -> str:
        """Return LaTeX, numbers rounded to ``digits`` places after the first; one line an output if there are more."""
        names = {symbol: symbol.name for symbol in self.variables}
        texts = [printing.latex(expr, names, digits) for expr in self.exprs]
        if len(texts) == 1:
            return texts[0]
        return "\\begin{gathered}\n" + " \\\\\n".join(texts) + "\n\\end{gathered}"

    def _repr_latex_(self) -> str:
        """Show the formula as mathematics in a notebook."""
        return f"$\\displaystyle {self.latex()}$"

    def python(self) -> str:
        """Return the source of a Python function of numpy arrays, exact to the last digit."""
        name = self.outputs[0] if len(self.outputs) == 1 else "f"
        return source.python_source(self.exprs, self.variables, name)

    def predict(self, X: Any) -> Any:
        """Evaluate the formula on a table ``[n, n_in]``: ``[n]``, with several outputs ``[n, n_out]``.

        A tensor gives a tensor, anything else a numpy array.

        Raises
        ------
        ValueError
            If the table has another number of columns.
        """
        x = X.detach() if isinstance(X, Tensor) else torch.from_numpy(np.array(X, dtype=np.float64))
        x = x[:, None] if x.ndim == 1 and len(self.variables) == 1 else x
        if x.ndim != 2 or x.shape[1] != len(self.variables):
            names = ", ".join(symbol.name for symbol in self.variables)
            raise ValueError(f"X has shape {tuple(x.shape)}; this formula takes [n, {len(self.variables)}]: {names}")
        values = values_of(self.exprs, self.variables, x.double())
        values = values[:, 0] if len(self.exprs) == 1 else values
        return values if isinstance(X, Tensor) else values.numpy()

    @functools.cached_property
    def model(self) -> KAN:
        """The KAN that equals the formula, with multiplication nodes, its grids laid over the data."""
        return KAN.from_formula(list(self.exprs), list(self.variables), cast(Tensor, self.dataset["train_input"]))

    @functools.cached_property
    def session(self) -> Session:
        """The model and the data as a session: ``kanlab.Lab(solution.session)`` opens it."""
        return Session(self.model, self.dataset, [symbol.name for symbol in self.variables], list(self.outputs))

    def __str__(self) -> str:
        return "; ".join(map(str, self.exprs))


@torch.no_grad()
def values_of(
    exprs: tuple[sympy.Expr, ...], variables: tuple[sympy.Symbol, ...], x: Float[Tensor, "n n_in"]
) -> Float[Tensor, "n n_out"]:
    """Evaluate expressions; where one has no real value the result is NaN."""
    return torch.stack(evaluate_all(list(exprs), dict(zip(variables, x.unbind(-1), strict=True))), -1)


def error_of(values: Float[Tensor, "n n_out"], label: Float[Tensor, "n n_out"] | Int[Tensor, " n"]) -> float:
    """Return the root mean squared error, for classes the cross-entropy; infinite where it is not a number."""
    if label.ndim == 1:
        error = float(torch.nn.functional.cross_entropy(values, label))
    else:
        error = float((values - label).square().mean().sqrt())
    return error if math.isfinite(error) else math.inf
