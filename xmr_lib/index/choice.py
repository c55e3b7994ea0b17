"""Which engine a number of items is best kept in, if nobody says."""

from importlib.util import find_spec

EXACT_UP_TO = 100_000
"""Up to here the exact engine answers at once, and there is nothing to build (``benchmarks/engines.py``)."""


def engine_for(count: int) -> str:
    """Return the engine for ``count`` items: ``exact``, or ``faiss`` for more than that where it is installed."""
    return "faiss" if count > EXACT_UP_TO and find_spec("faiss") else "exact"
