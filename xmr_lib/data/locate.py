"""Where a dataset lies: given, in ``$XMR_DATA``, on the course's server, or drawn here (``scenes``)."""

import os
from pathlib import Path

from ..errors import XmrError
from ..paths import COURSE_SERVER, cache_root
from ..scenes import write_scenes
from .captioned import CaptionedImages
from .files import slug
from .recognise import read_dataset


def open_dataset(name: str | None, data: str | Path | None, scenes: tuple[int, int, int]) -> CaptionedImages:
    """Read a dataset by name; ``scenes`` is drawn first if it is not there yet.

    Args:
        name: slug of the dataset, in any case; results go to ``runs/<name>/``, in lower case. None or empty: what the
            data call themselves, else the name of their folder; without data ``scenes``.
        data: folder or file to read; None or empty: ``$XMR_DATA/<name>``, then the course's server for ``flickr30k``.
        scenes: how many pictures of ``scenes`` are drawn for train, val and test.

    Raises:
        XmrError: nothing is found (the message lists where it was looked for), or what is found can't be read.
    """
    if data:
        return read_dataset(Path(data).expanduser(), name or None)
    name = slug(name or "scenes")
    if name == "scenes":
        train, val, test = scenes
        return read_dataset(write_scenes(cache_root() / "scenes" / f"{train}-{val}-{test}", train, val, test), name)
    places = []
    if root := os.environ.get("XMR_DATA"):
        places = [folder for folder in _folders(Path(root).expanduser()) if slug(folder.name) == name]
        places = places or [Path(root).expanduser() / name]
    places += [COURSE_SERVER] if name == "flickr30k" else []
    for place in places:
        if place.exists():
            return read_dataset(place, name)
    looked = ", ".join(map(str, places)) or "nowhere: XMR_DATA is not set"
    raise XmrError(f"dataset {name!r}: no data found (looked in {looked}); give its folder with --data PATH")


def _folders(root: Path) -> list[Path]:
    return sorted(root.iterdir()) if root.is_dir() else []
