"""Simplification finds the short form, and ends when its time is up."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import sympy

from kanlab.symbolic import simplify, simplify_worker
from kanlab.symbolic.simplify import simpler_forms

X, Y = sympy.symbols("x y")


@pytest.mark.parametrize(
    ("expr", "short"),
    [
        (sympy.sin(X) ** 2 + sympy.cos(X) ** 2 + Y, Y + 1),
        (X**2 + 2 * X * Y + Y**2, (X + Y) ** 2),
        ((X**2 - 1) / (X - 1), X + 1),
    ],
)
def test_short_forms_are_found(expr, short):
    found = simpler_forms([expr], time_limit=30)
    assert short in found.forms[0]
    assert found.reason is None


def test_the_time_limit_is_kept_and_what_was_found_is_returned():
    hard = sympy.Add(*(sympy.sin(sympy.sqrt(n * X + Y)) ** n / (X + n * Y) for n in range(2, 60)))
    start = time.perf_counter()
    found = simpler_forms([X + X * Y, hard], time_limit=1.5)
    assert time.perf_counter() - start < 2.5
    assert found.reason == "its 1.5 s were over"


def test_nothing_is_found_in_no_time():
    found = simpler_forms([X + X * Y], time_limit=1e-3)
    assert found.forms == [[]]
    assert found.reason is not None


def test_a_machine_without_processes_is_no_error(monkeypatch):
    def refuse(*_, **__):
        raise OSError("no processes here")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    found = simpler_forms([X], 1.0)
    assert found == simplify.Forms([[]], "it could not be started (no processes here)")


def test_a_worker_that_fails_is_told(monkeypatch):
    monkeypatch.setattr(simplify, "_START", "import sys; sys.exit(3)")
    assert simpler_forms([X], 20.0).reason == "its process failed"


def test_what_cannot_be_sent_is_left_as_it_is():
    assert "zeta cannot be sent" in (simpler_forms([sympy.zeta(X)], 1.0).reason or "")


@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_a_limit_that_is_no_time_is_refused(limit):
    with pytest.raises(ValueError, match="positive number of seconds"):
        simpler_forms([X], limit)


@pytest.mark.parametrize(
    "expr",
    [
        sympy.exp(X) ** 2 / 3 - 0.1 * Y + sympy.Integer(10) ** 30,
        sympy.pi * sympy.E + sympy.GoldenRatio - sympy.Rational(-7, 3),
        sympy.Function("phi_0_0_0")(X + 1) * sympy.Symbol("速度"),
        sympy.besselj(1, X) + sympy.Abs(X) + sympy.Float(1e-300) * Y,
    ],
)
def test_expressions_travel_as_lists(expr):
    assert simplify_worker.from_tree(simplify_worker.to_tree(expr)) == expr


@pytest.mark.parametrize("tree", [["eval", ["Symbol", "x"]], ["sympify", ["Symbol", "x"]], ["lambdify"]])
def test_lists_name_no_other_function(tree):
    with pytest.raises(ValueError, match="is no expression"):
        simplify_worker.from_tree(tree)


def test_the_worker_loads_no_torch():
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); "
        "print(sorted({'torch', 'kanlab', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, simplify_worker.__file__], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
