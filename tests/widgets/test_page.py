"""The offline page and the still picture: complete, self-contained, and safe whatever the names are."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch

from kanlab import KAN, Lab, Session, create_dataset
from kanlab.problems import hello
from kanlab.widgets import NetworkGraph
from kanlab.widgets._hub import hub_of
from kanlab.widgets._page import page_of
from kanlab.widgets._picture import picture_of

EVIL = "</script><script>alert(1)</script>"


@pytest.fixture
def evil() -> Session:
    """Names that would break out of a page which does not escape them."""
    session = Session(KAN([2, [1, 1], 1], seed=0), hello.dataset(60, 30), names=[EVIL, "<!--"], out_names=["&amp;"])
    session.remove_edge(0, 1, 0)
    session.fix_symbolic(1, 0, 0, "x^2")
    return session


def test_page_is_one_file_that_asks_for_nothing(session: Session, tmp_path: Path) -> None:
    path = Lab(session).to_html(tmp_path / "work.html")
    text = path.read_text(encoding="utf-8")
    assert path == tmp_path / "work.html"
    assert "default-src 'none'" in text
    assert not re.search(r"<(?:link|img|iframe|script)[^>]*\b(?:src|href)=", text)
    assert "export{" not in text
    assert ".explore(document.getElementById" in text
    assert "<title>f from x, y</title>" in text


def test_page_holds_the_state_every_edge_and_the_model(session: Session, tmp_path: Path) -> None:
    text = Lab(session, hide=["loss"], language="ja").to_html(tmp_path / "a.html").read_text(encoding="utf-8")
    data = json.loads(text.split('id="kanlab-data">')[1].split("</script>")[0])
    assert [detail["edge"] for detail in data["details"]] == [
        entry["edge"] for entry in data["snapshot"]["state"]["edges"]
    ]
    assert all(detail["candidates"] for detail in data["details"])
    assert [layer["coef"] for layer in data["kan"]["layers"]] == [
        layer.coef.tolist() for layer in session.model.kan_layers()
    ]
    for range_, column in zip(data["inputs"], session.data.train_input.T, strict=True):
        assert range_["low"] == float(column.min()) <= range_["start"] <= range_["high"] == float(column.max())
    assert {"loss", "training", "prune", "fix"} <= set(data["hidden"])
    assert data["language"] == "ja"


def test_no_name_or_title_gets_out_of_its_place(evil: Session, tmp_path: Path) -> None:
    text = Lab(evil).to_html(tmp_path / "evil.html", title=EVIL).read_text(encoding="utf-8")
    assert text.count("<script") == 2, "the data and the program"
    assert text.count("</script>") == 2
    assert "alert(1)</script>" not in text


def test_training_is_paused_first(session: Session, tmp_path: Path) -> None:
    lab = Lab(session)
    lab.training.optimizer = "Adam"
    lab.start()
    lab.to_html(tmp_path / "paused.html")
    assert not lab.training.running
    lab.close()


def test_unwritable_place_is_an_error(session: Session, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-folder"):
        Lab(session).to_html(tmp_path / "no-folder" / "x.html")


def test_picture_is_well_formed_and_shows_every_present_edge(evil: Session) -> None:
    snapshot = hub_of(evil).scene.snapshot()
    svg = ET.fromstring(picture_of(snapshot))
    space = "{http://www.w3.org/2000/svg}"
    present = [entry for entry in snapshot["state"]["edges"] if entry["kind"] != "pruned"]
    assert len(svg.findall(f".//{space}rect")) == len(present) == len(snapshot["state"]["edges"]) - 1
    assert len(svg.findall(f".//{space}circle")) == sum(map(sum, snapshot["state"]["width"]))
    texts = [text.text for text in svg.iter(f"{space}text")]
    assert {EVIL, "<!--", "&amp;", "x^2"} <= set(texts)


def test_picture_tells_the_first_formula_in_plain_characters() -> None:
    dataset = create_dataset(lambda x: torch.stack([x[:, 0] ** 2, x[:, 0]], 1), n_var=1, train_num=60, test_num=30)
    session = Session(KAN([1, 2], seed=0), dataset, names=["x"], out_names=["above", "below"])
    session.fix_symbolic(0, 0, 0, "x^2", fit_params_bool=False)
    session.fix_symbolic(0, 0, 1, "x", fit_params_bool=False)
    last = [text.text for text in ET.fromstring(picture_of(hub_of(session).scene.snapshot())).iter() if text.text][-1]
    assert last == "above(x) = x²"


def test_picture_of_what_is_not_finite_has_gaps(session: Session) -> None:
    snapshot = hub_of(session).scene.snapshot()
    count = snapshot["frame"]["points"]
    snapshot["frame"]["arrays"]["curves"][: count + 3] = [None] * (count + 3)
    paths = [path.get("d") for path in ET.fromstring(picture_of(snapshot)).iter("{http://www.w3.org/2000/svg}path")]
    assert "" in paths
    assert not any("None" in path or "nan" in path for path in paths if path)


@pytest.mark.parametrize("kind", [Lab, NetworkGraph])
def test_output_cell_carries_the_widget_and_the_picture(kind, session: Session) -> None:
    data, _ = kind(session)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/svg+xml"].startswith("<svg")


def test_front_end_is_tested_on_a_page_as_it_is_written(root: Path) -> None:
    """``KANLAB_UPDATE_FIXTURES=1`` writes the file anew; the browser's numbers must be those of `check`."""
    session = Session(KAN([2, 1, 1], grid=3, seed=0), hello.dataset(60, 30))
    session.fit(steps=6)
    session.fix_symbolic(0, 1, 0, "x^2")
    path = root / "kanlab" / "frontend" / "test" / "page.json"
    x = session.data.train_input[:1]
    check = {"input": x[0].tolist(), "output": session.model(x)[0].tolist()}
    page = json.loads(json.dumps(page_of(hub_of(session)) | {"hidden": ["training"], "language": "en", "check": check}))
    if os.environ.get("KANLAB_UPDATE_FIXTURES") == "1":
        path.write_text(json.dumps(page) + "\n", encoding="utf-8")
    committed = json.loads(path.read_text(encoding="utf-8"))
    assert committed.keys() == page.keys()
    assert committed["check"]["output"] == pytest.approx(page["check"]["output"], rel=2e-2)
    assert [detail.keys() for detail in committed["details"]] == [detail.keys() for detail in page["details"]]
