"""The nodes' pictures: maps over two inputs, histograms over others, whatever the values are."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from kanlab import KAN, Session, create_dataset
from kanlab.problems import hello
from kanlab.widgets._hub import hub_of
from kanlab.widgets._nodes import SIDE, node_pictures
from tests.widgets.views import FakeView


def shown(width: list[int], seed: int = 0) -> KAN:
    model = KAN(width, seed=seed)
    model.show(torch.rand(200, width[0], generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2 - 1)
    return model


def test_maps_of_the_inputs_are_ramps() -> None:
    pictures = node_pictures(shown([2, 3, 1]))
    assert (pictures.shape, pictures.pixels.shape) == ("map", (6, SIDE * SIDE))
    x, y = (pictures.pixels[m].reshape(SIDE, SIDE) for m in (0, 1))
    assert x[5].tolist() == np.rint(np.linspace(0, 255, SIDE)).tolist(), "the first input grows to the right"
    assert y[:, 5].tolist() == np.rint(np.linspace(255, 0, SIDE)).tolist(), "the second grows upwards"


def test_map_is_what_the_model_gives_there() -> None:
    model = shown([2, 3, 1])
    pictures = node_pictures(model)
    low, high = model.seen().amin(0), model.seen().amax(0)
    with torch.no_grad():
        corner = float(model(torch.stack([low[0], high[1]])[None]))
    least, most = pictures.ranges[-1]
    assert pictures.pixels[-1][0] == round(255 * (corner - least) / (most - least))


def test_histograms_count_the_data() -> None:
    model = shown([3, 2, 1])
    pictures = node_pictures(model)
    assert (pictures.shape, pictures.pixels.shape) == ("histogram", (6, SIDE))
    counts = np.histogram(model.seen()[:, 1].numpy(), SIDE)[0]
    assert pictures.pixels[1].tolist() == np.rint(255 * counts / counts.max()).tolist()
    assert pictures.ranges[1] == pytest.approx([float(model.seen()[:, 1].min()), float(model.seen()[:, 1].max())])


@pytest.mark.parametrize("inputs", [2, 3])
def test_nodes_that_never_move_or_are_not_finite_are_drawn_too(inputs: int) -> None:
    model = shown([inputs, 2, 1])
    for i in range(inputs):
        model.remove_edge(0, i, 0)
    with torch.no_grad():
        model.layer(0).scale_sp[0, 1] = torch.inf
    pictures = node_pictures(model)
    still, wild = pictures.pixels[inputs], pictures.pixels[inputs + 1]
    assert still.max() in (128, 255)
    assert wild.dtype == np.uint8
    assert json.loads(json.dumps(pictures.lists(), allow_nan=False))["ranges"][inputs] == [0.0, 0.0]


def test_pictures_travel_with_the_frames_and_lie_in_the_snapshot() -> None:
    dataset = create_dataset(lambda x: x[:, 0] * x[:, 1], n_var=2, train_num=60, test_num=30)
    session = Session(KAN([2, 1]), dataset)
    hub = hub_of(session)
    view = FakeView(hub)
    view.hello()
    (message,) = view.of("nodes")
    ((_, (buffer,)),) = [(sent, buffers) for sent, buffers in view.sent if sent["kind"] == "nodes"]
    assert len(buffer) == 3 * SIDE * SIDE
    assert message["version"] == view.state["version"]
    assert hub.scene.snapshot()["nodes"]["pixels"] == list(buffer)


def test_pictures_follow_what_is_tried() -> None:
    session = Session(KAN([2, 2, 1], seed=0), hello.dataset(80, 40))
    view = FakeView(hub_of(session))
    view.hello()
    view.ask("try_bend", edge=[0, 0, 0], index=3, y=9.0)
    first, tried = (buffers for sent, buffers in view.sent if sent["kind"] == "nodes")
    assert first != tried
