import time

import matplotlib.pyplot as plt
import numpy as np
import pandas
import pytest
import sympy
import torch
from matplotlib.figure import Figure

import kanlab
from kanlab import discover

x, y, z = sympy.symbols("x y z")


def table(n_in, low=-1.0, high=1.0, n=500, seed=0):
    return low + (high - low) * torch.rand(n, n_in, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


FORMULAS = [
    (sympy.exp(sympy.sin(sympy.pi * x) + y**2), -1, 1),
    (x * y, -1, 1),
    (sympy.exp(x) * sympy.sin(y), -1, 1),
    (sympy.sqrt(x**2 + y**2), -1, 1),
    (x / y, 0.5, 2),
    (sympy.sin(x) + sympy.cos(y), -1, 1),
    ((x + y) / (1 + x * y), -0.9, 0.9),
    (x / sympy.sqrt(1 - y**2), 0.1, 0.9),
]


def labels(expr, symbols, X):
    return np.broadcast_to(sympy.lambdify(symbols, expr, "numpy")(*np.asarray(X).T), (len(X),))


@pytest.mark.parametrize(("expr", "low", "high"), FORMULAS, ids=lambda value: str(value).replace(" ", ""))
def test_formulas_are_found_exactly(expr, low, high):
    X = table(2, low, high)
    found = discover(X, labels(expr, (x, y), X), names=["x", "y"], time_limit=20, log=0)
    wider = table(2, low - 0.05 * (high - low), high + 0.05 * (high - low), seed=1)
    truth = labels(expr, (x, y), wider)
    assert np.allclose(found.best.predict(wider.numpy()), truth, rtol=1e-8, atol=1e-8, equal_nan=True)
    assert found.reason == "exact"
    assert found.noise == 0


@pytest.fixture(scope="module")
def found():
    X = table(3)
    return discover(X, X[:, 0] * X[:, 1] ** 2, names=["m", "v", "w"], log=0)


def test_an_input_that_says_nothing_does_not_occur(found):
    assert found.best.expr == sympy.Symbol("m") * sympy.Symbol("v") ** 2
    assert len(found.best.variables) == 3


def test_the_front_goes_from_simple_to_exact(found):
    sizes = [solution.complexity for solution in found.front]
    errors = [solution.train_rmse for solution in found.front]
    assert sizes == sorted(set(sizes))
    assert errors == sorted(errors, reverse=True)
    assert found.best in found.front


def test_each_formula_has_its_kan_and_session(found):
    for solution in found.front:
        X = solution.dataset["test_input"]
        assert torch.allclose(solution.model(X)[:, 0], solution.predict(X), rtol=1e-10, atol=1e-10)
        assert solution.session.names == ["m", "v", "w"]
    assert found.model is found.best.model
    assert found.session.losses()[1] < 1e-12


def test_predictions_come_as_the_table_came(found):
    X = table(3, seed=5, n=7)
    assert isinstance(found.best.predict(X), torch.Tensor)
    for other in (X.numpy(), X.tolist(), pandas.DataFrame(X.numpy())):
        assert np.allclose(found.best.predict(other), X[:, 0] * X[:, 1] ** 2)
    with pytest.raises(ValueError, match=r"takes \[n, 3\]: m, v, w"):
        found.best.predict(X[:, :2])


def test_the_source_runs_and_agrees(found):
    scope = {}
    exec(found.best.python(), scope)  # our own text
    X = table(3, seed=6, n=9).numpy()
    assert np.allclose(scope["f"](*X.T), found.best.predict(X))


def test_notebooks_show_a_table(found):
    for text in (found._repr_html_(), found._repr_markdown_()):
        assert f"${found.best.latex()}$" in text
        assert "test RMSE" in text
    assert "m*v**2" in repr(found)
    assert found.best._repr_latex_() == f"$\\displaystyle {found.best.latex()}$"


def test_the_plot_is_a_figure_that_nobody_else_holds(found):
    before = plt.get_fignums()
    figure = found.plot()
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == before
    assert len(np.asarray(figure.axes[0].collections[0].get_offsets())) == len(found.front)


def test_names_come_from_a_frame_and_may_be_any_text():
    frame = pandas.DataFrame(table(2, 0.5, 2).numpy(), columns=["blood pressure", "lambda"])
    frame["<b>y</b>"] = frame["blood pressure"] / frame["lambda"]
    found = discover(frame, "<b>y</b>", log=0)
    assert found.best.expr == sympy.Symbol("blood pressure") / sympy.Symbol("lambda")
    assert "<b>" not in found._repr_html_()
    assert found.session.out_names == ["<b>y</b>"]


def test_the_same_seed_gives_the_same_front():
    X = table(2)
    target = torch.exp(X[:, 0]) + X[:, 1] + 0.05 * torch.randn(500, generator=torch.Generator().manual_seed(1))
    first, second = (discover(X, target, seed=3, time_limit=30, log=0) for _ in range(2))
    assert [str(s) for s in first.front] == [str(s) for s in second.front]


def test_only_the_given_functions_are_used():
    X = table(2)
    found = discover(X, X[:, 0] ** 2 + X[:, 1], lib=["x", "x^2"], names=["x", "y"], log=0)
    assert found.best.expr == x**2 + y


def test_interrupting_gives_the_front_so_far():
    calls = []
    X = table(2)

    def stop():
        calls.append(None)
        return len(calls) > 1

    found = discover(X, torch.rand(500, generator=torch.Generator().manual_seed(0)).double(), stop=stop, log=0)
    assert found.reason == "interrupted"
    assert found.front


def test_ctrl_c_gives_the_front_so_far():
    X = table(2)
    calls = []

    def stop():
        calls.append(None)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return False

    found = discover(X, torch.rand(500, generator=torch.Generator().manual_seed(0)).double(), stop=stop, log=0)
    assert found.reason == "interrupted"
    assert found.front


def test_progress_tells_the_best_formula_so_far():
    X = table(2)
    told = []
    found = discover(X, torch.exp(X[:, 0]) * X[:, 1], names=["x", "y"], progress=told.append, log=0)
    assert [now.tried for now in told] == sorted({now.tried for now in told})
    assert [now.error for now in told] == sorted((now.error for now in told), reverse=True)
    assert told[-1].expr.free_symbols == {x, y}
    assert told[-1].error < 1e-9
    assert 0 < told[0].seconds <= told[-1].seconds < found.seconds


def test_the_time_limit_is_kept():
    X = table(4, n=1500)
    noise = torch.rand(1500, generator=torch.Generator().manual_seed(0)).double()
    for label in (noise, X[:, 0] * torch.exp(X[:, 1] - X[:, 2]).sin() + 0.02 * noise):
        start = time.monotonic()
        found = discover(X, label, time_limit=1.0, log=0)
        assert time.monotonic() - start < 2.0  # a shared machine's slowness included
    assert found.front


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time_limit": 0}, "time_limit is 0"),
        ({"time_limit": "long"}, "time_limit is 'long'"),
        ({"names": ["a"]}, "1 names were given for 2"),
        ({"lib": ["sine"]}, "no function is called 'sine'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    X = table(2, n=50)
    with pytest.raises(ValueError, match=message):
        discover(X, X[:, 0], log=0, **arguments)


def test_bad_data_is_refused():
    X = table(2, n=50)
    with pytest.raises(ValueError, match="NaN"):
        discover(X, torch.full((50,), float("nan")), log=0)
    with pytest.raises(ValueError, match="50 rows and y has 40"):
        discover(X, X[:40, 0], log=0)
    with pytest.raises(ValueError, match="too few"):
        discover(X[:8], X[:8, 0], log=0)


def test_nothing_global_is_seeded_or_changed():
    torch.manual_seed(7)
    before = torch.get_rng_state(), torch.get_num_threads()
    X = table(2, n=100)
    kanlab.discover(X, X[:, 0] + X[:, 1] ** 2, log=0)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == torch.get_num_threads()
