"""Cut a typed formula into its tokens: numbers, names, signs; what is none of these is refused with its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
# A letter, then letters and digits; superscripts and π end a name although Python counts them as word characters.
NAME = re.compile(rf"(?![{SUPERSCRIPTS}π])[^\W\d](?:(?![{SUPERSCRIPTS}π])\w)*")
_PATTERNS = {
    "number": re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    "name": re.compile(rf"{NAME.pattern}|π"),
    "power": re.compile(rf"⁻?[{SUPERSCRIPTS}]+"),
    "**": re.compile(r"\*\*|\^"),
    "+": re.compile(r"\+"),
    "-": re.compile(r"[-−–]"),
    "*": re.compile(r"[*·⋅×∗]"),
    "/": re.compile(r"[/÷∕]"),
    **{sign: re.compile(re.escape(sign)) for sign in "()[]|,√"},
}


@dataclass(frozen=True)
class Token:
    """A piece of text; ``kind`` is number, variable, name, power (a superscript), end, or the sign it stands for."""

    kind: str
    text: str
    start: int


def tokenise(text: str, variables: Sequence[str]) -> list[Token]:
    """Return the tokens of a text; the last one is its end.

    >>> [(token.kind, token.text) for token in tokenise("2π·x1²", ["x", "x1"])]
    [('number', '2'), ('name', 'π'), ('*', '·'), ('variable', 'x1'), ('power', '²'), ('end', '')]

    Raises
    ------
    ValueError
        Where something stands that belongs to no formula.
    """
    # The longest first, so that "x1" is not read as "x" and "1".
    names = sorted((name for name in variables if name.strip()), key=len, reverse=True)
    tokens, start = [], 0
    while start < len(text):
        if text[start].isspace():
            start += 1
            continue
        token = _read(text, start, names)
        if token is None:
            fail(
                text,
                start,
                f"{text[start]!r} is not part of a formula: allowed are numbers, the variables {listed(variables)}, "
                "+ - * / ** ^, brackets and functions such as sin(...)",
            )
        tokens.append(token)
        start += len(token.text)
    return [*tokens, Token("end", "", len(text))]


def _read(text: str, start: int, variables: Sequence[str]) -> Token | None:
    for name in variables:
        if text.startswith(name, start) and not _goes_on(name, text, start + len(name)):
            return Token("variable", name, start)
    for kind, pattern in _PATTERNS.items():
        match = pattern.match(text, start)
        if match:
            return Token(kind, match.group(), start)
    return None


def _goes_on(name: str, text: str, end: int) -> bool:
    """Whether a word that begins like a variable's name is longer than it."""
    inside = (name[-1].isalnum() or name[-1] == "_") and name[-1] not in SUPERSCRIPTS
    return bool(inside and (NAME.match(text, end) or text[end : end + 1].isdecimal()))


def listed(variables: Sequence[str]) -> str:
    """Return names for a message."""
    return ", ".join(variables) or "(none were given)"


def fail(text: str, start: int, message: str) -> NoReturn:
    """Say what is wrong with a text, and where (counted from 1)."""
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    raise ValueError(f"{shown!r}, position {start + 1}: {message}")
