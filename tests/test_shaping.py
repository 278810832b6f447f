"""The commands that give a session another network: the function stays where it should, refusals change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy
import torch

from kanlab import KAN, Session
from kanlab.problems import hello
from kanlab.symbolic import library
from kanlab.symbolic.parser import parse
from kanlab.symbolic.source import formula_text


@pytest.fixture
def session() -> Session:
    session = Session(KAN([2, 3, 1], grid=3, seed=1), hello.dataset(100, 50))
    session.fit(steps=4)
    return session


RESHAPING: dict[str, Callable[[Session], Any]] = {
    "two sums": lambda s: s.expand_width(1, 2),
    "a product": lambda s: s.expand_width(1, mult_arity=3),
    "a layer": lambda s: s.expand_depth(),
    "swap": lambda s: s.swap(1, 0, 2),
    "untangle": lambda s: s.auto_swap(),
}


@pytest.mark.parametrize("command", RESHAPING.values(), ids=RESHAPING)
def test_reshaping_leaves_the_function(session: Session, command: Callable[[Session], Any]) -> None:
    x = session.data.test_input
    before = session.model(x)
    command(session)
    # Sums of the same few terms in another order.
    torch.testing.assert_close(session.model(x), before, rtol=1e-12, atol=1e-12)


def test_untangling_lowers_the_cost(session: Session) -> None:
    before = session.model.connection_cost
    session.auto_swap()
    assert session.model.connection_cost <= before


REFUSED: dict[str, Callable[[Session], Any]] = {
    "level 0 is not hidden": lambda s: s.expand_width(0),
    "level 2 is not hidden": lambda s: s.expand_width(2),
    "not a hidden node": lambda s: s.remove_node(1, 7),
    "out of range": lambda s: s.swap(1, 0, 9),
    "allowed are": lambda s: s.perturb(mode="loud"),
    "2 formulas were given": lambda s: s.open_formula(["x", "y"]),
    "position": lambda s: s.open_formula("sin(x"),
    "'z' is neither": lambda s: s.open_formula("sin(z)"),
    "four numbers": lambda s: s.fix_constants(0, 0, 0, "sin", [1.0, 2.0]),
    "no function .*sine|.sine. is": lambda s: s.fix_constants(0, 0, 0, "sine", [1.0, 0.0, 1.0, 0.0]),
    "has no name": lambda s: s.set_all_constants([[0, 0, 0, 1.0, 0.0, 1.0, 0.0]]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refusal_says_why_and_changes_nothing(session: Session, message: str) -> None:
    before, entries = session.model, session.history
    with pytest.raises(ValueError, match=message):
        REFUSED[message](session)
    assert session.model is before
    assert session.history == entries


def test_opened_formula_is_the_formula(session: Session) -> None:
    session.open_formula("exp(sin(pi*x) + y**2)")
    assert session.losses()[1] < 1e-12
    assert str(session.formula().shown()[0]) == "exp(y**2 + sin(pi*x))"
    assert session.model.targets is not None, "without labels snapping would not know the data"


def test_names_of_inputs_become_identifiers() -> None:
    session = Session(KAN([2, 1], seed=0), hello.dataset(60, 30), names=["blood pressure", "<b>"])
    session.open_formula("2*blood_pressure + _b_")
    x = session.data.train_input
    torch.testing.assert_close(session.model(x)[:, 0], 2 * x[:, 0] + x[:, 1])


@pytest.mark.parametrize("name", library.names())
def test_every_function_of_the_library_is_written_as_text_that_reads_back(name: str) -> None:
    x = sympy.Symbol("a b")
    expr = library.get(name).sympy_fn(sympy.Float(0.1) * x + sympy.Rational(1, 3)) * sympy.Float(1 / 3)
    (text,) = formula_text([expr], [x])
    again = parse(text, ["a_b"])
    assert again == expr.xreplace({x: sympy.Symbol("a_b")})


def test_eliminating_finds_what_is_not_needed() -> None:
    session = Session(KAN([2, 2, 1], grid=3, seed=0), hello.dataset(200, 100))
    session.fit(steps=30)
    before = session.losses()[1]
    told = list(session.eliminate_steps())
    assert session.current.command.name == "eliminate"
    assert session.model.n_edge < 6
    assert session.losses()[1] < 3 * before
    assert [progress.done for progress in told] == list(range(1, len(told) + 1))


def test_eliminating_that_is_stopped_changes_nothing(session: Session) -> None:
    before, entries = session.model, session.history
    steps = session.eliminate_steps()
    next(steps)
    steps.close()
    assert session.model is before
    assert session.history == entries
