"""Text, JSON, CSV and image folders as users have them: read with errors in one line."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import XmrError

IMAGE_FOLDERS = (
    "flickr30k-images",
    "flickr30k_images",
    "images",
    "imgs",
    "Images",
    "Flickr8k_Dataset",
    "Flicker8k_Dataset",
)
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
# A list of a million file names needs no more than these to tell its folder.
_NAMES_TRIED = 50
# Captions may lie in somebody's home folder: not all of it is looked through.
_DEEPEST, _FOLDERS_TRIED = 4, 1000


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, with or without a byte order mark.

    Raises:
        XmrError: the file is not there, can't be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise XmrError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise XmrError(f"{path}: can't be read ({error.strerror or error})") from error


def read_lines(path: Path) -> list[str]:
    """Return the lines of a UTF-8 file. Only line feeds end a line: captions may hold Unicode's other separators.

    In a file without any, as Excel for the Mac once saved them, it is carriage returns.
    """
    text = read_text(path)
    return [line.removesuffix("\r") for line in text.split("\n" if "\n" in text else "\r")]


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        XmrError: the file can't be read or is not JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise XmrError(f"{path}: not valid JSON ({error.msg} at line {error.lineno}, column {error.colno})") from error
    except ValueError as error:  # a number of thousands of digits
        raise XmrError(f"{path}: not valid JSON ({error})") from error
    except RecursionError as error:
        raise XmrError(f"{path}: not a dataset, its JSON is nested too deeply") from error


def field(entry: Any, key: str, kind: type, where: str) -> Any:
    """Return ``entry[key]`` after a look at its type.

    Raises:
        XmrError: ``entry`` is no JSON object, has no such key, or another type of value; begins with ``where``.
    """
    if not isinstance(entry, dict):
        raise XmrError(f"{where} is a {type(entry).__name__}, not an object with {key!r}")
    if key not in entry:
        raise XmrError(f"{where} has no {key!r}")
    value = entry[key]
    # bool is an int in Python, but `true` is nobody's id.
    if not isinstance(value, kind) or isinstance(value, bool):
        raise XmrError(f"{where}: {key!r} is a {type(value).__name__}, not {kind.__name__}")
    if kind is int and not -(2**63) <= value < 2**63:
        raise XmrError(f"{where}: {key!r} does not fit into 64 bits")
    return value


def find_images_folder(folder: Path, filenames: Sequence[str], below: Path | None = None) -> Path | None:
    """Return the folder that ``filenames`` are relative to: one of the usual names in ``folder``, or itself.

    Some unpacked archives hold their folder twice (``images/images``), so that is looked into as well. The folder with
    most of the files wins. Where it has less than half of them, all folders further down are looked into, a few levels
    deep. Where no folder has any, it is the first that exists under a usual name, else None.

    Args:
        folder: where the captions are.
        filenames: relative names.
        below: the folder that the data themselves name, which need not be on this machine.
    """
    named = [folder / name for name in IMAGE_FOLDERS if (folder / name).is_dir()]
    nested = [path / path.name for path in named if (path / path.name).is_dir()]
    tried = filenames[:: max(1, len(filenames) // _NAMES_TRIED)]

    def found(path: Path) -> int:
        # os.path, not pathlib: a name that no file system takes is just not there.
        return sum(os.path.isfile(path / name) for name in tried)

    usual = [*([below] if below else []), *named, *nested, folder]
    best = max(usual, key=found)
    # Less than half, for a folder of thumbnails further down may be more complete than the images.
    if 2 * found(best) < len(tried):
        best = max([best, *_folders_below(folder)], key=found)
    if found(best):
        return best
    return named[0] if named else None


def _folders_below(folder: Path) -> list[Path]:
    """Return the folders in a folder, a few levels deep; hidden ones are nobody's images."""
    folders: list[Path] = []
    for parent, subfolders, _ in os.walk(folder):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        folders += [Path(parent) / name for name in subfolders]
        if len(Path(parent).relative_to(folder).parts) >= _DEEPEST - 1:
            subfolders.clear()
        if len(folders) > _FOLDERS_TRIED:
            break
    return folders


def beside(source: Path, name: str) -> Path:
    """Return the path of a file of this name beside the captions, be they a folder or a file, there or not."""
    return (source if source.is_dir() else source.parent) / name


def slug(text: str) -> str:
    """Return a name that can be a folder everywhere: lower case, digits, ``-`` and ``_``."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-") or "dataset"
