"""Training on features that lie in memory: one loop, and what it is given to learn."""

from .checkpoint import Checkpoint
from .dual_encoder import Pairs, Teaching, score, train
from .loop import History, Problem, fit
from .metric_learning import train_metric
from .parameters import parameter_groups, pretrained_parameters
from .schedule import Schedule

__all__ = [
    "Checkpoint",
    "History",
    "Pairs",
    "Problem",
    "Schedule",
    "Teaching",
    "fit",
    "parameter_groups",
    "pretrained_parameters",
    "score",
    "train",
    "train_metric",
]
