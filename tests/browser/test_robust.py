"""What happens to a Lab in a real JupyterLab: interrupts, busy kernels, reloads, restarts, floods, and many at once."""

from __future__ import annotations

import re
import time

import pytest

from tests.browser.lab_page import LabPage
from tests.browser.test_lab import FITTED, HELLO, SHOW, start_long_training

pytestmark = [pytest.mark.browser, pytest.mark.slow]

KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
THREADS = "sum(t.name == 'kanlab-train' for t in __import__('threading').enumerate())"
#: Begins to run a cell and does not wait for its end.
BEGIN_CELL = """(index) => {
  const panel = window.jupyterapp.shell.currentWidget;
  panel.content.deselectAll();
  panel.content.activeCellIndex = index;
  void window.jupyterapp.commands.execute('notebook:run-cell');
}"""
#: Sends messages over a widget's comm as its views do.
SEND = """([comm, messages]) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  for (const content of messages) kernel._comms.get(comm).send({method: 'custom', content});
}"""


@pytest.fixture
def show(notebook):
    """Run the first cell and return the Lab that it shows."""

    def show_lab(*cells: str, **options) -> LabPage:
        book = notebook(*cells, **options)
        return LabPage(book, book.run(0))

    return show_lab


def takes_steps(lab: LabPage, count: int = 3) -> None:
    """Wait until training has gone on by some steps."""
    before = lab.book.keval("lab.hub.live.step")
    lab.until(lambda: lab.book.keval("lab.hub.live.step") >= before + count, "more steps")


def shows_steps(lab: LabPage) -> None:
    """Wait until the browser has shown that training goes on."""
    before = lab.status()
    lab.until(lambda: (now := lab.status()) and (not before or now.step > before.step), "the shown step to grow")


def pauses(lab: LabPage) -> None:
    """Pause by the button, and see that the kernel does."""
    lab.button("Pause").click()
    lab.until(lambda: not lab.book.keval("lab.training.running"), "the training to pause")


def test_an_interrupt_ends_the_cell_and_not_the_training(show):
    lab = show(FITTED + SHOW, "import time\nwhile True: time.sleep(0.05)")
    page = lab.book.page
    start_long_training(lab)
    page.evaluate(BEGIN_CELL, 1)
    lab.book.wait_for_kernel("busy")
    shows_steps(lab)
    page.evaluate(f"() => {KERNEL}.interrupt()")
    lab.until(lambda: lab.book.outputs(1), "the cell's error")  # it may arrive after the kernel is told idle
    lab.book.wait_for_kernel("idle")
    assert lab.book.outputs(1)[0]["ename"] == "KeyboardInterrupt"
    page.evaluate(f"() => {KERNEL}.interrupt()")  # and one that finds nothing but the training
    takes_steps(lab)
    shows_steps(lab)
    pauses(lab)
    assert lab.book.keval("lab.hub.desk.error") is None


@pytest.mark.parametrize("subshells", [True, False], ids=["subshells", "no-subshells"])
def test_sliders_act_while_a_cell_runs_or_awaits(notebook, subshells: bool):
    book = notebook(FITTED + SHOW, "import asyncio\nawait asyncio.sleep(3)", "import time\ntime.sleep(3)")
    if not subshells:  # as older front ends, VS Code and Colab are
        book.page.evaluate(f"() => {{ {KERNEL}.commsOverSubshells = 'disabled'; }}")
    lab = LabPage(book, book.run(0))
    start_long_training(lab)
    for cell, ends in ((1, ["Home", "End"]), (2, ["Home", "End"])):
        book.page.evaluate(BEGIN_CELL, cell)
        book.wait_for_kernel("busy")
        begun = time.monotonic()
        for key in ends:
            lab.slider("lamb").press(key)
        shows_steps(lab)  # frames come from the training's thread, whatever the cell does
        lab.until(lambda: not lab.slider("lamb").get_attribute("aria-busy"), "the slider to be answered")
        book.wait_for_kernel("idle")
        assert time.monotonic() - begun < 15
        lab.until(lambda: book.keval("lab.training.lamb") == 1, "the slider's last value")
        lab.slider("lamb").press("Home")
        lab.until(lambda: book.keval("lab.training.lamb") == 0, "the slider to act after the cell")
    pauses(lab)


def test_a_reload_amid_training_finds_it_going_on(show):
    lab = show(FITTED + SHOW)
    lab.edge(0, 1, 2).click()
    start_long_training(lab)
    lab.book.reload()
    again = LabPage(lab.book, lab.book.output(0))
    again.button("Pause").wait_for()
    again.part("edge inspector").get_by_text("(0, 1, 2)").first.wait_for()
    shows_steps(again)
    pauses(again)


