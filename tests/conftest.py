"""What every test shares: the order of the run, loud skips, and hypothesis without deadlines."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import hypothesis
import jaxtyping
import pytest

ROOT = Path(__file__).resolve().parent.parent

# A deadline measures the machine, not the code; print_blob makes a failure in CI reproducible at home.
hypothesis.settings.register_profile("kanlab", deadline=None, print_blob=True)
hypothesis.settings.load_profile("kanlab")

# In the tests the annotations of the numeric core, shapes above all, are checked at every call; an int will do where a
# float is asked for. This must precede the engine's import.
jaxtyping.install_import_hook(
    [f"kanlab.engine.{room}" for room in ("spline", "layer", "penalty")],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)

# Under importlib mode a doctest's module is made anew unless it was imported before: two classes KAN, of which pickle
# accepts one.
for room in (*importlib.import_module("kanlab")._HOMES.values(), "kanlab.cli", "kanlab.widgets"):
    importlib.import_module(room)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-screenshots",
        action="store_true",
        help="let the browser tests write the README's pictures to docs/",
    )


def _place(item: pytest.Item) -> int:
    """Return the item's place in the run: what fails fastest comes first."""
    if item.get_closest_marker("browser"):
        return 4
    folder = item.path.relative_to(ROOT).parts[:2] if item.path.is_relative_to(ROOT) else ()
    if folder[:1] == ("notebooks",):
        return 3
    if folder == ("tests", "checks"):
        return 2
    return 1 if item.get_closest_marker("slow") else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests and doctests first, then slow ones, the checks, the notebooks and, last, the browser.

    The browser comes last for a second reason: playwright keeps an event loop running in this thread, under which
    nbval could not start a kernel.
    """
    items.sort(key=_place)


def missing(what: str) -> NoReturn:
    """Skip the test for want of `what`; where CI is set, fail: there a skip would hide a broken set-up."""
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(f"{what} is missing, and CI must not skip what needs it", pytrace=False)
    pytest.skip(f"{what} is missing: install it to run this test")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def npm() -> str:
    """Return the path of npm, or skip aloud."""
    return shutil.which("npm") or missing("Node.js with npm")


def _installed(frontend: Path) -> bool:
    """Return whether node_modules holds what package-lock.json says (npm keeps its own record of what it installed)."""
    record = frontend / "node_modules" / ".package-lock.json"
    if not record.is_file():
        return False
    wanted, present = (
        json.loads(file.read_text(encoding="utf-8"))["packages"] for file in (frontend / "package-lock.json", record)
    )
    # Optional packages are those of other platforms; the entry "" is the front end itself.
    return all(
        name in present and present[name]["version"] == package["version"]
        for name, package in wanted.items()
        if name and not package.get("optional")
    )


@pytest.fixture(scope="session")
def frontend(npm: str, root: Path) -> Path:
    """Return the front end's folder with its packages installed."""
    folder = root / "kanlab" / "frontend"
    if not _installed(folder):
        done = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=900)
        if done.returncode:
            pytest.fail(f"npm ci\n{done.stdout}{done.stderr}", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium: KANLAB_CHROMIUM, or the first known name on PATH; or skip aloud."""
    named = os.environ.get("KANLAB_CHROMIUM")
    if named:
        if not Path(named).is_file():
            pytest.fail(f"KANLAB_CHROMIUM names {named!r}, which is no file", pytrace=False)
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    missing("Chromium (set KANLAB_CHROMIUM to its path, or put chromium or google-chrome on PATH)")
