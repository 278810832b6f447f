"""A Lab as one file: a page that is explored offline, without a kernel, with the inputs on sliders."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import torch

from kanlab.widgets._detail import detail_of
from kanlab.widgets._hub import Hub
from kanlab.widgets._portable import portable

_STATIC = Path(__file__).parent / "static"
#: What only a kernel can do.
_NEEDS_KERNEL = (
    "training", "prune", "bend", "constants", "fix", "remove", "auto_symbolic", "discover", "snap", "simplify", "undo",
    "compare", "cell", "advice"
)  # fmt: skip
#: How many edges (those of the highest score) tell which functions fit them: for each, the library is tried.
_RANKED = 60
_EXPORT = re.compile(r"export\{(\w+) as default\};?\s*$")

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; max-width: 1200px; padding: 16px; background: Canvas; color: CanvasText; }}
h1 {{ font: 600 18px/1.4 system-ui, sans-serif; margin: 0 0 10px; }}
{style}
</style>
</head>
<body>
<main><h1>{title}</h1><div id="kanlab"></div><noscript>This page needs scripts: it draws and evaluates the network.
</noscript></main>
<script type="application/json" id="kanlab-data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def write_page(hub: Hub, path: str | Path, *, title: str, language: str, hidden: list[str]) -> Path:
    """Write the page and return its path; to be called while nothing trains."""
    page = page_of(hub) | {"language": language, "hidden": sorted({*hidden, *_NEEDS_KERNEL})}
    text = _PAGE.format(
        language=language or "en",
        title=html.escape(title),
        style=(_STATIC / "kanlab.css").read_text(encoding="utf-8").replace("</", "<\\/"),
        data=json.dumps(page, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        script=_script(),
    )
    path = Path(path)
    path.write_text(text, encoding="utf-8")
    return path


def page_of(hub: Hub) -> dict[str, Any]:
    """Return what the page knows: the last picture, every edge close up, the model's numbers, the inputs' ranges."""
    session, snapshot = hub.session, hub.scene.snapshot()
    edges = [tuple(entry["edge"]) for entry in snapshot["state"]["edges"]]
    order = sorted(range(len(edges)), key=lambda e: -snapshot["frame"]["arrays"]["scores"][e])
    ranked = {edges[e] for e in order[:_RANKED]}
    return {
        "snapshot": snapshot,
        "details": [detail_of(session, edge, ranked=edge in ranked) for edge in edges],
        "kan": portable(session.model),
        "inputs": _ranges(session.data.train_input),
    }


def _ranges(x: torch.Tensor) -> list[dict[str, float]]:
    columns = zip(x.amin(0).tolist(), x.amax(0).tolist(), x.median(0).values.tolist(), strict=True)
    return [{"low": low, "high": high, "start": middle} for low, high, middle in columns]


def _script() -> str:
    """Return the bundle, which on a page of its own draws what lies beside it instead of exporting itself."""
    source = (_STATIC / "kanlab.js").read_text(encoding="utf-8")
    start = (
        r'\1.explore(document.getElementById("kanlab"), '
        r'JSON.parse(document.getElementById("kanlab-data").textContent));'
    )
    script, count = _EXPORT.subn(start, source)
    if count != 1:
        raise RuntimeError("the bundle does not end in its default export; build it with npm run build")
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
