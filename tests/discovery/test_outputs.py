"""Several outputs, classes, and noise."""

import numpy as np
import pytest
import sympy
import torch

from kanlab import discover

x, y, z = sympy.symbols("x y z")
X = torch.rand(1000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1


@pytest.fixture(scope="module")
def two():
    return discover(X, torch.stack([X[:, 0] * X[:, 1], torch.sin(3 * X[:, 0]) + X[:, 2] ** 2], 1), list("xyz"), log=0)


def test_several_outputs_get_a_formula_each(two):
    assert two.best.exprs == (x * y, sympy.sin(3 * x) + z**2)
    assert two.best.expr == sympy.Tuple(*two.best.exprs)
    assert two.best.predict(X.numpy()).shape == (1000, 2)
    assert two.reason == "exact"


def test_their_front_is_one_of_all_together(two):
    assert [s.complexity for s in two.front] == sorted({s.complexity for s in two.front})
    assert all(len(solution.exprs) == 2 for solution in two.front)
    assert torch.allclose(two.model(X), two.best.predict(X))
    assert two.session.out_names == ["f_1", "f_2"]


def test_classes_get_log_odds_against_the_first():
    odds = 4 * (X[:, 0] ** 2 + X[:, 1] ** 2) - 2
    label = (torch.rand(1000, generator=torch.Generator().manual_seed(1)) < odds.sigmoid()).long()
    found = discover(X, np.array(["in", "out"])[label.numpy()], list("xyz"), time_limit=20, log=0)
    assert found.best.outputs == ("in", "out")
    zero, logit = found.best.exprs
    assert zero == 0
    assert logit.free_symbols == {x, y}
    best = float(torch.nn.functional.binary_cross_entropy_with_logits(odds, label.double()))
    assert found.best.train_rmse < best * 1.03
    agrees = (found.best.predict(X)[:, 1] > 0) == (odds > 0)
    assert float(agrees.double().mean()) > 0.9
    assert found.session.losses()[1] == pytest.approx(found.best.test_rmse, rel=1e-9)


def test_three_classes_get_three_logits():
    logits = torch.stack([torch.zeros(1000, dtype=torch.float64), 3 * X[:, 0], 3 * X[:, 1]], 1)
    draw = torch.multinomial(logits.softmax(1), 1, generator=torch.Generator().manual_seed(2))[:, 0]
    found = discover(X, draw, list("xyz"), time_limit=20, log=0)
    assert [expr.free_symbols for expr in found.best.exprs] == [set(), {x}, {y}]
    assert found.model(X).shape == (1000, 3)


def test_whole_numbers_are_numbers_if_one_says_so():
    counts = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()
    found = discover(X, counts, list("xyz"), classes=False, time_limit=2, log=0)
    assert len(found.best.exprs) == 1


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda a, b: (a + b) ** 2, (x + y) ** 2),
        (lambda a, b: torch.sin(a) + torch.cos(b), sympy.sin(x) + sympy.cos(y)),
    ],
)
def test_noise_is_tolerated_and_estimated(function, expected):
    truth = function(3 * X[:, 0], 3 * X[:, 1])
    sigma = 0.01 * float(truth.std())
    noise = sigma * torch.randn(1000, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = discover(3 * X[:, :2], truth + noise, ["x", "y"], time_limit=20, log=0)
    assert sympy.expand(found.best.expr - expected) == 0
    assert found.noise == pytest.approx(sigma, rel=0.1)


def test_a_front_of_noisy_data_leads_to_its_best_formula_term_by_term():
    noise = 0.3 * torch.randn(1000, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    labels = 3 * X[:, 0] + 2 * X[:, 1] + X[:, 2] + noise
    found = discover(X[:300], labels[:300], list("xyz"), lib=["x", "x^2"], log=0)
    used = [solution.exprs[0].free_symbols for solution in found.front]
    assert used[:4] == [set(), {x}, {x, y}, {x, y, z}]
