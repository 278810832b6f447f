"""The Lab's floors, measured in a real JupyterLab with a headless Chromium: how soon it acts, what it costs and draws.

``python -m tests.benchmarks.lab_floors [--minutes 2 | --hour]`` from the root prints a table and writes nothing.
Where there are two cores, the kernel gets the first and everything else the second. ``KANLAB_CHROMIUM`` names the
browser.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.lab_memory import LISTEN, stay
from tests.browser.conftest import _FLAGS
from tests.browser.lab_page import LabPage, axe_violations
from tests.browser.notebook import Notebook
from tests.browser.server import jupyterlab

ROOT = Path(__file__).parents[2]
#: A cell that makes a Lab of a given width, counts its steps and frames, and notes when a slider acts.
SETUP = """
import os, time, torch, kanlab
from kanlab import KAN, create_dataset
if (os.cpu_count() or 1) > 1:
    os.sched_setaffinity(0, {{0}})
torch.set_num_threads(1)
width = {width}
target = lambda x: torch.sin(x).sum(1, keepdim=True).repeat(1, width[-1])
dataset = create_dataset(target, n_var=width[0], train_num=500, test_num=200, seed=0)
lab = kanlab.Lab(KAN(width, grid=5, seed=0), dataset)
hub, acted, counted = lab.hub, [], {{"steps": 0, "frames": 0}}
stepped, frame, configure = hub.stepped, hub.teller.frame, hub.runner.configure
def count(name, call):
    def counting(*args, **options):
        counted[name] += 1
        return call(*args, **options)
    return counting
hub.stepped, hub.teller.frame = count("steps", stepped), count("frames", frame)
def note(**changes):
    acted.append(time.time() * 1000)
    return configure(**changes)
hub.runner.configure = note
hub.set(optimizer="Adam")
"""
WINDOW = 6.0
Row = tuple[str, str, str]
Show = Callable[[list[int]], tuple[Notebook, LabPage]]


def spent(book: Notebook) -> tuple[float, float, float]:
    """Return steps, frames and the kernel's processor time over a window."""
    book.kexec("counted.update(steps=0, frames=0); begin = time.process_time()")
    book.page.wait_for_timeout(1000 * WINDOW)
    steps, frames, seconds = book.keval("[counted['steps'], counted['frames'], time.process_time() - begin]")
    return float(steps), float(frames), float(seconds)


def latency(lab: LabPage, presses: int = 60) -> tuple[float, float]:
    """Return median and 95th percentile, in ms, from a slider's move in the browser to its effect in the kernel."""
    slider, moved = lab.slider("lamb"), []
    slider.evaluate("(s) => s.addEventListener('input', () => { window.moved = Date.now(); }, true)")
    for press in range(presses):
        before = lab.book.keval("len(acted)")
        slider.press("ArrowLeft" if press % 2 else "ArrowRight")
        lab.until(lambda before=before: lab.book.keval("len(acted)") > before, "the slider to act")
        moved.append(lab.book.keval("acted[-1]") - lab.book.page.evaluate("window.moved"))
        lab.book.page.wait_for_timeout(60)
    return statistics.median(moved), sorted(moved)[int(0.95 * len(moved))]


def dropped(lab: LabPage) -> tuple[float, float]:
    """Pan and hover; return the median and the 95th percentile of the time between drawings, in ms."""
    page, box = lab.book.page, lab.region.get_by_label("network graph").bounding_box()
    assert box
    page.evaluate(
        """() => { window.gaps = []; let last = performance.now();
          const tick = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(tick); };
          requestAnimationFrame(tick); }"""
    )
    middle = box["x"] + box["width"] / 2, box["y"] + 60
    page.mouse.move(*middle)
    for pressed in (True, False):
        if pressed:
            page.mouse.down()
        for n in range(120):
            page.mouse.move(middle[0] + 80 * ((n % 40) / 40 - 0.5), middle[1] + n)
        if pressed:
            page.mouse.up()
    gaps = sorted(page.evaluate("window.gaps"))
    return statistics.median(gaps), gaps[int(0.95 * len(gaps))]


def violations(lab: LabPage) -> int:
    """Return how many rules of WCAG 2.1 A and AA axe-core finds broken."""
    lab.book.page.add_script_tag(path=ROOT / "kanlab/frontend/node_modules/axe-core/axe.min.js")
    return len(axe_violations(lab.region))


