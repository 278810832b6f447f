"""A model as plain numbers: complete, exact, and written as fixtures that the front end must evaluate to 1e-9.

``KANLAB_UPDATE_FIXTURES=1 pytest tests/widgets/test_portable.py`` writes the files anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from kanlab import KAN
from kanlab.problems import hello
from kanlab.symbolic import library
from kanlab.widgets._portable import portable

#: Of each case that the browser checks.
ROWS = 40


def trained() -> KAN:
    """The hello problem: splines on a data grid, an edge removed, two fixed."""
    model = KAN([2, 5, 1], grid=5, seed=0)
    model.fit(hello.dataset(200, 50), steps=15, log=0)
    model.remove_edge(0, 1, 3)
    model.fix_symbolic(0, 0, 0, "sin")
    model.fix_symbolic(1, 2, 0, "exp")
    return model


def products() -> KAN:
    """Sums and products of three and two, uneven grids, other degrees and another base function."""
    arity = [[], [3, 2], []]
    model = KAN([2, [2, 2], 2], grid=[4, 7], k=[2, 4], mult_arity=arity, base_fun="identity", grid_eps=0.3, seed=1)
    model.update_grid_from_samples(hello.dataset(200, 50)["train_input"])
    model.show(hello.dataset(200, 50)["train_input"])
    return model


def steps() -> KAN:
    """Splines that are steps and broken lines, without a base function."""
    model = KAN([2, 3, 1], grid=6, k=[0, 1], base_fun="zero", seed=2)
    model.show(hello.dataset(100, 50)["train_input"])
    return model


def own_base() -> KAN:
    """A base function that the browser does not know."""
    model = KAN([2, 2, 1], base_fun=torch.sin, seed=3)
    model.show(hello.dataset(100, 50)["train_input"])
    return model


def every_function() -> KAN:
    """One edge for each function of the library, with arguments at which all are defined."""
    names = library.names()
    model = KAN([1, len(names)], seed=0)
    model.show(torch.linspace(-1, 1, 50, dtype=torch.float64)[:, None])
    for j, name in enumerate(names):
        inside = bool(torch.isfinite(library.get(name)(torch.tensor([0.25, 0.75], dtype=torch.float64))).all())
        model.layer(0).fix(0, j, library.get(name), (0.2, 0.5 if inside else 1.5, 1.5, -0.25))
    return model


CASES: dict[str, Callable[[], KAN]] = {
    "trained": trained,
    "products": products,
    "steps": steps,
    "own_base": own_base,
    "every_function": every_function,
}


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest, root: Path) -> tuple[Path, KAN]:
    return root / "kanlab" / "frontend" / "test" / "portable" / f"{request.param}.json", CASES[request.param]()


def told(model: KAN) -> dict[str, Any]:
    """Return the model's numbers, and inputs (some beyond the data) with the outputs they give."""
    generator = torch.Generator().manual_seed(0)
    x = 2.0 * torch.rand(ROWS, model.n_in, generator=generator, dtype=torch.float64) - 1.0
    x[::4] *= 1.2
    with torch.no_grad():
        y = model(x)
    fixture = {"kan": portable(model), "inputs": x.tolist(), "outputs": y.tolist()}
    return json.loads(json.dumps(fixture, allow_nan=False))


def test_numbers_survive_to_the_last_bit(case: tuple[Path, KAN]) -> None:
    _, model = case
    layers = told(model)["kan"]["layers"]
    for layer, sent in zip(model.kan_layers(), layers, strict=True):
        for name in ("knots", "coef", "scale_base", "scale_sp", "mask"):
            assert torch.equal(torch.tensor(sent[name], dtype=torch.float64), getattr(layer, name).detach()), name
        for entry in sent["fixed"]:
            assert entry["affine"] == layer.affine[tuple(entry["edge"])].tolist()


def test_file_gives_what_the_model_gives(case: tuple[Path, KAN]) -> None:
    """The committed file is checked by itself: its numbers, on this machine's engine, give its outputs."""
    path, model = case
    if os.environ.get("KANLAB_UPDATE_FIXTURES") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(told(model)) + "\n", encoding="utf-8")
    committed = json.loads(path.read_text(encoding="utf-8"))
    twin = model.copy()
    for layer, sent in zip(twin.kan_layers(), committed["kan"]["layers"], strict=True):
        with torch.no_grad():
            for name in ("knots", "coef", "scale_base", "scale_sp", "mask"):
                getattr(layer, name).copy_(torch.tensor(sent[name], dtype=torch.float64))
            for entry in sent["fixed"]:
                layer.affine[tuple(entry["edge"])] = torch.tensor(entry["affine"], dtype=torch.float64)
        assert [entry["name"] for entry in sent["fixed"]] == [function.name for function in layer.fixed.values()]
    outputs = twin(torch.tensor(committed["inputs"], dtype=torch.float64))
    torch.testing.assert_close(outputs, torch.tensor(committed["outputs"], dtype=torch.float64), rtol=1e-12, atol=1e-12)


def test_function_unknown_to_the_browser_is_sampled_densely_enough() -> None:
    function = library.get("erf")
    model = KAN([1, 1], seed=0)
    model.show(torch.linspace(-2, 2, 50, dtype=torch.float64)[:, None])
    model.layer(0).fix(0, 0, function, (3.0, 0.0, 1.0, 0.0))
    samples = portable(model)["layers"][0]["fixed"][0]["samples"]
    assert samples["low"] == pytest.approx(-12.0), "half of the range of 12 beyond either end"
    values, slopes = (torch.tensor(samples[name], dtype=torch.float64) for name in ("values", "slopes"))
    middles = samples["low"] + samples["step"] * (torch.arange(len(values) - 1, dtype=torch.float64) + 0.5)
    guess = 0.5 * (values[1:] + values[:-1]) - 0.125 * samples["step"] * (slopes[1:] - slopes[:-1])
    assert float((guess - function(middles)).abs().max()) < 1e-10


def test_samples_outside_a_domain_are_none() -> None:
    model = KAN([1, 1], seed=0)
    model.show(torch.linspace(0.1, 1, 50, dtype=torch.float64)[:, None])
    half_line = library.SymbolicFunction(
        "root", "root", torch.sqrt, lambda u: 0.5 / torch.sqrt(u), library.get("sqrt").sympy_fn, 2
    )
    model.layer(0).fix(0, 0, half_line, (1.0, 0.0, 1.0, 0.0))
    samples = portable(model)["layers"][0]["fixed"][0]["samples"]
    assert samples["values"][0] is None
    assert samples["values"][-1] == pytest.approx(1.45**0.5)
