r"""Read a network's formula, edge by edge.

An edge with a name is ``c f(a x + b) + d``, a spline an undetermined function `phi_l_i_j` with its `Curve`, a removed
edge nothing; multiplication nodes are products. How an edge with a name is written is the reader's choice: folded as
people write it (`kanlab.symbolic.fold.apply`), or `plainly`, every parameter where the model has it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
import torch

from kanlab.engine.network import Network
from kanlab.symbolic import fold
from kanlab.symbolic.edge_curve import Curve, curves_of
from kanlab.symbolic.fold import Linear
from kanlab.symbolic.formula import Formula
from kanlab.symbolic.library import SymbolicFunction
from kanlab.symbolic.names import checked_names
from kanlab.symbolic.real import real
from kanlab.symbolic.reference import Reference, Scale
from kanlab.symbolic.shown import count_parts

#: Parts (numbers, names, signs) beyond which a formula is no longer one to read.
LIMIT = 3000

#: Makes ``c f(inner) + d``.
Writer = Callable[[SymbolicFunction, Linear, float, float], Linear]


def formula_of(
    network: Network,
    var: Sequence[str | sympy.Symbol] | None = None,
    out: Sequence[str] | None = None,
    *,
    normalizer: Any = None,
    output_normalizer: Any = None,
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
    normalizer, output_normalizer
        ``(mean, std)`` of the inputs and of the labels, if the network was trained on ``(x - mean) / std``: the formula
        is then of ``x`` itself, and gives the labels themselves.
    limit
        Largest number of parts.

    Raises
    ------
    ValueError
        If names are missing, blank or repeated, a normaliser does not fit, a parameter is not finite, or the formula
        would have more parts than ``limit``.

    Examples
    --------
    >>> from kanlab.symbolic.library import get
    >>> network = Network([2, 1])
    >>> network.layer(0).fix(0, 0, get("sin"), (3.0, 0.0, 2.0, 1.0))
    >>> network.layer(0).fix(1, 0, get("x^2"), (-2.0, 0.0, 0.25, 0.0))
    >>> formula_of(network, ["x", "theta"]).exprs[0]
    theta**2 + 2*sin(3*x) + 1
    """
    variables = _variables(_of_inputs(network, var), network.n_in)
    names = out or (["f"] if network.n_out == 1 else _numbered("f", network.n_out))
    outputs = tuple(checked_names(names, "out", network.n_out))
    read = Reference(
        copy.deepcopy(network).requires_grad_(False),
        Scale.read(normalizer, network.n_in, "normalizer"),
        Scale.read(output_normalizer, network.n_out, "output_normalizer"),
    )
    formula = _read(read, variables, outputs, fold.apply)
    size = sum(count_parts(expr) for expr in formula.exprs)
    if size > limit:
        raise ValueError(
            f"the formula has {size} parts, more than limit={limit}: prune the network, or raise the limit"
        )
    if formula.warning is None:
        return formula
    # Folding moves numbers to where people expect them; where that loses digits, the plain form is the better one.
    plain = _read(read, variables, outputs, plainly)
    return plain if plain.check().agreement < formula.check().agreement else formula


def _of_inputs(network: Network, var: Sequence[str | sympy.Symbol] | None) -> Sequence[str | sympy.Symbol] | None:
    """Return the names that belong to the inputs; where inputs were pruned, default names count all columns."""
    if var is None:
        return None if network.n_in == network.n_columns else [f"x_{m + 1}" for m in network.input_id]
    return var if isinstance(var, str) else network.of_inputs(var)


