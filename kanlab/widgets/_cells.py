"""Running a cell again replaces its Lab: the old one's training stops, else it would go on unseen."""

from __future__ import annotations

import weakref

from IPython.core.getipython import get_ipython

from kanlab.widgets._hub import Hub

_HUBS: dict[str, weakref.ref[Hub]] = {}


def replace_in_cell(hub: Hub) -> None:
    """Stop the training of the hub that this cell made before, if it was another one."""
    cell = _cell_id()
    if cell is None:
        return
    old = _HUBS.get(cell, lambda: None)()
    if old is not None and old is not hub:
        old.runner.cancel()
    _HUBS[cell] = weakref.ref(hub)


def _cell_id() -> str | None:
    """Return the identity of the cell that is running, where the front end tells it."""
    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    parent = kernel.get_parent() or {}
    cell = parent.get("metadata", {}).get("cellId")
    return cell if isinstance(cell, str) else None
