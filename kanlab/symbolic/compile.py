r"""From an expression to a KAN that equals it (pykan's kanpiler; KAN 2.0, arXiv 2408.10205, sec. 4).

`kanlab.symbolic.circuit` takes the expression apart into sums of functions and products; here these are given their
places. A node stands on the first level it can; what is needed later is passed on by edges called ``x``. Under every
name lies a spline fitted to it on the data's range, so that an edge which loses its name goes on as it was.

>>> compile_network(Network, "exp(sin(pi*x) + y**2)", ["x", "y"]).width
[[2, 0], [1, 0], [1, 0]]
>>> compile_network(Network, "x*y", ["x", "y"]).width
[[2, 0], [0, 1]]
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanlab.engine import spline
from kanlab.engine.layer import KANLayer
from kanlab.engine.network import Network
from kanlab.symbolic import library
from kanlab.symbolic.circuit import Circuit, Form, Node, Term
from kanlab.symbolic.names import checked_names
from kanlab.symbolic.parser import parse
from kanlab.symbolic.real import real

Expression = str | sympy.Expr | float
Kind = TypeVar("Kind", bound=Network)
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
    network = _Plan(circuit, forms).network(kind, options)
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


# --- places ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """A node of the network: its level, whether it multiplies, and its number among its like."""

    level: int
    product: bool
    index: int


@dataclass(frozen=True)
class _Edge:
    function: str
    source: _Place
    affine: tuple[float, float, float, float]


@dataclass
class _Level:
    """The sum nodes (edges of one subnode each) and multiplication nodes (of several) of one level."""

    sums: list[list[_Edge]] = field(default_factory=list)
    products: list[list[list[_Edge]]] = field(default_factory=list)


class _Plan:
    """Gives every node of a circuit, and what must be passed on, its place."""

    def __init__(self, circuit: Circuit, outputs: Sequence[Form]):
        self.circuit, self.nodes = circuit, circuit.nodes
        self._known: dict[tuple, _Place] = {
            (m, 0): _Place(0, False, m) for m, node in enumerate(self.nodes) if not node.factors
        }
        products = self._output_products(outputs)
        heights = [
            self.circuit.height(form) if node is None else node.level
            for form, node in zip(outputs, products, strict=True)
        ]
        self.levels = [_Level() for _ in range(max(heights) + 1)]
        top = self.levels[-1]
        for form, node in zip(outputs, products, strict=True):
            if node is None:
                top.sums.append(self._edges(form, len(self.levels) - 1))
            else:
                (weight,) = form.weights.values()
                factors = [node.factors[0].scaled(weight), *node.factors[1:]]
                top.products.append([self._edges(factor, len(self.levels) - 1) for factor in factors])

    def _output_products(self, outputs: Sequence[Form]) -> list[Node | None]:
        """Say which outputs can be multiplication nodes: those stand last, and on the last level."""
        found = [self._product(form) for form in outputs]
        while True:
            heights = [
                self.circuit.height(form) if node is None else node.level
                for form, node in zip(outputs, found, strict=True)
            ]
            sums = [m for m, node in enumerate(found) if node is None]
            wrong = [
                m for m, node in enumerate(found) if node and (heights[m] < max(heights) or any(m < s for s in sums))
            ]
            if not wrong:
                return found
            found[wrong[0]] = None

    def _product(self, form: Form) -> Node | None:
        if form.line is None or form.constant != 0:
            return None
        node = self.nodes[form.line[0]]
        return node if len(node.factors) > 1 else None

    def _edges(self, form: Form, level: int) -> list[_Edge]:
        """Return the edges that make a form's value on a level."""
        late = {t: w for t, w in form.weights.items() if self.nodes[t.node].level >= level - 1}
        sources = [(t, w, self._located(t.node, level - 1)) for t, w in late.items()]
        early = self._passed_on({t: w for t, w in form.weights.items() if t not in late}, level - 1)
        sources += [(t, w, self._located(t.node, level - 1)) for t, w in early.items()]
        if not sources:
            sources = [(Term("0", -1), 1.0, self._any(level - 1))]
        shifts = [form.constant] + [0.0] * (len(sources) - 1)
        return [
            _Edge(term.function, source, (term.a, term.b, weight, shift))
            for (term, weight, source), shift in zip(sources, shifts, strict=True)
        ]

    def _passed_on(self, early: dict[Term, float], level: int) -> dict[Term, float]:
        """Choose what is passed on to a level for terms that could stand before it: whatever takes the fewest nodes.

        That is the node of each term; or the term itself, as a node, if there is one already; or the sum of them all.
        """
        if not early:
            return {}
        apart = {}
        for term, weight in early.items():
            made = self.circuit.known_sum(Form({term: 1.0}))
            use = made is not None and len(self._missing([made], level)) < len(self._missing([term.node], level))
            apart[Term("x", cast(int, made)) if use else term] = weight
        together = {Term("x", self.circuit.sum_node(Form(early))): 1.0}
        costs = [len(self._missing([t.node for t in terms], level)) for terms in (together, apart)]
        return together if costs[0] < costs[1] else apart

    def _missing(self, nodes: Sequence[int], level: int) -> set[tuple[int, int]]:
        """Return the places still to be made until these nodes' values stand on a level."""
        places = {(node, stage) for node in nodes for stage in range(self.nodes[node].level, level + 1)}
        return places - self._known.keys()

    def _any(self, level: int) -> _Place:
        return _Place(level, not self.levels[level].sums and level > 0, 0)

    def _located(self, node: int, level: int) -> _Place:
        """Return where a node's value stands on a level, itself or passed on."""
        key = (node, level)
        if key not in self._known:
            factors = self.nodes[node].factors
            if self.nodes[node].level < level:
                self._known[key] = self._new_sum(self._edges(Form({Term("x", node): 1.0}), level), level)
            elif len(factors) == 1:
                self._known[key] = self._new_sum(self._edges(factors[0], level), level)
            else:
                subnodes = [self._edges(factor, level) for factor in factors]
                self.levels[level].products.append(subnodes)
                self._known[key] = _Place(level, True, len(self.levels[level].products) - 1)
        return self._known[key]

    def _new_sum(self, edges: list[_Edge], level: int) -> _Place:
        self.levels[level].sums.append(edges)
        return _Place(level, False, len(self.levels[level].sums) - 1)

    # --- the network

    def network(self, kind: type[Kind], options: dict[str, Any]) -> Kind:
        """Return a network with these nodes; every edge that is not part of the formula is removed."""
        counts = [(len(level.sums), len(level.products)) for level in self.levels[1:]]
        width = [len(self.circuit.variables)] + [list(pair) if pair[1] else pair[0] for pair in counts]
        arities = [[len(subnodes) for subnodes in level.products] for level in self.levels]
        network = kind(width, mult_arity=arities, **options)
        for l, layer in enumerate(network.kan_layers()):
            self._fill(layer, l)
        return network

    def _fill(self, layer: KANLayer, l: int) -> None:
        layer.mask.zero_()
        level, n_sums = self.levels[l + 1], layer.in_dim if l == 0 else len(self.levels[l].sums)
        for j, edges in enumerate([*level.sums, *itertools.chain(*level.products)]):
            for edge in edges:
                i = edge.source.index + n_sums * edge.source.product
                layer.fix(i, j, library.get(edge.function), edge.affine)


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
