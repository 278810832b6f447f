"""How the cost of a step grows with edges, grid, samples and parameters, for each solver, and what "auto" takes.

``python tests/benchmarks/cost.py [--figure tests/benchmarks/cost.svg]`` prints a table and, if asked, draws it. One
thread, float64, squared error. A step of LBFGS is up to twenty iterations, as in pykan; each of its iterations is
shown, so that the three curves are one look at the data each.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import torch

from kanlab import KAN
from kanlab.engine import solvers
from kanlab.engine.objective import Objective

NAMES = ("LM", "LBFGS", "Adam")
#: For each axis of growth, the settings (hidden nodes, grid, samples) that are measured.
SWEEPS = {
    "edges": [(n, 5, 1000) for n in (2, 4, 8, 16, 32, 64, 128)],
    "grid": [(5, g, 1000) for g in (3, 6, 12, 25, 50, 100)],
    "samples": [(5, 5, n) for n in (100, 300, 1000, 3000, 10_000, 30_000)],
}
#: Seconds a measurement may take before another step is started.
BUDGET = 1.0


def objective_of(hidden: int, grid: int, samples: int) -> Objective:
    """Return the hello problem for [2, hidden, 1]."""
    x = torch.rand(samples, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
    y = torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2)
    model = KAN([2, hidden, 1], grid=grid)
    model.stretch_grid_to_samples(x)
    return Objective(model, x.T.contiguous(), y.T.contiguous())


def step_seconds(name: str, objective: Objective) -> float:
    """Return the median seconds of a step (of an iteration, for LBFGS)."""
    solver = solvers.make(name, objective)
    inner = 20 if name == "LBFGS" else 1
    times, begin = [], time.perf_counter()
    while len(times) < 3 or (len(times) < 20 and time.perf_counter() - begin < BUDGET):
        start = time.perf_counter()
        solver.step()
        times.append((time.perf_counter() - start) / inner)
        solver.done = False
    return statistics.median(times)


def measure() -> dict[str, list[dict]]:
    """Measure all sweeps."""
    found: dict[str, list[dict]] = {}
    for axis, settings in SWEEPS.items():
        found[axis] = []
        for hidden, grid, samples in settings:
            objective = objective_of(hidden, grid, samples)
            point: dict[str, Any] = {
                "edges": 3 * hidden,
                "grid": grid,
                "samples": samples,
                "parameters": objective.linear.size,
            }
            point["auto"] = solvers.choose("auto", objective)
            for name in NAMES:
                point[name] = 1e3 * step_seconds(name, objective)
            found[axis].append(point)
    return found


def draw(found: dict[str, list[dict]], path: str) -> None:
    """Draw milliseconds a step against each axis, the solver that "auto" takes filled."""
    from matplotlib.figure import Figure

    colours = {"LM": "#0072B2", "LBFGS": "#D55E00", "Adam": "#009E73"}
    markers = {"LM": "o", "LBFGS": "s", "Adam": "^"}
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    panels = figure.subplots(1, 4, sharey=True)
    for panel, axis in zip(panels, ("edges", "grid", "samples", "parameters"), strict=True):
        points = found.get(axis) or sorted(found["edges"] + found["grid"], key=lambda point: point["parameters"])
        for name in NAMES:
            x, y = [point[axis] for point in points], [point[name] for point in points]
            panel.plot(x, y, color=colours[name], marker=markers[name], ms=5, mfc="white", lw=1.2, label=name)
            own = [(a, b) for a, b, point in zip(x, y, points, strict=True) if point["auto"] == name]
            if own:
                panel.plot(*zip(*own, strict=True), ls="", marker=markers[name], ms=5, color=colours[name])
        panel.set(xscale="log", yscale="log", xlabel=axis)
        panel.grid(alpha=0.25, which="major")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("ms a step")
    panels[0].legend(frameon=False, title="filled: auto")
    figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)


def main() -> None:
    """Print the table, in Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--figure", default="", help="where to draw, .svg or .png")
    figure = arguments.parse_args().figure
    torch.set_num_threads(1)
    found = measure()
    print(
        "| edges | grid | samples | parameters | LM ms | LBFGS ms | Adam ms | auto |\n|---|---|---|---|---|---|---|---|"
    )
    for points in found.values():
        for point in points:
            cells = [str(point[key]) for key in ("edges", "grid", "samples", "parameters")]
            print(f"| {' | '.join(cells)} | {' | '.join(f'{point[name]:.2f}' for name in NAMES)} | {point['auto']} |")
    if figure:
        draw(found, figure)


if __name__ == "__main__":
    main()
