"""Which parts are shown, and that both sides call them the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kanlab import Lab, Session
from kanlab.widgets import TrainingPanel
from kanlab.widgets._parts import PARTS, hidden_parts


def test_front_end_has_the_same_parts(root: Path) -> None:
    source = (root / "kanlab" / "frontend" / "src" / "parts.ts").read_text(encoding="utf-8")
    table = source.split("PARTS = {")[1].split("} as const")[0]
    found = {panel: tuple(re.findall(r'"(\w+)"', row)) for panel, row in re.findall(r"(\w+): \[(.*?)\]", table, re.S)}
    assert found == PARTS


def test_nothing_is_hidden_unless_asked() -> None:
    assert hidden_parts(None, None) == []


def test_show_hides_all_else() -> None:
    assert hidden_parts(["graph", "formula"], None) == ["training", "inspector", "history"]


def test_part_brings_its_panel_with_itself_alone() -> None:
    hidden = hidden_parts(["graph", "train", "status"], None)
    assert "training" not in hidden
    assert {"step", "reset", "lamb", "optimizer", "more", "shape", "inspector", "formula", "history"} == set(hidden) - {
        "lamb_entropy", "grid"
    }  # fmt: skip


def test_hide_takes_away_from_what_is_shown() -> None:
    assert "prune" in hidden_parts(["graph"], ["prune"])
    assert hidden_parts(None, "advice") == ["advice"]


@pytest.mark.parametrize("argument", ["show", "hide"])
def test_unknown_part_is_refused_with_the_names_there_are(session: Session, argument: str) -> None:
    options: dict[str, Any] = {argument: ["graf"]}
    with pytest.raises(ValueError, match=rf"{argument} is \['graf'\]; there is no 'graf', there are training, graph"):
        Lab(session, **options)


def test_panels_tell_the_browser(session: Session) -> None:
    lab = Lab(session, show=["graph", "train"], language="ko")
    assert lab.hidden == hidden_parts(["graph", "train"], None)
    assert lab.language == "ko"
    assert TrainingPanel(session, hide=["more"]).hidden == ["more"]


def test_unknown_language_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="language is 'xx'; allowed are None"):
        Lab(session, language="xx")
