"""Copies of what training changes, taken and put back."""

from __future__ import annotations

from torch import Tensor, nn

from kanlab.engine.network import Network

Snapshot = list[dict[str, Tensor]]
_STATE = ("coef", "scale_base", "scale_sp", "affine", "knots")


def snapshot(network: Network) -> Snapshot:
    """Copy what training changes."""
    return [{name: getattr(layer, name).detach().clone() for name in _STATE} for layer in network.kan_layers()]


def restore(network: Network, state: Snapshot) -> None:
    """Put a snapshot back; parameters stay the same objects, which optimisers may hold."""
    for layer, tensors in zip(network.kan_layers(), state, strict=True):
        for name, tensor in tensors.items():
            old = getattr(layer, name)
            if isinstance(old, nn.Parameter):
                old.data, old.grad = tensor.clone(), None
            else:
                setattr(layer, name, tensor.clone())
