"""Formulas of Feynman's lectures: the KAN paper's 27 without dimensions, pykan's list of 120; and others.

``python tests/benchmarks/feynman.py [--set paper|pykan|first|later|last] [--noise 0 1e-3 1e-2] [--only NAME ...]``

The 27 are `kanlab.problems.feynman`. pykan's list is read from the installed pykan, ranges included. The others stand
in `tests/benchmarks/unseen.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import sympy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kanlab.problems.feynman import ROWS
from tests.benchmarks.recovery import SUMMARY_HEAD, Case, Result, discover, one_thread, summary, table
from tests.benchmarks.unseen import FIRST, LAST, LATER


def paper() -> list[Case]:
    """Return the KAN paper's 27."""
    return [Case.of(row.name, row.text, **dict(zip(row.variables, row.ranges, strict=True))) for row in ROWS.values()]


def pykan_list() -> list[Case]:
    """Return pykan's formulas with its ranges."""
    from kan.feynman import get_feynman_dataset  # pyright: ignore[reportMissingImports]

    cases = []
    for number in range(1, 121):
        symbols, expr, _, ranges = get_feynman_dataset(number)
        symbols = list(symbols) if isinstance(symbols, (list, tuple)) else [symbols]
        boxes = ranges if isinstance(ranges[0], (list, tuple)) else [ranges] * len(symbols)
        boxes = (list(boxes) * len(symbols))[: len(symbols)]
        named = {symbol.name: (float(low), float(high)) for symbol, (low, high) in zip(symbols, boxes, strict=True)}
        # Without what pykan assumes of its symbols.
        plain = {symbol: sympy.Symbol(symbol.name) for symbol in symbols}
        cases.append(Case(str(number), expr.xreplace(plain), named))
    return cases


SETS = {"paper": paper, "pykan": pykan_list, "first": lambda: FIRST, "later": lambda: LATER, "last": lambda: LAST}


def run(cases: list[Case], only: list[str] | None, noise: float, limit: float) -> Iterator[Result]:
    for number, case in enumerate(cases):
        if not only or case.name in only:
            yield discover(case, noise, number, limit)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", choices=list(SETS), default="paper")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0])
    parser.add_argument("--limit", type=float, default=20.0)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    cases = SETS[options.set]()
    one_thread()
    lines = [SUMMARY_HEAD]
    for noise in options.noise:
        print(f"\n{options.set}, noise {noise:g}\n")
        lines.append(summary(f"{options.set}, noise {noise:g}", table(run(cases, options.only, noise, options.limit))))
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
