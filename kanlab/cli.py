"""The `kanlab` command: open JupyterLab on the course, or copy the course."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from kanlab import __version__

HELLO = "01_hello_kan.ipynb"
COPY = Path("kanlab-notebooks")


def _course() -> Path:
    """Return the folder of the packaged course: in the package if it was installed, beside it in a checkout.

    Raises
    ------
    FileNotFoundError
        When neither holds the first notebook.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / HELLO).is_file():
            return folder
    raise FileNotFoundError(f"the course's {HELLO} is not in this installation of kanlab: install kanlab again")


def copy_course(folder: Path) -> list[Path]:
    """Copy the course's notebooks and what they read; leave files that already exist as they are.

    Parameters
    ----------
    folder
        Where to; it is made if it does not exist.

    Returns
    -------
    list of Path
        The files written, in alphabetical order.

    Raises
    ------
    FileNotFoundError
        When this installation holds no course.
    FileExistsError
        When `folder` is a file.
    """
    source = _course()
    written = []
    for file in sorted(source.rglob("*")):
        parts = file.relative_to(source).parts
        if not file.is_file() or any(part.startswith((".", "__pycache__")) for part in parts):
            continue
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copyfile(file, target)
            written.append(target)
    return written


def _notebook(given: Path | None) -> Path:
    """Return the notebook to open: the one given, the checkout's own, or one from a copy of the course."""
    if given is not None:
        if not given.exists():
            raise FileNotFoundError(f"there is no {given}; `kanlab lab` without a name opens the course")
        return given
    here = Path("notebooks", HELLO)
    if here.is_file():
        return here
    written = copy_course(COPY)
    if written:
        print(f"copied {len(written)} files of the course to {COPY}")
    return COPY / HELLO


def _become(command: list[str]) -> int:
    """Let JupyterLab take this process's place, so that signals and the terminal are its own."""
    sys.stdout.flush()
    if sys.platform == "win32":  # there exec would hand the prompt back while JupyterLab still runs
        return subprocess.run(command, check=False).returncode
    os.execv(command[0], command)


def _is_root() -> bool:
    return getattr(os, "geteuid", lambda: 1)() == 0


def _lab(arguments: argparse.Namespace) -> int:
    if find_spec("jupyterlab") is None:
        raise ModuleNotFoundError('JupyterLab is not installed here: pip install "kanlab[lab]"')
    notebook = _notebook(arguments.notebook)
    command = [sys.executable, "-m", "jupyterlab", str(notebook)]
    if notebook.is_file():  # so that the printed address, too, leads to the notebook
        command.append(f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}")
    if _is_root():
        print("running as root, as in a container: the server is started with --allow-root")
        command.append("--allow-root")
    if arguments.no_browser:
        command.append("--no-browser")
    if arguments.port is not None:
        command.append(f"--port={arguments.port}")
    return _become([*command, *arguments.jupyter])


def _copy(arguments: argparse.Namespace) -> int:
    written = copy_course(arguments.folder)
    print(*written, sep="\n") if written else print(f"{arguments.folder} has the whole course already")
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a whole number from 1 to 65535")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kanlab", description="See, steer and read Kolmogorov-Arnold Networks.")
    parser.add_argument("--version", action="version", version=f"kanlab {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on the hello notebook",
        description=f"Open JupyterLab on a notebook: the one named, ./notebooks/{HELLO} if it is there, or else a copy "
        f"of the course in ./{COPY}, where files that exist are left as they are.",
        epilog="What stands after -- goes to JupyterLab: kanlab lab -- --ip=0.0.0.0",
    )
    lab.add_argument("notebook", nargs="?", type=Path, metavar="NOTEBOOK", help="a notebook or a folder to open")
    lab.add_argument("--no-browser", action="store_true", help="start the server only and print its address")
    lab.add_argument("--port", type=_port, metavar="N", help="the server's port (JupyterLab's default is 8888)")
    lab.set_defaults(run=_lab, jupyter=[])

    notebooks = commands.add_parser(
        "notebooks",
        help="copy the course",
        description="Copy the course's notebooks to a folder; files that exist there are left as they are.",
    )
    notebooks.add_argument("folder", type=Path, metavar="DIR", help="the folder, made if need be")
    notebooks.set_defaults(run=_copy)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv
        The arguments; `sys.argv` without the program's name by default.
    """
    own = list(sys.argv[1:] if argv is None else argv)
    # Split here: argparse drops a `--` and would take what follows it for the notebook.
    passed = own[own.index("--") + 1 :] if "--" in own else []
    parser = _parser()
    arguments = parser.parse_args(own[: len(own) - len(passed) - 1] if "--" in own else own)
    if passed and arguments.run is not _lab:
        parser.error("only `kanlab lab` passes arguments on after --")
    arguments.jupyter = passed
    try:
        return arguments.run(arguments)
    except (OSError, ModuleNotFoundError) as error:
        print(f"kanlab: {error}", file=sys.stderr)
        return 1