def _read(read: Reference, variables: tuple[sympy.Symbol, ...], outputs: tuple[str, ...], write: Writer) -> Formula:
    """Read a network's expressions in the units of the formula."""
    nodes = [fold.variable(symbol) for symbol in variables]
    if read.inputs:
        scales = zip(nodes, read.inputs.mean, read.inputs.std, strict=True)
        nodes = [node.scaled(1 / std, -mean / std) for node, mean, std in scales]
    ends, curves = read_outputs(read.model, nodes, write)
    if read.outputs:
        ends = [end.scaled(std, mean) for end, mean, std in zip(ends, read.outputs.mean, read.outputs.std, strict=True)]
    return Formula(tuple(end.expr() for end in ends), variables, outputs, curves, read)._trimmed()


def _variables(var: Sequence[str | sympy.Symbol] | None, count: int) -> tuple[sympy.Symbol, ...]:
    given = list(_numbered("x", count) if var is None else var)
    names = checked_names([item.name if isinstance(item, sympy.Symbol) else item for item in given], "var", count)
    return tuple(
        item if isinstance(item, sympy.Symbol) else sympy.Symbol(name) for item, name in zip(given, names, strict=True)
    )


def _numbered(letter: str, count: int) -> list[str]:
    return [f"{letter}_{position + 1}" for position in range(count)]


# --- edge by edge -----------------------------------------------------------------------------------------------------


def plainly(function: SymbolicFunction, inner: Linear, c: float, d: float) -> Linear:
    """Write ``c f(inner) + d`` as it stands."""
    if not inner.weights or c == 0 or function.name in ("0", "x"):
        return fold.apply(function, inner, c, d)
    return Linear({real(function.sympy_fn(inner.expr())): c}, d)


def read_outputs(
    network: Network, inputs: Sequence[Linear], write: Writer = fold.apply
) -> tuple[list[Linear], dict[str, Curve]]:
    """Return each output as a linear form, and the curves that occur, by name.

    Raises
    ------
    ValueError
        If a parameter is not a finite number.
    """
    reader = _Reader(network, write)
    nodes = list(inputs)
    for l in range(network.depth):
        subnodes = [reader.subnode(l, j, nodes) for j in range(network.layer(l).out_dim)]
        nodes = [
            subnodes[group[0]] if len(group) == 1 else fold.multiply([subnodes[j] for j in group])
            for group in network.groups[l]
        ]
    return nodes, reader.curves


@dataclass
class _Reader:
    network: Network
    write: Writer

    def __post_init__(self) -> None:
        self.curves: dict[str, Curve] = {}
        self.layers: dict[int, dict[tuple[int, int], Curve]] = {}

    def subnode(self, l: int, j: int, nodes: Sequence[Linear]) -> Linear:
        """Return the sum of the edges into one subnode."""
        mask = self.network.layer(l).mask[:, j].tolist()
        return fold.add([self.edge((l, i, j), node) for i, node in enumerate(nodes) if mask[i]])

    def edge(self, edge: tuple[int, int, int], node: Linear) -> Linear:
        l, i, j = edge
        layer = self.network.layer(l)
        self.require_finite(edge)
        function = layer.fixed.get((i, j))
        if isinstance(function, SymbolicFunction):
            a, b, c, d = layer.affine[i, j].tolist()
            return self.write(function, node.scaled(a, b), c, d)
        if l not in self.layers:
            self.layers[l] = curves_of(layer, l)
        curve = self.layers[l][i, j]
        if not node.weights:
            return Linear({}, float(curve(torch.tensor(node.constant, dtype=torch.float64))))
        self.curves[curve.name] = curve
        return Linear({sympy.Function(curve.name)(node.expr()): 1.0})

    def require_finite(self, edge: tuple[int, int, int]) -> None:
        l, i, j = edge
        layer = self.network.layer(l)
        fixed = (i, j) in layer.fixed
        parts = [layer.affine[i, j]] if fixed else [layer.coef[i, j], layer.scale_sp[i, j], layer.scale_base[i, j]]
        if not all(bool(part.isfinite().all()) for part in parts):
            raise ValueError(
                f"edge {edge} has parameters that are not finite numbers, so there is no formula: undo the last change"
            )
