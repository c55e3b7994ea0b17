"""Methods in closed form that a trained model has to beat."""

from .cca import CCA, CCAStatistics

__all__ = ["CCA", "CCAStatistics"]
