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
        return read_dataset(write_scenes(_drawn(scenes), *scenes), name)
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


def find_dataset(name: str, scenes: tuple[int, int, int]) -> CaptionedImages | None:
    """Return a dataset if it is at hand, as ``open_dataset`` without ``data`` finds it; nothing is drawn for it."""
    if slug(name) == "scenes" and not (_drawn(scenes) / "scenes.json").is_file():
        return None
    try:
        return open_dataset(name, None, scenes)
    except XmrError:
        return None


def _drawn(scenes: tuple[int, int, int]) -> Path:
    return cache_root() / "scenes" / "-".join(map(str, scenes))


def _folders(root: Path) -> list[Path]:
    return sorted(root.iterdir()) if root.is_dir() else []
