"""The front end's own checks (types, lint, unit tests), and that the committed bundle is what its sources build."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

MOST_BYTES = 150_000


# Colours and links of a terminal, which Biome writes even into a pipe.
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;.*?\x1b\\")


def _npm(npm: str, folder: Path, script: str) -> None:
    done = subprocess.run([npm, "run", script], cwd=folder, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.fail(f"npm run {script}\n{_ESCAPES.sub('', done.stdout + done.stderr)}", pytrace=False)


def test_frontend_checks_pass(npm: str, frontend: Path) -> None:
    _npm(npm, frontend, "check")


def test_committed_bundle_is_fresh(npm: str, frontend: Path, root: Path, tmp_path: Path) -> None:
    """Build in a copy of the tree, so that a stale bundle is reported and not silently replaced."""
    copy = tmp_path / "kanlab" / "frontend"
    shutil.copytree(frontend, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(frontend / "node_modules")
    built, committed = tmp_path / "kanlab" / "widgets" / "static", root / "kanlab" / "widgets" / "static"
    built.mkdir(parents=True)
    _npm(npm, copy, "build")
    names = sorted(file.name for file in built.iterdir())
    assert names == sorted(file.name for file in committed.iterdir())
    stale = [name for name in names if (built / name).read_bytes() != (committed / name).read_bytes()]
    assert not stale, f"{stale} differ from what the sources build: run npm run build in kanlab/frontend and commit"


def test_bundle_is_small_and_self_contained(root: Path) -> None:
    script = root / "kanlab" / "widgets" / "static" / "kanlab.js"
    style = script.with_suffix(".css").read_text(encoding="utf-8")
    assert script.stat().st_size + len(style.encode()) <= MOST_BYTES
    text = script.read_text(encoding="utf-8")
    assert "import(" not in text, "a bundle in one file loads nothing later"
    assert "@import" not in style
    assert "url(http" not in style
    for place in ("cdn.", "unpkg.com", "jsdelivr", "esm.sh", "fonts.googleapis"):
        assert place not in text + style


def test_lock_file_names_no_registry(root: Path) -> None:
    lock = (root / "kanlab" / "frontend" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock, "leave the registry to npm's own configuration: omit-lockfile-registry-resolved"
