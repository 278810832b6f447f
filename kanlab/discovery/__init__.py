"""From data to formulas, by way of small KANs."""

from kanlab.discovery.discovery import Discovery as Discovery
from kanlab.discovery.progress import Progress as Progress
from kanlab.discovery.run import discover as discover
from kanlab.discovery.solution import Solution as Solution