def test_a_restarted_kernel_goes_on_with_what_was_kept(show):
    lab = show(FITTED + SHOW.replace('names=["x", "y"]', 'names=["x", "y"], autosave="work.kan"'))
    lab.edge(0, 0, 0).click()
    lab.combobox("symbolic function").select_option("sin")
    lab.button("Fix").click()
    lab.edge(0, 0, 0, "sin").wait_for()
    start_long_training(lab)
    kept = "len(__import__('kanlab').Session.load('work.kan').history)"
    lab.until(lambda: lab.book.keval(kept) == 3, "the training to be kept on its way")
    step = lab.book.keval("__import__('kanlab').Session.load('work.kan').current.step")
    assert step > 0
    lab.book.page.evaluate(f"() => {KERNEL}.restart()")
    lab.book.wait_for_kernel("idle")
    again = LabPage(lab.book, lab.book.run(0))
    again.edge(0, 0, 0, "sin").wait_for()
    again.until(lambda: (now := again.status()) and now.step >= step, "the steps that were kept")
    history = again.part("history").get_by_role("listitem")
    assert history.count() == 3
    again.button("Undo").click()
    again.until(lambda: (now := again.status()) and now.step == 0, "undo beyond the restart")


def test_two_views_move_together_while_it_trains(show):
    lab = show(FITTED + SHOW, "lab")
    other = LabPage(lab.book, lab.book.run(1))
    start_long_training(lab)
    other.button("Pause").wait_for()
    other.slider("lamb").press("End")
    value = "(slider) => slider.value"
    lab.until(
        lambda: lab.slider("lamb").evaluate(value) == other.slider("lamb").evaluate(value), "both sliders to agree"
    )
    shows_steps(lab)
    shows_steps(other)
    pauses(other)
    lab.button("Train").wait_for()


def test_a_flood_and_malformed_messages_do_no_harm(show):
    lab = show(FITTED + SHOW)
    comm = lab.book.keval("lab.comm.comm_id")
    start_long_training(lab)
    odd = [None, 7, "hello", [], {}, {"kind": "cmd"}, {"kind": "cmd", "id": 1, "name": "explode", "args": {}}]
    odd += [{"kind": "ack", "seq": "x"}, {"kind": "cmd", "id": 2, "name": "refine", "args": {"grid": 10**9}}]
    odd += [
        {"kind": "cmd", "id": 3, "name": "fix", "args": {"edge": [9, 9, 9], "name": "<img src=x onerror=alert(1)>"}}
    ]
    flood = [{"kind": "cmd", "id": n, "name": "set", "args": {"lamb": 1e-4 * (n % 7)}} for n in range(10, 400)]
    lab.book.page.evaluate(SEND, [comm, [*odd, *flood, {"kind": "hello"}]])
    lab.until(lambda: lab.book.keval("lab.training.lamb") == pytest.approx(1e-4 * (399 % 7)), "the last of the flood")
    takes_steps(lab)
    shows_steps(lab)
    lab.book.page.get_by_role("alert").filter(has_text="out of range").first.wait_for()
    pauses(lab)
    lab.edge(0, 0, 0).click()
    lab.part("edge inspector").get_by_text("(0, 0, 0)").first.wait_for()


def test_twenty_labs_stay_usable_and_closing_stops_the_training(notebook):
    cells = [
        HELLO + "labs = [kanlab.Lab(KAN([2, 3, 1], seed=n), dataset) for n in range(20)]",
        "from IPython.display import display\nfor one in labs: display(one)\nlab = labs[7]",
    ]
    book = notebook(*cells, height=1400)
    book.run(0)
    output = book.run(1)
    regions = output.get_by_role("region", name="KAN Lab", exact=True)
    book.page.wait_for_function(
        """() => document.querySelectorAll('[role="region"][aria-label="KAN Lab"]').length === 20""", timeout=60_000
    )
    assert regions.count() == 20
    book.kexec("for one in labs[:3]:\n    one.training.optimizer = 'Adam'\n    one.start()")
    lab = LabPage(book, output.nth(7))
    begun = time.monotonic()
    lab.slider("lamb").press("Home")
    lab.until(lambda: book.keval("labs[7].training.lamb") == 0, "a slider to act")
    assert time.monotonic() - begun < 5
    lab.button("Step").click()
    lab.until(lambda: (now := lab.status()) and now.step == 1, "a step")
    book.kexec("for one in labs: one.close()")
    lab.until(lambda: book.keval(THREADS) == 0, "closing to stop every training", timeout=5)


def test_notebook_7_shows_and_trains(notebook):
    pytest.importorskip("notebook")
    book = notebook(FITTED + SHOW, view="notebooks")
    lab = LabPage(book, book.run(0))
    start_long_training(lab)
    shows_steps(lab)
    lab.slider("lamb").press("Home")
    lab.until(lambda: book.keval("lab.training.lamb") == 0, "the slider to act")
    cells = book.cell_count()
    book.page.keyboard.press("b")
    assert book.cell_count() == cells, "a key slipped through to the notebook"
    pauses(lab)
    lab.region.get_by_role("button", name=re.compile(r"^edge \(0, 0, 0\)")).click()
    lab.part("edge inspector").get_by_text("(0, 0, 0)").first.wait_for()
    errors = book.watch.page_errors  # Notebook's own, of its settings, at its start are not ours
    errors[:] = [error for error in errors if not all("/static/notebook/" in line for line in error.split("\n")[1:2])]
