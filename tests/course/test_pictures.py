from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.course import pictures

_LAB = """
import torch, kanlab
torch.set_num_threads(1)
dataset = kanlab.create_dataset(lambda x: x[:, 0] ** 2, n_var=1, train_num=60, test_num=30)
lab = kanlab.Lab(kanlab.KAN([1, 1], seed=0), dataset, names=["height"])
lab
"""


def _book(*sources: str, keep: tuple[int, ...] = ()) -> nbformat.NotebookNode:
    cells = [new_code_cell(source, id=str(index)) for index, source in enumerate(sources)]
    for index in keep:
        cells[index].metadata.tags = [pictures.KEEP]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a notebook with a Lab, a printed line, a bar and a slider, as the script saved it."""
    folder = tmp_path_factory.mktemp("course")
    train = "lab.session.fit(steps=7)\nlab.wait(20)\nprint('trained')"
    slider = "import ipywidgets; ipywidgets.interact(lambda n: print(n), n=3);"
    bar = "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)): print('x', end='')"
    path = folder / "01_small.ipynb"
    nbformat.write(_book(_LAB, train, bar, slider, keep=(0, 2, 3)), path)
    pictures.main([str(path)])
    return path


def test_widget_becomes_the_picture_of_its_last_state(written: Path) -> None:
    (output,) = nbformat.read(written, as_version=4).cells[0].outputs
    assert pictures.WIDGET not in output.data
    picture = output.data["image/svg+xml"]
    assert "height" in picture
    assert "step 0," not in picture, "the cell ran before training, the picture is of after it"


def test_only_tagged_cells_keep_outputs_and_live_widgets_go(written: Path) -> None:
    book = nbformat.read(written, as_version=4)
    nbformat.validate(book)
    assert [len(cell.outputs) for cell in book.cells] == [1, 0, 1, 0]
    assert book.cells[2].outputs[0].text == "xxx"
    assert [cell.execution_count for cell in book.cells] == [1, None, 3, None], "nbval wants a count beside outputs"
    assert "widgets" not in book.metadata


def test_nbstripout_finds_nothing_more_to_strip(written: Path) -> None:
    command = [sys.executable, "-m", "nbstripout", "--keep-count", "--verify", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_syllabus_gets_the_picture(written: Path) -> None:
    picture = (written.parent / "pictures" / "01_small.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg ")
    assert picture.endswith("</svg>\n")


def test_a_notebook_too_large_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "large.ipynb"
    nbformat.write(_book(f"print('x' * {pictures.LARGEST})", keep=(0,)), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"large.ipynb would take .* allowed are 400,000"):
        pictures.save(path)
    assert path.read_bytes() == before
