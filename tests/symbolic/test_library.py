"""Every entry of the library is one function: in torch, in its derivative and in sympy."""

from __future__ import annotations

import copy
import pickle

import pytest
import sympy
import torch

from kanlab.symbolic import library
from kanlab.symbolic.library import DEFAULT_LIBRARY, Domain, get, names, register, resolve, unregister


def points_of(function):
    u = torch.linspace(-2.9, 3.1, 61, dtype=torch.float64)
    return u[function.domain.covers(u, u)]


@pytest.fixture
def scratch_name():
    yield "scratch"
    if "scratch" in names():
        unregister("scratch")


@pytest.mark.parametrize("name", names())
def test_torch_and_sympy_are_the_same_function(name):
    function = get(name)
    points = points_of(function)
    assert len(points) >= 15
    u = sympy.Symbol("u", real=True)
    exact = sympy.lambdify(u, function.sympy_fn(u), "mpmath")
    expected = torch.tensor([float(exact(float(point))) for point in points], dtype=torch.float64)
    torch.testing.assert_close(function(points), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", names())
def test_derivative_is_that_of_the_values(name):
    function = get(name)
    points = points_of(function).requires_grad_()
    values = function(points)
    (expected,) = torch.autograd.grad(values.sum(), points) if values.requires_grad else (torch.zeros_like(points),)
    torch.testing.assert_close(function.derivative(points.detach()), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", names())
def test_declared_symmetries_hold(name):
    function = get(name)
    points = points_of(function)
    if function.reflects:
        points = points[function.domain.covers(-points, -points)]
        total, difference = function(points) + function(-points), function(points) - function(-points)
        spread = min(total.max() - total.min(), difference.max() - difference.min())
        assert float(spread) < 1e-12
    if function.period is not None:
        torch.testing.assert_close(function(points + function.period), function(points), rtol=1e-9, atol=1e-12)
    if function.period is not None and function.alternates:
        torch.testing.assert_close(function(points + function.period / 2), -function(points), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", names())
def test_copy_and_pickle_find_the_same_function(name):
    function = get(name)
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.deepcopy(function) is function


def test_default_library_is_the_documented_one():
    assert [function.name for function in resolve(None)] == list(DEFAULT_LIBRARY)
    assert DEFAULT_LIBRARY[:5] == ("x", "x^2", "x^3", "x^4", "sqrt")


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


def test_unknown_name_suggests_near_ones():
    with pytest.raises(ValueError, match=r"'gauss'.*'gaussian'"):
        get("gauss")
    with pytest.raises(ValueError, match=r"no function is called 7"):
        get(7)  # type: ignore[arg-type]


def test_second_names_of_pykan_are_understood():
    assert get("x^0.5") is get("sqrt")
    assert get("1/x^0.5") is get("1/sqrt(x)")


def test_resolve_refuses_text_and_nothing():
    with pytest.raises(TypeError, match="list of names"):
        resolve("sin")
    with pytest.raises(ValueError, match="empty"):
        resolve([])


def test_registered_function_is_offered_and_differentiated(scratch_name):
    function = register(scratch_name, lambda u: torch.sin(u) / u, lambda u: sympy.sin(u) / u, complexity=4)
    assert get(scratch_name) is function
    u = torch.tensor([0.5, 2.0], dtype=torch.float64)
    torch.testing.assert_close(function.derivative(u), torch.cos(u) / u - torch.sin(u) / u**2)
    v = u.clone().requires_grad_()
    torch.autograd.gradcheck(function.derivative, v)


def test_derivative_of_a_registered_constant_is_zero(scratch_name):
    function = register(scratch_name, lambda u: torch.full_like(u, 2.0), lambda u: sympy.Integer(2))
    u = torch.tensor([0.5, 2.0], dtype=torch.float64)
    assert torch.equal(function.derivative(u), torch.zeros_like(u))


def test_register_refuses_built_in_names():
    before = get("sin")
    with pytest.raises(ValueError, match="built in"):
        register("sin", torch.cos, sympy.cos)
    with pytest.raises(ValueError, match="built in"):
        register("x^0.5", torch.sqrt, sympy.sqrt)
    assert get("sin") is before


@pytest.mark.parametrize(
    ("torch_fn", "sympy_fn", "message"),
    [
        (torch.sin, sympy.cos, "differ"),
        (torch.sin, sympy.Function("opaque"), "could not be compared"),
        (torch.sum, sympy.sin, "keep the shape"),
    ],
)
def test_register_refuses_two_forms_that_differ(torch_fn, sympy_fn, message, scratch_name):
    with pytest.raises(ValueError, match=message):
        register(scratch_name, torch_fn, sympy_fn)
    assert scratch_name not in library.names()


@pytest.mark.parametrize(("name", "complexity"), [("", 3), ("  ", 3), ("scratch", -1), ("scratch", float("nan"))])
def test_register_refuses_bad_names_and_complexities(name, complexity):
    with pytest.raises(ValueError, match="must be"):
        register(name, torch.sin, sympy.sin, complexity)
