"""Memory of one training step, and seconds that `import kanlab` takes beyond torch's; peers beside.

``python tests/benchmarks/footprint.py`` prints Markdown and writes nothing. Each figure is a process of its own: the
memory is how far the process grew beyond the model and the data (peak resident size), for [100, 100, 100, 10] with
1024 rows in float32.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

SETUP = """
import resource, sys, tempfile
import torch
torch.set_num_threads(1)
width, rows = [100, 100, 100, 10], 1024
x = torch.rand(rows, 100) * 2 - 1
y = torch.tanh(x[:, :10])
"""
PEERS = {
    "kanlab": """
from kanlab import KAN
from kanlab.engine.objective import Objective
from kanlab.engine.solvers.adam import Adam
model = KAN(width, grid=5, dtype=torch.float32)
step = lambda: Adam(Objective(model, x.T.contiguous(), y.T.contiguous())).step()
""",
    "inkan": """
from inkan import KANNetwork
model = KANNetwork(width, grid_size=5)
""",
    "pykan": """
from kan import KAN
model = KAN(width=list(width), grid=5, auto_save=False, ckpt_path=tempfile.mkdtemp())
model.speed()
""",
}
LOOP = """
optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad])
def loop():
    torch.nn.functional.mse_loss(model(x), y).backward()
    optimiser.step()
step = globals().get("step", loop)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
step()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
IMPORT = """
import time, torch, torch.nn
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""


def number(source: str) -> float | None:
    """Run a program and return the number it prints last; None where a peer is missing."""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    if done.returncode:
        if "ModuleNotFoundError" in done.stderr:
            return None
        raise RuntimeError(done.stderr)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print both tables."""
    print("| one step, [100, 100, 100, 10], 1024 rows | MB |\n|---|---|")
    for name, source in PEERS.items():
        found = number(SETUP + source + LOOP)
        print(f"| {name} | {'not installed' if found is None else f'{found:.0f}'} |", flush=True)
    print("\n| statement | s beyond torch, median of 5 |\n|---|---|")
    for statement in ("import kanlab", "from kanlab import KAN, create_dataset", "from kanlab import Session"):
        times = [number(IMPORT.format(statement=statement)) or 0.0 for _ in range(5)]
        print(f"| `{statement}` | {statistics.median(times):.2f} |", flush=True)


if __name__ == "__main__":
    main()
