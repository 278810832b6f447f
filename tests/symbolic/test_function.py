"""Domains know which ranges lie in one smooth piece; a function knows which of its constants matter."""

from __future__ import annotations

import math

import pytest
import torch

from kanlab.symbolic.function import Domain, Domains, SymbolicFunction

DOMAINS = [
    Domain(),
    Domain(low=0.0, closed=True),
    Domain(low=0.0),
    Domain(pole=0.0),
    Domain(pole=1.0, period=2.0),
    Domain(low=-1.0, high=1.0),
]


@pytest.mark.parametrize(
    ("domain", "low", "high", "inside"),
    [
        (Domain(), -5, 5, True),
        (Domain(low=0.0), 0, 1, False),
        (Domain(low=0.0, closed=True), 0, 1, True),
        (Domain(low=0.0, closed=True), -1e-9, 1, False),
        (Domain(pole=0.0), -1, 1, False),
        (Domain(pole=0.0), -2, -1, True),
        (Domain(pole=0.0), 0, 1, False),
        (Domain(pole=0.0), -1, 0, False),
        (Domain(pole=1.0, period=2.0), -0.9, 0.9, True),
        (Domain(pole=1.0, period=2.0), 0.9, 1.1, False),
        (Domain(pole=1.0, period=2.0), 1.1, 2.9, True),
        (Domain(pole=1.0, period=2.0), 1.0, 2.0, False),
        (Domain(pole=1.0, period=2.0), 2.0, 3.0, False),
    ],
)
def test_domain_covers_only_ranges_in_one_smooth_piece(domain, low, high, inside):
    low, high = torch.tensor([float(low)]), torch.tensor([float(high)])
    assert domain.covers(low, high).item() is inside


def test_many_domains_answer_as_each_does():
    low = torch.tensor([-2.0, -0.5, 0.0, 0.3, 1.2])
    high = torch.tensor([-1.0, 0.5, 0.9, 0.7, 2.8])
    together = Domains.of(DOMAINS, low).against().covers(low, high)
    for row, domain in enumerate(DOMAINS):
        assert together[row].tolist() == domain.covers(low, high).tolist()
    chosen = Domains.of(DOMAINS, low)[torch.tensor([3, 1])]
    assert [wall.tolist() for wall in chosen.walls] == [[-math.inf, 0.0], [math.inf, math.inf]]
    assert chosen.closed.tolist() == [False, True]


@pytest.mark.parametrize(("gauge", "constants"), [("linear", 0), ("shift", 1), ("scale", 1), ("phase", 2), ("free", 2)])
def test_gauge_tells_how_many_constants_matter(gauge, constants):
    function = SymbolicFunction("f", "f", torch.sin, torch.cos, lambda u: u, 1, gauge=gauge)
    assert function.constants == constants


def test_only_a_mirror_rule_makes_a_positive():
    assert SymbolicFunction("f", "f", torch.sin, torch.cos, lambda u: u, 1, parity=-1).reflects
    assert not SymbolicFunction("f", "f", torch.exp, torch.exp, lambda u: u, 1).reflects
