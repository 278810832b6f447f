"""A formula: mathematics that knows which network it came from.

It is read from a network by `kanlab.symbolic.reading.formula_of` and keeps a copy of it, so that it stays what it was
while training goes on. Before it is shown or exported it is compared with that network: one that disagrees carries its
warning wherever it goes.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine.network import Network
from kanlab.symbolic import display, fold, reference, shown, source
from kanlab.symbolic.c_source import c_source
from kanlab.symbolic.calculus import differentiate
from kanlab.symbolic.edge_curve import Curve, with_derivatives
from kanlab.symbolic.estimates import Estimates, estimates
from kanlab.symbolic.evaluate import evaluate_all
from kanlab.symbolic.reference import Check, FormulaWarning, Reference
from kanlab.symbolic.shown import count_parts, reading_length, same_values
from kanlab.symbolic.simplify import simpler_forms

#: Samples on which rounding for display is checked.
_CHECKED = 256
#: A simplified form may differ from the formula by so much of the output's spread.
_SAME = 1e-11


@dataclass(frozen=True, eq=False, repr=False)
class Formula:
    """The formula of a network; made by `KAN.formula` and `kanlab.symbolic.reading.formula_of`.

    Attributes
    ----------
    exprs
        One expression per output, exact: its numbers are the model's doubles.
    variables
        The symbols of the inputs; each bears the name to show.
    outputs
        The names of the outputs.
    curves
        The curve that stands for each undetermined function in ``exprs``, by the function's name.
    reference
        What the formula must equal: the network it was read from (a copy of its own), in the formula's units.
    remark
        What there is to say about how it was made, such as that simplifying it ran out of time.
    """

    exprs: tuple[sympy.Expr, ...]
    variables: tuple[sympy.Symbol, ...]
    outputs: tuple[str, ...]
    curves: Mapping[str, Curve] = field(repr=False)
    reference: Reference = field(repr=False)
    remark: str | None = None

    # --- values

    def __call__(self, x: Float[Tensor, "batch n_in"]) -> Float[Tensor, "batch n_out"]:
        """Evaluate the formula, in double precision; it can be differentiated."""
        return self._values(self.exprs, x)

    def torch(self) -> Callable[..., Tensor]:
        """Return the formula as a function of one tensor per variable, differentiable and in double precision.

        Several outputs stand in the last dimension; a single one has none of its own.
        """
        self._warn()

        def function(*columns: Tensor) -> Tensor:
            parts = [torch.as_tensor(column).double() for column in self._columns(columns)]
            values = evaluate_all(list(self.exprs), dict(zip(self.variables, parts, strict=True)), self.curves)
            return values[0] if len(values) == 1 else torch.stack(values, -1)

        return function

    def numpy(self) -> Callable[..., numpy.ndarray]:
        """Return the formula as a function of one array per variable; several outputs stand in the last dimension.

        >>> from kanlab import KAN
        >>> KAN([1, 1]).formula().numpy()(numpy.zeros((2, 3))).shape
        (2, 3)
        """
        function = self.torch()
        return lambda *columns: function(*(numpy.asarray(column, float) for column in columns)).numpy()

    # --- what it is

    @property
    def model(self) -> Network:
        """The network the formula was read from, as it was then."""
        return self.reference.model

    @property
    def spline_edges(self) -> tuple[tuple[int, int, int], ...]:
        """The edges ``(l, i, j)`` that have no name yet."""
        return tuple(sorted({curve.edge for curve in self.curves.values()}))

    @property
    def complexity(self) -> int:
        """Number of operations, functions, numbers and variables in what is shown.

        >>> from kanlab import KAN
        >>> KAN.from_formula("exp(sin(pi*x) + y**2)", ["x", "y"]).formula().complexity
        9
        """
        return sum(count_parts(expr) for expr in self._displayed(4))

    @functools.cached_property
    def constants(self) -> Estimates:
        """The numbers of the formula that are no constants yet, with standard errors and what they may be.

        The errors are those of least squares on the rows and labels that the model was trained on; see
        `kanlab.symbolic.estimates`.

        >>> from kanlab import KAN
        >>> model = KAN.from_formula("2.37*sin(3.14*x)", ["x"])
        >>> x = torch.linspace(-1, 1, 200, dtype=torch.float64)[:, None]
        >>> noise = 0.1 * torch.randn(200, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        >>> model.show(x, model(x) + noise)
        >>> model.formula(["x"]).constants
        number           may be  RMSE
        2.370 ± 0.010    -       -
        3.1400 ± 0.0070  pi      +1.3e-05
        """
        return estimates(self.exprs, self.variables, self.curves, self.reference)

    def check(self, dataset: Mapping[str, Any] | None = None) -> Check:
        """Compare the formula with its model, and with the labels, on a dataset (default: what the model has seen).

        A check that fails is remembered: from then on every export carries its message.

        Parameters
        ----------
        dataset
            With ``train_input`` and ``train_label``, ``test_input`` and ``test_label``, or some of them.
        """
        result = reference.check(self, self.reference, dataset)
        if result.message:
            self._faults.append(result.message)
        return result

    @property
    def warning(self) -> str | None:
        """What is wrong with the formula; ``None`` if it agrees with its model wherever it was checked.

        The first question compares the two on what the model has seen.
        """
        if self._own_check.message:
            return f"warning: {self._own_check.message}"
        return f"warning: {self._faults[0]}" if self._faults else None

    def shown(self, digits: int | None = 4) -> tuple[sympy.Expr, ...]:
        """Return the expressions as they are shown: tidied as far as that changes nothing at this rounding.

        Terms are dropped and numbers made whole only if, on the data the model knows, each output changes by less than
        ``10^-digits`` of its spread. A number that is a named constant to the last bit, as after snapping, is shown by
        its name: π, e, √2, ½.
        """
        self._warn()
        return self._displayed(digits)

    def __repr__(self) -> str:
        text = ", ".join(f"{name} = {expr}" for name, expr in zip(self.outputs, self._displayed(4), strict=True))
        return f"{text}  [{self.warning}]" if self.warning else text

    def _displayed(self, digits: int | None) -> tuple[sympy.Expr, ...]:
        if digits is None:
            return self.exprs
        if digits not in self._shown:
            self._shown[digits] = tuple(
                shown.named(self._tidied(position, digits)) for position in range(len(self.exprs))
            )
        return self._shown[digits]

    # --- other formulas

    def derivative(self, variable: str | sympy.Symbol) -> Formula:
        """Return the formula of the derivative by one variable; it is checked against the model's own derivative.

        >>> from kanlab import KAN
        >>> KAN.from_formula("2*sin(3*x) + y**2", ["x", "y"]).formula(["x", "y"]).derivative("x").exprs[0]
        6*cos(3*x)
        """
        name = variable.name if isinstance(variable, sympy.Symbol) else variable
        names = [symbol.name for symbol in self.variables]
        if name not in names:
            raise ValueError(f"{name!r} is not a variable of this formula: they are {', '.join(names)}")
        place = names.index(name)
        return self._other(
            exprs=tuple(differentiate(expr, self.variables[place]) for expr in self.exprs),
            outputs=tuple(f"d{output}/d{name}" for output in self.outputs),
            curves=with_derivatives(self.curves),
            reference=replace(self.reference, by=(*self.reference.by, place)),
            remark=None,
        )

    def simplified(self, time_limit: float = 2.0) -> Formula:
        """Return the shortest form that sympy finds within ``time_limit`` seconds and that has the same values.

        Each form is compared with this formula; ``remark`` says if the time was not enough. Numbers that are named
        constants to the last bit are taken for those.
        """
        found = simpler_forms([shown.named(expr) for expr in self.exprs], time_limit)
        exprs = tuple(self._shortest(expr, forms) for expr, forms in zip(self.exprs, found.forms, strict=True))
        remark = f"simplifying was stopped, {found.reason}: a shorter form may exist" if found.reason else None
        return self._other(exprs=exprs, remark=remark)

    # --- exports

    def latex(self, digits: int | None = 4, *, out: int | None = None, equation: bool = False) -> str:
        """Return LaTeX: of output ``out``, or of all (one per line if there are several).

        ``digits`` counts the places after a number's first digit, ``None`` shows all; ``equation`` puts the output's
        name and ``=`` in front.
        """
        return display.latex(
            self._chosen(self._displayed(digits), out), self.variables, digits, equation=equation, warning=self._warn()
        )

    def _repr_latex_(self) -> str:
        """Show the formula as mathematics in a notebook, with its warning."""
        note = f"\n\n⚠ {self.warning}" if self.warning else ""
        return f"$\\displaystyle {self.latex(equation=True)}${note}"

    def mathml(self, digits: int | None = 4, *, out: int | None = None, equation: bool = False) -> str:
        """Return a ``<math>`` element in presentation MathML; the parameters are those of `latex`."""
        return display.mathml(
            self._chosen(self._displayed(digits), out), self.variables, digits, equation=equation, warning=self._warn()
        )

    def python(self, *, out: int | None = None) -> str:
        """Return the source of a Python function of numpy arrays, exact to the last digit, splines included."""
        return self._noted("# {}\n", self._python(out, self.curves))

    def python_outline(self, *, out: int | None = None) -> str:
        """Return the source of `python` without the splines' tables: each is an argument, a function of one array."""
        return self._noted("# {}\n", self._python(out, None))

    def torch_outline(self, *, out: int | None = None) -> str:
        """Return the source of a function of torch tensors; each spline is an argument, a function of one tensor."""
        chosen = self._chosen(self.exprs, out)
        name = next(iter(chosen)) if len(chosen) == 1 else "f"
        return self._noted("# {}\n", source.torch_source(list(chosen.values()), self.variables, name))

    def c(self, *, out: int | None = None) -> str:
        """Return C source, a function of doubles for each output, exact to the last digit, splines included."""
        chosen = self._chosen(self.exprs, out)
        return self._noted("/* {} */\n", c_source(list(chosen.values()), self.variables, list(chosen), self.curves))

    def sympy(self, *, out: int | None = None) -> str:
        """Return SymPy statements that build the formula; splines stay undetermined functions."""
        chosen = self._chosen(self.exprs, out)
        return self._noted("# {}\n", source.sympy_source(list(chosen.values()), self.variables, list(chosen)))

    def _warn(self) -> str | None:
        """Give the warning out, if there is one, and return it."""
        if self.warning:
            warnings.warn(self.warning, FormulaWarning, stacklevel=3)
        return self.warning

    def _noted(self, comment: str, text: str) -> str:
        if not self.warning:
            return text
        warnings.warn(self.warning, FormulaWarning, stacklevel=3)
        return comment.format(self.warning) + text

    def _chosen(self, exprs: Sequence[sympy.Expr], out: int | None) -> dict[str, sympy.Expr]:
        """Return all expressions by their outputs' names, or one."""
        if out is not None and not 0 <= out < len(exprs):
            raise ValueError(f"out is {out}: there are {len(exprs)} outputs, counted from 0")
        chosen = dict(zip(self.outputs, exprs, strict=True))
        return chosen if out is None else {self.outputs[out]: exprs[out]}

    # --- how

    @functools.cached_property
    def _shown(self) -> dict[int, tuple[sympy.Expr, ...]]:
        return {}

    @functools.cached_property
    def _faults(self) -> list[str]:
        return []

    @functools.cached_property
    def _own_check(self) -> Check:
        return reference.check(self, self.reference)

    def _python(self, out: int | None, curves: Mapping[str, Curve] | None) -> str:
        chosen = self._chosen(self.exprs, out)
        name = next(iter(chosen)) if len(chosen) == 1 else "f"
        return source.python_source(list(chosen.values()), self.variables, name, curves)

    def _columns(self, columns: Sequence[Any]) -> Sequence[Any]:
        if len(columns) != len(self.variables):
            names = ", ".join(symbol.name for symbol in self.variables)
            raise ValueError(f"{len(columns)} values were given; this formula takes {len(self.variables)}: {names}")
        return columns

    def _values(self, exprs: Sequence[sympy.Expr], x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] != len(self.variables):
            raise ValueError(f"x has shape {tuple(x.shape)}; this formula takes [batch, {len(self.variables)}]")
        columns = dict(zip(self.variables, x.double().unbind(-1), strict=True))
        return torch.stack(evaluate_all(list(exprs), columns, self.curves), -1)

    def _tidied(self, position: int, digits: int) -> sympy.Expr:
        expr = self.exprs[position]
        if self.model.samples is None:
            return fold.tidy(expr, 1e-9)
        x = self.reference.samples()[:_CHECKED]
        size = reference.spread(self._values([expr], x))
        return shown.tidied(expr, lambda other: self._values([other], x), 10.0**-digits * size, digits)

    def _shortest(self, expr: sympy.Expr, forms: Sequence[sympy.Expr]) -> sympy.Expr:
        """Return the shortest of the forms that have the expression's values."""
        x = self.reference.samples()
        exact = self._values([expr], x)
        allowed = _SAME * reference.spread(exact)
        best = expr
        for form in sorted(forms, key=reading_length):
            if reading_length(form) < reading_length(best) and same_values(self._values([form], x), exact, allowed):
                best = form
        return best

    def _other(self, **changes: Any) -> Formula:
        """Return another form of the formula; what was wrong with this one is wrong with that."""
        other = replace(self, **changes)._trimmed()
        other._faults.extend(self._faults)
        return other

    def _trimmed(self) -> Formula:
        """Return the formula with the curves that occur in it."""
        return replace(self, curves={name: self.curves[name] for name in source.undetermined(self.exprs)})
