import pytest
import sympy
import torch

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
    ],
)
def test_formulas_are_written_as_people_do(expr, expected):
    x = X if not expr.has(sympy.sqrt(m / c**2 - d)) else torch.cat([X[:1] + 5, X[1:]])
    assert rewritten(expr, VARIABLES, x) == expected


def test_a_root_of_a_square_of_both_signs_stays():
    expr = sympy.sqrt(u**2 * (v + 1))
    found = rewritten(expr, VARIABLES, X)
    assert found.subs({u: -0.3, v: 0.5}) == pytest.approx(float(expr.subs({u: -0.3, v: 0.5})))


def test_decimal_numbers_survive():
    expr = 0.12345 * sympy.sqrt(m**2 * v + 0.3 * m**2)
    assert rewritten(expr, VARIABLES, X).subs({m: 0.4, v: 0.7}) == pytest.approx(0.12345 * 0.4, rel=1e-12)


def test_a_long_formula_is_left_as_it_is():
    expr = sympy.Add(*(sympy.sin(k * m) * v**k for k in range(1, 40)))
    assert rewritten(expr, VARIABLES, X) is expr
