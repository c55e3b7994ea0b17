"""Losses over a batch of image–caption pairs. Rows of a similarity matrix are images, columns captions."""

from .contrastive import ContrastiveLoss
from .distillation import distillation
from .infonce import InfoNCELoss
from .registry import LOSSES
from .similarity import similarity_matrix
from .triplet import TripletLoss

__all__ = ["LOSSES", "ContrastiveLoss", "InfoNCELoss", "TripletLoss", "distillation", "similarity_matrix"]
