"""From a config to a result: the one place that knows data, features, models and metrics."""

from .catalogue import MODELS, named, runnable
from .detector_report import detector_lines
from .evaluate import evaluate_run, search_train
from .examples import caption_queries, image_queries, region_queries
from .image_retrieval import image_retrieval, image_retrieval_table, ndcg_figure, neighbours_figure
from .lab import Lab
from .representations import nearest_words_table, representation_table
from .run import chosen_on_validation, embed, ranks_of, run
from .tokens import attended_words, token_table
from .tuning import tuning_table

__all__ = [
    "MODELS",
    "Lab",
    "attended_words",
    "caption_queries",
    "chosen_on_validation",
    "detector_lines",
    "embed",
    "evaluate_run",
    "image_queries",
    "image_retrieval",
    "image_retrieval_table",
    "named",
    "ndcg_figure",
    "nearest_words_table",
    "neighbours_figure",
    "ranks_of",
    "region_queries",
    "representation_table",
    "run",
    "runnable",
    "search_train",
    "token_table",
    "tuning_table",
]
