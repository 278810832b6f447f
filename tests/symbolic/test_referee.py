"""A referee judges on rows it does not train on, in units that do not matter, by the loss that the labels ask for."""

from __future__ import annotations

import math

import pytest
import torch

from kanlab.engine.network import Network
from kanlab.symbolic.library import get
from kanlab.symbolic.referee import ClassReferee, Referee, referee_of
from tests.engine.cases import generator, points


def line(slope: float) -> Network:
    network = Network([1, 1], seed=0)
    network.layer(0).fix(0, 0, get("x"), (1.0, 0.0, slope, 0.0))
    return network


def test_the_error_is_relative_and_of_the_rows_held_out_alone():
    x = points(500, 1)
    y = 3 * x
    y[4::5] += 0.3  # every fifth row is held out
    for unit in (1.0, 1e6):
        referee = Referee(x, unit * y)
        expected = 0.3**2 / float(y.var(correction=0))
        assert referee.error(line(3.0 * unit)) == pytest.approx(expected, rel=1e-9)
        assert referee.refit(line(2.0 * unit), 10) == pytest.approx(expected, rel=1e-2)


def test_with_few_rows_all_of_them_train_and_judge():
    x = points(20, 1)
    referee = Referee(x, 3 * x)
    assert referee.refit(line(2.0), 10) < 1e-25


def test_what_is_no_number_is_as_bad_as_can_be():
    x = points(100, 1)
    assert Referee(x, x).error(line(math.nan)) == math.inf


def test_a_tenth_more_error_and_rounding_are_allowed():
    referee = Referee(points(100, 1), points(100, 1))
    assert math.sqrt(referee.allowed(1e-4)) == pytest.approx(1.1e-2, rel=1e-4)
    assert 0 < referee.allowed(0.0) < 1e-12


def test_class_labels_are_judged_by_cross_entropy_within_one_standard_error_of_the_lowest():
    x = points(400, 1)
    labels = (torch.rand(400, generator=generator(0), dtype=torch.float64) < torch.sigmoid(4 * x[:, 0])).long()
    network = Network([1, 2], seed=0)
    network.show(x, labels)
    referee = referee_of(network)
    assert isinstance(referee, ClassReferee)
    terms = torch.nn.functional.cross_entropy(network(x)[4::5], labels[4::5], reduction="none").detach()
    assert referee.error(network) == pytest.approx(float(terms.mean()), rel=1e-9)
    room = float(terms.std(correction=0)) / math.sqrt(80)
    assert referee.allowed(0.5) == pytest.approx(0.5 + room, rel=1e-9)
    assert referee.allowed(0.7) == pytest.approx(0.5 + room, rel=1e-9)  # it does not drift
    before = referee.error(network)
    assert referee.refit(network, 8) < before


@pytest.mark.parametrize("labels", [None, torch.zeros(100, dtype=torch.long)])
def test_without_labels_that_a_single_output_could_have_the_model_itself_is_the_goal(labels):
    network = Network([1, 1], seed=0)
    network.show(points(100, 1), labels) if labels is not None else network.show(points(100, 1))
    assert referee_of(network).error(network) == 0.0
