import math
import subprocess
import sys
import time
from xml.etree import ElementTree

import numpy as np
import pytest
import sympy
import torch
from matplotlib.collections import EllipseCollection, PathCollection
from matplotlib.colors import to_rgba

from kanlab.engine.attribution import attribute
from kanlab.engine.network import Network
from kanlab.plot import plot
from kanlab.plot.marks import INK, SYMBOLIC, edge_marks, node_strengths
from kanlab.plot.shapes import into_box


class Named:
    """The least that an edge function must be."""

    def __init__(self, name, function, text=None):
        self.name, self.function = name, function
        if text is not None:
            self.text = text

    def __call__(self, u):
        return self.function(u)

    def derivative(self, u):
        return torch.ones_like(u)


def network(width=(2, 5, 1), seen=True, seed=0, **options):
    made = Network(list(width), grid=4, seed=seed, **options)
    if seen:
        made.show(torch.rand(300, made.n_in, generator=torch.Generator().manual_seed(1)) * 2 - 1)
    return made


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def collections(figure, kind, zorder):
    return [c for c in figure.axes[0].collections if isinstance(c, kind) and c.get_zorder() == zorder]


def curves(figure) -> list[np.ndarray]:
    (found,) = collections(figure, PathCollection, 4)
    return [np.asarray(path.vertices) for path in found.get_paths()]


def colours(figure) -> np.ndarray:
    (found,) = collections(figure, PathCollection, 4)
    return np.asarray(found.get_edgecolor())


def test_every_edge_is_drawn_on_one_axes_and_a_removed_one_is_not():
    model = network()
    figure = plot(model)
    assert len(figure.axes) == 1
    assert len(curves(figure)) == 15
    (connectors,) = collections(figure, PathCollection, 1)[:1]
    assert len(connectors.get_paths()) == 30
    model.layer(0).remove(1, 2)
    assert len(curves(plot(model))) == 14


def test_a_curve_in_its_box_is_the_edges_function_up_to_scale():
    model = network((2, 1))
    figure = plot(model)
    by_edge = {mark.edge: mark for mark in edge_marks(model, 3.0, "backward", False)}
    order = [mark.edge for mark in edge_marks(model, 3.0, "backward", False)]
    for edge, vertices in zip(order, curves(figure), strict=True):
        l, i, j = edge
        low, high = model.seen()[:, i].min(), model.seen()[:, i].max()
        x = torch.linspace(float(low), float(high), len(vertices), dtype=torch.float64)
        truth = model.layer(l).edge(i, j, x).detach().numpy()
        np.testing.assert_allclose(by_edge[edge].curve[:, 1], truth, atol=1e-12)
        slope, offset = np.polyfit(truth, vertices[:, 1], 1)
        np.testing.assert_allclose(vertices[:, 1], slope * truth + offset, atol=1e-9)
        assert slope > 0
        assert np.ptp(vertices, axis=0) == pytest.approx([0.76, 0.76])


def test_opacity_is_tanh_of_beta_times_the_score():
    model = network()
    scores = attribute(model).edges
    expected = sorted(math.tanh(2.0 * s) for layer in scores for s in layer.flatten().tolist())
    found = colours(plot(model, beta=2.0))[:, 3]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_an_edge_without_effect_is_faint_and_so_is_a_node_of_such_edges():
    model = network((2, 2, 1))
    with torch.no_grad():
        for parameter in (model.layer(0).coef, model.layer(0).scale_base):
            parameter[:, 1] = 0
        for parameter in (model.layer(1).coef, model.layer(1).scale_base):
            parameter[1] = 0
    marks = edge_marks(model, 3.0, "backward", False)
    faint = {mark.edge for mark in marks if mark.alpha == 0.06}
    assert faint == {(0, 0, 1), (0, 1, 1), (1, 1, 0)}
    inputs, hidden, output = node_strengths(model, marks)
    assert hidden[1] == 0.06
    assert min(*inputs, hidden[0], *output) > 0.06
    for l, i, j in faint:
        model.layer(l).remove(i, j)
    assert node_strengths(model, edge_marks(model, 3.0, "backward", False))[1][1] == 0


def test_forward_metrics_are_spreads():
    model = network((2, 3, 1))
    acts = model.acts()
    spread = acts.postacts[0].detach().std(0, correction=0)
    relative = spread / acts.preacts[0].std(0, correction=0)
    for metric, expected in (("forward_u", spread), ("forward_n", relative)):
        marks = {mark.edge: mark.alpha for mark in edge_marks(model, 0.5, metric, False)}
        for i in range(2):
            for j in range(3):
                assert marks[0, i, j] == pytest.approx(max(0.06, math.tanh(0.5 * float(expected[i, j]))))


def test_before_any_data_all_edges_are_opaque():
    assert set(colours(plot(network(seen=False)))[:, 3]) == {1.0}


def test_symbolic_edges_have_their_colour_and_their_name():
    model = network((2, 1, 1), seen=False)
    model.layer(0).fix(0, 0, Named("x^2", torch.square, text="x²"), (1.0, 0.0, 1.0, 0.0))
    model.layer(1).fix(0, 0, Named("$odd_name$", torch.sin), (1.0, 0.0, 1.0, 0.0))
    figure = plot(model)
    assert sorted(texts(figure)) == ["$odd_name$", "x²"]
    assert not any(text.get_parse_math() for text in figure.axes[0].texts)
    assert sorted(map(tuple, colours(figure))) == sorted([to_rgba(INK), to_rgba(SYMBOLIC), to_rgba(SYMBOLIC)])