def slowdown(show: Show, width: list[int]) -> tuple[float, float]:
    """Return what share of a core an open Lab takes at ten frames a second, in percent, and the frames a second.

    A step's processor time is known from training alone; what the kernel spends beyond it while the Lab is open, per
    frame, is the Lab's. Unlike steps a second this holds on a machine that others use too. The middle of three pairs.
    """
    book, lab = show(width)
    book.kexec("lab.start()")
    lab.until(lambda: book.keval("counted['steps']") > 50, "the training to be under way", timeout=120)
    shares, rates = [], []
    for _ in range(3):
        book.kexec("hub.flow.watched = False")
        steps, _, seconds = spent(book)
        book.kexec("hub.flow.watched = True")
        more, frames, longer = spent(book)
        shares.append(100 * 10 * (longer - more * seconds / steps) / frames)
        rates.append(frames / WINDOW)
    lab.button("Pause").click()
    return statistics.median(shares), statistics.median(rates)


def opened(show: Show, minutes: float) -> Iterator[Row]:
    """Measure how soon a Lab is there, how soon it acts, and what axe-core finds."""
    book, lab = show([2, 5, 1])
    yield "Lab visible after the cell runs", "1.5 s", f"{book.visible_after:.2f} s"  # type: ignore[attr-defined]
    book.kexec("lab.start()")
    median, p95 = latency(lab)
    yield "slider moved → acts in the kernel while training", "median 100 ms, p95 150 ms", f"{median:.0f}, {p95:.0f} ms"
    lab.button("Pause").click()
    broken = []
    for dark in (False, True):
        book.set_theme(dark=dark)
        book.page.wait_for_timeout(800)
        broken.append(violations(lab))
    yield "axe-core, WCAG 2.1 A and AA: light, dark", "0, 0", ", ".join(map(str, broken))


def slowed(show: Show, minutes: float) -> Iterator[Row]:
    """Measure what an open Lab takes of the training."""
    for width, edges, floor in (([2, 5, 1], 15, "5 %"), ([10, 18, 1], 198, "10 %")):
        share, frames = slowdown(show, width)
        what = f"share of a core that an open Lab takes, {edges} edges"
        yield what, f"{floor}, 10 frames/s", f"{share:.1f} %, {frames:.1f}"


def drawn(show: Show, minutes: float) -> Iterator[Row]:
    """Measure the drawing of 500 edges, and the bundle."""
    _, lab = show([20, 20, 5])
    median, p95 = dropped(lab)
    what = "500 edges: time between drawings while panning and hovering"
    yield what, "16.7 ms", f"median {median:.1f}, p95 {p95:.1f} ms"
    static = ROOT / "kanlab" / "widgets" / "static"
    size = sum((static / name).stat().st_size for name in ("kanlab.js", "kanlab.css"))
    yield "bundle", "150 kB", f"{size / 1000:.0f} kB"


def stayed(show: Show, minutes: float) -> Iterator[Row]:
    """Measure a long training."""
    book, lab = show([2, 5, 1])
    found = stay(book, lab, minutes)
    what = f"memory over {minutes:g} min, {found.steps} steps: kernel, page's heap, its nodes; lost"
    yield what, "± 5 %; 0, 0", str(found)


FLOORS = {"opened": opened, "slowed": slowed, "drawn": drawn, "stayed": stayed}


@contextmanager
def laboratory() -> Iterator[Show]:
    """Start JupyterLab and Chromium; yield what shows a Lab of some width in a new notebook."""
    from playwright.sync_api import sync_playwright

    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    opened: list[Notebook] = []
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as home,
        jupyterlab(Path(home), ROOT) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=os.environ.get("KANLAB_CHROMIUM"), args=_FLAGS)

        def show(width: list[int]) -> tuple[Notebook, LabPage]:
            for book in opened:
                book.close()
            opened.clear()
            cells = [SETUP.format(width=width), "shown = time.time(); lab"]
            book: Any = Notebook(browser, server, cells, name=f"floors-{'-'.join(map(str, width))}", height=1400)
            opened.append(book)
            book.page.add_init_script(LISTEN)
            book.open()
            book.run(0)
            lab = LabPage(book, book.run(1))
            book.visible_after = (book.page.evaluate("Date.now()") - 1000 * float(book.keval("shown"))) / 1000
            return book, lab

        yield show
        for book in opened:
            book.close()
        browser.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("floors", nargs="*", help=f"which to measure: {', '.join(FLOORS)}; all by default")
    parser.add_argument("--minutes", type=float, default=2.0, help="of the long training")
    parser.add_argument("--hour", action="store_true", help="measure nothing but an hour of training")
    asked = parser.parse_args()
    floors = ["stayed"] if asked.hour else asked.floors or list(FLOORS)
    print("| what | floor | measured |\n|---|---|---|")
    with laboratory() as show:
        for name in floors:
            for what, floor, found in FLOORS[name](show, 60.0 if asked.hour else asked.minutes):
                print(f"| {what} | {floor} | {found} |", flush=True)


if __name__ == "__main__":
    main()
