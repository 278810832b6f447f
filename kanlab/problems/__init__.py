"""Problems from the papers: a known formula, a generator of samples, and where it was published."""

from kanlab.problems import anderson as anderson
from kanlab.problems import feynman as feynman
from kanlab.problems import hello as hello
from kanlab.problems import knots as knots
from kanlab.problems import kolmogorov as kolmogorov
from kanlab.problems import mechanics as mechanics
from kanlab.problems import mlp as mlp
from kanlab.problems import moons as moons
from kanlab.problems import operations as operations
from kanlab.problems import peaks as peaks
from kanlab.problems import poisson as poisson
from kanlab.problems import relations as relations
from kanlab.problems import scaling as scaling
from kanlab.problems import singular as singular
