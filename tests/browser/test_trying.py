"""Numbers in the hand, a front to pick from, own constants, two states side by side, a cell for the script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.lab_page import LabPage, axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAVE = """
import torch, kanlab
from kanlab import KAN, Session, create_dataset

dataset = create_dataset(lambda x: 2 * torch.sin(3 * x[:, 0]) + x[:, 1], n_var=2, train_num=100, test_num=50, seed=0)
session = Session(KAN([2, 1], grid=3, seed=0), dataset, names=["x", "y"])
session.fit(steps=10)
session.open_formula("1.9*sin(2.9*x) + y")
lab = kanlab.Lab(session)
lab
"""


@pytest.fixture
def show(notebook):
    """Run the cell and return the Lab that it shows."""

    def show_lab(**options) -> LabPage:
        book = notebook(WAVE, height=1500, **options)
        return LabPage(book, book.run(0))

    return show_lab


def number(lab: LabPage, text: str):
    return lab.part("formula").get_by_role("spinbutton", name=f"number {text}", exact=True)


def test_numbers_of_the_formula_are_moved_and_the_network_follows(show):
    lab = show()
    before = lab.status()
    assert before
    drag(lab, "2.9", 3)
    lab.part("formula").get_by_text("trying: train").wait_for()
    lab.until(lambda: (now := lab.status()) and now.train < before.train, "the loss to follow")
    lab.book.page.keyboard.press("Escape")
    lab.book.page.mouse.up()
    lab.until(lambda: lab.status() == before, "Escape to let go")
    assert lab.book.keval("len(lab.session.history)") == 3
    drag(lab, "2.9", 3)
    number(lab, "2.987").wait_for()
    lab.book.page.mouse.up()
    lab.until(lambda: lab.book.keval("lab.session.current.label") == "2.9 → 2.987", "the change to be kept")
    lab.button("Undo").click()
    number(lab, "2.9").press("ArrowDown")
    lab.until(lambda: lab.book.keval("lab.session.current.label") == "2.9 → 2.871", "the arrow to be kept")
    lab.button("Undo").click()
    number(lab, "2.9").wait_for()
    lab.until(lambda: lab.status() == before, "undo")


def drag(lab: LabPage, text: str, pixels: int) -> None:
    """Take a number and pull it sideways; it stays in the hand."""
    box = number(lab, text).bounding_box()
    assert box
    mouse = lab.book.page.mouse
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + pixels, y, steps=3)


def test_formula_is_searched_picked_and_undone(show):
    lab = show()
    lab.button("Discover").click()
    front = lab.part("formulas found")
    front.wait_for(timeout=60_000)
    lab.button("Discover").wait_for()  # the search is over
    assert front.get_by_role("img", name="test error against complexity").locator("circle").count() > 1
    front.get_by_role("button", name=re.compile(r"^open .*sin\(3\*x\)")).click()
    lab.until(lambda: lab.book.keval("lab.session.current.label") == "open formula", "the formula's KAN")
    lab.until(lambda: (now := lab.status()) and now.test < 1e-12, "its loss")
    lab.button("Undo").click()
    number(lab, "2.9").wait_for()
    assert front.is_visible(), "the front stays, to pick another"
    lab.button("Copy torch").click()
    lab.until(lambda: "torch.sin(2.9*x)" in lab.book.page.evaluate("navigator.clipboard.readText()"), "torch source")
    lab.button("Copy C").click()
    lab.until(lambda: "#include <math.h>" in lab.book.page.evaluate("navigator.clipboard.readText()"), "C source")


def test_function_is_fixed_with_constants_of_ones_own(show):
    lab = show()
    lab.button("Undo").click()
    lab.edge(0, 0, 0, "spline").click()
    lab.combobox("symbolic function").select_option("sin")
    field = lab.region.get_by_role("spinbutton", name="constant a", exact=True)
    lab.until(lambda: field.is_visible() and field.input_value() not in ("", "1"), "the fitted constants")
    field.fill("3")
    field.press("Enter")
    lab.part("edge inspector").get_by_text("trying: train").wait_for()
    assert lab.book.keval("len(lab.session.history)") == 3
    lab.button("Fix").click()
    lab.edge(0, 0, 0, "sin").wait_for()
    assert lab.book.keval("float(lab.session.model.layers[0].affine[0, 0, 0])") == 3.0
    assert lab.book.keval("lab.session.current.command.name") == "fix_constants"


def test_states_stand_side_by_side_and_the_script_goes_to_a_cell(show, axe: Path):
    lab = show(view="lab")
    lab.button("Compare").click()
    lab.part("history").get_by_role("listitem").nth(1).get_by_role("button").click()
    comparison = lab.part("comparison")
    comparison.wait_for()
    assert comparison.get_by_role("img").count() == 2
    assert comparison.locator("math").count() == 2
    assert "2.9" in comparison.inner_text()
    lab.button("Undo").click()
    lab.until(lambda: "2.9" not in comparison.inner_text(), "it to follow the current state")
    comparison.get_by_role("button", name="Close", exact=True).click()
    comparison.wait_for(state="hidden")
    lab.button("Redo").click()
    number(lab, "2.9").wait_for()
    cells = lab.book.cell_count()
    lab.button("Script to a new cell").click()
    lab.until(lambda: lab.book.cell_count() == cells + 1, "a new cell")
    text = "window.jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.getSource()"
    lab.until(lambda: lab.book.page.evaluate(text) == lab.book.keval("session.script()"), "the script in it")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_in_the_new_parts(show, axe: Path, theme: str):
    lab = show(dark=theme == "dark")
    lab.button("Discover").click()
    lab.part("formulas found").wait_for(timeout=60_000)
    lab.button("Compare").click()
    lab.part("history").get_by_role("listitem").nth(0).get_by_role("button").click()
    lab.part("comparison").wait_for()
    lab.edge(0, 0, 0).click()
    lab.region.get_by_role("button", name="more").click()
    lab.button("Discover").wait_for()
    lab.book.page.wait_for_timeout(300)
    lab.book.page.add_script_tag(path=axe)
    violations = axe_violations(lab.region)
    assert not violations, violations
    small = lab.region.evaluate(
        """(lab) => [...lab.querySelectorAll('*')]
          .filter((one) => one.offsetParent !== null)
          .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
          .filter((one) => parseFloat(getComputedStyle(one).fontSize) < 12)
          .map((one) => one.textContent.slice(0, 20))"""
    )
    assert not small, small
