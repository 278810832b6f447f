"""Small tensors are computed fastest by one thread: handing them out costs more than computing them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

#: Numbers in a step's largest tensor below which more threads only get in each other's way.
_SMALL = 1_000_000


@contextmanager
def few_threads(numbers: int) -> Iterator[None]:
    """Compute with one thread inside if the work is small; the setting outside is put back.

    >>> before = torch.get_num_threads()
    >>> with few_threads(1000):
    ...     torch.get_num_threads()
    1
    >>> torch.get_num_threads() == before
    True
    """
    before = torch.get_num_threads()
    if numbers > _SMALL or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
