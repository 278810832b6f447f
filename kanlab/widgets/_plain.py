r"""A formula's LaTeX as one line of text, for pictures that no mathematics can be set in."""

from __future__ import annotations

import re

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "theta": "θ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ", "omega": "ω",
}  # fmt: skip
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
#: What has no letters inside is replaced from the inside out, until nothing changes.
_RULES = (
    (re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}"), r"(\1)/(\2)"),
    (re.compile(r"\\sqrt\{([^{}]*)\}"), r"√(\1)"),
    (re.compile(r"\\(?:text|mathrm|operatorname)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"_\{([^{}]*)\}"), r"_\1"),
    (re.compile(r"\^\{(-?\d+)\}"), lambda found: found[1].translate(_RAISED)),
    (re.compile(r"\^\{([^{}]*)\}"), r"^(\1)"),
)
#: A word takes the space to what it multiplies or is applied to, not the one before a sign.
_WORD = re.compile(r"\\([A-Za-z]+)(?: +(?=[\w\\(]))?")


def plain(latex: str) -> str:
    r"""Return LaTeX, as `kanlab.symbolic` writes it, in characters alone.

    Examples
    --------
    >>> plain(r"f\left(x, y\right) = e^{\sin\left(\pi x\right) + y^{2}}")
    'f(x, y) = e^(sin(πx) + y²)'
    >>> plain(r"\frac{\varphi_{0,1,0}\left(y\right)}{2 \sqrt{x}}")
    '(φ_0,1,0(y))/(2 √(x))'
    >>> plain(r"2 \alpha - \text{cusp\_volume} \lambda")
    '2 α - cusp_volume λ'
    """
    text = re.sub(r"\\(left|right)(?![a-z])\s*", "", latex)
    before = ""
    while before != text:
        before = text
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
    text = re.sub(r"\\([_&%$#])", r"\1", re.sub(r"\\[ ,;!]", " ", text))
    return _WORD.sub(lambda found: _GREEK.get(found[1], found[1]), text).replace("{", "").replace("}", "").strip()
