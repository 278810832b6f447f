"""The direction of imports (one way, as CONTRIBUTING.md says) and what `import kanlab` may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

# A module may import from its own floor and from those below. Two rooms on one floor do not know each other, except
# in the engine, where fit calls solvers and penalty; that no circle arises there is checked apart.
FLOORS = [
    {"engine.spline", "engine.base", "engine.start", "engine.shape", "data", "optim", "legacy"},
    {"engine.frame"},
    {"engine.layer"},
    {"engine.network"},
    {"engine"},
    {"symbolic", "plot", "problems"},
    {"store"},
    {"kan"},
    {"edit"},
    {"curve"},
    {"history"},
    {"shaping"},
    {"session"},
    {"discovery"},
    {"runner"},
    {"widgets"},
    {"cli", "__main__", "__init__"},
]
JUPYTER = {"anywidget", "ipywidgets", "traitlets", "IPython", "jupyterlab"}
# What a room may not import from outside, because an arrow of the house would point back.
FORBIDDEN = {
    "engine": JUPYTER | {"sympy", "matplotlib", "pandas", "sklearn"},
    "symbolic": JUPYTER | {"matplotlib", "pandas"},
    "history": JUPYTER,
    "shaping": JUPYTER,
    "session": JUPYTER,
    "runner": JUPYTER,
    "kan": JUPYTER,
    "discovery": JUPYTER | {"pandas", "scipy"},
}


def _modules(root: Path) -> dict[str, Path]:
    """Return every Python module of the package by its dotted name without the leading `kanlab.`."""
    package = root / "kanlab"
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[0] in {"frontend", "notebooks"}:
            continue
        if parts[-1] == "__init__" and len(parts) > 1:
            parts = parts[:-1]
        found[".".join(parts)] = path
    return found


def _imports(name: str, path: Path) -> Iterator[str]:
    """Yield the full dotted name of everything that the module imports, in functions too."""
    package = ["kanlab", *name.split(".")]
    if path.name != "__init__.py":
        package.pop()
    elif name == "__init__":
        package = ["kanlab"]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _floor(name: str) -> int | None:
    """Return the floor of a module, by the longest name in FLOORS that it lies under."""
    places = [
        (len(room), level)
        for level, rooms in enumerate(FLOORS)
        for room in rooms
        if name == room or name.startswith(f"{room}.")
    ]
    return max(places)[1] if places else None


def _internal(imported: str, modules: dict[str, Path]) -> str | None:
    """Return the module of ours that an imported name lies in (as far as it is known), None for a foreign one."""
    parts = imported.split(".")
    if parts[0] != "kanlab":
        return None
    for end in range(len(parts), 1, -1):
        if (name := ".".join(parts[1:end])) in modules:
            return name
    return ".".join(parts[1:]) if len(parts) > 2 else "__init__"


def test_every_module_has_a_floor(root: Path) -> None:
    homeless = [name for name in _modules(root) if _floor(name) is None]
    assert not homeless, f"say in FLOORS where these modules live: {homeless}"


def test_imports_point_down(root: Path) -> None:
    modules = _modules(root)
    wrong = []
    for name, path in modules.items():
        if name in {"__init__", "__main__", "cli"}:  # the door: it may name every room
            continue
        for imported in _imports(name, path):
            target = _internal(imported, modules)
            if target is None:
                continue
            here, there = _floor(name), _floor(target)
            if here is not None and there is not None and there > here:
                wrong.append(f"{name} imports {imported}")
    assert not wrong, wrong


def test_imports_form_no_circle(root: Path) -> None:
    modules = _modules(root)
    graph = {
        name: {
            target for imported in _imports(name, path) if (target := _internal(imported, modules)) not in {None, name}
        }
        for name, path in modules.items()
        if not path.name.startswith("__init__")  # a package's door re-exports its rooms
    }
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle in it


def test_rooms_import_nothing_forbidden(root: Path) -> None:
    wrong = []
    for name, path in _modules(root).items():
        banned = FORBIDDEN.get(name.split(".")[0], set())
        wrong += [f"{name} imports {imported}" for imported in _imports(name, path) if imported.split(".")[0] in banned]
    assert not wrong, wrong


def _python(code: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    return done.stdout


def test_import_loads_no_jupyter_and_no_window_toolkit(root: Path) -> None:
    loaded = _python("import sys, kanlab; print(*{name.partition('.')[0] for name in sys.modules})", root).split()
    assert not JUPYTER & set(loaded)
    assert "pandas" not in loaded
    assert "sklearn" not in loaded
    assert "kanlab" in loaded


def test_import_leaves_the_global_state_alone(root: Path, tmp_path: Path) -> None:
    code = f"""
import random, sys, warnings
sys.path.insert(0, {str(root)!r})
import jaxtyping, matplotlib, numpy, safetensors, sympy, torch, tqdm  # their own effects are not ours
def state():
    numbers = (random.getstate(), numpy.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes())
    return (*numbers, torch.get_default_dtype(), torch.get_num_threads(), list(warnings.filters))
before = state()
import kanlab
print([a == b for a, b in zip(before, state())])
"""
    assert _python(code, tmp_path).strip() == str([True] * 6)
    assert not list(tmp_path.iterdir()), "import wrote a file"
