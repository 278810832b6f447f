"""The page that `lab.to_html` writes, opened from the disk: no server, no kernel, no network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from kanlab import KAN, Lab, Session
from kanlab.problems import hello
from tests.browser.lab_page import axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session(KAN([2, 5, 1], grid=5, seed=0), hello.dataset(300, 100))
    session.fit(steps=60, lamb=1e-3)
    session.prune()
    session.fit(steps=20, lamb=1e-3)
    session.fix_symbolic(0, 0, 0, "sin")
    return session


@pytest.fixture
def page(browser, session: Session, tmp_path: Path):
    """Open the page; every request but the file itself is a fault, and so is any complaint."""
    path = Lab(session).to_html(tmp_path / "work.html", title="sin and square")
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1100, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.on("request", lambda request: faults.append(request.url) if request.url != path.as_uri() else None)
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert not faults, faults


def test_inputs_are_moved_and_the_network_answers_as_in_python(page, session: Session, artifacts: Path):
    page.get_by_role("region", name="KAN Lab", exact=True).wait_for()
    values = []
    for name, key in (("x", "End"), ("y", "Home")):
        page.get_by_role("slider", name=f"input {name}", exact=True).press(key)
        column = session.data.train_input[:, session.names.index(name)]
        values.append(float(column.max() if key == "End" else column.min()))
    with torch.no_grad():
        expected = float(session.model(torch.tensor([values], dtype=torch.float64)))
    output = page.get_by_role("region", name="explore", exact=True).get_by_role("status")
    follows = "([text, want]) => Math.abs(parseFloat(text.textContent.split('=')[1]) - want) < 1e-4 * want"
    page.wait_for_function(follows, arg=[output.element_handle(), expected])
    assert float(re.sub(r".*= ", "", output.inner_text())) == pytest.approx(expected, rel=1e-5)
    page.screenshot(path=artifacts / "page.png", full_page=True)


def test_edges_are_inspected(page):
    page.get_by_role("button", name=re.compile(r"^edge \(0, 1, 0\)")).click()
    inspector = page.get_by_role("region", name="edge inspector", exact=True)
    inspector.get_by_text("(0, 1, 0)").wait_for()
    assert inspector.get_by_role("table").get_by_role("row").count() > 3
    assert page.get_by_role("button", name="Fix", exact=True).count() == 0
    assert page.get_by_role("button", name="Train", exact=True).count() == 0


def test_axe_finds_no_violation(page, axe: Path):
    page.evaluate(axe.read_text(encoding="utf-8"))
    violations = axe_violations(page.locator("html"))
    assert not violations, violations
