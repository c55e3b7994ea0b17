"""The command ``xmr``: one file per command, which itself imports what is heavy: the help is quick."""

# Each import registers its commands; this is their order in the help.
# isort: off
from .app import app, main
from . import demo, features, train, evaluate, export, index, search, run, documents, publish_results
from . import data, detector, weights, cache

__all__ = [
    "app",
    "cache",
    "data",
    "demo",
    "detector",
    "documents",
    "evaluate",
    "export",
    "features",
    "index",
    "main",
    "publish_results",
    "run",
    "search",
    "train",
    "weights",
]
