"""Training of a dual encoder on features that lie in memory."""

from .loop import History, Pairs, train

__all__ = ["History", "Pairs", "train"]
