"""The C text compiles without a warning and gives the formula's values, whatever the variables are called."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess

import pytest
import sympy
import torch

from kanlab import KAN
from kanlab.engine.layer import KANLayer
from kanlab.symbolic.c_source import c_source
from kanlab.symbolic.edge_curve import curves_of
from kanlab.symbolic.evaluate import evaluate

X, Y = sympy.symbols("x y")
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
#: Known only to the machine: where CI runs there must be one.
needs_compiler = pytest.mark.skipif(
    COMPILER is None and not os.environ.get("CI"), reason="no C compiler on this machine"
)


@pytest.fixture
def built(tmp_path):
    """Compile source and return what calls a function of it."""

    def build(text):
        source, library = tmp_path / "f.c", tmp_path / "f.so"
        source.write_text(text, encoding="utf-8")
        flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
        done = subprocess.run(
            [str(COMPILER), *flags, "-o", str(library), str(source), "-lm"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + text
        loaded = ctypes.CDLL(str(library))

        def call(name, *columns):
            function = getattr(loaded, name)
            function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * len(columns)
            return torch.tensor([function(*row) for row in zip(*columns, strict=True)], dtype=torch.float64)

        return call

    return build


def test_source_is_what_one_would_type():
    assert c_source([X**2 + sympy.sin(2 * Y)], [X, Y], ["f"]) == (
        "#include <math.h>\n\ndouble f(double x, double y) {\n    return pow(x, 2) + sin(2*y);\n}"
    )


@needs_compiler
def test_values_are_those_of_the_formula(built):
    exprs = [
        sympy.exp(sympy.sin(sympy.pi * X) + Y**2) / 3 - sympy.E,
        sympy.Abs(X) + sympy.sign(Y) * sympy.erf(X) + sympy.sign(0 * X),
        sympy.atanh(X / 3) + sympy.asinh(Y) + sympy.acos(Y / 3) + sympy.atan(X) + sympy.tan(X) + sympy.cosh(Y),
        sympy.besselj(0, 3 * X) + sympy.besselj(1, Y) + sympy.besselj(2, X),
        (X + 3) ** sympy.Rational(2, 3) - sympy.Rational(5, 7) * sympy.sqrt(2) + (Y + 3) ** 0.1 + 2**X,
        10**12 * X + sympy.Float(1e-300) + 12345678901234567890 * Y + 1e22 * X,
        X + sympy.GoldenRatio,
        sympy.Max(X, Y) - sympy.Min(X, Y, 0),
    ]
    x = torch.tensor([0.3, -0.7, 0.0, 1.1], dtype=torch.float64)
    y = torch.tensor([0.2, -1.1, 0.0, -0.4], dtype=torch.float64)
    call = built(c_source(exprs, [X, Y], [f"f{m}" for m in range(len(exprs))]))
    for m, expr in enumerate(exprs):
        exact = evaluate(expr, {X: x, Y: y})
        torch.testing.assert_close(call(f"f{m}", x, y), exact, rtol=1e-13, atol=1e-14)


@needs_compiler
@pytest.mark.parametrize("k", [0, 1, 3])
def test_splines_are_tables_with_the_same_values(built, k):
    curve = curves_of(KANLayer(1, 1, grid=4, k=k), 0)[0, 0]
    call = built(c_source([sympy.Function(curve.name)(2 * X) * Y], [X, Y], ["f"], {curve.name: curve}))
    x = torch.linspace(-1.2, 1.2, 40, dtype=torch.float64)
    torch.testing.assert_close(call("f", x, x), curve(2 * x) * x, rtol=1e-13, atol=1e-14)


@needs_compiler
def test_any_names_give_source_that_compiles(built):
    names = ["θ_1", "速度", "y1", "int", "sin", "*/ exit(1); /*", "??/", "a\nb", "I", "double", "phi_0_0_0", "x", "NAN"]
    symbols = [sympy.Symbol(name) for name in names]
    total = sympy.sin(sympy.Add(*((m + 1) * symbol for m, symbol in enumerate(symbols))))
    text = c_source([total], symbols, ["y0"])
    assert text.isascii()
    assert "/* theta_1: '\\u03b8_1' */" in text
    values = [torch.tensor([0.1 * m], dtype=torch.float64) for m in range(len(names))]
    total_value = torch.sin(sum((m + 1) * value for m, value in enumerate(values)))  # type: ignore[arg-type]
    torch.testing.assert_close(built(text)("y0_2", *values), total_value, rtol=1e-13, atol=0)


@needs_compiler
def test_a_model_is_exported_with_all_that_is_in_it(built):
    model = KAN([2, [2, 1], 2], grid=4, seed=1, mult_arity=3)
    model.fix_symbolic(0, 0, 0, "sin", fit_params_bool=False)
    model.fix_symbolic(0, 1, 1, "abs", fit_params_bool=False)
    model.remove_edge(0, 1, 2)
    x = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
    call = built(model.formula(["x", "y"], ["u", "v"]).c())
    got = torch.stack([call(name, *x.unbind(-1)) for name in ("u", "v")], -1)
    torch.testing.assert_close(got, model(x).detach(), rtol=1e-11, atol=1e-12)


def test_functions_that_c_does_not_have_are_refused():
    with pytest.raises(ValueError, match="zeta cannot be written in C"):
        c_source([sympy.zeta(X)], [X], ["f"])
    with pytest.raises(KeyError, match="phi_0_0_0"):
        c_source([sympy.Function("phi_0_0_0")(X)], [X], ["f"])
