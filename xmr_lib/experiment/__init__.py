"""From a config to a result: a workspace (data and features), a run of one config, a recorded run scored again."""

from .comparison import compare_runs
from .evaluate import evaluate_run, search_train
from .predictions import predict
from .run import chosen_on_validation, embed, ranks_of, run
from .trial import Trial, try_out
from .workspace import Workspace

__all__ = [
    "Trial",
    "Workspace",
    "chosen_on_validation",
    "compare_runs",
    "embed",
    "evaluate_run",
    "predict",
    "ranks_of",
    "run",
    "search_train",
    "try_out",
]
