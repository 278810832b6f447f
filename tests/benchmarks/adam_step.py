"""What one Adam step costs: kanlab beside inkan, pykan and an MLP of as many parameters.

``python tests/benchmarks/adam_step.py [--no-pykan]`` prints a table and writes nothing. All run in turn in one process,
in float32, on one thread and the same batch; a step is forward, backward and update. Peers have to be installed
(``pip install inkan pykan``); those that are not are left out.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from kanlab import KAN
from kanlab.engine.objective import Objective
from kanlab.engine.solvers.adam import Adam

#: Width, grid, rows, and the hidden widths of an MLP with as many parameters.
SHAPES = (
    ([2, 5, 1], 5, 1000, [2, 45, 1]),
    ([10, 10, 1], 5, 1000, [10, 90, 1]),
    ([100, 100, 100, 10], 5, 1024, [100, 300, 300, 10]),
    ([784, 64, 10], 5, 256, [784, 576, 10]),
)
STEPS, ROUNDS = 15, 5


def batch(width: list[int], rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs on [-1, 1] and labels of about unit size."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(rows, width[0], generator=generator) * 2 - 1
    return x, torch.tanh(x @ torch.randn(width[0], width[-1], generator=generator) / width[0] ** 0.5)


def module_step(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    """Return one step of any torch module, as people write it."""
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimiser.step()

    return step


def kanlab_step(width: list[int], grid: int, x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    """Return the step that `fit` takes."""
    model = KAN(width, grid=grid, dtype=torch.float32)
    model.stretch_grid_to_samples(x)
    return Adam(Objective(model, x.T.contiguous(), y.T.contiguous()), lr=1e-3).step


def kanlab_loop(width: list[int], grid: int, x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    """Return a step of a loop of one's own through autograd."""
    model = KAN(width, grid=grid, dtype=torch.float32)
    model.stretch_grid_to_samples(x)
    return module_step(model, x, y)


def inkan_step(width: list[int], grid: int, x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    """Return a step of inkan's network."""
    from inkan import KANNetwork  # pyright: ignore[reportMissingImports]

    return module_step(KANNetwork(width, grid_size=grid), x, y)


def pykan_step(width: list[int], grid: int, x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    """Return a step of pykan's network without its symbolic part, as its own fit runs it."""
    from kan import KAN as PyKAN  # pyright: ignore[reportMissingImports]

    model = PyKAN(width=list(width), grid=grid, auto_save=False, ckpt_path=tempfile.mkdtemp())
    model.speed()
    return module_step(model, x, y)


def mlp_step(layers: list[int], x: torch.Tensor, y: torch.Tensor) -> Callable[[], object]:
    """Return a step of Linear and SiLU."""
    parts: list[nn.Module] = []
    for before, after in pairwise(layers):
        parts += [nn.Linear(before, after), nn.SiLU()]
    return module_step(nn.Sequential(*parts[:-1]), x, y)


def measure(steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median milliseconds of each, measured round after round."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            for _ in range(2 if name == "pykan" else STEPS):
                start = time.perf_counter()
                step()
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    """Print the table, in Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--no-pykan", action="store_true", help="leave pykan out: it takes half a second a step")
    with_pykan = not arguments.parse_args().no_pykan
    torch.set_num_threads(1)
    names = ("kanlab fit", "kanlab loop", "inkan", "pykan", "MLP")
    print(f"torch {torch.__version__}, one thread, float32, median ms a step\n")
    print(f"| shape, rows | {' | '.join(names)} | kanlab fit / inkan | kanlab fit / MLP |")
    print("|---" * (len(names) + 3) + "|")
    for width, grid, rows, layers in SHAPES:
        x, y = batch(width, rows)
        steps = {"kanlab fit": kanlab_step(width, grid, x, y), "kanlab loop": kanlab_loop(width, grid, x, y)}
        for name, make in (("inkan", inkan_step), ("pykan", pykan_step)):
            if name == "pykan" and not with_pykan:
                continue
            try:
                steps[name] = make(width, grid, x, y)
            except ModuleNotFoundError as missing:
                print(f"<!-- {missing.name} is not installed -->")
        steps["MLP"] = mlp_step(layers, x, y)
        found = measure(steps)
        cells = [f"{found[name]:.2f}" if name in found else "–" for name in names]
        ratios = [f"{found['kanlab fit'] / found[name]:.2f}" if name in found else "–" for name in ("inkan", "MLP")]
        print(f"| {width} G{grid}, {rows} | {' | '.join([*cells, *ratios])} |", flush=True)


if __name__ == "__main__":
    main()
