"""Splits for layouts that bring none: official lists, a Karpathy json beside the data, else a hash of the name."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import XmrError
from .files import read_json, read_text

_WORDS_OF_SPLIT = {"train": ("train",), "val": ("dev", "val"), "test": ("test",)}
_LONGEST_LIST = 8_000_000
"""Bytes. The longest official list (COCO's) has 3 MB; larger text files near a dataset are something else."""


@dataclass(frozen=True)
class Splits:
    """Which split or splits each file name is in; names may be in none."""

    of: dict[str, tuple[str, ...]]
    source: str
    """``layout``, ``official lists``, ``karpathy json`` or ``own-split``."""
    notes: tuple[str, ...] = ()


def find_splits(folders: Sequence[Path], filenames: Sequence[str]) -> Splits:
    """Return official lists in the folders if there are any, else a Karpathy json's splits, else the own split.

    Raises:
        XmrError: two lists for one split, or a file that should be read can't be.
    """
    names = _Names(filenames)
    return _official_lists(folders, names) or _karpathy_json(folders, names) or own_splits(filenames)


def own_splits(filenames: Sequence[str]) -> Splits:
    """Split 80 / 10 / 10 % by a hash of each file name: an image stays where it is when others come or go."""
    bounds = ((0.8, "train"), (0.9, "val"), (1.0, "test"))
    of = {name: (next(split for bound, split in bounds if name_fraction(name) < bound),) for name in filenames}
    return Splits(of, "own-split")


def name_fraction(filename: str) -> float:
    """Return a number in [0, 1) that hangs on the file name alone (the first 6 bytes of its SHA-256)."""
    return int.from_bytes(hashlib.sha256(filename.encode("utf-8", "surrogatepass")).digest()[:6], "big") / 2**48


def merge_restval(split_of: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the splits with ``restval`` put into ``train``, and a note if there was any.

    Karpathy & Fei-Fei (2015) took COCO's val and test from its validation images; the rest of those is ``restval``.
    Since VSE++ (Faghri et al. 2018) the field trains on both: 82,783 + 30,504 = 113,287 images.
    """
    merged = {filename: "train" if split == "restval" else split for filename, split in split_of.items()}
    count = sum(split == "restval" for split in split_of.values())
    return merged, [f"train holds {count} images of split 'restval' too, as the field has it"] if count else []


class _Names:
    """Finds an image by its file name with or without folder and suffix; what fits two images fits none."""

    def __init__(self, filenames: Sequence[str]) -> None:
        self.all = filenames
        self._by_key: dict[str, str | None] = {}
        for filename in filenames:
            path = PurePosixPath(filename)
            for key in {path.name, path.stem}:
                self._by_key[key] = None if key in self._by_key else filename
        self._by_key |= {filename: filename for filename in filenames}

    def find(self, listed: str) -> str | None:
        return self._by_key.get(listed)


def _official_lists(folders: Sequence[Path], names: _Names) -> Splits | None:
    """Look for ``*train*.txt``, ``*dev*.txt`` / ``*val*.txt`` and ``*test*.txt`` whose lines are names of images."""
    lists: dict[str, tuple[Path, list[str]]] = {}
    for path in sorted({path for folder in folders for path in folder.glob("*.txt")}):
        split = next((s for s, words in _WORDS_OF_SPLIT.items() if any(w in path.name.lower() for w in words)), None)
        if split is None or path.name.startswith(".") or path.stat().st_size > _LONGEST_LIST:
            continue
        listed = [line.strip() for line in read_text(path).split("\n") if line.strip()]
        # Half of the lines must be images: "ExpertAnnotations_eval.txt" has a fitting name but is no list.
        if 2 * sum(names.find(name) is not None for name in listed) < max(1, len(listed)):
            continue
        if split in lists:
            raise XmrError(f"{path}: a second list for {split} beside {lists[split][0].name}; keep only one of them")
        lists[split] = path, listed
    of: dict[str, tuple[str, ...]] = {}
    notes = []
    for split, (path, listed) in lists.items():
        found = {name: names.find(name) for name in dict.fromkeys(listed)}
        for filename in dict.fromkeys(filename for filename in found.values() if filename is not None):
            of[filename] = (*of.get(filename, ()), split)
        if unknown := [name for name, filename in found.items() if filename is None]:
            notes.append(f"{path.name} names {len(unknown)} images that have no captions here, such as {unknown[0]}")
    return Splits(of, "official lists", (*notes, *_note_on_the_rest(names, of, "list"))) if lists else None


def _karpathy_json(folders: Sequence[Path], names: _Names) -> Splits | None:
    """Look for a ``dataset*.json`` that knows at least one of the images."""
    for path in sorted({path for folder in folders for path in folder.glob("dataset*.json")}):
        content = read_json(path)
        items = content.get("images") if isinstance(content, dict) else None
        split_of: dict[str, str] = {}
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("filename"), str) and isinstance(item.get("split"), str):
                filename = names.find(item["filename"])
                if filename is not None:
                    split_of[filename] = item["split"]
        if split_of:
            split_of, restval = merge_restval(split_of)
            of = {filename: (split,) for filename, split in split_of.items()}
            notes = (f"splits are those of {path.name}", *restval, *_note_on_the_rest(names, of, "json"))
            return Splits(of, "karpathy json", notes)
    return None


def _note_on_the_rest(names: _Names, of: dict[str, tuple[str, ...]], what: str) -> list[str]:
    rest = len(names.all) - len(of)
    return [f"{rest} images stand in no {what} and are in no split"] if rest else []
