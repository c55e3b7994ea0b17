"""File names as data write them: with backslashes, with a leading ``./``, or with the whole path of somebody's disk."""

import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_ROOT = re.compile(r"/|[A-Za-z]:/")


def relative_names(names: Iterable[str]) -> tuple[dict[str, str], Path | None]:
    """Return every name as one that is relative to the folder of images, and the folder that absolute ones are below.

    Absolute names lose the folders that all of them share; that folder need not be on this machine. It is None where
    no name is absolute.
    """
    slashed = {name: name.replace("\\", "/") for name in names}
    rooted = [name for name in slashed.values() if _ROOT.match(name)]
    if not rooted:
        return {name: path.removeprefix("./") for name, path in slashed.items()}, None
    try:
        below = posixpath.commonpath([posixpath.dirname(name) for name in rooted])
    except ValueError:  # names of several drives share nothing
        below = ""
    start = len(below.rstrip("/")) + 1 if below else 0
    tidy = {name: path[start:] if _ROOT.match(path) else path.removeprefix("./") for name, path in slashed.items()}
    return tidy, Path(below or "/")


def note_on_names(below: Path | None) -> list[str]:
    """Return a note if file names were absolute."""
    return [] if below is None else [f"file names are absolute; they are read as relative to {below}"]


def leaves_folder(name: str) -> bool:
    """Tell whether a name leads out of the folder that it should be in: foreign data must not show private files."""
    slashed = name.replace("\\", "/")
    return bool(_ROOT.match(slashed)) or posixpath.normpath(slashed).split("/")[0] == ".."


def note_on_links(folder: Path | None, filenames: Sequence[str]) -> list[str]:
    """Return a note if image files are links to places out of their folder: what is shown then lies elsewhere."""
    if folder is None:
        return []
    wanted = set(filenames)
    inside = os.path.realpath(folder)
    out = []
    for below in sorted({posixpath.dirname(name) for name in wanted}):
        # One look at each folder: asking for each file takes minutes on a file server.
        try:
            links = sorted(entry.name for entry in os.scandir(folder / below) if entry.is_symlink())
        except (OSError, ValueError):
            continue
        for name in (posixpath.join(below, link) for link in links):
            target = os.path.realpath(folder / name)
            if name in wanted and os.path.commonpath([inside, target]) != inside:
                out.append(f"{name} → {target}")
    return [f"{len(out)} image files are links out of their folder, such as {out[0]}; they are followed"] if out else []
