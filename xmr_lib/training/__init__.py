"""Training of a dual encoder on features that lie in memory."""

from .loop import History, Pairs, pretrained_parameters, train

__all__ = ["History", "Pairs", "pretrained_parameters", "train"]
