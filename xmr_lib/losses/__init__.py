"""Losses over a batch of image–caption pairs. Rows of a similarity matrix are images, columns captions."""

from .infonce import InfoNCELoss
from .similarity import similarity_matrix
from .triplet import TripletLoss

__all__ = ["InfoNCELoss", "TripletLoss", "similarity_matrix"]
