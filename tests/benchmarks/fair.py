"""KANs and MLPs at equal parameters, operations and seconds, on sets where one or the other wins (arXiv 2407.16674).

``python tests/benchmarks/fair.py [--seeds 5] [--rows formula,digits]`` prints a table, writes nothing. A seed decides
samples (or the split) and first values. On the regressions both networks are trained by Levenberg-Marquardt with eight
starts, the KAN with a grid that grows within the fit, and the error is the root mean square on rows of their own, in
standard deviations of the label. On the classes both take as many Adam steps with cross-entropy on all rows, and the
share of wrong answers on rows of their own is told. The MLP has two hidden layers of tanh, and

- as many parameters at most as the KAN has at the end,
- or as many operations a row (`kanlab.problems.operations`),
- or the parameters, and the seconds that the KAN took: as many steps as a short run says fit in.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import scipy.special
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from torch import Tensor, nn

from kanlab import KAN, create_dataset, dataset_from
from kanlab.problems import feynman, hello, moons
from kanlab.problems.mlp import fit_mlp, hidden_for, parameters
from kanlab.problems.operations import operations

STEPS, PILOT = 300, 12
GRIDS = (3, 5, 8, 12, 20)
Dataset = dict[str, Any]


def special(seed: int) -> Dataset:
    """Sample the incomplete elliptic integral of the second kind."""
    return create_dataset(
        lambda x: torch.from_numpy(scipy.special.ellipeinc(x[:, 0].numpy(), x[:, 1].numpy())),
        n_var=2, ranges=(0, 1), seed=seed,
    )  # fmt: skip


def from_mlp(seed: int) -> Dataset:
    """Sample an MLP that was drawn at random: six inputs, two layers of eight tanh."""
    generator = torch.Generator().manual_seed(1)
    maps = [2 * torch.randn(a, b, generator=generator, dtype=torch.float64) / a**0.5 for a, b in pairwise([6, 8, 8, 1])]

    def teacher(x: Tensor) -> Tensor:
        return torch.tanh(torch.tanh(x @ maps[0]) @ maps[1]) @ maps[2]

    return create_dataset(teacher, n_var=6, train_num=2000, seed=seed)


def table(load: Callable[..., Any]) -> Callable[[int], Dataset]:
    """Return a loader that splits one of scikit-learn's tables, its columns in standard units."""

    def split(seed: int) -> Dataset:
        x, y = load(return_X_y=True)
        keep = x.std(0) > 0.5 if load is load_digits else x.std(0) > 0  # the corners of the digits are empty
        x = (x[:, keep] - x[:, keep].mean(0)) / x[:, keep].std(0)
        return dataset_from(x, y, test_size=0.3, seed=seed)

    return split


@dataclass(frozen=True)
class Row:
    """One set, the KAN's hidden shape and its grids: one, or those that it grows through."""

    name: str
    load: Callable[[int], Dataset]
    hidden: Sequence[int]
    grids: Sequence[int] = GRIDS


ROWS = (
    Row("formula: exp(sin πx + y²)", lambda seed: hello.dataset(seed=seed), [5]),
    Row("special: ellipeinc", special, [2]),
    Row("feynman: I.16.6", lambda seed: feynman.dataset("I.16.6", seed=seed), [5]),
    Row("mlp: drawn at random", from_mlp, [8]),
    Row("moons, noise 0.25", lambda seed: moons.dataset(noise=0.25, seed=seed), [2], (5,)),
    Row("cancer", table(load_breast_cancer), [2], (3,)),
    Row("digits", table(load_digits), [8], (3,)),
)


def adam(model: nn.Module, data: Dataset, steps: int, lr: float = 1e-2) -> None:
    """Take Adam steps on all rows, by cross-entropy."""
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(data["train_input"]), data["train_label"]).backward()
        optimiser.step()


def fit_kan(row: Row, data: Dataset, seed: int) -> KAN:
    """Train a KAN."""
    classes = data["train_label"].ndim == 1
    n_out = int(data["train_label"].max()) + 1 if classes else 1
    model = KAN([data["train_input"].shape[1], *row.hidden, n_out], grid=row.grids[0], grid_eps=0.5, seed=seed)
    if classes:
        model.fit(data, opt="Adam", steps=STEPS, lr=1e-2, loss_fn=nn.functional.cross_entropy, seed=seed, log=0)
    else:
        model.fit(data, steps=20, grids=row.grids, restarts=8, seed=seed, log=0)
    return model