def test_products_are_drawn_as_crossed_circles_over_their_factors():
    figure = plot(network((2, [1, 2], 1)))
    discs = [len(np.asarray(c.get_offsets())) for c in collections(figure, EllipseCollection, 6)]
    assert sorted(discs) == [2, 4, 4]  # products, factors, sums: two inputs, one hidden, one output
    (crosses,) = collections(figure, PathCollection, 7)
    assert len(crosses.get_paths()) == 4


def test_names_may_be_text_latex_or_sympy():
    figure = plot(network((3, 1)), in_vars=["t", "$x_1$", sympy.Symbol("alpha")], out_vars=["y"], title="A $T$est")
    assert texts(figure) == ["t", "$x_1$", r"$\alpha$", "y", "A $T$est"]
    assert [text.get_parse_math() for text in figure.axes[0].texts] == [False, True, True, False, True]


@pytest.mark.parametrize("name", ["cost $", "$5 to $9", r"a\b", "$\\nonsense{$", "", "a_b^c", "{}%&#", "Größe"])
def test_any_text_can_be_a_name(name):
    figure = plot(network((1, 1)), in_vars=[name], out_vars=["y"], title=name)
    svg = figure._repr_mimebundle_()["image/svg+xml"]
    ElementTree.fromstring(svg)


def test_long_names_stand_aslant_and_stay_inside():
    names = ["a name that is far too long to be set level"] * 4
    figure = plot(network((4, 1)), in_vars=names, out_vars=["y"])
    assert [text.get_rotation() for text in figure.axes[0].texts] == [45, 45, 45, 45, 0]
    figure.draw_without_rendering()
    page = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1
    short = plot(network((4, 1)), in_vars=list("abcd"))
    assert {text.get_rotation() for text in short.axes[0].texts} == {0}


def test_tick_writes_the_ranges_and_sample_shows_the_data():
    model = network((1, 1))
    plain = plot(model)
    assert texts(plain) == []
    low, high = float(model.seen().min()), float(model.seen().max())
    ticked = texts(plot(model, tick=True))
    assert f"{low:.2g}" in ticked
    assert f"{high:.2g}" in ticked
    assert len(ticked) == 4
    (none,), (some,) = (collections(f, PathCollection, 3) for f in (plain, plot(model, sample=True)))
    assert len(none.get_paths()) == 0
    # 300 samples are thinned to 150 dots, each a line of two points on the curve.
    dots = np.asarray(some.get_paths()[0].vertices)
    assert len(dots) == 300
    (curve,) = curves(plain)
    on_curve = np.interp(dots[::2, 0], curve[:, 0], curve[:, 1])
    # Between 61 points a cubic spline bends by less than a hundredth of the box.
    np.testing.assert_allclose(dots[::2, 1], on_curve, atol=1e-2)


def test_scale_scales_all():
    small, large = (plot(network(), scale=s, in_vars=["x", "y"]) for s in (0.5, 1.0))
    np.testing.assert_allclose(large.get_size_inches(), 2 * small.get_size_inches(), rtol=1e-2)


def test_constant_and_infinite_curves_do_no_harm():
    flat = np.stack([np.linspace(0, 1, 5), np.full(5, 3.0)], axis=1)
    assert into_box(flat, flat, (2.0, 7.0))[:, 1].tolist() == [7.0] * 5
    broken = flat.copy()
    broken[0, 1] = np.inf
    assert np.isfinite(into_box(broken, broken, (0.0, 0.0))[1:]).all()
    assert into_box(broken * np.nan, broken * np.nan, (0.0, 0.0)).shape == (0, 2)
    model = network((1, 1))
    model.layer(0).fix(0, 0, Named("log", torch.log), (1.0, 0.0, 1.0, 0.0))
    plot(model, tick=True, sample=True)._repr_mimebundle_()
    model.layer(0).fix(0, 0, Named("nan", lambda u: u * torch.nan), (1.0, 0.0, 1.0, 0.0))
    plot(model, tick=True, sample=True)._repr_mimebundle_()


def test_drawing_leaves_the_model_alone():
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plot(model, sample=True, tick=True)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_notebook_gets_one_svg_that_does_not_change():
    model = network()
    bundle = plot(model, in_vars=["x", "y"], out_vars=["f"])._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert ElementTree.fromstring(bundle["image/svg+xml"]).tag.endswith("svg")
    assert "<image" not in bundle["image/svg+xml"], "vectors only"


def test_nothing_is_written_and_pyplot_is_not_loaded(tmp_path):
    code = (
        "import sys; from kanlab.engine.network import Network; from kanlab.plot import plot; "
        "plot(Network([2, 5, 1]), in_vars=['x', 'y'])._repr_mimebundle_(); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    path = [entry for entry in sys.path if entry]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {code}"], check=True, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_hundred_edges_are_drawn_within_a_second():
    model = network((10, 20, 1))
    plot(model)
    start = time.process_time()
    plot(model)._repr_mimebundle_()
    # Measured: 0.13 s; a second leaves room for slow machines, an Axes per edge would take ten.
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"metric": "loud"}, ValueError, "one of backward, forward_n, forward_u, not 'loud'"),
        ({"beta": 0}, ValueError, "beta must be positive"),
        ({"scale": math.nan}, ValueError, "scale must be positive"),
        ({"varscale": -1}, ValueError, "varscale must be positive"),
        ({"in_vars": ["x"]}, ValueError, "in_vars has 1 names, but the network has 2"),
        ({"out_vars": ["f", "g"]}, ValueError, "out_vars has 2 names, but the network has 1"),
        ({"in_vars": "xy"}, TypeError, "in_vars must be a list of names"),
    ],
)
def test_bad_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        plot(network(), **arguments)


def test_sample_needs_data():
    with pytest.raises(ValueError, match="seen no data"):
        plot(network(seen=False), sample=True)
