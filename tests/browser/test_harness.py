"""The harness itself, on a widget of three lines: if these fail, the Lab's failures say nothing."""

from __future__ import annotations

import pytest

from tests.browser.notebook import KernelError

pytestmark = pytest.mark.browser

COUNTER = """
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = '''
    export default { render({model, el}) {
      const button = document.createElement("button");
      const show = () => { button.textContent = `count ${model.get("count")}`; };
      button.addEventListener("click", () => { model.set("count", model.get("count") + 1); model.save_changes(); });
      model.on("change:count", show);
      show();
      el.append(button);
    } };
    '''
    count = traitlets.Int(0).tag(sync=True)

counter = Counter()
counter
"""


def test_widget_talks_to_the_kernel_both_ways(notebook):
    book = notebook(COUNTER)
    button = book.run().get_by_role("button", name="count")
    button.click()
    book.page.get_by_role("button", name="count 1").wait_for()
    assert book.keval("counter.count") == 1
    book.kexec("counter.count = 41")
    book.page.get_by_role("button", name="count 41").wait_for()


def test_error_in_a_cell_reaches_the_test(notebook):
    book = notebook("1 / 0")
    with pytest.raises(KernelError, match="ZeroDivisionError"):
        book.run()
    with pytest.raises(KernelError, match="NameError"):
        book.kexec("nothing_of_that_name")
    with pytest.raises(KernelError, match="NameError"):
        book.keval("nothing_of_that_name")


def test_dark_theme_and_scale_take_effect(notebook, artifacts):
    book = notebook("print('hello')", dark=True, scale=2)
    assert book.run().inner_text().strip() == "hello"
    assert book.page.evaluate("window.devicePixelRatio") == 2
    assert book.page.evaluate("document.body.dataset.jpThemeName") == "JupyterLab Dark"
    assert book.screenshot(artifacts / "harness-dark.png").stat().st_size > 1000
    book.set_theme(dark=False)
    assert book.page.evaluate("document.body.dataset.jpThemeName") == "JupyterLab Light"


def test_faults_in_the_page_are_seen(notebook):
    book = notebook("")
    book.page.evaluate("console.error('a deliberate console error')")
    with book.page.expect_event("pageerror"):
        book.page.evaluate("() => { setTimeout(() => { throw new Error('a deliberate page error'); }); }")
    book.page.evaluate("() => fetch('http://example.invalid/x').catch(() => null)")
    faults = "\n".join(book.watch.faults())
    assert "a deliberate console error" in faults
    assert "a deliberate page error" in faults
    assert "external request: http://example.invalid/x" in faults
    book.watch.console.clear()
    book.watch.page_errors.clear()
    book.watch.external.clear()
