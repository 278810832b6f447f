"""What the sliders say: refused where it makes no sense, and read by the training."""

from __future__ import annotations

import math
from typing import Any

import pytest

from kanlab.engine.penalty import Penalty
from kanlab.runner import Training
from kanlab.widgets._controls import Controls


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lamb", -0.1),
        ("lamb", float("nan")),
        ("lamb", float("inf")),
        ("lamb_l1", "1"),
        ("lamb_entropy", None),
        ("edge_th", True),
        ("node_th", -1),
        ("optimizer", "SGD"),
        ("optimizer", None),
        ("batch", -1),
        ("plateau", 1),
        ("lr", math.inf),
        ("steps", 1.5),
        ("steps", -1),
        ("steps", True),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} is .*allowed are"):
        Controls(**{name: value})


def test_training_reads_them() -> None:
    chosen = Controls(lamb=0.1, lamb_l1=2.0, lamb_entropy=0.5, optimizer="Adam", lr=0.01, batch=32, plateau=True)
    assert chosen.training() == Training(Penalty(0.1, 2.0, 0.5), opt="Adam", lr=0.01, batch=32, plateau=True)


def test_zero_is_the_default_of_rate_and_batch() -> None:
    training = Controls(optimizer="Adam").training()
    assert (training.lr, training.batch) == (None, -1)


@pytest.mark.parametrize("optimizer", ["auto", "LM"])
def test_a_solver_without_a_rate_gets_none(optimizer: str) -> None:
    assert Controls(optimizer=optimizer, lr=0.5).training().lr is None
