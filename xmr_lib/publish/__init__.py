"""The paper, its supplement and the slides, from recorded results; and what of these is in git."""

from .committed import commit_documents, stale_files
from .documents import PAPER, SLIDES, Plan, build, put_on_top
from .latex import find_latex
from .overleaf import pack
from .reference import publish_results

__all__ = [
    "PAPER",
    "SLIDES",
    "Plan",
    "build",
    "commit_documents",
    "find_latex",
    "pack",
    "publish_results",
    "put_on_top",
    "stale_files",
]
