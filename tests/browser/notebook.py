"""One notebook in one browser page, driven as a person drives it."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from tests.browser.server import Server

# Answers {status, text, result, error}; `text` is what the code printed.
_EXECUTE = """async ({code, expression}) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({
    code, silent: true, store_history: false, stop_on_error: false,
    user_expressions: expression === null ? {} : {value: expression},
  });
  let text = '';
  future.onIOPub = (message) => {
    if (message.header.msg_type === 'stream') text += message.content.text;
  };
  const {content} = await future.done;
  return {
    text, status: content.status, value: content.user_expressions?.value ?? null,
    error: content.status === 'ok' ? null : (content.traceback ?? []).join('\\n'),
  };
}"""

_KERNEL_IS = """(status) => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return panel?.context?.isReady && panel?.sessionContext?.session?.kernel?.status === status;
}"""

_RUN_CELL = """async (index) => {
  const panel = window.jupyterapp.shell.currentWidget;
  panel.content.deselectAll();
  panel.content.activeCellIndex = index;
  await window.jupyterapp.commands.execute('notebook:run-cell');
}"""

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class KernelError(RuntimeError):
    """Code run in the kernel raised; the message is its traceback."""


@dataclass
class Watch:
    """What went wrong in the page without anybody asking."""

    console: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    external: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Keep a console message; errors count as faults."""
        self.log.append(f"{message.type}: {message.text}")
        if message.type == "error":
            self.console.append(f"{message.text} ({message.location.get('url', '')})")

    def faults(self) -> list[str]:
        """Return one line per fault."""
        named = {"console error": self.console, "page error": self.page_errors, "external request": self.external}
        return [f"{name}: {text}" for name, texts in named.items() for text in texts]


class Notebook:
    """A notebook file and a page for it; `open` shows it in JupyterLab with its kernel idle.

    Parameters
    ----------
    browser, server
        Where it opens.
    cells
        The source of each code cell.
    view
        `doc`: the notebook alone; `lab`: the whole interface; `notebooks`: Notebook 7.
    dark
        JupyterLab's dark theme.
    scale
        Device pixels per CSS pixel.
    width, height
        The viewport in CSS pixels.
    """

    def __init__(
        self,
        browser: Browser,
        server: Server,
        cells: list[str],
        *,
        name: str = "notebook",
        view: str = "doc",
        dark: bool = False,
        scale: float = 1,
        width: int = 1200,
        height: int = 1000,
    ) -> None:
        self.server = server
        self.watch = Watch()
        self.path = f"{name}.ipynb"
        document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(document, server.folder / self.path)
        self._context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
            base_url=server.url,
        )
        self._context.set_default_timeout(20_000)
        outside = re.compile(rf"^(?!{re.escape(server.url)}/|data:|blob:|about:)")
        self._context.route(outside, self._refuse)
        self.page: Page = self._context.new_page()
        self.page.on("console", self.watch.hear)
        self.page.on("pageerror", lambda error: self.watch.page_errors.append(error.stack or str(error)))
        self.page.on("websocket", lambda socket: self._note(socket.url))
        self._view = view
        self._dark = dark

    def _refuse(self, route: Any) -> None:
        self.watch.external.append(route.request.url)
        route.abort()

    def _note(self, address: str) -> None:
        if not address.startswith(self.server.url.replace("http", "ws", 1)):
            self.watch.external.append(address)

    def open(self) -> None:
        """Open the notebook, wait for its kernel, and set the theme."""
        place = f"notebooks/{self.path}" if self._view == "notebooks" else f"{self._view}/tree/{self.path}"
        self.page.goto(f"/{place}")
        self.wait_for_kernel()
        self.set_theme(dark=self._dark)  # in either case: the server keeps the last test's theme

    def reload(self) -> None:
        """Save the notebook and reload the page, as a person would; the kernel lives on."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        self.page.reload()
        self.wait_for_kernel()

    def wait_for_kernel(self, status: str = "idle", timeout: float = 60) -> None:
        """Wait until the notebook is loaded and its kernel has the status."""
        self.page.wait_for_function(_KERNEL_IS, arg=status, timeout=timeout * 1000)

    def set_theme(self, *, dark: bool) -> None:
        """Switch JupyterLab's theme and wait until the page has it."""
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        # "attached": <body> itself has no height in Lab and so never counts as visible.
        light = str(not dark).lower()
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")

    def run(self, index: int = 0) -> Locator:
        """Run a cell, wait for its end and return its output area.

        Raises
        ------
        KernelError
            When the cell's output holds an error.
        """
        self.page.evaluate(_RUN_CELL, index)
        for output in self.outputs(index):
            if output["output_type"] == "error":
                raise KernelError(_ANSI.sub("", "\n".join(output["traceback"])))
        return self.output(index)

    def output(self, index: int = 0) -> Locator:
        """Return what a cell shows, without its prompt."""
        return self.page.locator(".jp-Cell").nth(index).locator(".jp-OutputArea-output")

    def outputs(self, index: int = 0) -> list[dict[str, Any]]:
        """Return a cell's outputs as the notebook would save them."""
        model = "window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.toJSON().outputs"
        return self.page.evaluate(f"(index) => {model}", index)

    def cell_count(self) -> int:
        """Return how many cells the notebook has (a key that slipped through to Lab may add one)."""
        return self.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")

    def kexec(self, code: str) -> str:
        """Run code in the notebook's kernel, beside its cells, and return what it printed."""
        return self._execute(code, None)["text"]

    def keval(self, expression: str) -> Any:
        """Return the value of a Python expression in the kernel; it must be representable as JSON."""
        answer = self._execute("", f"__import__('json').dumps({expression})")
        value = answer["value"]
        if value["status"] != "ok":
            raise KernelError(f"{expression}\n{value['ename']}: {value['evalue']}")
        return json.loads(ast.literal_eval(value["data"]["text/plain"]))

    def _execute(self, code: str, expression: str | None) -> dict[str, Any]:
        answer = self.page.evaluate(_EXECUTE, {"code": code, "expression": expression})
        if answer["status"] != "ok":
            raise KernelError(_ANSI.sub("", answer["error"]))
        return answer

    def screenshot(self, path: Path, of: Locator | None = None) -> Path:
        """Write a PNG of the page or of the whole of one element, and return its path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if of is None:
            self.page.screenshot(path=path)
            return path
        size, box = self.page.viewport_size, of.bounding_box()
        if size and box:  # Lab scrolls in a panel of its own: what lies below its edge would come out blank
            self.page.set_viewport_size(
                {"width": size["width"], "height": max(size["height"], int(box["height"]) + 250)}
            )
        self.page.mouse.move(0, 0)  # no tooltip in the picture
        self.page.wait_for_timeout(300)
        of.screenshot(path=path, animations="disabled", caret="hide")
        if size:
            self.page.set_viewport_size(size)
        return path

    def close(self) -> None:
        """Shut the kernel down and close the page."""
        try:
            self.page.evaluate("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.shutdown()")
        finally:
            self._context.close()
