"""The search names edges by what the names do to the output on rows held out, and stops where no name holds."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import sympy
import torch
from torch import Tensor

from kanlab import KAN
from kanlab.engine import spline
from kanlab.engine.network import Network
from kanlab.symbolic import library, search
from kanlab.symbolic.search import Progress, Suggestion, cost, resolution, score, search_steps, suggest_all
from tests.engine.cases import generator, points

LIBRARY = ["x", "x^2", "exp", "sin", "tanh"]


def fitted(
    f: Callable[[Tensor], Tensor], width, *, n: int = 250, noise: float = 0.0, grid: int = 8, steps: int = 40
) -> KAN:
    x = points(n, width[0], seed=3)
    y = f(x)
    y = y + noise * torch.randn(y.shape, generator=generator(4), dtype=y.dtype)
    model = KAN(width, grid=grid, seed=0)
    model.fit({"train_input": x, "train_label": y}, steps=steps, log=0)
    return model


def additive(x: Tensor) -> Tensor:
    return torch.sin(3 * x[:, [0]]) + 2 * x[:, [1]] ** 2


@pytest.fixture(scope="module")
def sum_model() -> KAN:
    return fitted(additive, [2, 1])


def finish(network: Network, **options) -> tuple[Network, list[Progress]]:
    """Run a search to its end."""
    steps, progress = search_steps(network, **options), []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            return end.value, progress


def names(network: Network) -> dict[tuple[int, int, int], str]:
    return {(l, i, j): f.name for l, layer in enumerate(network.kan_layers()) for (i, j), f in layer.fixed.items()}


# ---- one edge


def test_suggestions_are_true_fits_of_the_edges_curve(sum_model):
    x = sum_model.seen()[:, 1]
    y = sum_model.layer(0).edge(1, 0, x).detach()
    for found in search.suggest_symbolic(sum_model, 0, 1, 0, LIBRARY, topk=9):
        a, b, c, d = found.affine
        function = library.get(found.name)
        fit = c * function(a * x + b) + d
        true = 1 - (fit - y).square().sum() / (y - y.mean()).square().sum()
        assert found.r2 == pytest.approx(float(true), abs=1e-8)
        assert found.complexity == function.complexity


def test_the_right_name_comes_first(sum_model):
    assert search.suggest_symbolic(sum_model, 0, 0, 0)[0].name in {"sin", "cos"}
    assert search.suggest_symbolic(sum_model, 0, 1, 0)[0].name == "x^2"


def test_edges_together_are_ranked_as_edges_alone(sum_model):
    edges = [(0, 0, 0), (0, 1, 0)]
    together = suggest_all(sum_model, edges, LIBRARY)
    for edge, found in zip(edges, together, strict=True):
        assert [s.name for s in found] == [s.name for s in suggest_all(sum_model, [edge], LIBRARY)[0]]
    assert suggest_all(sum_model, [], LIBRARY) == []


def test_suggestions_without_any_data_are_taken_on_the_grids_range():
    model = KAN([1, 1], grid=6, base_fun="zero", seed=0)
    x = torch.linspace(-1, 1, 100, dtype=torch.float64)[None]
    with torch.no_grad():
        model.layer(0).coef.copy_(spline.fit_coef(x, (x**2)[:, None], model.layer(0).knots, 3))
    found = model.suggest_symbolic(0, 0, 0)
    assert found[0].name == "x^2"
    assert found[0].r2 > 1 - 1e-9


def test_topk_and_library_are_obeyed_and_checked(sum_model):
    assert len(search.suggest_symbolic(sum_model, 0, 0, 0, topk=3)) == 3
    with pytest.raises(ValueError, match="lib is empty"):
        search.suggest_symbolic(sum_model, 0, 0, 0, lib=[])
    with pytest.raises(TypeError, match="give a list of names"):
        search.suggest_symbolic(sum_model, 0, 0, 0, lib="sin")
    with pytest.raises(ValueError, match="no function is called 'sine'"):
        search.suggest_symbolic(sum_model, 0, 0, 0, lib=["sine"])


def test_score_weighs_error_against_cost():
    assert score(1e-10, 2, 1e-6) > score(1e-6, 2, 1e-6)
    assert score(1e-10, 2, 1e-6) > score(1e-10, 3, 1e-6)
    # Below what the data can tell, less error is worth nothing.
    assert score(0.0, 2, 1e-3) == pytest.approx(score(1e-12, 2, 1e-3), abs=1e-5)
    # Ten times less error in the root is worth three: as much as 8.6 units of cost.
    assert score(1e-6, 2 + 8.5, 0.0) > score(1e-4, 2, 0.0) > score(1e-6, 2 + 8.7, 0.0)
    assert math.isfinite(score(-1e-17, 1, 1e-9))


def test_constants_beyond_c_and_d_cost():
    assert cost(library.get("x")) == 1
    assert cost(library.get("x^2")) == pytest.approx(2.7)
    assert cost(library.get("sin")) == pytest.approx(3.4)


def test_resolution_is_the_models_own_misfit_within_bounds(sum_model):
    model = copy.deepcopy(sum_model)
    assert model.targets is not None
    with torch.no_grad():
        misfit = float((model(model.seen()) - model.targets).square().mean().sqrt() / model.targets.std(correction=0))
    assert resolution(model) == pytest.approx(max(misfit, 1e-6), rel=1e-9)
    model.targets = model.targets * 100
    assert resolution(model) == 0.1
    model.targets = None
    assert resolution(model) == 1e-3


# ---- all edges


def test_search_recovers_a_sum_exactly(sum_model):
    x = points(50, 2, seed=8)
    before = sum_model(x)
    named, progress = finish(sum_model)
    assert names(named) == {(0, 0, 0): "sin", (0, 1, 0): "x^2"}
    assert float((named(x) - additive(x)).abs().max().detach()) < 1e-9
    # It works on a copy; `KAN.auto_symbolic` takes the result over.
    assert torch.equal(sum_model(x), before)
    assert names(sum_model) == {}
    assert progress[-1].done == progress[-1].total == 2
    assert [p.done for p in progress] == sorted(p.done for p in progress)
    assert {f"edge {edge} is {name}" for edge, name in names(named).items()} <= {p.text for p in progress}


def test_search_recovers_a_composition():
    model = fitted(lambda x: torch.exp(torch.sin(2 * x[:, [0]]) + x[:, [1]] ** 2), [2, 1, 1], steps=50)
    named, _ = finish(model)
    assert set(names(named).values()) == {"sin", "x^2", "exp"} or set(names(named).values()) == {"cos", "x^2", "exp"}
    x = points(50, 2, seed=8)
    assert float((named(x) - torch.exp(torch.sin(2 * x[:, [0]]) + x[:, [1]] ** 2)).abs().max().detach()) < 1e-8


def test_search_recovers_a_product():
    model = fitted(lambda x: torch.sin(2 * x[:, [0]]) * torch.exp(x[:, [1]]), [2, [0, 1]], steps=50)
    for edge in ((0, 1, 0), (0, 0, 1)):
        model.remove_edge(*edge)
    model.fit({"train_input": model.seen(), "train_label": model.targets}, steps=50, log=0)
    named, _ = finish(model, lib=LIBRARY)
    assert names(named) == {(0, 0, 0): "sin", (0, 1, 1): "exp"}


def test_an_edge_that_no_name_fits_stays_a_spline():
    # A sawtooth next to a parabola: the library given has nothing like the first.
    def f(x: Tensor) -> Tensor:
        return (5 * x[:, [0]]).frac() + x[:, [1]] ** 2

    model = fitted(f, [2, 1], grid=20)
    named, progress = finish(model, lib=["x", "x^2", "exp"])
    assert names(named) == {(0, 1, 0): "x^2"}
    assert any(p.text == "edge (0, 0, 0) stays a spline" for p in progress)
    formula = sympy.sstr(KAN.formula(_as_kan(named), var=["x", "y"]).exprs[0])
    assert "phi_0_0_0" in formula


def _as_kan(network: Network) -> KAN:
    model = KAN([1, 1])
    model.take_over(network)
    return model


def test_names_that_cost_accuracy_are_not_given():
    # tanh(2x) looks like sin to the eye (R² above 0.99); only the true name keeps the error.
    model = fitted(lambda x: torch.tanh(2 * x[:, [0]]) + x[:, [1]], [2, 1])
    named, _ = finish(model, lib=["x", "x^2", "sin", "tanh"])
    assert names(named) == {(0, 0, 0): "tanh", (0, 1, 0): "x"}
    restricted, _ = finish(model, lib=["x"])
    assert names(restricted) == {(0, 1, 0): "x"}


def test_r2_threshold_refuses_poor_names(sum_model):
    named, _ = finish(sum_model, lib=["x", "exp"], r2_threshold=0.9999)
    assert names(named) == {}


def test_noise_does_not_stop_the_search():
    model = fitted(additive, [2, 1], noise=0.05, n=600)
    named, _ = finish(model, lib=LIBRARY)
    assert names(named) == {(0, 0, 0): "sin", (0, 1, 0): "x^2"}
    assert float(named.layer(0).affine[0, 0, 0].detach()) == pytest.approx(3.0, abs=0.05)


def test_edges_that_have_names_keep_them(sum_model):
    model = copy.deepcopy(sum_model)
    model.fix_symbolic(0, 1, 0, "cosh")
    named, progress = finish(model, lib=LIBRARY)
    assert names(named)[0, 1, 0] == "cosh"
    assert progress[0].total == 1


def test_removed_edges_stay_removed(sum_model):
    model = copy.deepcopy(sum_model)
    model.remove_edge(0, 0, 0)
    named, _ = finish(model, lib=LIBRARY)
    assert (0, 0, 0) not in names(named)
    assert float(named.layer(0).mask[0, 0]) == 0


def test_unfixing_after_the_search_gives_the_splines_back(sum_model):
    x = points(50, 2, seed=8)
    named, _ = finish(sum_model, lib=LIBRARY)
    for l, i, j in names(named):
        named.layer(l).unfix(i, j)
    assert torch.equal(named(x), sum_model(x))


def test_without_labels_names_may_be_as_wrong_as_the_curves_themselves_are():
    model = fitted(lambda x: torch.sin(3 * x), [1, 1], grid=10)
    x = model.seen()
    with torch.no_grad():
        error = float((model(x) - torch.sin(3 * x)).square().mean().sqrt())
    assert 1e-6 < error < 1e-3  # splines tell a sine, but not to the last digit
    model.show(x)
    assert model.targets is None
    named, _ = finish(model, lib=LIBRARY)
    assert names(named) == {(0, 0, 0): "sin"}
    with torch.no_grad():
        assert float((named(x) - torch.sin(3 * x)).square().mean().sqrt()) < 2 * error


def test_few_rows_are_all_used():
    model = fitted(additive, [2, 1], n=20, grid=3)
    named, _ = finish(model, lib=LIBRARY)
    assert bool(named(model.seen()).isfinite().all())


def test_a_model_that_has_seen_nothing_says_so():
    with pytest.raises(ValueError, match="has seen no data"):
        next(search_steps(KAN([2, 1])))


def test_bad_libraries_are_refused_at_once(sum_model):
    with pytest.raises(ValueError, match="no function is called 'sine'"):
        search_steps(sum_model, lib=["sine"])


def test_closing_the_search_leaves_the_model_alone(sum_model):
    x = points(50, 2, seed=8)
    before = sum_model(x)
    steps = search_steps(sum_model)
    next(steps)
    steps.close()
    assert torch.equal(sum_model(x), before)
    assert names(sum_model) == {}


def test_registered_functions_are_found():
    library.register("bump", lambda u: 1 / (1 + u**4), lambda u: 1 / (1 + u**4), complexity=3)
    try:
        model = fitted(lambda x: 1 / (1 + (2 * x[:, [0]]) ** 4), [1, 1], grid=15)
        named, _ = finish(model, lib=["x", "x^2", "exp", "sin", "gaussian", "bump"])
        assert names(named) == {(0, 0, 0): "bump"}
        assert abs(float(named.layer(0).affine[0, 0, 0].detach())) == pytest.approx(2.0, abs=1e-6)
    finally:
        library.unregister("bump")


def test_a_suggestion_knows_its_constants_together():
    assert Suggestion("x", 1.0, 1.0, 0.0, 1.0, 2.0, 3.0, 4.0).affine == (1.0, 2.0, 3.0, 4.0)


def test_names_the_curve_cannot_tell_apart_are_told_as_ties():
    x = points(300, 1)
    model = KAN([1, 1], grid=8, seed=0)
    model.fit({"train_input": x, "train_label": torch.sin(3 * x)}, steps=30, log=0)
    found = {s.name: s for s in model.suggest_symbolic(0, 0, 0, lib=["sin", "cos", "x^2"])}
    first = model.suggest_symbolic(0, 0, 0, lib=["sin", "cos", "x^2"])[0]
    # A cosine is a sine with another phase; a parabola is neither.
    assert not first.tied
    assert {name for name, s in found.items() if s.tied} == {"sin", "cos"} - {first.name}


def test_one_name_of_each_family_is_tried():
    ranked = [Suggestion(name, 1.0, 2.0, -0.1 * m, 1, 0, 1, 0) for m, name in enumerate(["tanh", "sigmoid", "erf"])]
    assert [s.name for s in search._worth_trying(ranked)] == ["tanh", "erf"]


# ---- class labels


def classes() -> KAN:
    """A model of two classes whose log odds are 8 (sin 3x + y² - 0.3)."""
    x = points(800, 2, seed=3)
    odds = 8 * (torch.sin(3 * x[:, 0]) + x[:, 1] ** 2 - 0.3)
    y = (torch.rand(800, generator=generator(4), dtype=torch.float64) < torch.sigmoid(odds)).long()
    model = KAN([2, 2], grid=5, seed=0)
    loss_fn = torch.nn.CrossEntropyLoss()
    model.fit({"train_input": x, "train_label": y}, steps=20, loss_fn=loss_fn, lamb=1e-2, log=0)
    return model.prune()


def test_edges_of_a_classifier_are_named_by_the_cross_entropy_on_rows_held_out():
    model = classes()
    named, _ = finish(model)
    assert set(names(named).values()) == {"sin", "x^2"} or set(names(named).values()) == {"cos", "x^2"}
    x = points(2000, 2, seed=9)
    truth = torch.sin(3 * x[:, 0]) + x[:, 1] ** 2 > 0.3

    def wrong(network: Network) -> float:
        return float(((network(x)[:, 1] > network(x)[:, 0]) != truth).double().mean())

    # The true functions generalise better than the splines did.
    assert wrong(named) < wrong(model)


def test_progress_is_told_for_each_name_that_is_tried_so_that_a_stop_is_soon(sum_model):
    steps = search_steps(sum_model, lib=LIBRARY)
    first = next(steps)
    assert first.text.startswith("edge (0, ")
    assert ": trying " in first.text
    assert (first.done, first.total) == (0, 2)
    steps.close()
    assert names(sum_model) == {}


def test_the_same_search_twice_gives_the_same_constants(sum_model):
    once, again = finish(sum_model)[0], finish(sum_model)[0]
    assert all(torch.equal(one, two) for one, two in zip(once.parameters(), again.parameters(), strict=True))
