"""The study: its models by name, what they are called, and what its notebooks show of them."""

from importlib import import_module
from typing import Any

_HOMES = {
    "anatomy": ("anatomy",),
    "cases": ("caption_cases", "case_ranks", "image_cases"),
    "detector_report": ("detector_lines",),
    "examples": ("caption_queries", "image_queries", "region_queries", "roi_example"),
    "among_images": ("image_retrieval", "image_retrieval_table", "ndcg_figure", "neighbours_figure"),
    "models": ("get_configs", "runnable"),
    "names": ("NAMES",),
    "results_at_hand": (
        "at_hand",
        "best_recorded",
        "best_run",
        "recorded",
        "summary_numbers",
        "write_rank_distribution",
        "write_training_curves",
    ),
    "representations": ("nearest_words_table", "representation_table"),
    "rows": ("ALIASES", "MODELS"),
    "shared_space": ("SharedSpace", "gap_closing", "gap_table", "shown_gaps", "space_map"),
    "similarities": ("similarities",),
    "tokens": ("attended_words", "token_table"),
    "topics": ("topic_counts", "topic_table"),
    "tuning": ("tuning_table",),
}
"""Module → what it gives; imported when it is first asked for, since figures and networks take seconds."""
__all__ = sorted(name for names in _HOMES.values() for name in names)


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(f".{module}", __name__), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
