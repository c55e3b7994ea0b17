"""``overleaf.zip``: everything that the documents need, in one folder that builds by itself."""

import posixpath
import re
import zipfile
from pathlib import Path

from ..errors import XmrError
from ..paths import atomic_write
from .documents import Plan, prepare
from .sources import paths_read
from .tree import tree_files

ZIP = "overleaf.zip"
READ = {".tex", ".sty", ".cls"}
"""Kinds of files that TeX reads as programs: what a reference's fields say opens no file."""


def pack(plan: Plan) -> Path:
    """Write the zip beside the builds and return its path; LaTeX isn't needed.

    Raises:
        XmrError: a result is missing or stale, or a source reaches out of its folder.
    """
    made = prepare(plan)
    for name, text in made.texts.items():
        for macro, path, line in paths_read(text) if Path(name).suffix in READ else ():
            if _leads_out(path):
                raise XmrError(
                    f"{plan.sources / name}:{line}: \\{macro} of {path!r} leads out of the folder, and on Overleaf "
                    f"there is nothing there; put the file into {plan.sources} and name it from there"
                )
    target = plan.folder.parent / ZIP
    with atomic_write(target) as path, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in tree_files(plan.folder, made):
            # A fixed time: the same files give the same zip.
            entry = zipfile.ZipInfo(file.relative_to(plan.folder).as_posix())
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return target


def _leads_out(path: str) -> bool:
    """Say whether a path, seen from the folder that LaTeX runs in, is of a file elsewhere; words with dots are none."""
    steps = posixpath.normpath(path.strip("\"'"))
    return steps.split("/")[0] in ("..", "~") or steps.startswith("/") or re.match(r"[A-Za-z]:", steps) is not None
