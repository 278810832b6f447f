"""Fixtures of the browser tests: one JupyterLab and one Chromium a run, a page a test, and no fault overlooked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.notebook import Notebook
from tests.browser.server import Server, jupyterlab

ARTIFACTS = Path(__file__).parent / "artifacts"

# The browser's own calls home are off; no GPU, and /dev/shm may be tiny in a container. The resolver rule is a second
# wall behind the routes: not even a prefetch finds an outside host.
_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]

_report = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let the fixtures see whether the test failed, so that they can keep a picture."""
    report = yield
    if report.when == "call":
        item.stash[_report] = report
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Server]:
    with jupyterlab(tmp_path_factory.mktemp("jupyter"), root) as running:
        yield running


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe(frontend: Path) -> Path:
    """Return the script of axe-core, the accessibility checker, a development package of the front end."""
    return frontend / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def artifacts() -> Path:
    """Return the folder for pictures, which git ignores."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture
def notebook(request: pytest.FixtureRequest, browser, server: Server, artifacts: Path) -> Iterator[Callable]:
    """Open notebooks (arguments of `Notebook` after the server); at the end, fail on any fault in their pages."""
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    opened: list[Notebook] = []

    def open_notebook(*cells: str, **options) -> Notebook:
        book = Notebook(browser, server, list(cells), name=f"{name}-{len(opened)}", **options)
        opened.append(book)
        book.open()
        return book

    yield open_notebook
    report = request.node.stash.get(_report, None)
    faults = []
    for number, book in enumerate(opened):
        if report is None or report.failed:
            book.screenshot(artifacts / f"failed-{name}-{number}.png")
            (artifacts / f"failed-{name}-{number}.log").write_text("\n".join(book.watch.log), encoding="utf-8")
        faults += book.watch.faults()  # before closing: Lab's own complaints about its dying kernel do not count
        book.close()
    if faults:
        pytest.fail("\n".join(["the page had faults", *faults]), pytrace=False)
