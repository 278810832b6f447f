"""The Lab in a real JupyterLab: what a person sees, clicks and types, and what the kernel makes of it."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from tests.browser.lab_page import LabPage, axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HELLO = """
import torch, kanlab
from kanlab import KAN, create_dataset

target = lambda x: torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)
dataset = create_dataset(target, n_var=2, train_num=500, test_num=500, seed=0)
model = KAN(width=[2, 5, 1], grid=5, k=3, seed=0)
"""
SHOW = """
lab = kanlab.Lab(model, dataset, names=["x", "y"])
lab
"""
FITTED = HELLO + "model.fit(dataset, steps=20, log=0)\n"


@pytest.fixture
def show(notebook):
    """Run the cells and return the Lab that the first one shows."""

    def show_lab(*cells: str, **options) -> LabPage:
        book = notebook(*cells, **options)
        return LabPage(book, book.run(0))

    return show_lab


def active_edges(lab: LabPage) -> int:
    return lab.book.keval("sum(int((layer.mask != 0).sum()) for layer in lab.session.model.layers)")


def start_long_training(lab: LabPage) -> None:
    """Train with Adam, which never declares itself converged, until paused."""
    lab.combobox("optimizer").select_option("Adam")
    lab.button("Train").click()
    lab.button("Pause").wait_for()


def test_draws_everything_by_its_name(show, artifacts):
    lab = show(HELLO + SHOW)
    assert len(lab.edges()) == 15
    for name in ("Train", "Step", "Reset", "Prune", "Auto symbolic", "Undo", "Redo", "Copy script"):
        assert lab.button(name).count() == 1, name
    for name in ("Copy LaTeX", "Copy Python", "Copy SymPy", "Snap constants"):
        assert lab.button(name).count() == 1, name
    for name in ("lamb", "lamb_entropy", "grid", "edge threshold", "node threshold"):
        assert lab.slider(name).count() == 1, name
    for name in ("edge inspector", "formula", "history"):
        assert lab.part(name).count() == 1, name
    assert lab.combobox("optimizer").count() == 1
    assert lab.region.get_by_role("img", name="loss chart", exact=True).count() == 1
    for layer, count in enumerate((2, 5, 1)):
        for node in range(count):
            assert lab.region.get_by_label(f"node ({layer}, {node})", exact=True).count() == 1
    assert lab.part("formula").locator("math").count() >= 1
    lab.book.screenshot(artifacts / "lab-start.png", lab.region)


def test_training_moves_status_and_curves_and_pauses(show):
    lab = show(HELLO + SHOW)
    start_long_training(lab)
    lab.until(lambda: (now := lab.status()) and now.step >= 5, "five steps")
    first = lab.status()
    assert first
    lab.until(lambda: (now := lab.status()) and now.step > first.step, "the step count to grow")
    lab.button("Pause").click()
    lab.button("Train").wait_for()
    lab.until(lambda: not lab.book.keval("lab.training.running"), "the kernel to say that it paused")
    lab.book.page.wait_for_timeout(1200)  # longer than the status line's throttle
    rest = lab.status()
    lab.book.page.wait_for_timeout(500)
    assert lab.status() == rest


def test_one_step_is_one_step(show):
    lab = show(HELLO + SHOW)
    lab.button("Step").click()
    lab.until(lambda: (now := lab.status()) and now.step == 1, "step 1")
    lab.button("Step").click()
    lab.until(lambda: (now := lab.status()) and now.step == 2, "step 2")
    lab.button("Reset").click()
    lab.until(lambda: not (now := lab.status()) or now.step == 0, "the model as it came")


def test_slider_moved_during_training_acts_on_the_steps_that_follow(show):
    lab = show(FITTED + SHOW)
    lab.slider("lamb").press("Home")
    lab.until(lambda: lab.book.keval("lab.training.lamb") == 0, "lamb at its lowest stop")
    start_long_training(lab)
    lab.until(lambda: (now := lab.status()) and now.step >= 20, "twenty steps")
    before = lab.status()
    assert before
    lab.slider("lamb").press("End")
    lab.until(lambda: lab.book.keval("lab.training.lamb") == 1, "lamb at its highest stop", timeout=2)
    assert lab.training()
    # So strong a penalty flattens the curves: were the slider deaf, the fitted loss would stay or fall.
    lab.until(lambda: (now := lab.status()) and now.train > 2 * before.train, "the penalty to show", timeout=30)
    lab.button("Pause").click()


def test_kernel_stays_free_while_it_trains(show):
    lab = show(FITTED + SHOW, "6 * 7")
    start_long_training(lab)
    begin = time.monotonic()
    assert lab.book.run(1).inner_text().strip() == "42"
    assert time.monotonic() - begin < 3
    assert lab.training()
    lab.button("Pause").click()


def test_prune_shows_then_does_and_undo_brings_back(show):
    lab = show(FITTED + SHOW)
    threshold = lab.slider("edge threshold")
    threshold.press("End")
    lab.until(lambda: lab.doomed() > 0, "the preview of what would go")
    # Step down until some edges would stay: a threshold that a person would use.
    for _ in range(200):
        threshold.press("ArrowLeft")
        lab.book.page.wait_for_timeout(60)  # the preview is the kernel's answer
        if lab.doomed() < 15:
            break
    lab.book.page.wait_for_timeout(300)
    going = lab.doomed()
    assert 0 < going < 15
    assert len(lab.edges()) == 15, "a preview must not remove anything"
    lab.button("Prune").click()
    lab.until(lambda: len(lab.edges()) == 15 - going, f"{going} edges to go")
    fewer = lab.edges()
    assert active_edges(lab) == len(fewer)
    lab.button("Undo").click()
    lab.until(lambda: len(lab.edges()) == 15, "undo")
    lab.button("Redo").click()
    lab.until(lambda: lab.edges() == fewer, "redo")


def test_edge_is_fixed_unfixed_and_removed(show):
    lab = show(FITTED + SHOW)
    lab.edge(0, 0, 1).click()
    inspector = lab.part("edge inspector")
    inspector.get_by_text("(0, 0, 1)").first.wait_for()
    lab.combobox("symbolic function").select_option("sin")
    lab.button("Fix").click()
    lab.edge(0, 0, 1, "sin").wait_for()
    assert lab.book.keval("lab.session.model.layers[0].fixed[(0, 1)].name") == "sin"
    lab.button("Unfix").click()
    lab.edge(0, 0, 1, "spline").wait_for()
    lab.button("Remove edge").click()
    lab.until(lambda: len(lab.edges()) == 14, "the edge to go")
    assert lab.book.keval("float(lab.session.model.layers[0].mask[0, 1])") == 0
    for state in ("spline", "sin", "spline"):  # undo remove, unfix, fix
        lab.button("Undo").click()
        lab.edge(0, 0, 1, state).wait_for()
    assert len(lab.edges()) == 15
    assert lab.book.keval("len(lab.session.model.layers[0].fixed)") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hello_problem_is_solved_by_clicking_alone(show, artifacts, root: Path, request, theme: str):
    lab = show(HELLO + SHOW, dark=theme == "dark", height=1300)
    lab.train()
    lab.button("Prune").click()
    lab.until(lambda: len(lab.edges()) < 15, "prune")
    lab.train()
    lab.button("Auto symbolic").click()
    formula = lab.part("formula")
    lab.until(lambda: lab.idle() and all(not name.endswith("spline") for name in lab.edges()), "names", timeout=60)
    lab.train()
    lab.button("Copy LaTeX").click()
    lab.until(lambda: "sin" in lab.book.page.evaluate("navigator.clipboard.readText()"), "LaTeX on the clipboard")
    assert "sin" in (formula.locator("math").first.text_content() or "")
    assert lab.book.keval("lab.session.model.formula(var=['x', 'y']).check(dataset).test_rmse") < 1e-6
    lab.button("Copy script").click()
    lab.until(lambda: "kanlab" in lab.book.page.evaluate("navigator.clipboard.readText()"), "the script")
    lab.region.get_by_role("button", name=re.compile(r"^edge \(0, ")).first.click()
    lab.part("edge inspector").get_by_role("table").wait_for()
    lab.book.page.wait_for_timeout(2500)  # until the buttons no longer say "copied"
    lab.edge(0, 0, 0).click()
    lab.part("edge inspector").get_by_text("(0, 0, 0)").first.wait_for()
    lab.book.page.wait_for_timeout(2500)  # the buttons' "Copied" goes
    picture = lab.book.screenshot(artifacts / f"lab-{theme}-solved.png", lab.region)
    if request.config.getoption("--update-screenshots"):
        (root / "docs").mkdir(exist_ok=True)
        shutil.copy(picture, root / "docs" / f"lab-{theme}.png")


def test_keyboard_alone_reaches_everything_and_lab_keeps_its_keys(show):
    lab = show(FITTED + SHOW)
    page = lab.book.page
    cells = lab.book.cell_count()
    lab.slider("lamb_entropy").press("Home")
    lab.slider("lamb_entropy").press("ArrowRight")
    lab.until(lambda: lab.book.keval("lab.training.lamb_entropy") > 0, "the arrow to move the slider")
    page.keyboard.press("b")  # in JupyterLab: insert a cell below
    lab.edge(0, 0, 0).focus()
    page.keyboard.press("ArrowRight")
    focused = "document.activeElement.getAttribute('aria-label')"
    neighbour = page.evaluate(focused)  # the next one in the picture, not in the list
    assert neighbour.startswith("edge (0, ")
    assert not neighbour.startswith("edge (0, 0, 0)")
    page.keyboard.press("Enter")
    inside = "document.activeElement.closest('[aria-label=\"edge inspector\"]') !== null"
    lab.until(lambda: page.evaluate(inside), "Enter to open the inspector")
    lab.combobox("optimizer").select_option("Adam")  # goes on until paused
    lab.region.focus()
    page.keyboard.press(" ")
    lab.until(lab.training, "Space to train")
    lab.region.focus()
    page.keyboard.press(" ")
    lab.until(lambda: not lab.training(), "Space to pause")
    page.keyboard.press("Escape")
    lab.until(
        lambda: not page.evaluate("document.activeElement.closest('[aria-label=\"KAN Lab\"]') !== null"), "Escape"
    )
    assert lab.book.cell_count() == cells, "a key slipped through to JupyterLab"


def test_reload_shows_the_same_state(show):
    lab = show(FITTED + SHOW)
    lab.edge(0, 1, 2).click()
    lab.combobox("symbolic function").select_option("x^2")
    lab.button("Fix").click()
    lab.edge(0, 1, 2, "x^2").wait_for()
    before = lab.edges(), lab.part("history").get_by_role("listitem").count()
    lab.book.reload()
    again = LabPage(lab.book, lab.book.output(0))
    again.until(lambda: again.edges() == before[0], "the edges as they were")
    assert again.part("history").get_by_role("listitem").count() == before[1]
    again.button("Undo").click()
    again.edge(0, 1, 2, "spline").wait_for()


def test_two_views_stay_in_sync(show):
    lab = show(FITTED + SHOW, "lab")
    other = LabPage(lab.book, lab.book.run(1))
    lab.edge(0, 0, 3).click()
    other.part("edge inspector").get_by_text("(0, 0, 3)").first.wait_for()
    other.button("Remove edge").click()
    lab.until(lambda: len(lab.edges()) == len(other.edges()) == 14, "both views to lose the edge")


def test_running_the_cell_again_stops_the_old_training(show):
    lab = show(FITTED + SHOW)
    start_long_training(lab)
    again = LabPage(lab.book, lab.book.run(0))
    again.button("Train").wait_for()
    threads = "sum(t.name == 'kanlab-train' for t in __import__('threading').enumerate())"
    # The new Lab's thread lives only as long as it answers; the old one's would train on for ever.
    lab.until(lambda: lab.book.keval(threads) == 0, "the old training to stop")


@pytest.mark.parametrize("width", [580, 1000, 2100])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_its_cell_in_both_themes(show, artifacts, theme: str, width: int):
    lab = show(FITTED + SHOW, dark=theme == "dark", width=width, height=1400)
    lab.edge(0, 0, 0).click()
    lab.book.page.wait_for_timeout(400)  # the smooth relayout
    lab.book.screenshot(artifacts / f"lab-{theme}-{width}.png", lab.region)
    overflow = lab.region.evaluate("(lab) => lab.scrollWidth - lab.clientWidth")
    assert overflow <= 1, f"the Lab is {overflow} px wider than its cell"
    outside = lab.region.evaluate(
        """(lab) => {
          const box = lab.getBoundingClientRect();
          return [...lab.querySelectorAll('button, input, select')]
            .filter((one) => one.offsetParent !== null)
            .filter((one) => one.getBoundingClientRect().right > box.right + 1)
            .map((one) => one.getAttribute('aria-label') ?? one.textContent);
        }"""
    )
    assert not outside, f"these controls stick out: {outside}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sharp_on_a_dense_screen(show, artifacts, theme: str):
    lab = show(FITTED + SHOW, dark=theme == "dark", scale=2, height=1400)
    lab.book.page.wait_for_timeout(400)
    picture = lab.book.screenshot(artifacts / f"lab-{theme}-2x.png", lab.region)
    with picture.open("rb") as file:
        width = int.from_bytes(file.read(24)[16:20], "big")  # a PNG's width stands in bytes 16 to 19
    assert abs(width - 2 * lab.region.evaluate("(lab) => lab.getBoundingClientRect().width")) <= 2
    soft = lab.region.evaluate(
        """(lab) => [...lab.querySelectorAll('canvas')]
          .filter((one) => one.width < 1.9 * one.getBoundingClientRect().width).length"""
    )
    assert soft == 0, "a canvas has fewer pixels than the screen"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(show, axe: Path, theme: str):
    lab = show(FITTED + SHOW, dark=theme == "dark", height=1400)
    lab.edge(0, 0, 0).click()
    lab.book.page.wait_for_timeout(400)
    lab.book.page.add_script_tag(path=axe)
    violations = axe_violations(lab.region)
    assert not violations, violations


@pytest.mark.parametrize("panel", ["graph", "training", "inspector", "formula", "history"])
def test_each_panel_shows_alone(notebook, panel: str):
    book = notebook(FITTED + SHOW.replace("\nlab\n", f"\nlab.{panel}\n"))
    output = book.run(0)
    shown = {
        "graph": output.get_by_role("button", name="Prune", exact=True),
        "training": output.get_by_role("button", name="Train", exact=True),
        "inspector": output.get_by_role("region", name="edge inspector", exact=True),
        "formula": output.get_by_role("region", name="formula", exact=True),
        "history": output.get_by_role("region", name="history", exact=True),
    }
    shown.pop(panel).wait_for()
    assert all(other.count() == 0 for other in shown.values())


def test_control_point_is_moved_and_an_edge_switched_off_and_on(show):
    lab = show(FITTED + SHOW)
    lab.edge(0, 0, 1).click()
    inspector = lab.part("edge inspector")
    inspector.get_by_text("(0, 0, 1)").first.wait_for()
    lab.button("Control points").click()
    before = lab.status()
    assert before
    point = lab.slider("control point 3")
    point.press("Alt+ArrowUp")
    inspector.get_by_text("trying: train").wait_for()
    lab.until(lambda: lab.book.keval("lab.session.current.label") == "bend (0, 0, 1)", "the bend to be kept")
    lab.until(lambda: (now := lab.status()) and now.train > before.train, "the loss to follow")
    lab.button("Undo").click()
    lab.until(lambda: (now := lab.status()) and now.train == before.train, "the loss as it was")
    lab.edge(0, 0, 1).press("Delete")
    lab.edge(0, 0, 1, "pruned").wait_for(state="attached")
    lab.button("Restore edge").click()
    lab.edge(0, 0, 1, "spline").wait_for()


def test_lesson_in_another_language_shows_what_it_is_about(notebook):
    book = notebook(HELLO + 'lab = kanlab.Lab(model, dataset, show=["graph", "train"], language="ko")\nlab')
    lab = book.run(0).get_by_role("region", name="KAN 실험실", exact=True)
    lab.get_by_role("button", name="학습", exact=True).wait_for()
    assert lab.get_by_role("button", name="가지치기", exact=True).count() == 1
    assert lab.get_by_role("slider", name="lamb", exact=True).count() == 0
    assert lab.get_by_role("region", name="수식", exact=True).count() == 0
