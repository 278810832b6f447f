"""kanlab: see, steer and read Kolmogorov-Arnold networks.

The widgets (`kanlab.Lab`, `kanlab.widgets`) are loaded when first asked for, so that scripts need no Jupyter.
"""

import importlib
from typing import TYPE_CHECKING

from kanlab.data import create_dataset as create_dataset
from kanlab.data import dataset_from as dataset_from
from kanlab.discover import Discovery as Discovery
from kanlab.discover import Solution as Solution
from kanlab.discover import discover as discover
from kanlab.engine.base import register_base as register_base
from kanlab.engine.fit import Step as Step
from kanlab.engine.penalty import Penalty as Penalty
from kanlab.kan import KAN as KAN
from kanlab.optim import LBFGS as LBFGS
from kanlab.session import Session as Session
from kanlab.symbolic.formula import Formula as Formula
from kanlab.symbolic.library import register as register
from kanlab.symbolic.search import Suggestion as Suggestion

if TYPE_CHECKING:
    from kanlab import widgets as widgets
    from kanlab.widgets import Lab as Lab

__version__ = "0.1.0"


def __getattr__(name: str):
    if name == "widgets":
        return importlib.import_module("kanlab.widgets")
    if name == "Lab":
        return importlib.import_module("kanlab.widgets").Lab
    raise AttributeError(f"module 'kanlab' has no attribute {name!r}")
