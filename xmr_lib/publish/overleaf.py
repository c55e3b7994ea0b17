"""``overleaf.zip``: everything that the documents need, in one folder that builds by itself."""

import zipfile
from pathlib import Path

from ..errors import XmrError
from ..paths import atomic_write
from .documents import Plan, prepare
from .tree import tree_files

ZIP = "overleaf.zip"


def pack(plan: Plan) -> Path:
    """Write the zip beside the builds and return its path; LaTeX isn't needed.

    Raises:
        XmrError: a result is missing or stale, or a source reaches out of its folder.
    """
    made = prepare(plan)
    for name, text in made.texts.items():
        if "../" in text:
            raise XmrError(f"{plan.sources / name}: '../' leads out of the folder; on Overleaf there is nothing there")
    target = plan.folder.parent / ZIP
    with atomic_write(target) as path, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in tree_files(plan.folder, made):
            # A fixed time: the same files give the same zip.
            entry = zipfile.ZipInfo(file.relative_to(plan.folder).as_posix())
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return target
