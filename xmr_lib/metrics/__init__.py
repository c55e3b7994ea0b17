"""Ranks, recall and the statistics of both; similarity matrices are (images, captions) throughout."""

from .ranks import Ranks, ranks_from_similarity, ranks_of_embeddings
from .recall import chance_levels, summarise
from .statistics import bootstrap_interval, bootstrap_mean, holm, paired_test, sign_flip_test

__all__ = [
    "Ranks",
    "bootstrap_interval",
    "bootstrap_mean",
    "chance_levels",
    "holm",
    "paired_test",
    "ranks_from_similarity",
    "ranks_of_embeddings",
    "sign_flip_test",
    "summarise",
]
