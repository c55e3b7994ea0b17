"""From a config to a result: a workspace (data and features), a run of one config, a recorded run scored again."""

from .evaluate import evaluate_run, search_train
from .run import chosen_on_validation, embed, ranks_of, run
from .workspace import Workspace

__all__ = [
    "Workspace",
    "chosen_on_validation",
    "embed",
    "evaluate_run",
    "ranks_of",
    "run",
    "search_train",
]
