"""`kanlab.discover`: data in, a Pareto front of formulas out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sympy
from tqdm.auto import tqdm

from kanlab.data import dataset_from
from kanlab.discovery.clock import Clock
from kanlab.discovery.discovery import Discovery, pareto
from kanlab.discovery.finish import as_solution, shortlist
from kanlab.discovery.naming import as_names, edge_functions
from kanlab.discovery.pool import Candidate, Pool
from kanlab.discovery.problem import Problem
from kanlab.discovery.search import Search
from kanlab.engine.threads import few_threads

#: Rows a search looks at; more only make it slower.
_ROWS = 2000
#: The part of the time that is kept for finishing, and the most of it in seconds.
_FINISHING, _FINISHING_MOST = 0.15, 5.0
_LEAST_ROWS = 10


def discover(
    X: Any,
    y: Any,
    names: Sequence[str] | None = None,
    *,
    time_limit: float = 60.0,
    seed: int = 0,
    lib: Iterable[str] | None = None,
    test_size: float = 0.2,
    log: int = 1,
    interrupted: Callable[[], bool] = lambda: False,
) -> Discovery:
    """Find formulas for data: no shape, grid or library has to be given.

    Small KANs are tried in order of their cost (sums and products of functions of single inputs under an outer
    function, and what is left when an exact part has been found); their edges are named, all numbers fitted together
    and read as constants where the data allows it. The answer is a front of error against complexity, the best formula
    by description length, each with its KAN and a session that opens in the Lab.

    Parameters
    ----------
    X
        Inputs ``[n, n_in]``: array, tensor, nested list or DataFrame.
    y
        Labels ``[n]``, or the name of a column of X.
    names
        Of the inputs; a DataFrame's columns if not given.
    time_limit
        Seconds.
    seed
        Of the split into training and test rows; the search itself draws nothing.
    lib
        Names of the functions an edge may be called; a common selection if not given.
    test_size
        The part of the rows that has no say in the formula.
    log
        0: no progress bar.
    interrupted
        Asked between steps; True ends the search with what it has. So does Ctrl-C.

    Raises
    ------
    ValueError, TypeError
        For data that nothing can be learned from (see `kanlab.dataset_from`), fewer than 10 rows, an unknown function,
        or a time limit that is no positive number.

    Examples
    --------
    >>> import kanlab, torch
    >>> X = torch.rand(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> found = kanlab.discover(X, X[:, 0] * X[:, 1] ** 2, names=["m", "v"], log=0)
    >>> found.best.expr
    m*v**2
    """
    if not (isinstance(time_limit, (int, float)) and 0 < time_limit < math.inf):
        raise ValueError(f"time_limit is {time_limit!r}; a positive number of seconds is needed")
    functions = edge_functions(as_names(lib))
    dataset = dataset_from(X, y, test_size=test_size, seed=seed, names=names, classes=False)
    if len(dataset["train_input"]) < _LEAST_ROWS:
        raise ValueError(f"{len(dataset['train_input'])} training rows are too few to find a formula; give at least 13")
    finishing = min(_FINISHING * time_limit, _FINISHING_MOST)
    clock = Clock(time_limit - finishing, interrupted)
    with few_threads(0), tqdm(disable=not log, desc="discover", leave=False) as bar:
        return _discover(dataset, functions, clock, bar)


def _discover(dataset: dict[str, Any], functions: tuple, clock: Clock, bar: Any) -> Discovery:
    x, y = dataset["train_input"].T.contiguous(), dataset["train_label"][:, 0].contiguous()
    variables = tuple(sympy.Symbol(name) for name in _input_names(dataset))
    output = dataset.get("output_names", ["f"])[0]
    pool = Pool(Problem.of(x[:, :_ROWS], y[:_ROWS]))

    def on_candidate(candidate: Candidate) -> None:
        bar.update()
        bar.set_postfix_str(f"error {pool.error:.1e}", refresh=False)

    search = Search(functions, clock, on_candidate)
    try:
        search.run(pool)
    except KeyboardInterrupt:
        clock.reason = "interrupted"
    solutions = [
        as_solution(candidate.form, candidate.origin, x, y, variables, output, dataset) for candidate in shortlist(pool)
    ]
    best = min(solutions, key=lambda solution: solution.bits)
    front = pareto(solutions)
    best = best if best in front else min(front, key=lambda solution: solution.bits)
    exact = best.train_rmse < 1e-8 * float(y.std(correction=0))
    reason = "exact" if exact else clock.reason or "all shapes were tried"
    return Discovery(front, best, 0.0 if exact else best.train_rmse, clock.elapsed, reason)


def _input_names(dataset: dict[str, Any]) -> list[str]:
    count = dataset["train_input"].shape[1]
    names = dataset.get("input_names")
    return list(names) if names else ["x"] if count == 1 else [f"x_{m}" for m in range(1, count + 1)]
