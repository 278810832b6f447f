"""A JupyterLab of its own for the tests: loopback only, its settings, workspaces and data in a temporary folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STARTS_WITHIN = 60.0

# What Lab would ask the network for, or pop up over the page.
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: where it answers, and the folder it serves."""

    url: str
    folder: Path
    log: Path


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment(home: Path, root: Path) -> dict[str, str]:
    """Return the environment: nothing of the person's Jupyter is read, and kanlab is this checkout's."""
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    own = {name: str(home / folder) for name, folder in folders.items()}
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **own, "JUPYTER_PREFER_ENV_PATH": "1", "PYTHONPATH": path}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/status", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def jupyterlab(home: Path, root: Path) -> Iterator[Server]:
    """Start JupyterLab under `home`, yield it when it answers, and stop it.

    Parameters
    ----------
    home
        An empty folder for everything that the server reads and writes.
    root
        The checkout whose kanlab the kernels import.

    Raises
    ------
    RuntimeError
        When the server ends or does not answer within a minute; the message holds its log.
    """
    for name, content in _SETTINGS.items():
        file = home / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
    folder = home / "work"
    folder.mkdir()
    log = home / "server.log"
    port = free_port()
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        "--JupyterNotebookApp.expose_app_in_browser=True",
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        # No token: the server listens on the loopback only, lives for the tests and serves an empty folder.
        *("--IdentityProvider.token=", "--ServerApp.open_browser=False", f"--ServerApp.root_dir={folder}"),
        *("--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        # A run that is killed cannot stop its server: then this one stops itself, and its kernels, before long.
        *("--ServerApp.shutdown_no_activity_timeout=900", "--MappingKernelManager.cull_idle_timeout=600"),
        *("--LabApp.extension_manager=readonly", "--ServerApp.terminals_enabled=False"),
    ]
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, cwd=home, env=_environment(home, root), stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + STARTS_WITHIN
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.1)
        yield Server(url, folder, log)
    finally:
        process.terminate()  # the server shuts its kernels down first
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
