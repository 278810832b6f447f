r"""How a variable's name is set in a formula: ``theta`` as θ, ``x_1`` with a subscript, ``$\hat x$`` as LaTeX means it.

A name is any text a person typed or a table's column came with. It is read into a small tree by a grammar that knows
letters, subscripts, superscripts, accents and a fixed list of commands; what the grammar does not know is shown
verbatim, escaped. Nothing of a name ever reaches LaTeX or MathML as markup of its own.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "omicron": "ο", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ",
    "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ",
    "Psi": "Ψ", "Omega": "Ω", "varepsilon": "ε", "vartheta": "ϑ", "varphi": "φ", "varrho": "ϱ", "varsigma": "ς",
    "varpi": "ϖ",
}  # fmt: skip
_SYMBOLS = {**_GREEK, "ell": "ℓ", "hbar": "ℏ", "infty": "∞", "prime": "′", "partial": "∂", "nabla": "∇", "circ": "∘"}
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→", "dot": "˙", "ddot": "¨", "overline": "¯"}
_FONTS = {"mathrm": "normal", "text": "normal", "operatorname": "normal", "mathbf": "bold", "mathit": "italic"}
_TOKEN = re.compile(r"\\([a-zA-Z]+)|\\[,;:! ]|(\s+)|(.)", re.DOTALL)
_PLAIN = re.compile(r"(?P<base>[^\W\d_]+)_?(?P<digits>\d*)|(?P<left>[^\W\d_]+)_(?P<right>[^\W_]+)")
#: Deeper nesting than this is no name.
_DEPTH = 6


@dataclass(frozen=True)
class Letter:
    """One mathematical letter, number or sign."""

    text: str


@dataclass(frozen=True)
class Text:
    """Words, upright and verbatim; ``font`` is ``normal``, ``bold`` or ``italic``."""

    text: str
    font: str = "normal"


@dataclass(frozen=True)
class Row:
    """Parts side by side."""

    parts: tuple[Name, ...]


@dataclass(frozen=True)
class Script:
    """A base with what stands below and above it."""

    base: Name
    sub: Name | None = None
    sup: Name | None = None


@dataclass(frozen=True)
class Accent:
    """A base with an accent such as ``hat``."""

    accent: str
    base: Name


Name = Letter | Text | Row | Script | Accent


def parse_name(name: str) -> Name:
    r"""Read a name; anything unknown becomes verbatim text.

    >>> parse_name("x_1")
    Script(base=Letter(text='x'), sub=Letter(text='1'), sup=None)
    >>> parse_name("blood pressure")
    Text(text='blood pressure', font='normal')
    """
    stripped = name.strip()
    if len(stripped) > 2 and stripped.startswith("$") and stripped.endswith("$"):
        return _parse_latex(stripped[1:-1]) or Text(name)
    if "\\" in stripped:
        return _parse_latex(stripped) or Text(name)
    match = _PLAIN.fullmatch(stripped)
    if match is None:
        return Text(name)
    base, sub = (match["base"], match["digits"]) if match["base"] else (match["left"], match["right"])
    letter = _GREEK.get(base, base)
    # A word is a word: petal_length is no petal with an index, but x_max is an x.
    if len(letter) > 1:
        return Text(name)
    if not sub:
        return Letter(letter)
    return Script(Letter(letter), _word(_GREEK.get(sub, sub)))


def _word(text: str) -> Name:
    return Letter(text) if len(text) == 1 or text.isdigit() else Text(text)


class _UnknownError(Exception):
    """The text is outside the grammar."""


def _parse_latex(text: str) -> Name | None:
    """Read the inside of ``$...$``, or return ``None`` if it holds anything but names are made of."""
    tokens = [match.group() for match in _TOKEN.finditer(text)]
    try:
        row, rest = _row(tokens, 0)
    except _UnknownError:
        return None
    return row if not rest else None


def _row(tokens: list[str], depth: int) -> tuple[Name, list[str]]:
    if depth > _DEPTH:
        raise _UnknownError
    parts: list[Name] = []
    while tokens and tokens[0] != "}":
        if tokens[0].isspace() or tokens[0] in ("\\,", "\\;", "\\:", "\\!", "\\ "):
            tokens = tokens[1:]
            continue
        part, tokens = _atom(tokens, depth)
        scripts: dict[str, Name] = {}
        while tokens and tokens[0] in ("_", "^", "'"):
            mark = "^" if tokens[0] == "'" else tokens[0]
            if mark in scripts:
                raise _UnknownError
            scripts[mark], tokens = _atom(tokens if tokens[0] == "'" else tokens[1:], depth)
        parts.append(Script(part, scripts.get("_"), scripts.get("^")) if scripts else part)
    if not parts:
        raise _UnknownError
    return (parts[0] if len(parts) == 1 else Row(tuple(parts))), tokens


def _atom(tokens: list[str], depth: int) -> tuple[Name, list[str]]:
    while tokens and tokens[0].isspace():
        tokens = tokens[1:]
    if not tokens:
        raise _UnknownError
    token, rest = tokens[0], tokens[1:]
    if token == "{":
        inside, rest = _row(rest, depth + 1)
        if not rest:
            raise _UnknownError
        return inside, rest[1:]
    command = token[1:] if token.startswith("\\") else None
    if command in _SYMBOLS:
        return Letter(_SYMBOLS[command]), rest
    if command in _ACCENTS:
        base, rest = _atom(rest, depth + 1)
        return Accent(command, base), rest
    if command in _FONTS and rest[:1] == ["{"] and "}" in rest:
        end = rest.index("}")
        words = "".join(rest[1:end])
        if not words.strip() or not all(char.isalnum() or char in " -.," for char in words):
            raise _UnknownError
        return Text(words, _FONTS[command]), rest[end + 1 :]
    if token == "'":
        return Letter("′"), rest
    if len(token) == 1 and (token.isalnum() or token in "+-*/=(),."):
        return Letter(token), rest
    raise _UnknownError


# --- LaTeX -----------------------------------------------------------------------------------------------------------

_COMMAND_OF = {char: f"\\{name}" for name, char in reversed(_SYMBOLS.items()) if name != "omicron"}
_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip
_LATEX_FONT = {"normal": r"\mathrm", "bold": r"\mathbf", "italic": r"\mathit"}


def latex_text(text: str) -> str:
    r"""Return text for LaTeX's text mode, every special character escaped.

    >>> print(latex_text("5% of {x}"))
    5\% of \{x\}
    """
    return "".join(_LATEX_SPECIAL.get(char, char if char.isprintable() else " ") for char in text)


def latex_name(name: Name) -> str:
    r"""Set a name in LaTeX's mathematical mode.

    >>> print(latex_name(parse_name("theta_1")), latex_name(parse_name("age")), latex_name(parse_name("a_b_c")))
    \theta_{1} \mathrm{age} \text{a\_b\_c}
    """
    if isinstance(name, Letter):
        return _COMMAND_OF.get(name.text, name.text)
    if isinstance(name, Text):
        plain = name.text.isascii() and name.text.isalnum()
        return f"{_LATEX_FONT[name.font]}{{{name.text}}}" if plain else rf"\text{{{latex_text(name.text)}}}"
    if isinstance(name, Row):
        return " ".join(latex_name(part) for part in name.parts)
    if isinstance(name, Accent):
        return rf"\{name.accent}{{{latex_name(name.base)}}}"
    base = latex_name(name.base)
    base = base if isinstance(name.base, Letter | Text) else f"{{{base}}}"
    sub = f"_{{{latex_name(name.sub)}}}" if name.sub else ""
    return f"{base}{sub}" + (f"^{{{latex_name(name.sup)}}}" if name.sup else "")


# --- MathML ----------------------------------------------------------------------------------------------------------


def xml_text(text: str) -> str:
    """Return text for XML: markup escaped, characters XML forbids replaced.

    >>> xml_text("a < b")
    'a &lt; b'
    """
    allowed = (char if _is_xml(char) else "\N{REPLACEMENT CHARACTER}" for char in text)
    return escape("".join(allowed), {'"': "&quot;"})


def _is_xml(char: str) -> bool:
    code = ord(char)
    return char in "\t\n\r" or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def mathml_name(name: Name) -> str:
    """Set a name in presentation MathML.

    >>> mathml_name(parse_name("x_1"))
    '<msub><mi>x</mi><mn>1</mn></msub>'
    """
    if isinstance(name, Letter):
        tag = "mn" if name.text.isdigit() else "mi" if name.text[0].isalpha() else "mo"
        return f"<{tag}>{xml_text(name.text)}</{tag}>"
    if isinstance(name, Text):
        variant = "" if name.font == "normal" else f' mathvariant="{name.font}"'
        # One letter in <mi> would be set in italics; words are set upright.
        tag = "mi" if name.text.isalnum() and len(name.text) > 1 else "mtext"
        return f"<{tag}{variant}>{xml_text(name.text)}</{tag}>"
    if isinstance(name, Row):
        return f"<mrow>{''.join(mathml_name(part) for part in name.parts)}</mrow>"
    if isinstance(name, Accent):
        return f'<mover accent="true">{mathml_name(name.base)}<mo>{_ACCENTS[name.accent]}</mo></mover>'
    base, sub, sup = mathml_name(name.base), name.sub, name.sup
    if sub and sup:
        return f"<msubsup>{base}{mathml_name(sub)}{mathml_name(sup)}</msubsup>"
    if sub:
        return f"<msub>{base}{mathml_name(sub)}</msub>"
    return f"<msup>{base}{mathml_name(sup)}</msup>" if sup else base


# --- lists of names -------------------------------------------------------------------------------------------------


def checked_names(names: Sequence[str], what: str, count: int | None = None) -> list[str]:
    """Return the names as a list if each is text, not blank, and there only once.

    >>> checked_names(["x", "y"], "var", 2)
    ['x', 'y']

    Raises
    ------
    ValueError
        Saying ``what`` is wrong; also if there are not ``count`` of them.
    """
    if isinstance(names, str) or (count is not None and len(names) != count):
        raise ValueError(f"{what} is {names!r}: give {'a list of' if count is None else count} names, one for each")
    for position, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"{what}[{position}] is {name!r}: a name must be text that is not blank")
        if name in names[:position]:
            raise ValueError(f"{what} has {name!r} twice: each name must be different")
    return list(names)


# --- source text -----------------------------------------------------------------------------------------------------


def identifiers(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    r"""Return one valid Python identifier per name, all different and none of them ``taken``.

    >>> identifiers(["x", "blood pressure", "lambda", "$x_1$", "x 1", "x+1", "3"])
    ['x', 'blood_pressure', 'lambda_', 'x_1', 'x_1_2', 'x_1_3', 'v_3']
    """
    used, result = set(taken), []
    for name in names:
        text = unicodedata.normalize("NFKC", re.sub(r"[\\${}]", "", name).strip())
        text = "".join(char if char == "_" or f"a{char}".isidentifier() else "_" for char in text) or "v"
        text = text if text.isidentifier() else f"v_{text}"
        if keyword.iskeyword(text):
            text += "_"
        candidate, number = text, 2
        while candidate in used:
            candidate, number = f"{text}_{number}", number + 1
        used.add(candidate)
        result.append(candidate)
    return result


def ascii_words(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    r"""Return one identifier of ASCII letters and digits per name, as C wants them; see `identifiers`.

    >>> ascii_words(["θ_1", "été", "速度", "x", "y0"], ["y0"])
    ['theta_1', 'ete', 'v', 'x', 'y0_2']
    """
    return identifiers([_ascii(name) for name in names], taken)


def _ascii(name: str) -> str:
    """Spell Greek letters out, take accents off, and drop what is left outside ASCII."""
    spelt = "".join(_SPELT.get(char, char) for char in name)
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    return plain if plain.strip("_ ") else "v"


_SPELT = {char: name for name, char in reversed(_GREEK.items())}
