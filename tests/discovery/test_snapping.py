import math

import torch

from kanlab.discovery.clock import Clock
from kanlab.discovery.expression import add, call, number, variable
from kanlab.discovery.program import Program
from kanlab.discovery.snapping import snap
from kanlab.symbolic import library

X = torch.rand(2, 500, generator=torch.Generator().manual_seed(2), dtype=torch.float64) * 2 - 1


def values(form):
    program = Program(form)
    return program(program.start, X)


def wave(a, b, c):
    return add([call(library.get("sin"), variable(0).scaled(a, b)).scaled(c), variable(1).scaled(0.5), number(1e-3)])


def test_exact_numbers_become_constants():
    y = torch.sin(math.pi * X[0]) + X[1] / 2
    snapped = snap(wave(3.14159, 1e-4, 1.0001), X, y, clock=Clock(10.0))
    assert Program(snapped.form).start == [1.0, 0.5, math.pi]  # the two offsets are gone
    assert snapped.rmse < 1e-15


def test_what_is_no_constant_stays_free_and_costs_more():
    exact = snap(wave(3.1, 1e-4, 1.0), X, torch.sin(math.pi * X[0]) + X[1] / 2, clock=Clock(10.0))
    odd = snap(wave(3.1, 1e-4, 1.0), X, torch.sin(3.1173 * X[0]) + X[1] / 2, clock=Clock(10.0))
    assert abs(Program(odd.form).start[-1] - 3.1173) < 1e-9
    assert odd.bits > exact.bits


def test_with_noise_numbers_become_constants_within_their_error_bars():
    noise = 0.01 * torch.randn(500, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    y = torch.sin(math.pi * X[0]) + X[1] / 2 + noise
    snapped = snap(wave(3.1, 1e-2, 1.01), X, y, clock=Clock(10.0))
    assert torch.allclose(values(snapped.form), torch.sin(math.pi * X[0]) + X[1] / 2, atol=1e-12)
