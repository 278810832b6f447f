"""Run the course's notebooks and save the pictures that GitHub and nbviewer show, where no widget can be drawn.

    python -m tests.course.pictures notebooks/*.ipynb

Each notebook is executed as a reader would, from a fresh kernel. Only cells tagged `keep_output` (nbstripout's tag)
keep what they show: pictures, tables, text. A widget is saved as its still picture, drawn at the end of the run, when
the Lab has been used. The last of these pictures also goes to `notebooks/pictures/`, for the syllabus.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

KEEP = "keep_output"
#: Of a saved notebook, in bytes.
LARGEST = 400_000
#: Needs a live model: a reader without a kernel would see an error where the picture could stand.
WIDGET = "application/vnd.jupyter.widget-view+json"
#: Stands in the pictures that kanlab.widgets draws, in no other.
_LAB = 'aria-label="KAN"'
_TIMEOUT = 600
#: The kernel is asked for the widget again: what it shows by now, not what it showed when its cell ran.
_AGAIN = """
from IPython.display import display
from ipywidgets.widgets.widget import _instances
display(_instances[{identity!r}])
"""


def keeps(cell: Mapping[str, Any]) -> bool:
    """Say whether the cell's outputs are saved."""
    return KEEP in cell["metadata"].get("tags", ())


def _has_picture(data: Mapping[str, Any]) -> bool:
    return "image/svg+xml" in data or "image/png" in data


def run(book: NotebookNode, folder: Path) -> NotebookNode:
    """Return the notebook as executed in `folder`, the widgets of kept cells drawn anew at the end of the run.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        When a cell fails.
    """
    done = copy.deepcopy(book)
    client = NotebookClient(done, timeout=_TIMEOUT, resources={"metadata": {"path": folder}})
    with client.setup_kernel():
        for index in range(len(book.cells)):
            client.execute_cell(done.cells[index], index)
        for output in [output for cell in done.cells if keeps(cell) for output in cell.outputs]:
            data = output.get("data", {})
            if WIDGET in data and _has_picture(data):
                done.cells.append(nbformat.v4.new_code_cell(_AGAIN.format(identity=data[WIDGET]["model_id"])))
                client.execute_cell(done.cells[-1], len(done.cells) - 1)
                output.data = done.cells.pop().outputs[0].data
    return done


def still(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Return what of a cell's outputs is to be saved: no progress bars, no widgets that have a picture."""
    kept = []
    for output in outputs:
        if output.get("name") == "stderr":
            continue
        data = output.get("data", {})
        if WIDGET in data and not _has_picture(data):
            continue  # a progress bar
        data.pop(WIDGET, None)
        kept.append(output)
    return kept


def saved(executed: NotebookNode) -> NotebookNode:
    """Strip an executed notebook to its sources and the outputs of the cells that keep theirs, in place."""
    executed.metadata.pop("widgets", None)
    for cell in executed.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = still(cell.outputs) if keeps(cell) else []
            if not cell.outputs:
                cell.execution_count = None  # nbval takes a count as the sign that outputs belong to their cell
    return executed


def lab_picture(book: NotebookNode) -> str | None:
    """Return the last picture of a Lab that a notebook keeps; None when there is none."""
    bundles = [output.get("data", {}) for cell in book.cells for output in cell.get("outputs", ())]
    pictures = ["".join(data["image/svg+xml"]) for data in bundles if "image/svg+xml" in data]
    return next((picture for picture in reversed(pictures) if _LAB in picture), None)


def _processor_seconds() -> float:
    """Return the processor time of the kernels that have ended; unlike the clock's it is the notebook's own."""
    times = os.times()
    return times.children_user + times.children_system


def save(path: Path) -> float:
    """Run one notebook, write it back with its pictures, and return the processor seconds that its kernel took.

    Raises
    ------
    ValueError
        When the notebook would be larger than `LARGEST`: nothing is written then.
    """
    book = nbformat.read(path, as_version=4)
    language = dict(book.metadata.language_info)
    start = _processor_seconds()
    done = saved(run(book, path.parent))
    seconds = _processor_seconds() - start
    done.metadata.language_info = language  # the kernel's own would name the version of whoever ran it last
    text = nbformat.writes(done) + "\n"
    if len(text.encode()) > LARGEST:
        raise ValueError(
            f"{path.name} would take {len(text.encode()):,} bytes, allowed are {LARGEST:,}: tag fewer cells"
        )
    path.write_text(text, encoding="utf-8")
    if (picture := lab_picture(done)) is not None:
        target = path.parent / "pictures" / f"{path.stem}.svg"
        target.parent.mkdir(exist_ok=True)
        target.write_text(picture + "\n", encoding="utf-8")
    return seconds


def main(paths: list[str]) -> None:
    """Save the notebooks named, and print what each took."""
    for name in paths:
        path = Path(name)
        seconds = save(path)
        print(f"{path.name}: {seconds:.0f} s, {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
