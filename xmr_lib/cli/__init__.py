"""The command ``xmr``: one file a command; what is heavy is imported inside a command, so that the help is quick."""

# Each import registers its commands; this is their order in the help.
# isort: off
from .app import app, main
from . import demo, features, train, evaluate, run, documents, data, detector

__all__ = ["app", "data", "demo", "detector", "documents", "evaluate", "features", "main", "run", "train"]
