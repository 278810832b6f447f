"""kanlab: see, steer and read Kolmogorov-Arnold Networks."""

__version__ = "0.1.0"
