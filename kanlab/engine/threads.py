"""Small tensors are computed fastest by one thread: handing them out costs more than computing them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

Y = TypeVar("Y")
S = TypeVar("S")
R = TypeVar("R")

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


def stretches(steps: Generator[Y, S, R], numbers: int) -> Generator[Y, S, R]:
    """Go through a generator with few threads inside each stretch of its work, never while it waits.

    >>> def work():
    ...     yield torch.get_num_threads()
    >>> list(stretches(work(), 1000))
    [1]
    """
    try:
        with few_threads(numbers):
            try:
                value = next(steps)
            except StopIteration as end:
                return end.value
        while True:
            sent = yield value
            with few_threads(numbers):
                try:
                    value = steps.send(sent)
                except StopIteration as end:
                    return end.value
    finally:
        with few_threads(numbers):
            steps.close()
