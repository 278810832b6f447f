r"""Give the nodes of a circuit their places in a network, level by level.

A node stands on the first level it can. What is needed later is passed on by edges called ``x``: the node itself, or
the sum of all that waits for the same place, whichever takes fewer nodes. Outputs that are products and stand last on
the last level are multiplication nodes themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kanlab.engine.layer import KANLayer
from kanlab.engine.network import Network
from kanlab.symbolic import library
from kanlab.symbolic.circuit import Circuit, Form, Node, Term

Kind = TypeVar("Kind", bound=Network)


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


class Plan:
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
        taken = {t.node for t in form.weights}
        early = self._passed_on({t: w for t, w in form.weights.items() if t not in late}, level - 1, taken)
        sources += [(t, w, self._located(t.node, level - 1)) for t, w in early.items()]
        if not sources:
            # Any edge will do; the first node of a level is there once all places are given.
            sources = [(Term("0", -1), 1.0, _Place(level - 1, False, 0))]
        shifts = [form.constant] + [0.0] * (len(sources) - 1)
        return [
            _Edge(term.function, source, (term.a, term.b, weight, shift))
            for (term, weight, source), shift in zip(sources, shifts, strict=True)
        ]

    def _passed_on(self, early: dict[Term, float], level: int, taken: set[int]) -> dict[Term, float]:
        """Choose what is passed on to a level for terms that could stand before it: whatever takes the fewest nodes.

        That is the node of each term; or the term itself, as a node, if there is one already; or the sum of them all.
        A node in ``taken`` has an edge to this place already: there is no second one between two nodes.
        """
        if not early:
            return {}
        apart = {self._cheaper(term, level, taken): weight for term, weight in early.items()}
        together = self.circuit.sum_node(Form(early))
        if together in taken or self._cost([together], level) >= self._cost([t.node for t in apart], level):
            return apart
        return {Term("x", together): 1.0}

    def _cheaper(self, term: Term, level: int, taken: set[int]) -> Term:
        """Return the term, or its node as it is if there is one that takes fewer nodes to pass on."""
        made = self.circuit.known_sum(Form({term: 1.0}))
        if made is None or made in taken or self._cost([made], level) >= self._cost([term.node], level):
            return term
        return Term("x", made)

    def _cost(self, nodes: Sequence[int], level: int) -> int:
        """Count the places still to be made until these nodes' values stand on a level."""
        places = {(node, stage) for node in nodes for stage in range(self.nodes[node].level, level + 1)}
        return len(places - self._known.keys())

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
