"""What the kernel really tells, dumped for the front end's tests, so that the two sides cannot drift apart.

``KANLAB_UPDATE_FIXTURES=1 pytest tests/widgets/test_fixtures.py`` writes the files anew. Numbers are compared within a
tolerance, also those inside texts: another machine's last bits are no difference.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kanlab import KAN, Session
from kanlab.problems import hello
from kanlab.widgets._hub import hub_of
from tests.widgets.views import PATIENCE, FakeView, decode

#: Digits that are written, and what is only rounding and written as zero.
DIGITS, NOTHING = 5, 1e-9
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def untrained() -> Session:
    """The hello problem before anything was done."""
    session = Session(KAN([2, 5, 1], grid=3, seed=0), hello.dataset(100, 50))
    hub_of(session).select((0, 1, 2))
    return session


def named() -> Session:
    """The hello problem, trained, thinned out and named, with something undone and a branch."""
    session = Session(KAN([2, 5, 1], grid=5, seed=0), hello.dataset(100, 50))
    session.fit(steps=4, opt="Adam")
    for node in range(1, 5):
        session.remove_edge(1, node, 0)
    session.prune(edge_th=0.0, node_th=0.0)
    session.fit(steps=20)
    session.refine(8)
    session.undo()
    for edge, name in (((0, 0, 0), "sin"), ((0, 1, 0), "x^2"), ((1, 0, 0), "exp")):
        session.fix_symbolic(*edge, name)
    session.fit(steps=40)
    session.snap()
    session.remove_edge(0, 1, 0)
    session.undo()
    hub_of(session).select((0, 0, 0))
    return session


def product() -> Session:
    """A multiplication node, names of any script, an edge removed, thresholds that mark some edges, and an error."""
    dataset = hello.dataset(100, 50)
    session = Session(KAN([2, [2, 1], 1], grid=3, seed=1), dataset, names=["<b>x</b> & y", "größe"], out_names=["ƒ"])
    session.fit(steps=4, opt="Adam", lamb=1e-3)
    session.remove_edge(0, 1, 3)
    hub = hub_of(session)
    hub.set(edge_th=0.25, lamb=1e-2, steps=50)
    hub.failed(ValueError("edge (0, 9, 9) is out of range: layer 0 has <2> inputs"))
    return session


MAKERS: dict[str, Callable[[], Session]] = {"untrained": untrained, "named": named, "product": product}


def short(value: Any) -> Any:
    """Round all numbers, and mask what hangs on the data's last bits."""
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [short(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"fingerprint [0-9a-f]{12}", "fingerprint 0123456789ab", value)
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if abs(value) > NOTHING else 0.0
    return value


def told(session: Session) -> dict[str, Any]:
    """Return the settled picture, and the frame as it travels."""
    hub = hub_of(session)
    assert hub.runner.wait(PATIENCE), "what was set is told before anyone listens"
    view = FakeView(hub)
    view.hello()
    ((frame, buffers),) = [(message, buffers) for message, buffers in view.sent if message["kind"] == "frame"]
    live = {"frame": short(frame), "buffer": base64.b64encode(buffers[0]).decode()}
    fixture = short(json.loads(json.dumps(hub.scene.snapshot(), allow_nan=False))) | {"live": live}
    formula = fixture["state"]["formula"]
    formula["snaps"] = [snap for snap in formula["snaps"] if visible(snap["text"])]
    return fixture


def visible(snap: str) -> bool:
    """Whether more than rounding was snapped away, which another machine may not have."""
    before, after = snap.split(" → ")
    return before != after and abs(float(before)) > NOTHING


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """List where two dumps differ by more than rounding."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [f"{path}.{key}: only in one" for key in old.keys() ^ new.keys()]
        return keys + [
            found for key in old.keys() & new.keys() for found in differences(old[key], new[key], f"{path}.{key}")
        ]
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return [f"{path}: {len(old)} became {len(new)} items"]
        return [
            found for at, pair in enumerate(zip(old, new, strict=True)) for found in differences(*pair, f"{path}[{at}]")
        ]
    if isinstance(old, str) and isinstance(new, str):
        numbers = zip(NUMBER.findall(old), NUMBER.findall(new), strict=False)
        same = NUMBER.sub("#", old) == NUMBER.sub("#", new) and all(near(float(a), float(b)) for a, b in numbers)
        return [] if same else [f"{path}: {old!r} became {new!r}"]
    if type(old) is type(new) and (near(old, new) if isinstance(old, float) else old == new):
        return []
    return [f"{path}: {old!r} became {new!r}"]


def near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=2e-3, abs_tol=1e-4)


def numbers_of(fixture: dict[str, Any]) -> dict[str, np.ndarray]:
    live = fixture["live"]
    return decode(base64.b64decode(live["buffer"]), fixture["state"], live["frame"]["points"])


def text_of(fixture: dict[str, Any]) -> str:
    """Write indented JSON with each list of numbers on one line."""
    text = json.dumps(fixture, indent=1, ensure_ascii=False, allow_nan=False)
    return re.sub(r"\[([-+\d.eE,\s]|null)*\]", lambda found: re.sub(r"\s+", " ", found[0]), text) + "\n"


@pytest.fixture(params=MAKERS, scope="module")
def case(request: pytest.FixtureRequest, root: Path) -> tuple[Path, dict[str, Any]]:
    """A file, and what the kernel tells today; the file is written anew if that was asked for."""
    path = root / "kanlab" / "frontend" / "test" / "fixtures" / "generated" / f"{request.param}.json"
    fixture = told(MAKERS[request.param]())
    if os.environ.get("KANLAB_UPDATE_FIXTURES") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text_of(fixture), encoding="utf-8")
    return path, fixture


def test_file_is_what_the_kernel_tells(case: tuple[Path, dict[str, Any]]) -> None:
    path, fixture = case
    committed = json.loads(path.read_text(encoding="utf-8"))
    found = differences(
        committed | {"live": committed["live"] | {"buffer": ""}}, fixture | {"live": fixture["live"] | {"buffer": ""}}
    )
    assert not found, "\n".join(["run with KANLAB_UPDATE_FIXTURES=1 if this is meant:", *found[:20]])
    for name, numbers in numbers_of(committed).items():
        assert numbers == pytest.approx(numbers_of(fixture)[name], rel=2e-3, abs=1e-4), name


def test_picture_and_frame_hold_the_same_numbers(case: tuple[Path, dict[str, Any]]) -> None:
    _, fixture = case
    for name, numbers in numbers_of(fixture).items():
        assert fixture["frame"]["arrays"][name] == pytest.approx(numbers, rel=1e-3, abs=1e-6), name


def test_hello_is_solved_in_the_named_one() -> None:
    """Else the front end would be tested on a formula that means nothing."""
    formula = told(named())["state"]["formula"]
    assert formula["spline_edges"] == 0
    assert formula["test_rmse"] < 1e-6
    assert re.search(r"e\^\{\\sin\\left\((\\pi|3\.1416) x\\right\) \+ y\^\{2\}\}", formula["latex"]), formula["latex"]
    assert any(snap["text"].endswith("→ π") for snap in formula["snaps"])


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ({"a": [1.0, "b"]}, {"a": [1.0001, "b"]}, 0),
        ({"a": [1.0, "b"]}, {"a": [1.1, "c"]}, 2),
        ({"a": 1}, {"b": 1}, 2),
        ([1, 2], [1], 1),
        ("f = 3.1416 x", "f = 3.1415 x", 0),
        ("f = 3.1416 x", "f = 3.1416 y", 1),
        ("f = 3 x", "f = 4 x", 1),
        (1, 2, 1),
        (None, 0.0, 1),
        (True, False, 1),
    ],
)
def test_differences_are_found(old: Any, new: Any, count: int) -> None:
    assert len(differences(old, new)) == count
