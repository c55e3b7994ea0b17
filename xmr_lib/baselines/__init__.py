"""Methods in closed form that a trained model has to beat."""

from .cca import CCA, CCAStatistics
from .linear import LinearEncoder

__all__ = ["CCA", "CCAStatistics", "LinearEncoder"]
