"""kanlab: see, steer and read Kolmogorov-Arnold networks.

Each public name is loaded when it is first asked for: sympy, matplotlib and Jupyter take longer to load than a small
network to train, and not every script needs them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanlab import widgets as widgets
    from kanlab.data import create_dataset as create_dataset
    from kanlab.data import dataset_from as dataset_from
    from kanlab.discovery import Discovery as Discovery
    from kanlab.discovery import Solution as Solution
    from kanlab.discovery import discover as discover
    from kanlab.engine.base import register_base as register_base
    from kanlab.engine.fit import Step as Step
    from kanlab.engine.penalty import Penalty as Penalty
    from kanlab.kan import KAN as KAN
    from kanlab.optim import LBFGS as LBFGS
    from kanlab.session import Session as Session
    from kanlab.symbolic.formula import Formula as Formula
    from kanlab.symbolic.library import register as register
    from kanlab.symbolic.search import Suggestion as Suggestion
    from kanlab.widgets import Lab as Lab

__version__ = "0.1.0"

#: The module in which each public name is at home.
_HOMES = {
    "KAN": "kanlab.kan",
    "create_dataset": "kanlab.data",
    "dataset_from": "kanlab.data",
    "Penalty": "kanlab.engine.penalty",
    "Step": "kanlab.engine.fit",
    "register_base": "kanlab.engine.base",
    "LBFGS": "kanlab.optim",
    "Formula": "kanlab.symbolic.formula",
    "Suggestion": "kanlab.symbolic.search",
    "register": "kanlab.symbolic.library",
    "discover": "kanlab.discovery",
    "Discovery": "kanlab.discovery",
    "Solution": "kanlab.discovery",
    "Session": "kanlab.session",
    "Lab": "kanlab.widgets",
}


def __getattr__(name: str) -> Any:
    if name == "widgets":
        return importlib.import_module("kanlab.widgets")
    if name not in _HOMES:
        raise AttributeError(f"module 'kanlab' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, "widgets"])
