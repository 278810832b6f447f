"""The Lab in marimo, another notebook that shows anywidgets: drawn, trained and steered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.server import free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

APP = """
import marimo

app = marimo.App()


@app.cell
def _():
    import torch
    import kanlab

    dataset = kanlab.create_dataset(lambda x: torch.sin(x).sum(1, keepdim=True), n_var=2, train_num=200, test_num=100)
    lab = kanlab.Lab(kanlab.KAN([2, 2, 1], seed=0), dataset, names=["x", "y"])
    return (lab,)


@app.cell
def _(lab):
    lab
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def url(tmp_path: Path, root: Path) -> Iterator[str]:
    """Serve the app as marimo does for its readers."""
    pytest.importorskip("marimo")
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    port = free_port()
    command = [
        *(sys.executable, "-m", "marimo", "-q", "-y", "run", "app.py", "--headless", "--no-token"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    environment = {**os.environ, "PYTHONPATH": str(root), "HOME": str(tmp_path), "MARIMO_SKIP_UPDATE_CHECK": "1"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not _answers(f"http://127.0.0.1:{port}/health"):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail((tmp_path / "log").read_text(), pytrace=False)
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_it_is_drawn_trained_and_steered(browser, url: str, artifacts: Path):
    context = browser.new_context(viewport={"width": 1200, "height": 1200}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    context.route(re.compile(rf"^(?!{re.escape(url)}/|data:|blob:|about:)"), lambda route: route.abort())
    try:
        page = context.new_page()
        page.goto(url)
        lab = page.get_by_role("region", name="KAN Lab", exact=True)
        lab.get_by_role("button", name=re.compile(r"^edge \(")).first.wait_for()
        assert lab.get_by_role("button", name=re.compile(r"^edge \(")).count() == 6
        lab.get_by_role("button", name="Train", exact=True).click()
        status = lab.get_by_role("status").filter(has_text="step").first
        page.wait_for_function("(line) => /[1-9]/.test(line.textContent)", arg=status.element_handle())
        page.screenshot(path=artifacts / "marimo.png")
        lab.get_by_role("button", name="Train", exact=True).wait_for()
        lab.get_by_role("button", name=re.compile(r"^edge \(0, 0, 0\)")).click()
        lab.get_by_role("button", name="Remove edge", exact=True).click()
        lab.get_by_role("button", name=re.compile(r"^edge \(0, 0, 0\).*pruned$")).wait_for(state="attached")
        lab.get_by_role("button", name="Undo", exact=True).click()
        lab.get_by_role("button", name=re.compile(r"^edge \(0, 0, 0\).*spline$")).wait_for()
    finally:
        context.close()
