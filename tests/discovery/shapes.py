"""What the tests of the menu share: a problem from a formula, and a search of one shape alone."""

from __future__ import annotations

import contextlib

import torch

from kanlab.discovery.clock import Clock, OutOfTimeError
from kanlab.discovery.naming import edge_functions
from kanlab.discovery.pool import Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.search import Search


def table(ranges, n=500, seed=0):
    unit = torch.rand(len(ranges), n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    low, high = torch.tensor(ranges, dtype=torch.float64).T[..., None]
    return low + (high - low) * unit


def problem(function, ranges, n=800, noise=0.0):
    x = table(ranges, n)
    y = function(*x)
    return Problem.of(x, y + noise * torch.randn(n, generator=torch.Generator().manual_seed(1), dtype=torch.float64))


def error_of(shape, asked, seconds=60.0):
    """Return the least error among what one shape proposes for a problem."""
    pool, search = Pool(asked), Search(edge_functions(None), Clock(seconds))
    with contextlib.suppress(OutOfTimeError):
        for origin, form in shape(pool, search, 0):
            pool.add(form, origin)
            if pool.done:
                break
    return pool.error
