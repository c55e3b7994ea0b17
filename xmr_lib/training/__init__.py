"""Training on features that lie in memory: of a dual encoder, and of an image encoder alone."""

from .loop import History, Pairs, pretrained_parameters, train
from .metric_learning import MetricHistory, train_metric

__all__ = ["History", "MetricHistory", "Pairs", "pretrained_parameters", "train", "train_metric"]
