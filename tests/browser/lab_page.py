"""The Lab as a person meets it: every element by its role and accessible name, nothing by class or id."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator

from tests.browser.notebook import Notebook

#: axe-core looks at one element and says what is wrong, and where.
_AXE = """async (element) => {
  const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
  const {violations} = await axe.run(element, {runOnly: {type: 'tag', values}});
  return violations.map((v) => `${v.id}: ${v.help} (${v.nodes.map((n) => n.target).join(' ')})`);
}"""
_NUMBER = r"([\d.]+(?:e[-+−]?\d+)?)"


@dataclass(frozen=True)
class Status:
    """What the status line says."""

    step: int
    train: float
    test: float


def axe_violations(element: Locator) -> list[str]:
    """Return what breaks the rules of WCAG 2.1 A and AA, where axe-core has been loaded."""
    return element.evaluate(_AXE)


class LabPage:
    """One shown Lab.

    Parameters
    ----------
    book
        The notebook; its kernel calls the widget `lab`.
    output
        The output area that shows it.
    """

    def __init__(self, book: Notebook, output: Locator) -> None:
        self.book = book
        self.region = output.get_by_role("region", name="KAN Lab", exact=True)
        self.region.wait_for()
        self._edge_buttons().first.wait_for(state="attached")  # drawn a frame or two after the region

    def _edge_buttons(self) -> Locator:
        return self.region.get_by_role("button", name=re.compile(r"^edge \("))

    def button(self, name: str) -> Locator:
        """Return the button of exactly this name."""
        return self.region.get_by_role("button", name=name, exact=True)

    def slider(self, name: str) -> Locator:
        """Return the slider of exactly this name."""
        return self.region.get_by_role("slider", name=name, exact=True)

    def combobox(self, name: str) -> Locator:
        """Return the dropdown of exactly this name."""
        return self.region.get_by_role("combobox", name=name, exact=True)

    def part(self, name: str) -> Locator:
        """Return the region of exactly this name."""
        return self.region.get_by_role("region", name=name, exact=True)

    def edge(self, layer: int, source: int, target: int, state: str = "") -> Locator:
        """Return an edge's button; `state` is what its name must end with."""
        edge = rf"^edge \({layer}, {source}, {target}\).*{re.escape(state)}$"
        return self.region.get_by_role("button", name=re.compile(edge))

    def edges(self) -> list[str]:
        """Return the names of all edges that are not pruned."""
        names = self._edge_buttons().evaluate_all(
            "(all) => all.map((one) => one.getAttribute('aria-label') ?? one.textContent)"
        )
        return [name for name in names if not name.endswith("pruned")]

    def doomed(self) -> int:
        """Return how many edges the preview beside the Prune button says would go."""
        row = self.button("Prune").locator("xpath=ancestor::*[.//input[@aria-label='edge threshold']][1]")
        found = re.search(r"(\d+) edges?\b", row.inner_text())
        return int(found[1]) if found else 0

    def status(self) -> Status | None:
        """Return what the status line says; None before there is a loss."""
        text = self.region.get_by_role("status").filter(has_text="step").first.inner_text()
        text = re.sub(r"[\s,]+", " ", text)
        step, train, test = (re.search(rf"{word}\s*{_NUMBER}", text) for word in ("step", "train", "test"))
        if not (step and train and test):
            return None
        return Status(int(step[1]), *(float(found[1].replace("−", "-")) for found in (train, test)))

    def until(self, met: Callable[[], object], what: str, timeout: float = 20) -> None:
        """Wait until `met()` is true.

        Raises
        ------
        AssertionError
            When it does not become true in time; the message says what was waited for.
        """
        deadline = time.monotonic() + timeout
        while not met():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {timeout:g} s in vain: {what}; the status is {self.status()}")
            self.book.page.wait_for_timeout(50)

    def training(self) -> bool:
        """Return whether the train button offers to pause."""
        return self.button("Pause").count() == 1

    def train(self, timeout: float = 60) -> None:
        """Click Train and wait until training ends by itself."""
        self.button("Train").click()
        self.button("Train").wait_for(timeout=timeout * 1000)

    def idle(self) -> bool:
        """Return whether neither training nor a long command is going on, as the kernel sees it."""
        return not self.training() and self.button("Auto symbolic").count() == 1
