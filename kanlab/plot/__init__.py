"""The KAN paper's figure: every edge's curve in a small box between the nodes it joins."""

from kanlab.plot.figure import Drawing as Drawing
from kanlab.plot.figure import plot as plot
