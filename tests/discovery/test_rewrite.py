import time

import pytest
import sympy
import torch

from kanlab.discovery.clock import Clock
from kanlab.discovery.rewrite import rewritten

m, v, c, d, u = sympy.symbols("m v c d u")
VARIABLES = (m, v, c, d, u)
X = torch.rand(5, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 0.8 + 0.1
X[2] += 1
X[4] -= 0.5


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (sympy.sqrt(m**2 * (v**2 + d**2)), m * sympy.sqrt(v**2 + d**2)),
        (c * sympy.sqrt(m / c**2 - d), sympy.sqrt(m - c**2 * d)),
        (sympy.tanh(sympy.atanh(u) + sympy.atanh(v)), (u + v) / (u * v + 1)),
        (sympy.Rational(1, 2) - sympy.cos(2 * u * v) / 2, sympy.sin(u * v) ** 2),
        (m * (sympy.cos(2 * v) + 1) / 2 + sympy.cos(v), m * sympy.cos(v) ** 2 + sympy.cos(v)),
        ((1 - 1 / (v + 1)) * (m - 1) + 1, (m * v + 1) / (v + 1)),
        (-m * v / (-d - v), m * v / (d + v)),
        (-m * (v**2 - 1) / (v * sympy.cos(d) + 1), m * (1 - v**2) / (v * sympy.cos(d) + 1)),
        (2 * m * (1 - sympy.cos(v - d)) / (d - v) ** 2, 2 * m * (1 - sympy.cos(d - v)) / (d - v) ** 2),
        (sympy.sqrt(2) * m / (2 * sympy.sqrt(sympy.cosh(2 * v) + 1)), m / (2 * sympy.cosh(v))),
        (m * sympy.exp(sympy.atanh(v)), m * sympy.sqrt(v + 1) / sympy.sqrt(1 - v)),
        (
            sympy.sqrt(6) * m * sympy.sqrt(sympy.cos(2 * v) + sympy.Rational(5, 3)) / 2,
            m * sympy.sqrt(3 * sympy.cos(v) ** 2 + 1),
        ),
        (sympy.exp(-(-m * v - m * c + d) / (v + c)), sympy.exp(m - d / (v + c))),
        (m * sympy.sqrt(c - v) * sympy.sqrt(c + v) / d, m * sympy.sqrt(c**2 - v**2) / d),
        (c * m / sympy.sqrt(c**2 / v**2 - 1), c * m * v / sympy.sqrt(c**2 - v**2)),
    ],
)
def test_formulas_are_written_as_people_do(expr, expected):
    x = X if not expr.has(sympy.sqrt(m / c**2 - d)) else torch.cat([X[:1] + 5, X[1:]])
    assert rewritten(expr, VARIABLES, x, Clock(60.0)) == expected


def test_a_root_of_a_square_of_both_signs_stays():
    expr = sympy.sqrt(u**2 * (v + 1))
    found = rewritten(expr, VARIABLES, X, Clock(60.0))
    assert found.subs({u: -0.3, v: 0.5}) == pytest.approx(float(expr.subs({u: -0.3, v: 0.5})))


def test_decimal_numbers_survive():
    expr = 0.12345 * sympy.sqrt(m**2 * v + 0.3 * m**2)
    assert rewritten(expr, VARIABLES, X, Clock(60.0)).subs({m: 0.4, v: 0.7}) == pytest.approx(0.12345 * 0.4, rel=1e-12)


def test_algebra_with_exponentials_is_quick():
    expr = m * (sympy.exp(-((15 * d**2 / c - 7 * sympy.pi) ** 2)) - sympy.Rational(1, 6)) * (v * d / c - 12.387) * u / 2
    start = time.monotonic()
    rewritten(expr, VARIABLES, X, Clock(60.0))
    assert time.monotonic() - start < 3


def test_a_long_formula_is_left_as_it_is():
    expr = sympy.Add(*(sympy.sin(k * m) * v**k for k in range(1, 40)))
    assert rewritten(expr, VARIABLES, X, Clock(60.0)) is expr
