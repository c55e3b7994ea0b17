"""The paper, its supplement and the slides, from what ``results/`` records."""

from .committed import commit_documents, stale_files
from .documents import PAPER, SLIDES, Plan, build, put_on_top
from .latex import find_latex
from .overleaf import pack

__all__ = [
    "PAPER",
    "SLIDES",
    "Plan",
    "build",
    "commit_documents",
    "find_latex",
    "pack",
    "put_on_top",
    "stale_files",
]
