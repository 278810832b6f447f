"""What the browser may ask: the protocol's commands and nothing else."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanlab.widgets._messages import COMMANDS, Refused, check_args

GOOD: dict[str, dict[str, Any]] = {
    "train": {},
    "pause": {},
    "step": {},
    "reset": {},
    "cancel": {},
    "undo": {},
    "redo": {},
    "dismiss": {},
    "auto_symbolic": {},
    "snap": {},
    "set": {"lamb": 0.01, "lamb_l1": 2.0, "lamb_entropy": 0.0, "optimizer": "LM", "steps": 7, "lr": 0.1, "batch": 32,
            "plateau": True, "edge_th": 0.1,
            "node_th": 0.0},
    "refine": {"grid": 10},
    "prune": {"edge_th": 0.1, "node_th": 0.05},
    "select": {"edge": (0, 1, 2)},
    "fix": {"edge": (0, 1, 2), "name": "x^2"},
    "unfix": {"edge": (0, 1, 2)},
    "restore_edge": {"edge": (0, 1, 2)},
    "try_bend": {"edge": (0, 1, 2), "index": 3, "y": 0.5},
    "bend": {"edge": (0, 1, 2), "index": 3, "y": 0.5},
    "try_constants": {"edge": (0, 1, 2), "constants": [1.0, 0.0, 2.0, -0.5]},
    "constants": {"edge": (0, 1, 2), "constants": [1.0, 0.0, 2.0, -0.5]},
    "untry": {},
    "consider": {"edge": (0, 1, 2), "name": "x^2"},
    "try_fix": {"edge": (0, 1, 2), "name": "x^2", "constants": [1.0, 0.0, 2.0, -0.5]},
    "fix_constants": {"edge": (0, 1, 2), "name": "x^2", "constants": [1.0, 0.0, 2.0, -0.5]},
    "discover": {},
    "pick": {"index": 1},
    "simplify": {},
    "try_number": {"output": 0, "index": 2, "value": 0.5},
    "number": {"output": 0, "index": 2, "value": 0.5},
    "compare": {"id": 2},
    "eliminate": {},
    "expand_width": {"l": 1},
    "expand_depth": {},
    "auto_swap": {},
    "remove_edge": {"edge": (0, 1, 2)},
    "goto": {"id": 3},
}  # fmt: skip
#: Whatever JSON can hold; numbers of any size among them, which Python reads exactly.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def protocol_commands(root: Path) -> set[str]:
    """Return the commands that PROTOCOL.md's table lists."""
    text = (root / "kanlab" / "frontend" / "PROTOCOL.md").read_text(encoding="utf-8")
    table = text.split("| command", 1)[1].split("\n\n", 1)[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_commands_are_those_of_the_protocol(root: Path) -> None:
    assert protocol_commands(root) == set(COMMANDS) == set(GOOD)


@pytest.mark.parametrize("name", COMMANDS)
def test_takes_what_the_protocol_says(name: str) -> None:
    assert check_args({"name": name, "args": GOOD[name]}) == (name, GOOD[name])
    # JSON knows lists for tuples, and floats where the number is whole.
    loose = {
        key: [float(index) for index in value] if isinstance(value, tuple) else value
        for key, value in GOOD[name].items()
    }
    assert check_args({"name": name, "args": loose}) == (name, GOOD[name])


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "set" and GOOD[name]])
def test_wants_every_argument(name: str) -> None:
    for missing in GOOD[name]:
        with pytest.raises(Refused, match=f"missing.*{missing}"):
            check_args({"name": name, "args": {key: value for key, value in GOOD[name].items() if key != missing}})


@pytest.mark.parametrize("name", COMMANDS)
def test_wants_no_other_argument(name: str) -> None:
    with pytest.raises(Refused, match=r"unknown.*__class__"):
        check_args({"name": name, "args": GOOD[name] | {"__class__": 1}})


def test_set_takes_any_of_the_controls() -> None:
    assert check_args({"name": "set", "args": {}}) == ("set", {})
    assert check_args({"name": "set", "args": {"lamb": 1}}) == ("set", {"lamb": 1.0})


def test_select_takes_no_edge() -> None:
    assert check_args({"name": "select", "args": {"edge": None}}) == ("select", {"edge": None})


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("set", {"lamb": math.nan}),
        ("set", {"lamb": math.inf}),
        ("set", {"lamb": 10**400}),
        ("set", {"lamb": True}),
        ("set", {"lamb": "0.1"}),
        ("set", {"lamb": None}),
        ("set", {"steps": 1.5}),
        ("set", {"plateau": 1}),
        ("set", {"optimizer": 3}),
        ("set", {"optimizer": "A" * 201}),
        ("set", {"grid": 5}),
        ("refine", {"grid": 0}),
        ("refine", {"grid": 201}),
        ("refine", {"grid": 2.5}),
        ("refine", {"grid": [5]}),
        ("goto", {"id": "3"}),
        ("goto", {"id": None}),
        ("select", {"edge": [0, 1]}),
        ("select", {"edge": [0, 1, 2, 3]}),
        ("select", {"edge": "012"}),
        ("select", {"edge": [0, 1, 0.5]}),
        ("unfix", {"edge": None}),
        ("fix", {"edge": [0, 0, 0], "name": None}),
        ("undo", []),
        ("undo", "now"),
    ],
)
def test_refuses(name: str, args: Any) -> None:
    with pytest.raises(Refused, match=r"\w"):
        check_args({"name": name, "args": args})


@pytest.mark.parametrize("name", ["", "Train", "fit", "__init__", "save", "exec", None, 3, ["train"]])
def test_refuses_other_commands_and_lists_its_own(name: Any) -> None:
    with pytest.raises(Refused, match="is not a command; there are train, pause"):
        check_args({"name": name, "args": {}})


@given(name=st.sampled_from(list(COMMANDS)) | JSON, args=JSON)
def test_takes_or_refuses_and_never_breaks(name: Any, args: Any) -> None:
    refusal = ""
    try:
        found, checked = check_args({"name": name, "args": args})
    except Refused as error:
        refusal = str(error)
    else:
        assert found == name
        assert set(checked) <= set(COMMANDS[name])
    assert len(refusal) < 1000, "an error is to be read"


@given(name=st.sampled_from([name for name in COMMANDS if COMMANDS[name]]), data=st.data())
def test_checked_arguments_are_of_the_types_the_commands_take(name: str, data: st.DataObject) -> None:
    """Right keys with any values: the rare message that is taken has Python's own finite numbers and short texts."""
    args = {key: data.draw(JSON, key) for key in COMMANDS[name]}
    try:
        _, checked = check_args({"name": name, "args": args})
    except Refused:
        return
    for key, value in checked.items():
        if key == "edge":
            assert value is None or (len(value) == 3 and all(type(index) is int for index in value))
        elif key in ("optimizer", "name"):
            assert type(value) is str
        elif (name, key) == ("compare", "id"):
            assert value is None or type(value) is int, "None puts no entry beside the current one"
        elif key in ("grid", "steps", "id", "index", "output", "l"):
            assert type(value) is int
        else:
            assert type(value) is float
            assert math.isfinite(value)
