r"""How many additions, multiplications and the like one row costs: the FLOPs of a KAN and of an MLP, counted alike.

A spline of degree k is not zero for k + 1 of its bases only. For each input of a layer these are computed once, by the
recursion of Cox and de Boor with :math:`k (k + 1) / 2` combinations of two (6 operations each), and the base function
once (4); each edge then costs :math:`2 (k + 2)`, a multiplication and an addition for each basis and for the base. A
weight of an MLP costs 2, a bias 1 and an activation 4, or 1 without an exponential.

The number of grid points does not occur: a finer grid makes a KAN no dearer, only larger. (arXiv:2407.16674 counts an
implementation that computes all G + k bases, so its KANs cost more than ours.)

>>> operations(Network([2, 1, 1], grid=5)), operations(Network([2, 1, 1], grid=50))
(150, 150)
"""

from torch import nn

from kanlab.engine.network import Network

SOURCE = "after arXiv:2407.16674, which compares by parameters and by FLOPs; but of an evaluation that is local"
#: Of a combination of two bases, of a smooth function such as silu or tanh, and of one without an exponential.
_COMBINE, _SMOOTH, _KINK = 6, 4, 1
_FREE = (nn.Identity, nn.Flatten)


def operations(model: nn.Module) -> int:
    """Count the operations of one row.

    Parameters
    ----------
    model
        A KAN without names on its edges, or linear maps and activations in a row (also within other modules).

    Raises
    ------
    TypeError
        For a KAN with named edges, whose functions have no agreed cost.

    Examples
    --------
    >>> operations(nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Linear(10, 1)))
    111
    """
    return _of_kan(model) if isinstance(model, Network) else _of_modules(model)


def _of_kan(network: Network) -> int:
    total = 0
    for layer in network.kan_layers():
        if layer.fixed:
            raise TypeError("the model has named edges, and what a function costs is not agreed upon: count splines")
        per_input = _COMBINE * layer.k * (layer.k + 1) // 2 + _SMOOTH
        total += layer.in_dim * per_input + int(layer.mask.count_nonzero()) * 2 * (layer.k + 2)
    return total


def _of_modules(model: nn.Module) -> int:
    """Go through the maps in order; an activation is paid for each node of the map before it."""
    total, nodes = 0, 0
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nodes = module.out_features
            total += 2 * nodes * module.in_features + (nodes if module.bias is not None else 0)
        elif not list(module.children()) and not isinstance(module, _FREE):
            total += nodes * (_KINK if isinstance(module, nn.ReLU) else _SMOOTH)
    return total
