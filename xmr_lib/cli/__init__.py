"""The command ``xmr``: one file per command, which itself imports what is heavy: the help is quick."""

# Each import registers its commands; this is their order in the help.
# isort: off
from .app import app, main
from . import demo, features, train, evaluate, predict, compare, export, index, search, serve, run
from . import documents, publish_results, data, detector, weights, cache

__all__ = [
    "app",
    "cache",
    "compare",
    "data",
    "demo",
    "detector",
    "documents",
    "evaluate",
    "export",
    "features",
    "index",
    "main",
    "predict",
    "publish_results",
    "run",
    "search",
    "serve",
    "train",
    "weights",
]
