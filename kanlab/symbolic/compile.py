r"""From an expression to a KAN that equals it (pykan's kanpiler; KAN 2.0, arXiv 2408.10205, sec. 4).

`kanlab.symbolic.circuit` takes the expression apart into sums of functions and products, `kanlab.symbolic.placement`
gives these their places. Under every name lies a spline fitted to it on the data's range, so that an edge which loses
its name goes on as it was.

>>> compile_network(Network, "exp(sin(pi*x) + y**2)", ["x", "y"]).width
[[2, 0], [1, 0], [1, 0]]
>>> compile_network(Network, "x*y", ["x", "y"]).width
[[2, 0], [0, 1]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine import spline
from kanlab.engine.network import Network
from kanlab.symbolic.circuit import Circuit
from kanlab.symbolic.names import checked_names
from kanlab.symbolic.parser import parse
from kanlab.symbolic.placement import Kind, Plan
from kanlab.symbolic.real import real

Expression = str | sympy.Expr | float
#: Where inputs are drawn if none are given: the first box in which the formula is real nearly everywhere.
_BOXES = ((-1.0, 1.0), (0.0, 1.0), (1.0, 2.0))
_SAMPLES = 1000


def compile_network(
    kind: type[Kind],
    formula: Expression | Sequence[Expression],
    variables: Sequence[str | sympy.Symbol],
    x: Float[Tensor, "batch n_in"] | None = None,
    **options: Any,
) -> Kind:
    """Return a network that equals a formula.

    Parameters
    ----------
    kind
        The class to make: called with ``width``, ``mult_arity`` and the options.
    formula
        Text (parsed, never evaluated), a sympy expression or a number; a list of them for several outputs.
    variables
        The inputs in their order, used or not.
    x
        Samples of the inputs, over which the grids are laid; drawn from [-1, 1], [0, 1] or [1, 2] if not given. Rows at
        which the formula or a part of it is no finite number are left out.
    **options
        ``grid``, ``k``, ``seed``, ``base_fun``, ... of the network.

    Raises
    ------
    ValueError
        For text that is no formula, an unknown symbol, a function that is not in the library, a constant that is not
        real, or samples at none of which the formula and its parts are finite.
    """
    symbols = _symbols(variables)
    outputs = cast("Sequence[Expression]", formula if isinstance(formula, list | tuple) else [formula])
    if not outputs:
        raise ValueError("no formula was given; one is needed for each output")
    circuit = Circuit(symbols)
    forms = [circuit.subnode(circuit.read(_expression(output, symbols))) for output in outputs]
    network = Plan(circuit, forms).network(kind, options)
    network.show(_samples(network) if x is None else _finite_rows(network, x))
    _underlay(network)
    return network


# --- what came in ----------------------------------------------------------------------------------------------------


def _symbols(variables: Sequence[str | sympy.Symbol]) -> list[sympy.Symbol]:
    if isinstance(variables, str | sympy.Symbol) or not len(variables):
        raise ValueError(f"variables is {variables!r}: give a list of the inputs' names, such as ['x', 'y']")
    names = [item.name if isinstance(item, sympy.Symbol) else item for item in variables]
    return [sympy.Symbol(name) for name in checked_names(names, "variables")]


def _expression(formula: Expression, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    """Read text, take an expression over; its symbols count by their names, whatever is assumed of them."""
    named = {symbol.name: symbol for symbol in symbols}
    if isinstance(formula, str):
        return parse(formula, named)
    if isinstance(formula, int | float) and not isinstance(formula, bool):
        return sympy.Float(formula) if isinstance(formula, float) else sympy.Integer(formula)
    if not isinstance(formula, sympy.Expr):
        raise TypeError(f"a formula must be text, a sympy expression or a number, not {type(formula).__name__}")
    present = [symbol for symbol in formula.free_symbols if isinstance(symbol, sympy.Symbol)]
    return real(cast(sympy.Expr, formula.xreplace({symbol: named.get(symbol.name, symbol) for symbol in present})))


# --- the splines under the names -------------------------------------------------------------------------------------


def _samples(network: Network) -> Float[Tensor, "batch n_in"]:
    """Draw inputs from the box in which most of them give a finite number."""
    generator = torch.Generator().manual_seed(0)
    unit = torch.rand(_SAMPLES, network.n_in, generator=generator, dtype=torch.float64)
    best = max(([low + (high - low) * unit for low, high in _BOXES]), key=lambda x: int(_finite(network, x).sum()))
    return _finite_rows(network, best)


@torch.no_grad()
def _finite(network: Network, x: Tensor) -> Tensor:
    """Say for each row whether all that happens on it is a finite number."""
    acts = network.acts(x)
    rows = [nodes.isfinite().all(-1) for nodes in acts.nodes]
    return torch.stack(rows).all(0)


def _finite_rows(network: Network, x: Tensor) -> Tensor:
    x = network.read(x).T
    rows = x[_finite(network, x)]
    if not len(rows):
        raise ValueError(
            f"at none of {len(x)} samples are the formula and all its parts finite real numbers: pass inputs x from "
            "its domain"
        )
    return rows


@torch.no_grad()
def _underlay(network: Network) -> None:
    """Fit a spline to every named edge, over the range of its data: what `unfix` brings back."""
    network.update_grid_from_samples(network.seen())
    for layer in network.kan_layers():
        points = spline.dense_points(layer.knots, layer.k)
        values = layer.postacts(points).nan_to_num(0.0, 0.0, 0.0)
        # Least squares take squares: of values of size 1, that nothing overflows.
        size = values.abs().amax(-1, keepdim=True).clamp(min=torch.finfo(values.dtype).tiny)
        coef = size * spline.fit_coef(points, values / size, layer.knots, layer.k)
        for i, j in layer.fixed:
            layer.coef[i, j], layer.scale_sp[i, j], layer.scale_base[i, j] = coef[i, j], 1.0, 0.0
