"""From a config to a result: the one place that knows data, features, models and metrics."""

from .cases import caption_cases, case_ranks, image_cases
from .catalogue import MODELS, named, runnable
from .detector_report import detector_lines
from .evaluate import evaluate_run, search_train
from .examples import caption_queries, image_queries, region_queries
from .image_retrieval import image_retrieval, image_retrieval_table, ndcg_figure, neighbours_figure
from .lab import Lab
from .recorded import at_hand, recorded, summary_numbers, write_rank_distribution, write_training_curves
from .representations import nearest_words_table, representation_table
from .run import chosen_on_validation, embed, ranks_of, run
from .shared_space import SharedSpace, gap_closing, gap_table, shown_gaps, space_map
from .tokens import attended_words, token_table
from .topics import topic_counts, topic_table
from .tuning import tuning_table

__all__ = [
    "MODELS",
    "Lab",
    "SharedSpace",
    "at_hand",
    "attended_words",
    "caption_cases",
    "caption_queries",
    "case_ranks",
    "chosen_on_validation",
    "detector_lines",
    "embed",
    "evaluate_run",
    "gap_closing",
    "gap_table",
    "image_cases",
    "image_queries",
    "image_retrieval",
    "image_retrieval_table",
    "named",
    "ndcg_figure",
    "nearest_words_table",
    "neighbours_figure",
    "ranks_of",
    "recorded",
    "region_queries",
    "representation_table",
    "run",
    "runnable",
    "search_train",
    "shown_gaps",
    "space_map",
    "summary_numbers",
    "token_table",
    "topic_counts",
    "topic_table",
    "tuning_table",
    "write_rank_distribution",
    "write_training_curves",
]
