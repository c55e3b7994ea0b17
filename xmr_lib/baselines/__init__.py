"""Methods without training, or in closed form, that a trained model has to beat."""

from .cca import CCA, CCAStatistics
from .linear import LinearEncoder, Scaled
from .zero_shot import ZeroShot

__all__ = ["CCA", "CCAStatistics", "LinearEncoder", "Scaled", "ZeroShot"]
