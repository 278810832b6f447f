"""A model as plain numbers that the front end evaluates (`frontend/src/lib/kan.ts`): what an offline page carries."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
from torch import Tensor

from kanlab.engine.base import Elementwise
from kanlab.engine.layer import EdgeFunction, KANLayer
from kanlab.kan import KAN

#: The library's functions that `frontend/src/lib/functions.ts` has; any other is sent as samples.
_BROWSER = frozenset(
    ("0", "1", "x", "1/x", "sqrt", "1/sqrt(x)", "cbrt", "exp", "log", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
     "arcsinh", "arccosh", "arctanh", "sinh", "cosh", "tanh", "gaussian", "abs", "sgn", "sigmoid")
)  # fmt: skip
_POWER = re.compile(r"(1/)?x\^\d{1,2}(\.5)?")
_BASES = ("silu", "identity", "zero")
#: Samples reach this share of the data's range beyond it on either side: other inputs can meet inside the network.
_MARGIN = 0.5
#: Intervals between samples: doubled until the middles are as near as this (relative to the values), or enough.
_FEWEST, _MOST, _NEAR = 256, 8192, 1e-11


@torch.no_grad()
def portable(model: KAN) -> dict[str, Any]:
    """Return everything `Kan.evaluate` of the front end needs, every number to its last bit."""
    nodes = model.acts().nodes
    return {
        "subnodes": [[1] * model.n_in, *([len(group) for group in groups] for groups in model.groups)],
        "layers": [_layer(layer, nodes[l]) for l, layer in enumerate(model.kan_layers())],
    }


def _layer(layer: KANLayer, inputs: Tensor) -> dict[str, Any]:
    tensors = {name: getattr(layer, name).tolist() for name in ("knots", "coef", "scale_base", "scale_sp", "mask")}
    fixed = [_fixed(layer, edge, function, inputs[:, edge[0]]) for edge, function in layer.fixed.items()]
    base = None if layer.base.name in _BASES and layer.base.is_named else _base_samples(layer, inputs)
    return tensors | {"k": layer.k, "base": layer.base.name, "base_samples": base, "fixed": fixed}


def _base_samples(layer: KANLayer, inputs: Tensor) -> dict[str, Any]:
    """Sample a base function of one's own, over all the values that reach the layer."""
    return _samples(lambda x: layer.base.evaluate(x, 0)[0], lambda x: layer.base.evaluate(x, 1)[1], inputs)


def _fixed(layer: KANLayer, edge: tuple[int, int], function: EdgeFunction, x: Tensor) -> dict[str, Any]:
    affine = layer.affine[edge]
    known = function.name in _BROWSER or _POWER.fullmatch(function.name)
    samples = None if known else _samples(function, function.derivative, affine[0] * x + affine[1])
    return {"edge": list(edge), "name": function.name, "affine": affine.tolist(), "samples": samples}


def _samples(function: Elementwise, derivative: Elementwise, u: Tensor) -> dict[str, Any]:
    """Sample a function and its slope so densely that cubic Hermite interpolation between them is exact to 1e-11."""
    low, high = float(u.min()), float(u.max())
    margin = _MARGIN * (high - low) or 1.0
    low, high = low - margin, high + margin
    count = _FEWEST
    while True:
        points = torch.linspace(low, high, count + 1, dtype=torch.float64)
        values, slopes = function(points), derivative(points)
        step = (high - low) / count
        middles = function(points[:-1] + 0.5 * step)
        guess = 0.5 * (values[:-1] + values[1:]) + 0.125 * step * (slopes[:-1] - slopes[1:])
        off = ((middles - guess).abs() / (1.0 + middles.abs())).nan_to_num(0.0, 0.0, 0.0)
        if count >= _MOST or float(off.max()) < _NEAR:
            return {"low": low, "step": step, "values": _finite(values), "slopes": _finite(slopes)}
        count *= 2


def _finite(values: Tensor) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
