"""`kanlab.discover`: data in, a Pareto front of formulas out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sympy
from torch import Tensor
from tqdm.auto import tqdm

from kanlab.data import dataset_from
from kanlab.discovery.clock import Clock
from kanlab.discovery.discovery import Discovery, pareto
from kanlab.discovery.expression import number
from kanlab.discovery.finish import Part, finished
from kanlab.discovery.joint import joint
from kanlab.discovery.naming import as_names, edge_functions
from kanlab.discovery.pool import Pool
from kanlab.discovery.progress import Progress
from kanlab.discovery.search import Search
from kanlab.discovery.solution import Solution, error_of, values_of
from kanlab.discovery.target import LogOdds, Numbers, Target
from kanlab.engine.threads import few_threads
from kanlab.symbolic.library import SymbolicFunction

#: Rows a search looks at; more only make it slower.
_ROWS = 2000
#: The part of the time that is kept for finishing, and the most of it in seconds.
_FINISHING, _FINISHING_MOST = 0.15, 5.0
#: Seconds for finishing after an interruption.
_FINISHING_LEAST = 0.5
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
    classes: bool | None = None,
    log: int = 1,
    progress: Callable[[Progress], object] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
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
        Labels ``[n]`` or ``[n, n_out]``, or the name of a column of X. Several outputs get a formula each; classes
        ``[n]`` (text, or whole numbers from 0 on) get logits: log odds against the first class.
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
    classes
        Whether y holds classes, where that is not plain; see `kanlab.dataset_from`.
    log
        0: no progress bar.
    progress
        Called with a `kanlab.discovery.Progress` after each formula that was fitted.
    stop
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
    dataset = dataset_from(X, y, test_size=test_size, seed=seed, names=names, classes=classes)
    if len(dataset["train_input"]) < _LEAST_ROWS:
        raise ValueError(f"{len(dataset['train_input'])} training rows are too few to find a formula; give at least 13")
    with few_threads(0), tqdm(disable=not log, desc="discover", leave=False) as bar:

        def told(now: Progress) -> None:
            bar.update()
            bar.set_postfix_str(f"error {now.error:.1e}", refresh=False)
            progress(now)

        return _discover(dataset, functions, Clock(time_limit, stop), told)


def _discover(
    dataset: dict[str, Any],
    functions: tuple[SymbolicFunction, ...],
    clock: Clock,
    progress: Callable[[Progress], object],
) -> Discovery:
    x, label = dataset["train_input"].T.contiguous(), dataset["train_label"]
    variables = tuple(sympy.Symbol(name) for name in _input_names(dataset))
    targets = _targets(label)
    outputs, through = [], True
    for k, target in enumerate(targets):
        pool = Pool(target.problem(x[:, :_ROWS]))
        share = clock.left / (len(targets) - k)
        until = clock.elapsed + share

        def told(pool: Pool = pool, k: int = k) -> None:
            best = min(pool.candidates, key=lambda candidate: candidate.error)
            progress(Progress(clock.elapsed, len(pool.candidates), best.error, k, best.form, variables))

        through &= _searched(pool, functions, clock, told, share - min(_FINISHING * share, _FINISHING_MOST))
        try:
            parts = finished(pool, x, target, variables, max(until - clock.elapsed, _FINISHING_LEAST))
        except KeyboardInterrupt:
            clock.interrupted = True
            parts = finished(pool, x, target, variables, _FINISHING_LEAST)
        outputs.append(parts)
    first = () if label.ndim == 2 else (Part(sympy.S.Zero, 0, 0.0, "first class"),)
    found = [_solution((*first, *parts), variables, dataset) for parts in joint(outputs)]
    front = pareto(found)
    best = min(front, key=lambda solution: solution.bits)
    spread = float(label.std(0, correction=0).mean()) if label.ndim == 2 else math.inf
    exact = label.ndim == 2 and best.train_rmse < 1e-8 * spread
    ended = "all shapes were tried" if through else "time limit reached"
    reason = "exact" if exact else "interrupted" if clock.interrupted else ended
    noise = 0.0 if exact or label.ndim == 1 else best.train_rmse
    return Discovery(front, best, noise, clock.elapsed, reason)


def _searched(
    pool: Pool, functions: tuple[SymbolicFunction, ...], clock: Clock, told: Callable[[], None], seconds: float
) -> bool:
    """Fill a pool; say whether all shapes were tried or a formula was found, rather than that time was over."""
    # Something to show, even if the search is interrupted at once.
    pool.add(number(float(pool.problem.y.mean())), "constant")
    try:
        with clock.share(seconds / max(clock.left, 1e-9)):
            return Search(functions, clock, lambda candidate: told()).run(pool)
    except KeyboardInterrupt:
        clock.interrupted = True
    return False


def _targets(label: Tensor) -> list[Target]:
    """Return one target for each column of numbers, or for each class but the first."""
    if label.ndim == 2:
        return [Numbers(column.contiguous()) for column in label.T]
    classes = range(1, int(label.max()) + 1)
    return [LogOdds((label == k).double(), ((label == k) | (label == 0)).double()) for k in classes]


def _solution(parts: Sequence[Part], variables: tuple[sympy.Symbol, ...], dataset: dict[str, Any]) -> Solution:
    exprs = tuple(part.expr for part in parts)
    train, test = (
        error_of(values_of(exprs, variables, dataset[f"{name}_input"]), dataset[f"{name}_label"])
        for name in ("train", "test")
    )
    complexity, bits = sum(part.parts for part in parts), sum(part.bits for part in parts)
    # The first class's zero is no shape.
    origin = "; ".join(part.origin for part in parts if part.parts)
    return Solution(
        exprs, variables, _output_names(dataset, len(exprs)), complexity, train, test, bits, origin, dataset
    )


def _output_names(dataset: dict[str, Any], count: int) -> tuple[str, ...]:
    names = dataset.get("output_names")
    return tuple(names) if names else ("f",) if count == 1 else tuple(f"f_{m}" for m in range(1, count + 1))


def _input_names(dataset: dict[str, Any]) -> list[str]:
    count = dataset["train_input"].shape[1]
    names = dataset.get("input_names")
    return list(names) if names else ["x"] if count == 1 else [f"x_{m}" for m in range(1, count + 1)]
