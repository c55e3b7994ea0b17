"""Ranks, recall and the statistics of both; similarity matrices are (images, captions), or (queries, gallery)."""

from .folds import five_folds
from .image_retrieval import ImageScores, score_image_retrieval
from .late_fusion import rsums_of_fusions
from .ranks import Ranks, ranks_from_similarity, ranks_of_embeddings
from .recall import chance_levels, summarise
from .statistics import bootstrap_interval, difference_interval, holm, mean_interval, paired_test, sign_flip_test

__all__ = [
    "ImageScores",
    "Ranks",
    "bootstrap_interval",
    "chance_levels",
    "difference_interval",
    "five_folds",
    "holm",
    "mean_interval",
    "paired_test",
    "ranks_from_similarity",
    "ranks_of_embeddings",
    "rsums_of_fusions",
    "score_image_retrieval",
    "sign_flip_test",
    "summarise",
]
