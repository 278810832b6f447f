"""What each node does, as small pictures: over two inputs a map of its value, over others a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from kanlab.kan import KAN

#: Pixels along a side of a map, and bars of a histogram.
SIDE = 16


@dataclass(frozen=True)
class NodePictures:
    """One picture a node, layer by layer, inputs first.

    Attributes
    ----------
    shape
        ``"map"``: ``SIDE`` rows (second input, from the top down) of ``SIDE`` pixels (first input);
        ``"histogram"``: ``SIDE`` bars.
    pixels
        ``[nodes, pixels]``, 0 … 255 between the least and the greatest.
    ranges
        ``[nodes, 2]``: the least and greatest value of each node on the data; of a map, on the map.
    """

    shape: str
    pixels: np.ndarray
    ranges: np.ndarray

    def header(self) -> dict[str, Any]:
        """Return all but the pixels, for a message."""
        finite = [[None if not np.isfinite(end) else float(f"{end:.4g}") for end in ends] for ends in self.ranges]
        return {"shape": self.shape, "side": SIDE, "ranges": finite}

    def buffer(self) -> bytes:
        """Return the pixels, one byte each."""
        return self.pixels.tobytes()

    def lists(self) -> dict[str, Any]:
        """Return all, for a snapshot."""
        return self.header() | {"pixels": self.pixels.ravel().tolist()}


@torch.no_grad()
def node_pictures(model: KAN) -> NodePictures:
    """Draw every node of a model, over the data it knows."""
    if model.n_in == 2:
        values = np.concatenate([layer.T.double().cpu().numpy() for layer in model.acts(_grid(model)).nodes])
        return NodePictures("map", *_scaled(values))
    values = np.concatenate([layer.T.double().cpu().numpy() for layer in model.acts().nodes])
    _, ranges = _scaled(values)
    return NodePictures("histogram", np.stack([_bars(row) for row in values]), ranges)


def _grid(model: KAN) -> torch.Tensor:
    """Return ``SIDE`` times ``SIDE`` inputs over the data's ranges, row by row from the top."""
    seen = model.seen()
    low, high = seen.amin(0), seen.amax(0)
    even = torch.linspace(0, 1, SIDE, dtype=seen.dtype, device=seen.device)
    y, x = torch.meshgrid(even.flip(0), even, indexing="ij")
    return low + (high - low) * torch.stack([x.flatten(), y.flatten()], -1)


def _scaled(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Map each row to 0 … 255; what is not finite is 0, and a node that never moves is all in the middle."""
    known = np.where(np.isfinite(values), values, np.nan)
    empty = np.isnan(known).all(1)
    known[empty] = 0.0
    low, high = np.nanmin(known, 1, keepdims=True), np.nanmax(known, 1, keepdims=True)
    flat = high - low <= 1e-9 * np.maximum(np.abs(low), np.abs(high)) + 1e-300
    share = np.where(flat, 0.5, (known - low) / np.where(flat, 1.0, high - low))
    ranges = np.concatenate([low, high], 1)
    ranges[empty] = np.nan
    return np.rint(255 * np.nan_to_num(share)).astype(np.uint8), ranges


def _bars(row: np.ndarray) -> np.ndarray:
    known = row[np.isfinite(row)]
    spread = float(np.ptp(known)) if len(known) else 0.0
    if not np.isfinite(spread) or spread <= 1e-9 * float(np.abs(known).max(initial=0.0)):
        bars = np.zeros(SIDE)
        bars[SIDE // 2] = 1.0
    else:
        bars = np.histogram(known, SIDE)[0] / 1.0
    return np.rint(255 * bars / bars.max()).astype(np.uint8)
