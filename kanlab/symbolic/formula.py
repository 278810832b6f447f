r"""From a network to its formula, and the formula's own check.

Every present edge becomes a term: one with a name as ``c f(a x + b) + d`` (folded, `kanlab.symbolic.fold`), a spline as
an undetermined function ``phi_l_i_j``. Removed edges are zero. The formula keeps a copy of the network it was read
from, so it stays what it was while training goes on, and can always say how well it agrees.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import sympy
import torch
from jaxtyping import Float
from sympy.core.function import AppliedUndef
from torch import Tensor

from kanlab.engine.network import Network
from kanlab.symbolic import fold, printing, source
from kanlab.symbolic.constants import nearest
from kanlab.symbolic.evaluate import evaluate_all
from kanlab.symbolic.library import SymbolicFunction
from kanlab.symbolic.names import latex_name, mathml_name, parse_name

#: Largest difference between formula and model, relative to the output's spread, that is called agreement.
_AGREEMENT = {torch.float64: 1e-9}
_AGREEMENT_OTHER = 1e-4
#: Samples on which rounding for display is checked.
_CHECKED = 256
#: Parts (numbers, names, signs) beyond which a formula is no longer one to read.
LIMIT = 3000


@dataclass(frozen=True)
class Check:
    """How well a formula agrees with its model, and both with the data.

    Attributes
    ----------
    agreement
        Largest absolute difference between formula and model, relative to the output's spread over the data.
    train_rmse, test_rmse
        Root mean squared error of the formula itself; ``None`` without labels of the output's shape.
    agrees
        Whether ``agreement`` is at the level of rounding.
    message
        What is wrong, if something is.
    """

    agreement: float
    train_rmse: float | None
    test_rmse: float | None
    agrees: bool
    message: str | None = None


@dataclass(frozen=True, eq=False)
class Formula:
    """The formula of a network; made by `formula_of`.

    Attributes
    ----------
    exprs
        One expression per output, exact: its numbers are the model's doubles.
    variables
        The symbols of the inputs; each bears the name to show.
    outputs
        The names of the outputs.
    edges
        What stands for each undetermined function in ``exprs``, by the function's name.
    model
        The network the formula was read from (a copy of its own).
    """

    exprs: tuple[sympy.Expr, ...]
    variables: tuple[sympy.Symbol, ...]
    outputs: tuple[str, ...]
    edges: Mapping[str, Callable[[Tensor], Tensor]] = field(repr=False)
    model: Network = field(repr=False)

    def __call__(self, x: Float[Tensor, "batch n_in"]) -> Float[Tensor, "batch n_out"]:
        """Evaluate the formula, in double precision."""
        return self._values(self.exprs, x)

    @property
    def spline_edges(self) -> tuple[tuple[int, int, int], ...]:
        """The edges ``(l, i, j)`` that have no name yet."""
        return tuple(sorted(_indices(name) for name in self.edges))

    @property
    def complexity(self) -> int:
        """Number of operations, functions, numbers and variables in what is shown.

        >>> x, y = sympy.symbols("x y")
        >>> count_parts(sympy.exp(sympy.sin(sympy.pi * x) + y**2))
        9
        """
        return sum(count_parts(expr) for expr in self.shown(4))

    def shown(self, digits: int | None = 4) -> tuple[sympy.Expr, ...]:
        """Return the expressions as they are shown: tidied as far as that changes nothing at this rounding.

        Terms are dropped and numbers made whole only if, on the data the model knows, each output changes by less than
        ``10^-digits`` of its spread. A number that is a named constant to the last bit, as after snapping, is shown by
        its name: π, e, √2, ½.
        """
        if digits is None:
            return self.exprs
        if digits not in self._shown:
            self._shown[digits] = tuple(_named(self._tidied(position, digits)) for position in range(len(self.exprs)))
        return self._shown[digits]

    def latex(self, digits: int | None = 4, *, out: int | None = None, equation: bool = False) -> str:
        """Return LaTeX: of output ``out``, or of all (one per line if there are several).

        ``digits`` counts the places after a number's first digit, ``None`` shows all; ``equation`` puts the output's
        name and ``=`` in front.
        """
        chosen = range(len(self.exprs)) if out is None else [self._output(out)]
        texts = [printing.latex(self.shown(digits)[m], self._names, digits) for m in chosen]
        heads = [self._head(latex_name, m, r"\left({}\right)", ", ") for m in chosen]
        if len(texts) == 1:
            return f"{heads[0]} = {texts[0]}" if equation else texts[0]
        lines = " \\\\\n".join(f"{head} &= {text}" for head, text in zip(heads, texts, strict=True))
        return f"\\begin{{aligned}}\n{lines}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        """Show the formula as mathematics in a notebook."""
        return f"$\\displaystyle {self.latex(equation=True)}$"

    def mathml(self, digits: int | None = 4, *, out: int | None = None, equation: bool = False) -> str:
        """Return a ``<math>`` element in presentation MathML; the parameters are those of `latex`."""
        chosen = range(len(self.exprs)) if out is None else [self._output(out)]
        texts = [printing.mathml_row(self.shown(digits)[m], self._names, digits) for m in chosen]
        brackets = '<mrow><mo fence="true">(</mo>{}<mo fence="true">)</mo></mrow>'
        heads = [self._head(mathml_name, m, brackets, '<mo separator="true">,</mo>') for m in chosen]
        if len(texts) == 1:
            return printing.math_element(f"{heads[0]}<mo>=</mo>{texts[0]}" if equation else texts[0])
        rows = (
            f"<mtr><mtd>{head}</mtd><mtd><mo>=</mo></mtd><mtd>{text}</mtd></mtr>"
            for head, text in zip(heads, texts, strict=True)
        )
        return printing.math_element(f"<mtable>{''.join(rows)}</mtable>")

    def python(self, *, out: int | None = None) -> str:
        """Return the source of a Python function of numpy arrays, exact to the last digit."""
        exprs = self.exprs if out is None else self.exprs[self._output(out) :][:1]
        name = self.outputs[0 if out is None else out] if len(exprs) == 1 else "f"
        return source.python_source(exprs, self.variables, name)

    def sympy(self, *, out: int | None = None) -> str:
        """Return SymPy statements that build the formula."""
        chosen = range(len(self.exprs)) if out is None else [self._output(out)]
        return source.sympy_source([self.exprs[m] for m in chosen], self.variables, [self.outputs[m] for m in chosen])

    @torch.no_grad()
    def check(self, dataset: Mapping[str, Tensor] | None = None) -> Check:
        """Compare the formula with its model, and with the labels, on a dataset (default: what the model has seen).

        Parameters
        ----------
        dataset
            With ``train_input`` and ``train_label``, ``test_input`` and ``test_label``, or some of them.
        """
        parts = {name: self._part(dataset or {}, name) for name in ("train", "test")}
        inputs = [x for x, _ in parts.values() if x is not None]
        if not inputs:
            inputs = [self.model.seen()]
        x = torch.cat(inputs)
        values, model = self(x), self.model(x).double()
        strange = int((values.isfinite() != model.isfinite()).any(-1).sum())
        agreement = math.inf if strange else float(((values - model).abs() / _spread(model)).nan_to_num().max())
        agrees = agreement <= _AGREEMENT.get(self.model.dtype, _AGREEMENT_OTHER)
        message = None
        if strange:
            message = f"the formula and the model are not both finite at {strange} of {len(x)} samples"
        elif not agrees:
            message = f"the formula differs from the model by up to {agreement:.1e} of the output's spread"
        errors = {name: None if x is None else _rmse(self(x), label) for name, (x, label) in parts.items()}
        return Check(agreement, errors["train"], errors["test"], agrees, message)

    # --- how

    @functools.cached_property
    def _shown(self) -> dict[int, tuple[sympy.Expr, ...]]:
        return {}

    @property
    def _names(self) -> dict[sympy.Symbol, str]:
        return {symbol: symbol.name for symbol in self.variables}

    def _output(self, out: int) -> int:
        if not 0 <= out < len(self.exprs):
            raise ValueError(f"out is {out}: there are {len(self.exprs)} outputs, counted from 0")
        return out

    def _head(self, write: Callable, m: int, brackets: str, comma: str) -> str:
        arguments = comma.join(write(parse_name(symbol.name)) for symbol in self.variables)
        return write(parse_name(self.outputs[m])) + brackets.replace("{}", arguments)

    def _part(self, dataset: Mapping[str, Tensor], name: str) -> tuple[Tensor | None, Tensor | None]:
        return dataset.get(f"{name}_input"), dataset.get(f"{name}_label")

    def _values(self, exprs: Sequence[sympy.Expr], x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] != len(self.variables):
            raise ValueError(f"x has shape {tuple(x.shape)}; this formula takes [batch, {len(self.variables)}]")
        columns = dict(zip(self.variables, x.double().unbind(-1), strict=True))
        return torch.stack(evaluate_all(list(exprs), columns, self.edges), -1)

    @torch.no_grad()
    def _tidied(self, position: int, digits: int) -> sympy.Expr:
        expr = self.exprs[position]
        if self.model.samples is None:
            return fold.tidy(expr, 1e-9)
        x = self.model.samples[:_CHECKED]
        exact = self._values([expr], x)
        allowed = 10.0**-digits * _spread(exact)
        for tol in (0.5 * 10.0**-digits, 1e-2 * 10.0**-digits, 1e-4 * 10.0**-digits):
            tidy = fold.tidy(expr, tol)
            if tidy == expr or bool(((self._values([tidy], x) - exact).abs() <= allowed).all()):
                return tidy
        return expr


def formula_of(
    network: Network,
    var: Sequence[str | sympy.Symbol] | None = None,
    out: Sequence[str] | None = None,
    *,
    limit: int = LIMIT,
) -> Formula:
    """Read the formula of a network.

    Parameters
    ----------
    network
        Edges without a name appear as undetermined functions.
    var
        Names of the inputs, any text, or sympy symbols; ``x_1``, ``x_2``, … if not given.
    out
        Names of the outputs; ``f``, or ``f_1``, ``f_2``, … if not given.
    limit
        Largest number of parts.

    Raises
    ------
    ValueError
        If names are missing, blank or repeated, or the formula would have more parts than ``limit``.

    Examples
    --------
    >>> from kanlab.symbolic.library import get
    >>> network = Network([2, 1])
    >>> network.layer(0).fix(0, 0, get("sin"), (3.0, 0.0, 2.0, 1.0))
    >>> network.layer(0).fix(1, 0, get("x^2"), (-2.0, 0.0, 0.25, 0.0))
    >>> formula_of(network, ["x", "theta"]).exprs[0]
    theta**2 + 2*sin(3*x) + 1
    """
    variables = _variables(var, network.n_in)
    outputs = tuple(
        _unique(out or (["f"] if network.n_out == 1 else _numbered("f", network.n_out)), network.n_out, "out")
    )
    model = copy.deepcopy(network).requires_grad_(False)
    edges: dict[str, Callable[[Tensor], Tensor]] = {}
    nodes = [fold.variable(symbol) for symbol in variables]
    for l in range(model.depth):
        subnodes = [_subnode(model, l, j, nodes, edges) for j in range(model.layer(l).out_dim)]
        nodes = [
            subnodes[group[0]] if len(group) == 1 else fold.multiply([subnodes[j] for j in group])
            for group in model.groups[l]
        ]
    exprs = tuple(node.expr() for node in nodes)
    size = sum(count_parts(expr) for expr in exprs)
    if size > limit:
        raise ValueError(
            f"the formula has {size} parts, more than limit={limit}: prune the network, or raise the limit"
        )
    used = {part.func.__name__ for expr in exprs for part in expr.atoms(AppliedUndef)}
    return Formula(exprs, variables, outputs, {name: edge for name, edge in edges.items() if name in used}, model)


def count_parts(expr: sympy.Basic) -> int:
    """Count operations, functions, numbers and variables, as often as they are written.

    >>> count_parts(sympy.Symbol("x") + 1)
    3
    """
    known: dict[sympy.Basic, int] = {}

    def count(part: sympy.Basic) -> int:
        if part not in known:
            joins = len(part.args) - 1 if isinstance(part, sympy.Add | sympy.Mul) else bool(part.args)
            known[part] = joins + sum(map(count, part.args)) if part.args else 1
        return known[part]

    return count(expr)


def _named(expr: sympy.Expr) -> sympy.Expr:
    """Put names for the numbers that are exactly those of the table."""
    names = {}
    for number in expr.atoms(sympy.Float):
        value = float(number)
        exact = (
            [constant for constant in nearest(value, 1e-15) if constant.value == value] if math.isfinite(value) else []
        )
        if exact:
            names[number] = exact[0].expr
    return cast(sympy.Expr, expr.xreplace(names))


def _subnode(
    model: Network, l: int, j: int, nodes: Sequence[fold.Linear], edges: dict[str, Callable[[Tensor], Tensor]]
) -> fold.Linear:
    """Return the sum of the edges into one subnode; splines met on the way are added to ``edges``."""
    layer = model.layer(l)
    parts = []
    for i, node in enumerate(nodes):
        if layer.mask[i, j] == 0:
            continue
        function = layer.fixed.get((i, j))
        if isinstance(function, SymbolicFunction):
            a, b, c, d = layer.affine[i, j].tolist()
            parts.append(fold.apply(function, node.scaled(a, b), c, d))
            continue
        name = f"phi_{l}_{i}_{j}"
        edges[name] = functools.partial(_edge_values, model, (l, i, j))
        parts.append(fold.Linear({sympy.Function(name)(node.expr()): 1.0}))
    return fold.add(parts)


def _edge_values(model: Network, edge: tuple[int, int, int], u: Tensor) -> Tensor:
    l, i, j = edge
    return model.layer(l).edge(i, j, u.flatten().to(model.dtype)).to(u.dtype).reshape(u.shape)


def _indices(name: str) -> tuple[int, int, int]:
    l, i, j = (int(index) for index in name.split("_")[1:])
    return l, i, j


def _variables(var: Sequence[str | sympy.Symbol] | None, count: int) -> tuple[sympy.Symbol, ...]:
    given = list(_numbered("x", count) if var is None else var)
    names = _unique([item.name if isinstance(item, sympy.Symbol) else item for item in given], count, "var")
    return tuple(
        item if isinstance(item, sympy.Symbol) else sympy.Symbol(name) for item, name in zip(given, names, strict=True)
    )


def _numbered(letter: str, count: int) -> list[str]:
    return [f"{letter}_{position + 1}" for position in range(count)]


def _unique(names: Sequence[str], count: int, what: str) -> list[str]:
    names = list(names)
    if isinstance(names, str) or len(names) != count:
        raise ValueError(f"{what} is {names!r}: give {count} names, one for each")
    for position, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"{what}[{position}] is {name!r}: a name must be text that is not blank")
        if name in names[:position]:
            raise ValueError(f"{what} has {name!r} twice: each name must be different")
    return names


def _spread(y: Tensor) -> Tensor:
    """Return the range of each column, or its size where it is constant, or 1 where it is zero."""
    y = y.nan_to_num(posinf=0.0, neginf=0.0)
    spread = y.amax(0) - y.amin(0)
    size = y.abs().amax(0)
    return torch.where(spread > 1e-12 * size, spread, torch.where(size > 0, size, 1.0))


def _rmse(values: Tensor, label: Tensor | None) -> float | None:
    if label is not None and label.ndim == 1 and values.shape[1] == 1 and label.is_floating_point():
        label = label[:, None]
    if label is None or label.shape != values.shape:
        return None
    return float((values - label).square().mean().sqrt())
