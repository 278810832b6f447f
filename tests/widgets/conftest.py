"""Sessions to show, and a hub without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from kanlab import KAN, Session
from kanlab.problems import hello
from kanlab.widgets._hub import Hub, hub_of
from tests.widgets.views import PATIENCE, FakeView


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small products are slower in several threads, and by much where other work wants the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def session() -> Session:
    """A session whose model is trained a little."""
    session = Session(KAN([2, 2, 1], grid=3, seed=1), hello.dataset(100, 50))
    session.fit(steps=4, lamb=1e-3)
    return session


@pytest.fixture
def hub(session: Session) -> Iterator[Hub]:
    hub = hub_of(session)
    yield hub
    hub.runner.cancel()
    assert hub.runner.wait(PATIENCE)


@pytest.fixture
def view(hub: Hub) -> FakeView:
    return FakeView(hub)
