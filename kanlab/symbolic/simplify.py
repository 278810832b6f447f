"""Simplify expressions within a time limit that is kept.

sympy's simplification can take hours and cannot be interrupted from another thread, so it runs in a process of its own
(`kanlab.symbolic.simplify_worker`) that is ended when its time is up. What comes back is a proposal: the caller checks
it numerically before it is used.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sympy

from kanlab.symbolic import simplify_worker

_START = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
#: Seconds a worker has to leave once it has said everything.
_LEAVING = 5.0
#: Keeps Windows from opening a console.
_FLAGS = getattr(subprocess, "CREATE_NO_WINDOW", 0)


@dataclass(frozen=True)
class Forms:
    """The forms found for each expression, in the order they were found; ``reason`` says why these are not all."""

    forms: list[list[sympy.Expr]]
    reason: str | None = None


def simpler_forms(exprs: Sequence[sympy.Expr], time_limit: float = 2.0) -> Forms:
    """Look for simpler forms of expressions for at most ``time_limit`` seconds.

    Raises
    ------
    ValueError
        If the limit is not a positive number of seconds.
    """
    if not time_limit > 0:
        raise ValueError(f"time_limit is {time_limit!r}: give a positive number of seconds")
    found: list[list[sympy.Expr]] = [[] for _ in exprs]
    end = time.monotonic() + time_limit
    try:
        request = json.dumps([simplify_worker.to_tree(expr) for expr in exprs])
        worker = subprocess.Popen(
            [sys.executable, "-c", _START, str(Path(simplify_worker.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            creationflags=_FLAGS,
        )
    except (ValueError, OSError) as error:
        return Forms(found, f"it could not be started ({error})")
    lines: list[str] = []
    reader = threading.Thread(target=_talk, args=(worker, request, lines), daemon=True)
    try:
        reader.start()
        reader.join(max(0.0, end - time.monotonic()))
        reason = f"its {time_limit:g} s were over" if reader.is_alive() else None
        if reason is None and worker.wait(_LEAVING) != 0:
            reason = "its process failed"
    finally:
        worker.kill()
        worker.wait()
        reader.join()
        for pipe in (worker.stdin, worker.stdout):
            if pipe:
                pipe.close()
    for line in lines:
        place, tree = json.loads(line)
        found[place].append(simplify_worker.from_tree(tree))
    return Forms(found, reason)


def _talk(worker: subprocess.Popen[str], request: str, lines: list[str]) -> None:
    """Send the request; collect whole lines until the worker ends."""
    if worker.stdin is None or worker.stdout is None:
        return
    try:
        worker.stdin.write(request + "\n")
        worker.stdin.close()
    except OSError:
        return
    for line in worker.stdout:
        if line.endswith("\n"):
            lines.append(line)