def train_mlp(data: Dataset, hidden: Sequence[int], steps: int, seed: int) -> nn.Module:
    """Train an MLP as the KAN is trained."""
    if data["train_label"].ndim == 2:
        return fit_mlp(data, hidden, steps=steps, restarts=8 if steps > PILOT else 1, seed=seed)
    model = plain([data["train_input"].shape[1], *hidden, int(data["train_label"].max()) + 1], seed)
    adam(model, data, steps)
    return model


def plain(widths: Sequence[int], seed: int) -> nn.Sequential:
    """Return an MLP with torch's own first values."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        maps = [nn.Linear(a, b, dtype=torch.float64) for a, b in pairwise(widths)]
    return nn.Sequential(*(module for linear in maps[:-1] for module in (linear, nn.Tanh())), maps[-1])


@torch.no_grad()
def error(model: nn.Module, data: Dataset) -> float:
    """Return the error on the rows held out."""
    out, label = model(data["test_input"]), data["test_label"]
    if label.ndim == 1:
        return float((out.argmax(1) != label).double().mean())
    return float((out - label).square().mean().sqrt() / label.std())


def timed(train: Callable[[], nn.Module]) -> tuple[nn.Module, float]:
    """Return a model and the seconds it took."""
    start = time.perf_counter()
    model = train()
    return model, time.perf_counter() - start


def widest(n_in: int, n_out: int, limit: int) -> tuple[int, int]:
    """Return the widest two hidden layers within so many operations."""
    width = 1
    while operations(plain([n_in, width + 1, width + 1, n_out], 0)) <= limit:
        width += 1
    return width, width


def compare(row: Row, seed: int) -> dict[str, float]:
    """Return sizes, seconds and errors of one seed."""
    data = row.load(seed)
    n_in, classes = data["train_input"].shape[1], data["train_label"].ndim == 1
    n_out = int(data["train_label"].max()) + 1 if classes else 1
    kan, seconds = timed(lambda: fit_kan(row, data, seed))
    hidden = hidden_for(parameters(kan), n_in, n_out)
    cheap = widest(n_in, n_out, operations(kan))
    mlp, mlp_seconds = timed(lambda: train_mlp(data, hidden, STEPS, seed))
    _, pilot = timed(lambda: train_mlp(data, hidden, PILOT, seed))
    steps = max(1, round(PILOT * seconds / pilot))
    quick = train_mlp(data, hidden, min(steps, 20 * STEPS), seed)
    return {
        "parameters": parameters(kan),
        "operations": operations(kan),
        "seconds": seconds,
        "kan": error(kan, data),
        "mlp": error(mlp, data),
        "mlp seconds": mlp_seconds,
        "mlp operations": error(train_mlp(data, cheap, STEPS, seed), data),
        "mlp in the time": error(quick, data),
    }


def line(row: Row, runs: Sequence[dict[str, float]]) -> str:
    """Return one line of the table, in Markdown."""
    middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    wins = sum(run["kan"] < run["mlp"] for run in runs)
    cells = [
        row.name,
        f"{middle['parameters']:.0f}",
        f"{middle['operations']:.0f}",
        f"{middle['seconds']:.2f}",
        f"{middle['mlp seconds']:.2f}",
        *(f"{middle[name]:.1e}" for name in ("kan", "mlp", "mlp operations", "mlp in the time")),
        f"{wins} of {len(runs)}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, in Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--rows", default="", help="first words of names, separated by commas; all if not given")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, {options.seeds} seeds\n")
    print("| set | parameters | operations | KAN s | MLP s | KAN | MLP of as many parameters |", end="")
    print(" … operations | … seconds | KAN ahead |")
    print("|---" * 10 + "|")
    for row in ROWS:
        if any(row.name.startswith(name) for name in options.rows.split(",")):
            print(line(row, [compare(row, seed) for seed in range(options.seeds)]), flush=True)


if __name__ == "__main__":
    main()
