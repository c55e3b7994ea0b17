"""What lies behind a score: the common space, its topics, the gap between the modalities, where the answers stand."""

from .cases import CASES, chosen_cases
from .gap import ModalityGap, close_gap, modality_gap
from .maps import METHODS, project_2d
from .rank_shares import chance_shares, rank_grid, rank_shares
from .topics import OTHER, Topics, find_topics, topic_closeness

__all__ = [
    "CASES",
    "METHODS",
    "OTHER",
    "ModalityGap",
    "Topics",
    "chance_shares",
    "chosen_cases",
    "close_gap",
    "find_topics",
    "modality_gap",
    "project_2d",
    "rank_grid",
    "rank_shares",
    "topic_closeness",
]
