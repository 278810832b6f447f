"""Text becomes the expression it means, and what is no formula is refused with its place."""

from __future__ import annotations

import time

import pytest
import sympy

from kanlab.symbolic.parser import parse

x, y = sympy.symbols("x y")


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("exp(sin(pi*x) + y**2)", sympy.exp(sympy.sin(sympy.pi * x) + y**2)),
        ("-x^2", -(x**2)),
        ("2^-x", 2**-x),
        ("x**y**2", x ** (y**2)),
        ("x - y - 1", x - y - 1),
        ("x/y/2", x / y / 2),
        ("1/2", sympy.Rational(1, 2)),
        ("0.5", sympy.Float(0.5)),
        ("1.5e-3x", sympy.Float(1.5e-3) * x),
        ("2x + 3(x + 1)(y - 1)", 2 * x + sympy.Mul(3, x + 1, y - 1)),
        ("2π·x − y²⁰ × 3", 2 * sympy.pi * x - 3 * y**20),
        ("√x + √(x + 1) + √2", sympy.sqrt(x) + sympy.sqrt(x + 1) + sympy.sqrt(2)),
        ("x⁻² ÷ y", x**-2 / y),
        ("|x - |y||", sympy.Abs(x - sympy.Abs(y))),
        ("ln(x) + log(x) + log(x, 2)", 2 * sympy.log(x) + sympy.log(x) / sympy.log(2)),
        ("arcsin(x) + asin(y) + artanh(x)", sympy.asin(x) + sympy.asin(y) + sympy.atanh(x)),
        ("abs(x)*sgn(y) + sign(x)", sympy.Abs(x) * sympy.sign(y) + sympy.sign(x)),
        ("gaussian(x) + sigmoid(y) + erf(x)", sympy.exp(-(x**2)) + 1 / (1 + sympy.exp(-y)) + sympy.erf(x)),
        ("J0(x) + jv(1, y) + jv(0, pi)", sympy.besselj(0, x) + sympy.besselj(1, y) + sympy.besselj(0, sympy.pi)),
        ("e**x + E + cbrt(x)", sympy.exp(x) + sympy.E + sympy.cbrt(x)),
        ("max(x, y, 1) + hypot(x, y)", sympy.Max(x, y, 1) + sympy.sqrt(x**2 + y**2)),
        ("[x + 1] * y", (x + 1) * y),
        ("x-x", sympy.S.Zero),
    ],
)
def test_text_means_what_people_mean(text, expr):
    assert parse(text, ["x", "y"]) == expr


NAMES = ["I", "E", "S", "N", "O", "Q", "beta", "lambda", "gamma", "zeta", "pi", "e", "exp", "速度", "θ_1", "$x_1$",
         "blood pressure", "x", "x1", "x²", "is", "1st", "Δt", "sin x", "x'"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_given_name_is_a_variable(name):
    symbol = sympy.Symbol(name)
    assert parse(f"2*{name} + cos({name})/{name}**3 - sin(1)", NAMES) == (
        2 * symbol + sympy.cos(symbol) / symbol**3 - sympy.sin(1)
    )


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "x.real",
        "(lambda: 1)()",
        "x if x else y",
        "[x for x in y]",
        "(x := 1)",
        "f'{x}'",
        "f\"{__import__('os')}\"",
        "eval(x)",
        "exec(x)",
        "open(x)",
        "getattr(x, y)",
        "x; y",
        "x = 1",
        "x == y",
        "x < y",
        "x[0]",
        "{x}",
        "'x'",
        "x\\y",
        "x % y",
        "x & y",
        "x @ y",
        "~x",
        "x!",
        "Symbol(x)",
        "sympify(x)",
        "oo",
        "zoo",
        "nan",
        "x**",
        "*x",
        "",
        "   ",
        "(x",
        "(x]",
        "x)",
        "|x",
        "sin",
        "sin x",
        "sin()",
        "sin(x, y)",
        "max()",
        "x y",
        "x(y)",
        "1/2x",
        "1 2",
        "z",
        "x²²³⁴",
        "sqrt(-1)",
        "log(0)",
        "1/0",
        "1/(x - x)",
        "asin(2)",
        "(-8)**(1/3)",
        "1e400",
        "\x00",
        "x #",
        "x__class__",
        "x\N{ZERO WIDTH SPACE}",
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text):
    with pytest.raises(ValueError, match="position"):
        parse(text, ["x", "y"])


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "9^9^9^9",
        "x**100000",
        "(((9**999)**999)**999)**999",
        "exp(exp(exp(exp(10))))",
        "exp(1000.0)",
        "10**300 * 10**300",
        "10**-300 * 10**-300 * 10**-900",
        "(1/10**300)**900",
        "((((3*x)**1000)**1000)**1000)**1000",
        "jv(10**15, 10**15)",
        "jv(x, x)",
        "jv(0, 9**9**9)",
        "(" * 5000 + "x" + ")" * 5000,
        "-" * 9000 + "x",
        "√" * 9000 + "x",
        "x^" * 4000 + "x",
        "sin(" * 2000 + "x",
        "|" * 5000,
        "x + " * 3_000_000,
        "9" * 10_000_000,
        "é" * 10_000_001,
    ],
    ids=lambda text: text[:12],
)
def test_text_that_would_keep_the_machine_busy_is_refused_at_once(text):
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"position|characters"):
        parse(text, ["x"])
    assert time.perf_counter() - start < 1.0


def test_long_formulas_are_read():
    text = " + ".join(f"{n}*x" for n in range(600))
    assert parse(text, ["x"]) == sum(range(600)) * x


def test_message_says_where_and_what_to_do():
    with pytest.raises(ValueError, match=r"'sine\(x\)', position 1: .* did you mean 'sin'"):
        parse("sine(x)", ["x"])
    with pytest.raises(ValueError, match=r"position 5: 'y' is neither .* the variables are x"):
        parse("x + y", ["x"])
    with pytest.raises(ValueError, match=r"position 1: 'x' is a variable, not a function: write x\*"):
        parse("x(2)", ["x"])
    with pytest.raises(ValueError, match=r"a/\(b\*c\)"):
        parse("1/2x", ["x"])


def test_anything_but_text_is_refused():
    with pytest.raises(TypeError, match="must be text, not int"):
        parse(3, ["x"])  # type: ignore[arg-type]
