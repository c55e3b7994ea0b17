"""The study: its models by name, what they are called, and what its notebooks show of them."""

from .cases import caption_cases, case_ranks, image_cases
from .detector_report import detector_lines
from .examples import caption_queries, image_queries, region_queries
from .image_retrieval import image_retrieval, image_retrieval_table, ndcg_figure, neighbours_figure
from .models import ALIASES, MODELS, get_configs, runnable
from .recorded import (
    at_hand,
    best_recorded,
    best_run,
    recorded,
    summary_numbers,
    write_rank_distribution,
    write_training_curves,
)
from .representations import nearest_words_table, representation_table
from .shared_space import SharedSpace, gap_closing, gap_table, shown_gaps, space_map
from .tokens import attended_words, token_table
from .topics import topic_counts, topic_table
from .tuning import tuning_table

__all__ = [
    "ALIASES",
    "MODELS",
    "SharedSpace",
    "at_hand",
    "attended_words",
    "best_recorded",
    "best_run",
    "caption_cases",
    "caption_queries",
    "case_ranks",
    "detector_lines",
    "gap_closing",
    "gap_table",
    "get_configs",
    "image_cases",
    "image_queries",
    "image_retrieval",
    "image_retrieval_table",
    "ndcg_figure",
    "nearest_words_table",
    "neighbours_figure",
    "recorded",
    "region_queries",
    "representation_table",
    "runnable",
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
