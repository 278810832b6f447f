"""Each shape finds what it is for, by itself."""

import math

import pytest
import torch

from kanlab.discovery.menu.blocks import blocks
from kanlab.discovery.menu.extra import extra
from kanlab.discovery.menu.index import index
from kanlab.discovery.menu.monomial import monomial_with_offset
from kanlab.discovery.menu.peel import peel
from kanlab.discovery.menu.polynomial import polynomial
from kanlab.discovery.menu.powers import powers
from kanlab.discovery.menu.quadratic import quadratic
from kanlab.discovery.menu.rational import rational
from kanlab.discovery.menu.separable import separable
from kanlab.discovery.menu.single import single
from kanlab.discovery.menu.symmetry import symmetry
from kanlab.discovery.menu.varying import varying
from kanlab.discovery.menu.waves import waves
from tests.discovery.shapes import error_of, problem

PLUS, UNIT = (0.5, 2.0), (-1.0, 1.0)
CASES = {
    "a sum under an outer function": (separable, lambda x, y: torch.exp(torch.sin(3 * x) + y**2), [UNIT, UNIT]),
    "a product that changes sign": (separable, lambda x, y: x * torch.sin(3 * y), [UNIT, UNIT]),
    "factors that are products themselves": (
        separable,
        lambda x, y: x * y * torch.exp(-(x**2) - y**2),
        [(-2.0, 2.0), (-2.0, 2.0)],
    ),
    "a product with an offset": (separable, lambda x, y: 2 + x**2 * y, [UNIT, UNIT]),
    "one input under an outer function": (single, lambda x: 1 / torch.sqrt(1 + x**2), [UNIT]),
    "one input times a power": (single, lambda x: x**3 / (x.exp() - 1), [PLUS]),
    "a function of a square": (single, lambda x: torch.sin(x**2) / x, [PLUS]),
    "a damped oscillation": (waves, lambda t: torch.exp(-t / 2) * torch.cos(3 * t), [(0.0, 6.0)]),
    "an oscillation about a trend": (waves, lambda t: t**2 + torch.sin(7 * t), [UNIT]),
    "two oscillations": (waves, lambda t: torch.sin(5 * t) + 2 * torch.sin(6 * t), [(0.0, 6.0)]),
    "the square of what changes sign": (single, lambda x: (1 - torch.exp(-x)) ** 2, [(-2.0, 5.0)]),
    "a power times an inverse square": (single, lambda x: (x / torch.sinh(x / 2)) ** 2, [(0.5, 6.0)]),
    "two powers": (powers, lambda r: 4 * (r**-12 - r**-6), [(0.9, 2.5)]),
    "a root of a quadratic equation": (
        quadratic,
        lambda a, b, c: (torch.sqrt(b**2 + 4 * a * c) - b) / (2 * a),
        [PLUS, UNIT, PLUS],
    ),
    "a polynomial": (polynomial, lambda x, y: x**3 - 2 * x * y + y, [UNIT, UNIT]),
    "a polynomial of one input": (polynomial, lambda x: x**4 - 2 * x**2 + x, [UNIT]),
    "a ratio": (rational, lambda a, b: (1 + a * b) / (1 + a), [PLUS, PLUS]),
    "a ratio in a cosine": (
        rational,
        lambda v, t: (torch.cos(t) - v) / (1 - v * torch.cos(t)),
        [(0.0, 0.9), (0.0, 3.0)],
    ),
    "a monomial with an offset": (monomial_with_offset, lambda x, y: torch.sqrt(1 + x**2 / y**3), [PLUS, PLUS]),
    "a ratio of inputs and a factor": (
        symmetry,
        lambda m, v, c: m / torch.sqrt(1 - (v / c) ** 2),
        [PLUS, (0, 0.9), (1, 2)],
    ),
    "a difference of inputs": (symmetry, lambda x, y, z: torch.exp(-((x - y) ** 2)) * z, [UNIT, UNIT, PLUS]),
    "one fast combination": (index, lambda e, t, h: torch.sin(e * t / h) ** 2, [(0.1, 6), (0.1, 1), PLUS]),
    "an input in two factors": (extra, lambda n, t: torch.sin(n * t) * t.exp(), [(1, 2), (0.5, 2.5)]),
    "groups that do not interact": (blocks, lambda a, b, z: torch.sin(a * b) + z**2, [UNIT, UNIT, UNIT]),
    "a factor that is no power": (
        varying,
        lambda a, b, t: torch.cos(t) * torch.log(a + b**2),
        [PLUS, PLUS, (0.0, 6.0)],
    ),
    "a part that is left when the other is known": (
        varying,
        lambda v, q, m: v * q + torch.sqrt(m**2 + q**2),
        [UNIT, PLUS, PLUS],
    ),
    "a coefficient that varies": (
        varying,
        lambda a, d: 1 + a + 2 * torch.sqrt(a) * torch.cos(d),
        [(0.1, 3), (0, 2 * math.pi)],
    ),
}


@pytest.mark.parametrize(("shape", "function", "ranges"), CASES.values(), ids=CASES)
def test_a_shape_finds_its_kind_exactly(shape, function, ranges):
    assert error_of(shape, problem(function, ranges)) < 1e-8


def test_separate_powers_are_divided_out_of_a_rough_function():
    asked = problem(lambda q, a, b: q**2 * torch.exp(torch.sin(5 * a * b)), [PLUS, (0.2, 2), (0.2, 2)])
    assert error_of(peel, asked) < 1e-6


@pytest.mark.parametrize("shape", [separable, symmetry, index, extra, varying, peel])
def test_shapes_of_several_inputs_leave_one_input_alone(shape):
    assert error_of(shape, problem(lambda x: x**2, [UNIT])) == math.inf


def test_an_input_that_says_nothing_is_left_out():
    pool_error = error_of(separable, problem(lambda x, y, z: x**2 + torch.sin(z), [UNIT, UNIT, UNIT]))
    assert pool_error < 1e-10
