"""What a search tells of itself while it goes on."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from kanlab.discovery.expression import Form, to_sympy


@dataclass(frozen=True)
class Progress:
    """A search after one more formula was fitted.

    Attributes
    ----------
    seconds
        Since it began.
    tried
        Formulas fitted so far.
    error
        The smallest root mean squared error so far, relative to the spread of the labels.
    output
        The number of the output that is searched.
    """

    seconds: float
    tried: int
    error: float
    output: int
    _form: Form
    _variables: tuple[sympy.Symbol, ...]

    @property
    def expr(self) -> sympy.Expr:
        """The formula with the smallest error so far, its numbers not yet read as constants."""
        return to_sympy(self._form, self._variables, sympy.Float)
