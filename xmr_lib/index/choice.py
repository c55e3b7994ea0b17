"""Which engine by default: by size."""

from importlib.util import find_spec

EXACT_UP_TO = 100_000


def engine_for(count: int) -> str:
    """Return the engine for a number of vectors: the exact one as long as it is quick."""
    return "exact" if count <= EXACT_UP_TO or find_spec("faiss") is None else "faiss"
