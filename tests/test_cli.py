"""The `kanlab` command: what it opens, what it copies, and what it says when it cannot."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import kanlab
from kanlab import cli


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small course, known to the command as the packaged one; the working folder is an empty one."""
    folder = tmp_path / "packaged"
    (folder / "data").mkdir(parents=True)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / cli.HELLO).write_text("hello")
    (folder / "data" / "table.csv").write_text("x,y")
    (folder / ".ipynb_checkpoints" / "old.ipynb").write_text("old")
    monkeypatch.setattr(cli, "_course", lambda: folder)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return folder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that were started, in place of starting them."""
    commands: list[list[str]] = []

    def become(command: list[str]) -> int:
        commands.append(command)
        return 7

    monkeypatch.setattr(cli, "_become", become)
    monkeypatch.setattr(cli, "_is_root", lambda: False)
    return commands


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"kanlab {kanlab.__version__}\n"


def test_module_runs_as_command(root: Path) -> None:
    command = [sys.executable, "-m", "kanlab", "--version"]
    assert subprocess.check_output(command, cwd=root, text=True).strip() == f"kanlab {kanlab.__version__}"


def test_lab_opens_the_copied_course(course: Path, started: list[list[str]], capsys) -> None:
    assert cli.main(["lab"]) == 7, "JupyterLab's exit code is the command's"
    address = f"--LabApp.default_url=/lab/tree/{cli.HELLO}"
    assert started == [[sys.executable, "-m", "jupyterlab", str(cli.COPY / cli.HELLO), address]]
    assert (cli.COPY / cli.HELLO).read_text() == "hello"
    assert (cli.COPY / "data" / "table.csv").read_text() == "x,y"
    assert not (cli.COPY / ".ipynb_checkpoints").exists()
    assert "copied 2 files" in capsys.readouterr().out


def test_lab_opens_the_checkouts_own_notebook_in_place(course: Path, started: list[list[str]]) -> None:
    own = Path("notebooks", cli.HELLO)
    own.parent.mkdir()
    own.write_text("mine")
    cli.main(["lab"])
    assert started[0][3] == str(own)
    assert not cli.COPY.exists()


def test_lab_opens_the_notebook_named_and_passes_the_rest_on(course: Path, started: list[list[str]]) -> None:
    Path("a b.ipynb").write_text("mine")
    cli.main(["lab", "--no-browser", "--port", "8899", "a b.ipynb", "--", "--ip=0.0.0.0", "--", "-y"])
    address = "--LabApp.default_url=/lab/tree/a%20b.ipynb"
    assert started[0][3:] == ["a b.ipynb", address, "--no-browser", "--port=8899", "--ip=0.0.0.0", "--", "-y"]


def test_lab_runs_as_root_and_says_so(course: Path, started: list[list[str]], monkeypatch, capsys) -> None:
    monkeypatch.setattr(cli, "_is_root", lambda: True)
    cli.main(["lab"])
    assert "--allow-root" in started[0]
    assert "root" in capsys.readouterr().out


def test_lab_keeps_what_the_person_changed(course: Path, started: list[list[str]], capsys) -> None:
    cli.main(["lab"])
    (cli.COPY / cli.HELLO).write_text("my answers")
    (cli.COPY / "data" / "table.csv").unlink()
    cli.main(["lab"])
    assert (cli.COPY / cli.HELLO).read_text() == "my answers"
    assert (cli.COPY / "data" / "table.csv").read_text() == "x,y"


def test_missing_jupyterlab_says_what_to_install(course: Path, started: list[list[str]], monkeypatch, capsys) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert cli.main(["lab"]) == 1
    assert 'pip install "kanlab[lab]"' in capsys.readouterr().err
    assert not started
    assert not cli.COPY.exists()


def test_missing_notebook_is_named(course: Path, started: list[list[str]], capsys) -> None:
    assert cli.main(["lab", "nowhere.ipynb"]) == 1
    assert "nowhere.ipynb" in capsys.readouterr().err
    assert not started


@pytest.mark.parametrize("port", ["0", "-1", "65536", "eight", "8.5", ""])
def test_bad_port_is_refused(port: str, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["lab", f"--port={port}"])
    assert "from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["laboratory"], ["notebooks"], ["notebooks", "x", "--", "y"]])
def test_bad_command_is_refused(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert "usage: kanlab" in capsys.readouterr().err


def test_notebooks_copies_and_says_so(course: Path, capsys) -> None:
    assert cli.main(["notebooks", "a/b"]) == 0
    assert (Path("a/b") / cli.HELLO).read_text() == "hello"
    assert cli.HELLO in capsys.readouterr().out
    assert cli.main(["notebooks", "a/b"]) == 0
    assert "already" in capsys.readouterr().out


def test_notebooks_into_a_file_is_refused(course: Path, capsys) -> None:
    Path("file").write_text("")
    assert cli.main(["notebooks", "file"]) == 1
    assert "file" in capsys.readouterr().err


@pytest.mark.slow
def test_lab_really_starts_and_ends_with_the_process(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "kanlab", "lab", "--no-browser", f"--port={port}", "mine.ipynb"]
    passed = ["--", "--allow-root", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--LabApp.news_url="]
    folders = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    environment = {**os.environ, **folders, "PYTHONPATH": str(root)}
    process = subprocess.Popen([*command, *passed], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/lab/tree/mine.ipynb", timeout=5) as answer:
                    assert b"JupyterLab" in answer.read()
                break
            except urllib.error.URLError:
                assert process.poll() is None, "JupyterLab ended"
                assert time.monotonic() < deadline, "JupyterLab did not answer"
                time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(30)
    with pytest.raises(urllib.error.URLError):  # the signal reached JupyterLab itself
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)


def test_course_is_found_in_package_then_in_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "kanlab"
    package.mkdir()
    monkeypatch.setattr(cli, "__file__", str(package / "cli.py"))
    with pytest.raises(FileNotFoundError, match="install kanlab again"):
        cli._course()
    for folder in (tmp_path / "notebooks", package / "notebooks"):
        folder.mkdir()
        (folder / cli.HELLO).write_text("")
        assert cli._course() == folder
