"""Losses over a batch of image–caption pairs. Rows of a similarity matrix are images, columns captions."""

from .contrastive import ContrastiveLoss
from .infonce import InfoNCELoss
from .similarity import similarity_matrix
from .triplet import TripletLoss

__all__ = ["ContrastiveLoss", "InfoNCELoss", "TripletLoss", "similarity_matrix"]
