"""Set one or several formulas for display: the equation around the expression, and the warning beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy

from kanlab.symbolic import printing
from kanlab.symbolic.names import latex_name, mathml_name, parse_name, xml_text


def latex(
    outputs: Mapping[str, sympy.Expr],
    variables: Sequence[sympy.Symbol],
    digits: int | None,
    *,
    equation: bool,
    warning: str | None,
) -> str:
    """Return LaTeX for each output by its name: one alone, or one below the other; a warning is a comment before it."""
    names = {symbol: symbol.name for symbol in variables}
    texts = [printing.latex(expr, names, digits) for expr in outputs.values()]
    heads = [_head(latex_name, output, variables, r"\left({}\right)", ", ") for output in outputs]
    note = f"% {warning}\n" if warning else ""
    if len(texts) == 1:
        return note + (f"{heads[0]} = {texts[0]}" if equation else texts[0])
    lines = " \\\\\n".join(f"{head} &= {text}" for head, text in zip(heads, texts, strict=True))
    return f"{note}\\begin{{aligned}}\n{lines}\n\\end{{aligned}}"


def mathml(
    outputs: Mapping[str, sympy.Expr],
    variables: Sequence[sympy.Symbol],
    digits: int | None,
    *,
    equation: bool,
    warning: str | None,
    places: Mapping[float, printing.Place] | None = None,
) -> str:
    """Return a ``<math>`` element for the outputs; a warning stands below them. For ``places`` see `mathml_row`."""
    names = {symbol: symbol.name for symbol in variables}
    texts = [printing.mathml_row(expr, names, digits, places) for expr in outputs.values()]
    brackets = '<mrow><mo fence="true">(</mo>{}<mo fence="true">)</mo></mrow>'
    heads = [_head(mathml_name, output, variables, brackets, '<mo separator="true">,</mo>') for output in outputs]
    if len(texts) == 1:
        inside = f"{heads[0]}<mo>=</mo>{texts[0]}" if equation else texts[0]
    else:
        rows = zip(heads, texts, strict=True)
        cells = (f"<mtr><mtd>{head}</mtd><mtd><mo>=</mo></mtd><mtd>{text}</mtd></mtr>" for head, text in rows)
        inside = f"<mtable>{''.join(cells)}</mtable>"
    if warning:
        note = f"<mtext>⚠ {xml_text(warning)}</mtext>"
        inside = f"<mtable><mtr><mtd><mrow>{inside}</mrow></mtd></mtr><mtr><mtd>{note}</mtd></mtr></mtable>"
    return printing.math_element(inside)


def _head(write: Callable, output: str, variables: Sequence[sympy.Symbol], brackets: str, comma: str) -> str:
    arguments = comma.join(write(parse_name(symbol.name)) for symbol in variables)
    return write(parse_name(output)) + brackets.replace("{}", arguments)
