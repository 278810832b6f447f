"""The wheel: built, looked into, installed away from the checkout, imported and run."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as pip does, with the build tools that are installed."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, root, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a fresh environment with this wheel in it.

    The dependencies come from the environment that runs the tests, by a path file: torch is not installed again, and
    an editable kanlab is not seen, since path files work only in a site folder of their own.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=sys.platform != "win32")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    site = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    (site / "dependencies.pth").write_text(
        "\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}), encoding="utf-8"
    )
    pip = (sys.executable, "-m", "pip", "--python", python)
    _run(*pip, "install", "--no-deps", "--no-index", "--force-reinstall", wheel, cwd=folder)
    return python


def test_wheel_holds_what_it_must_and_nothing_else(wheel: Path, root: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        unpacked = sum(entry.file_size for entry in archive.infolist())
    for needed in ("kanlab/widgets/static/kanlab.js", "kanlab/widgets/static/kanlab.css"):
        assert needed in names
    sources = {path.relative_to(root).as_posix() for path in (root / "kanlab").rglob("*.py")}
    course = {f"kanlab/notebooks/{path.name}" for path in (root / "notebooks").glob("*.ipynb")}
    assert course, "the repository holds no notebook"
    assert {name for name in sources if not name.startswith("kanlab/frontend/")} | course <= names
    strange = [name for name in names if "frontend" in name or "node_modules" in name or "checkpoint" in name]
    assert not strange
    folders = {name.partition("/")[0] for name in names}
    assert len(folders) == 2, f"only the package and its metadata: {folders}"
    assert unpacked < 5_000_000


def test_installed_package_imports_from_its_own_place(installed: Path, tmp_path: Path) -> None:
    code = "import kanlab, kanlab.widgets; print(kanlab.__file__)"
    where = Path(_run(installed, "-I", "-W", "error", "-c", code, cwd=tmp_path).strip())
    assert where.is_relative_to(installed.parent.parent)


def test_installed_command_copies_the_course(installed: Path, tmp_path: Path) -> None:
    command = installed.parent / "kanlab"
    assert _run(command, "--version", cwd=tmp_path).startswith("kanlab ")
    _run(command, "notebooks", "course", cwd=tmp_path)
    assert (tmp_path / "course" / "01_hello_kan.ipynb").is_file()
