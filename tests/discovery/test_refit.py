import torch
from hypothesis import given
from hypothesis import strategies as st

from kanlab.discovery.expression import add, call, multiply, number, variable
from kanlab.discovery.program import Program
from kanlab.discovery.refit import refit
from kanlab.symbolic import library

X = torch.rand(2, 60, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 0.4


def example(a, b, c):
    wave = call(library.get("sin"), add([variable(0).scaled(a), variable(1).scaled(b), number(c)]))
    root = call(library.get("sqrt"), variable(1).scaled(b, a))
    return add(
        [multiply([wave, root.scaled(1.0, c)]).scaled(c), call(library.get("exp"), variable(0).scaled(-a)), number(b)]
    )


@given(st.floats(0.5, 2), st.floats(0.5, 2), st.floats(0.5, 2))
def test_derivatives_agree_with_finite_differences(a, b, c):
    program = Program(example(a, b, c))
    program(program.start, X)
    rows, h = program.jacobian(program.start, X), 1e-6
    for place in range(program.size):
        up, down = list(program.start), list(program.start)
        up[place] += h
        down[place] -= h
        difference = (program(up, X) - program(down, X)) / (2 * h)
        assert torch.allclose(rows[place], difference, rtol=1e-6, atol=1e-6)


def test_numbers_are_recovered_to_the_last_digits():
    truth = example(1.1, 0.7, 1.3)
    y = Program(truth)(Program(truth).start, X)
    fitted = refit(example(1.0, 0.8, 1.2), X, y, steps=100)
    assert fitted.rmse < 1e-13


def test_weights_of_zero_leave_rows_out():
    y = 2 * X[0] + 1
    y[:5] = 100.0
    w = torch.ones_like(y)
    w[:5] = 0
    fitted = refit(variable(0).scaled(1.0, 0.5), X, y, w)
    assert fitted.rmse < 1e-13
    assert torch.allclose(
        torch.tensor([*fitted.form.weights, fitted.form.constant]).double(), torch.tensor([2.0, 1.0]).double()
    )


def test_a_form_outside_its_domain_has_an_infinite_error():
    form = call(library.get("log"), variable(0).scaled(1.0, -10.0))
    assert refit(form, X, X[1]).rmse == float("inf")
