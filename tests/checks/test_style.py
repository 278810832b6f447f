"""Ruff and pyright over the whole tree, as tests, so that one command checks everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def _run(root: Path, *command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}{done.stderr}", pytrace=False)


def test_ruff_finds_no_fault(root: Path) -> None:
    _run(root, "ruff", "check", ".")


def test_code_is_formatted(root: Path) -> None:
    _run(root, "ruff", "format", "--check", "--diff", ".")


@pytest.mark.slow
def test_types_hold(root: Path) -> None:
    _run(root, "pyright", "--pythonpath", sys.executable)
