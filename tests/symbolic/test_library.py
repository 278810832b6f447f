"""Every entry of the library is one function: in torch, in its derivative and in sympy."""

from __future__ import annotations

import copy
import pickle

import pytest
import sympy
import torch

from kanlab.symbolic import library
from kanlab.symbolic.library import DEFAULT_LIBRARY, get, names, register, resolve, unregister


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
    points = points_of(function)
    # Away from the ends of the domain, where a slope may be infinite.
    points = points[function.domain.covers(points - 1e-3, points + 1e-3) & (points.abs() > 1e-3)].requires_grad_()
    values = function(points)
    (expected,) = torch.autograd.grad(values.sum(), points) if values.requires_grad else (torch.zeros_like(points),)
    torch.testing.assert_close(function.derivative(points.detach()), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", names())
def test_derivative_is_the_slope_of_a_short_secant(name):
    function, step = get(name), 1e-5
    points = points_of(function)
    points = points[function.domain.covers(points - 0.05, points + 0.05) & (points.abs() > 0.05)]
    secant = (function(points + step) - function(points - step)) / (2 * step)
    # A central difference errs by step² / 6 third derivatives, and by rounding over the step.
    scale = function(points).abs().max() + function.derivative(points).abs().max()
    torch.testing.assert_close(function.derivative(points), secant, rtol=1e-5, atol=1e-9 * float(scale))


@pytest.mark.parametrize("name", [name for name in names() if get(name).domain.closed])
def test_slopes_at_an_end_of_the_domain_are_finite(name):
    function = get(name)
    ends = [end for end in (function.domain.low, function.domain.high) if abs(end) < 10]
    assert bool(function.derivative(torch.tensor(ends, dtype=torch.float64)).isfinite().all())


@pytest.mark.parametrize("name", names())
def test_declared_symmetries_hold(name):
    function = get(name)
    points = points_of(function)
    if function.parity:
        mirrored = points[function.domain.covers(-points, -points)]
        expected = function.parity * function(mirrored) + function.offset
        torch.testing.assert_close(function(-mirrored), expected, rtol=1e-12, atol=1e-13)
    if function.degree is not None:
        torch.testing.assert_close(function(3 * points), 3.0**function.degree * function(points), rtol=1e-12, atol=0)
    if function.period is not None:
        torch.testing.assert_close(function(points + function.period), function(points), rtol=1e-9, atol=1e-12)
    if function.period is not None and function.alternates:
        torch.testing.assert_close(function(points + function.period / 2), -function(points), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in names() if get(name).twin])
def test_twins_are_the_same_function(name):
    function = get(name)
    assert function.twin is not None
    twin, points = get(function.twin.name), points_of(function)
    other = function.twin.c * twin(function.twin.a * points + function.twin.b) + function.twin.d
    torch.testing.assert_close(function(points), other, rtol=1e-12, atol=1e-14)
    assert names().index(function.twin.name) < names().index(name)


@pytest.mark.parametrize("name", names())
def test_copy_and_pickle_find_the_same_function(name):
    function = get(name)
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.copy(function) is function
    assert copy.deepcopy(function) is function


def test_functions_taken_out_of_the_library_can_still_be_copied(scratch_name):
    function = register(scratch_name, torch.sin, sympy.sin)
    unregister(scratch_name)
    assert copy.deepcopy(function) is function


def test_library_has_what_pykans_users_ask_for():
    whole = [f"x^{n}" for n in range(2, 13)] + [f"1/x^{n}" for n in range(2, 13)]
    half = [f"x^{n}.5" for n in range(12)] + [f"1/x^{n}.5" for n in range(12)]
    inverse = ["arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"]
    others = ["0", "1", "x", "1/x", "exp", "log", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sgn", "sqrt"]
    for name in [*whole, *half, *inverse, *others, "gaussian", "sigmoid", "erf", "cbrt", "J0", "J1"]:
        assert get(name).complexity >= 0
    u = torch.tensor([0.7, 2.0], dtype=torch.float64)
    for name in whole + half:
        exponent = (-1 if name.startswith("1/") else 1) * float(name.split("^")[1])
        torch.testing.assert_close(get(name)(u), u**exponent, rtol=1e-14, atol=0)


def test_cube_root_is_real_on_both_sides():
    u = torch.tensor([-8.0, 0.0, 27.0], dtype=torch.float64)
    torch.testing.assert_close(get("cbrt")(u), torch.tensor([-2.0, 0.0, 3.0], dtype=torch.float64))


def test_default_library_is_the_documented_one():
    assert [function.name for function in resolve(None)] == list(DEFAULT_LIBRARY)
    assert DEFAULT_LIBRARY[:5] == ("x", "x^2", "x^3", "x^4", "sqrt")


def test_unknown_name_suggests_near_ones():
    with pytest.raises(ValueError, match=r"'gauss'.*'gaussian'"):
        get("gauss")
    with pytest.raises(ValueError, match=r"no function is called 7"):
        get(7)  # type: ignore[arg-type]


def test_second_names_of_pykan_are_understood():
    assert get("x^0.5") is get("sqrt")
    assert get("1/x^0.5") is get("1/sqrt(x)")
    assert get("x^1") is get("x")


def test_all_is_everything_but_the_constants(scratch_name):
    register(scratch_name, torch.sin, sympy.sin)
    found = [function.name for function in resolve("all")]
    assert set(names()) - set(found) == {"0", "1"}
    assert found[-1] == scratch_name


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
