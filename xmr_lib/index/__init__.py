"""Search: pictures and sentences under a saved model, kept up to date, in exact or approximate engines."""

# Engines register themselves, in this order; their packages are imported when one is opened.
from . import exact, hnsw, milvus
from .engine import ENGINES, Engine
from .exact import ExactEngine
from .index import Hit, Index
from .refresh import Report, update
from .sources import SOURCES, Dataset, Pictures, Sentences, Source

__all__ = [
    "ENGINES",
    "SOURCES",
    "Dataset",
    "Engine",
    "ExactEngine",
    "Hit",
    "Index",
    "Pictures",
    "Report",
    "Sentences",
    "Source",
    "exact",
    "hnsw",
    "milvus",
    "update",
]
