"""The pictures of docs/lab.md, made by doing what they show; ``--update-screenshots`` writes them to docs/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator

from tests.browser.lab_page import LabPage
from tests.browser.test_lab import HELLO, SHOW
from tests.browser.test_page import page, session

__all__ = ["page", "session"]  # the static page of test_page.py

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: A network with 208 edges, trained a little.
LARGE = """
import torch, kanlab
from kanlab import KAN, create_dataset

target = lambda x: torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2) + x[:, 2] * x[:, 3]
dataset = create_dataset(target, n_var=12, train_num=300, test_num=100, seed=0)
model = KAN(width=[12, 16, 1], grid=3, k=3, seed=0)
model.fit(dataset, steps=12, lamb=1e-3, log=0)
lab = kanlab.Lab(model, dataset)
lab
"""
#: Of a PNG in docs/.
MOST_BYTES, COLOURS = 120_000, 96

Keep = Callable[[LabPage, str, Locator], None]


@pytest.fixture
def publish(root: Path, request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """Check that a picture with few colours is small; where that was asked for, write it to docs/."""

    def publish_picture(picture: Path) -> None:
        small = picture.with_stem(f"{picture.stem}-small")
        few = Image.open(picture).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(small, optimize=True)
        assert small.stat().st_size < MOST_BYTES
        if request.config.getoption("--update-screenshots"):
            small.replace(root / "docs" / picture.name)

    return publish_picture


@pytest.fixture
def keep(artifacts: Path, publish: Callable[[Path], None]) -> Keep:
    """Keep a picture of an element."""

    def keep_picture(lab: LabPage, name: str, of: Locator) -> None:
        lab.book.page.wait_for_timeout(600)  # the smooth relayout, and the last frame
        publish(lab.book.screenshot(artifacts / f"{name}.png", of))

    return keep_picture


def test_from_data_to_formula(notebook, keep: Keep):
    book = notebook(HELLO + SHOW, height=1500)
    lab = LabPage(book, book.run(0))
    keep(lab, "hello-before", lab.region)
    lab.train()
    lab.slider("edge threshold").press("ArrowRight")
    lab.until(lambda: lab.doomed() > 0, "the preview")
    keep(lab, "prune-preview", lab.region.get_by_role("group", name="network graph", exact=True).locator("xpath=../.."))
    lab.button("Prune").click()
    lab.until(lambda: len(lab.edges()) < 15, "prune")
    lab.train()
    lab.region.get_by_role("button", name="edge (0, 0, 0) spline", exact=True).click()
    inspector = lab.part("edge inspector")
    inspector.get_by_role("button", name="candidate sin x", exact=True).hover()
    keep(lab, "inspector", inspector)
    lab.button("Auto symbolic").click()
    lab.until(lambda: lab.idle() and all(not name.endswith("spline") for name in lab.edges()), "names", timeout=60)
    number = lab.part("formula").get_by_role("spinbutton").first
    number.press("ArrowUp")
    lab.until(lambda: "→" in book.keval("lab.session.current.label"), "the number to be kept")
    keep(lab, "formula", lab.part("formula"))
    lab.button("Discover").click()
    lab.part("formulas found").wait_for(timeout=90_000)
    lab.button("Discover").wait_for()
    keep(lab, "discover", lab.part("formula"))
    lab.button("Compare").click()
    lab.part("history").get_by_role("listitem").nth(1).get_by_role("button").click()
    lab.part("comparison").wait_for()
    keep(lab, "compare", lab.part("comparison"))


def test_narrow_cell(notebook, keep: Keep):
    book = notebook(HELLO + "model.fit(dataset, steps=20, log=0)\n" + SHOW, width=586, height=1500)
    lab = LabPage(book, book.run(0))
    lab.edge(0, 0, 0).click()
    lab.part("edge inspector").get_by_role("table").wait_for()
    width = lab.region.evaluate("(lab) => lab.getBoundingClientRect().width")
    assert 470 <= width <= 490, f"the cell is {width} px wide"
    assert lab.region.evaluate("(lab) => lab.scrollWidth <= lab.clientWidth + 1")
    keep(lab, "narrow", lab.region)


def test_two_hundred_edges(notebook, keep: Keep):
    book = notebook(LARGE, height=1500, dark=True)
    lab = LabPage(book, book.run(0))
    assert len(lab.edges()) == 208
    keep(lab, "large-dark", lab.region)


def test_page_without_a_kernel(page, artifacts: Path, publish: Callable[[Path], None]):
    page.get_by_role("slider", name="input x", exact=True).press("ArrowRight")
    page.get_by_role("button", name="edge (0, 1, 0) spline", exact=True).click()
    page.wait_for_timeout(600)  # the last frame
    picture = artifacts / "page.png"
    page.screenshot(path=picture, full_page=True)
    publish(picture)
