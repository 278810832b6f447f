"""The widgets: the only rooms that know Jupyter."""

from kanlab.widgets.formula import FormulaPanel as FormulaPanel
from kanlab.widgets.graph import NetworkGraph as NetworkGraph
from kanlab.widgets.history import HistoryPanel as HistoryPanel
from kanlab.widgets.inspector import Inspector as Inspector
from kanlab.widgets.lab import Lab as Lab
from kanlab.widgets.training import TrainingPanel as TrainingPanel
