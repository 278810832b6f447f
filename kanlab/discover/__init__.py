"""From data to formulas, by way of small KANs."""

from kanlab.discover.discovery import Discovery as Discovery
from kanlab.discover.run import discover as discover
from kanlab.discover.solution import Solution as Solution
