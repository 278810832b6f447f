from fractions import Fraction

import numpy as np
import pytest

from kanlab.problems.kolmogorov import inner_function


def by_definition(digits: list[int], base: int, n: int) -> Fraction:
    """Evaluate the recursion as it is printed, on the digits of one number, exactly."""
    k, value = len(digits), sum((Fraction(i, base**r) for r, i in enumerate(digits, 1)), Fraction(0))
    if value >= 1 or k == 1:
        return value if value < 1 else Fraction(1)
    *rest, last = digits
    beta = (n**k - 1) // (n - 1)
    if last < base - 1:
        return by_definition(rest, base, n) + Fraction(last, base**beta)
    above = rest.copy()
    above[-1] += 1
    for place in range(len(above) - 1, 0, -1):  # carry
        if above[place] == base:
            above[place], above[place - 1] = 0, above[place - 1] + 1
    return (by_definition([*rest, base - 2], base, n) + by_definition(above, base, n)) / 2


@pytest.mark.parametrize(("digits", "base", "n_var"), [(3, 6, 2), (3, 8, 3), (2, 10, 2)])
def test_the_recursion_is_the_printed_one(digits, base, n_var):
    _, psi = inner_function(digits, base, n_var)
    exact = []
    for number in range(base**digits):
        places = [number // base**r % base for r in reversed(range(digits))]
        exact.append(float(by_definition(places, base, n_var)))
    np.testing.assert_allclose(psi, [*exact, 1.0], rtol=0, atol=1e-15)


def test_it_increases_from_0_to_1_and_finer_ones_agree_where_both_are_known():
    coarse, fine = inner_function(2)[1], inner_function(4)[1]
    assert (fine[0], fine[-1]) == (0.0, 1.0)
    assert (np.diff(fine) > 0).all()
    np.testing.assert_array_equal(fine[::100], coarse)


@pytest.mark.parametrize("wrong", [{"digits": 0}, {"digits": 7}, {"digits": 2, "base": 5}, {"digits": 2, "n_var": 1}])
def test_bad_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match="allowed are"):
        inner_function(**wrong)
