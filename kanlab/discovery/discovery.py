"""What a search gives back: a Pareto front of formulas, error against complexity, and the best by a stated rule."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kanlab.discovery.solution import Solution
from kanlab.kan import KAN
from kanlab.plot import Drawing
from kanlab.session import Session

_HEAD = ("formula", "complexity", "train RMSE", "test RMSE")


@dataclass(frozen=True, eq=False)
class Discovery:
    """The formulas found.

    Attributes
    ----------
    front
        The simplest first; each has a smaller error than all before it.
    best
        The one with the smallest description length: ``n log2(error)`` for the errors of the training rows plus the
        bits it takes to write the formula. A number that is a known constant takes few, any other half of ``log2 n``
        and more.
    noise
        The estimated noise of the labels (root mean square); 0 if the data is exact.
    seconds
        How long the search took.
    reason
        Why it ended.
    """

    front: tuple[Solution, ...]
    best: Solution
    noise: float
    seconds: float
    reason: str

    @property
    def model(self) -> KAN:
        """The best formula's KAN."""
        return self.best.model

    @property
    def session(self) -> Session:
        """The best formula's KAN with the data: ``kanlab.Lab(found.session)`` opens it."""
        return self.best.session

    def __repr__(self) -> str:
        lines = [f"{'*' if s is self.best else ' '} {s.complexity:4d}  {s.test_rmse:.2e}  {s}" for s in self.front]
        return "\n".join(["  size  test RMSE  formula", *lines, f"{self.reason}, {self.seconds:.1f} s"])

    def _repr_html_(self) -> str:
        """Show the front as a table in a notebook; the best formula is marked."""
        rows = ["".join(f"<th>{text}</th>" for text in _HEAD)]
        for solution in self.front:
            cells = [f"${html.escape(solution.latex())}$", *_numbers(solution)]
            mark = ' style="font-weight: bold"' if solution is self.best else ""
            rows.append("".join(f"<td{mark}>{cell}</td>" for cell in cells))
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table>{body}</table><p>{html.escape(self.reason)}, {self.seconds:.1f} s</p>"

    def _repr_markdown_(self) -> str:
        """Show the front as a Markdown table; the best formula is marked."""
        lines = [f"| {' | '.join(_HEAD)} |", "|---|---|---|---|"]
        for solution in self.front:
            # A bar would end the cell.
            formula = solution.latex().replace(r"\left|", r"\left\vert ").replace(r"\right|", r"\right\vert ")
            mark = " ←" if solution is self.best else ""
            lines.append(f"| ${formula}${mark} | {' | '.join(_numbers(solution))} |")
        return "\n".join([*lines, "", f"{self.reason}, {self.seconds:.1f} s"])

    def plot(self) -> Drawing:
        """Draw error against complexity as a matplotlib Figure; the best formula is marked."""
        figure = Drawing(figsize=(5.0, 3.4), layout="constrained")
        ax = figure.add_subplot()
        least = max(max(s.test_rmse for s in self.front if math.isfinite(s.test_rmse)) * 1e-17, 1e-300)
        x = [s.complexity for s in self.front]
        y = [max(s.test_rmse, least) for s in self.front]
        ax.step(x, y, where="post", color="0.7", zorder=1)
        ax.scatter(x, y, s=24, color="black", zorder=2)
        ax.scatter(
            [self.best.complexity], [max(self.best.test_rmse, least)], s=110, facecolors="none", edgecolors="red"
        )
        ax.set(xlabel="complexity", ylabel="test RMSE", yscale="log")
        return figure


def pareto(solutions: Iterable[Solution]) -> tuple[Solution, ...]:
    """Keep the solutions that no simpler one equals, the simplest first.

    An error counts down to a billionth of the largest one: below that is rounding.
    """
    ordered = sorted(solutions, key=lambda s: (s.complexity, s.train_rmse))
    rounding = 1e-9 * max((s.train_rmse for s in ordered), default=0.0)
    front: list[Solution] = []
    for solution in ordered:
        if not front or max(solution.train_rmse, rounding) < max(front[-1].train_rmse, rounding):
            front.append(solution)
    return tuple(front)


def _numbers(solution: Solution) -> list[Any]:
    return [str(solution.complexity), f"{solution.train_rmse:.3g}", f"{solution.test_rmse:.3g}"]
