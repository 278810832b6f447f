"""Facts that stand in more than one file agree: the version, Binder's torch, the notebooks' links, what is stripped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import tomli
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import kanlab
from tests.course import pictures


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomli.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def notebooks(root: Path) -> list[Path]:
    found = sorted((root / "notebooks").glob("*.ipynb"))
    assert found, "the course is empty"
    return found


def _torch(project: dict[str, Any]) -> SpecifierSet:
    (torch,) = (one for one in map(Requirement, project["dependencies"]) if one.name == "torch")
    return torch.specifier


def test_one_version(project: dict[str, Any], root: Path) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert kanlab.__version__ == project["version"] == citation["version"]
    assert citation["license"] == project["license"]


def test_binder_takes_a_cpu_torch_that_the_project_allows(project: dict[str, Any], root: Path) -> None:
    lines = (root / "binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    assert lines[0] == "--extra-index-url https://download.pytorch.org/whl/cpu", "PyTorch's index of CPU builds"
    (torch,) = map(Requirement, lines[1:])
    (pin,) = torch.specifier
    assert (torch.name, pin.operator) == ("torch", "==")
    assert pin.version.endswith("+cpu")
    assert _torch(project).contains(pin.version.partition("+")[0])


def test_binder_installs_the_lab_with_a_python_that_the_project_allows(project: dict[str, Any], root: Path) -> None:
    kind, _, version = (root / "binder" / "runtime.txt").read_text(encoding="utf-8").strip().partition("-")
    assert kind == "python"
    assert SpecifierSet(project["requires-python"]).contains(version)
    build = root / "binder" / "postBuild"
    assert os.access(build, os.X_OK), "Binder runs postBuild as a program"
    (extras,) = re.findall(r'"\.\[(.*)\]"', build.read_text(encoding="utf-8"))
    assert set(extras.split(",")) == {"lab", "knots", "nuclei"}, "what the course imports"
    assert set(extras.split(",")) <= project["optional-dependencies"].keys()
    subprocess.run(["bash", "-n", build], check=True)


def test_readme_gives_the_range_of_torch(project: dict[str, Any], root: Path) -> None:
    (shown,) = re.findall(r'pip install "torch(.*?)"', (root / "README.md").read_text(encoding="utf-8"))
    assert SpecifierSet(shown) == _torch(project)


def test_readme_code_runs_and_finds_the_formula(root: Path, tmp_path: Path) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL))
    assert code
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert r"\sin" in done.stdout
    assert not list(tmp_path.iterdir()), "nothing may be written to disk"


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "notebooks/README.md", "notebooks/teaching.md"]
)
def test_links_between_files_lead_somewhere(name: str, root: Path) -> None:
    text = (root / name).read_text(encoding="utf-8")
    links = re.findall(r"(?:\]\(\s*|src=\")([^)#\s\"]+)", text)
    assert links
    dead = [link for link in links if "://" not in link and not (root / name).parent.joinpath(link).exists()]
    assert not dead


def test_every_notebook_is_in_the_readme(notebooks: list[Path], root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    assert not [path.name for path in notebooks if f"notebooks/{path.name}" not in text]


def test_every_notebook_is_in_the_syllabus_with_its_picture(notebooks: list[Path], root: Path) -> None:
    text = (root / "notebooks" / "README.md").read_text(encoding="utf-8")
    assert not [path.name for path in notebooks if f"({path.name})" not in text]
    assert not [path.name for path in notebooks if f"pictures/{path.stem}.svg" not in text]


def test_notebooks_are_valid_and_stripped(notebooks: list[Path]) -> None:
    for path in notebooks:
        book = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(book)
        assert (book.nbformat, book.nbformat_minor >= 5) == (4, True), f"{path.name}: cells need ids (nbformat 4.5)"
        assert "widgets" not in book.metadata, path.name
    command = [sys.executable, "-m", "nbstripout", "--keep-count", "--verify", *map(str, notebooks)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"run nbstripout (or tests/course/pictures.py):\n{done.stdout}{done.stderr}"


def test_cells_have_a_count_if_they_have_outputs(notebooks: list[Path]) -> None:
    for path in notebooks:
        code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        wrong = [cell.source for cell in code if bool(cell.outputs) != (cell.execution_count is not None)]
        assert not wrong, f"{path.name}: {wrong}: python -m tests.course.pictures {path.name}"


def test_saved_outputs_are_still_pictures(notebooks: list[Path]) -> None:
    for path in notebooks:
        assert path.stat().st_size < pictures.LARGEST, f"{path.name}: tag fewer cells with {pictures.KEEP}"
        cells = nbformat.read(path, as_version=4).cells
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        moving = [output for output in outputs if pictures.WIDGET in output.get("data", {})]
        assert not moving, f"{path.name}: python -m tests.course.pictures {path.name}"
        assert not [output for output in outputs if output.output_type == "error"], path.name
