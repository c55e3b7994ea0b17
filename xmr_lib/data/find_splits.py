"""Splits that lie beside data which bring none: official lists, or a Karpathy json; else our own."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ..errors import XmrError
from .files import IMAGE_SUFFIXES, read_json, read_lines
from .splits import Splits, own_splits, settle, splits_named

_LONGEST_LIST = 8_000_000
"""Bytes. The longest official list (COCO's) has 3 MB; larger text files near a dataset are something else."""


def find_splits(folders: Sequence[Path], filenames: Sequence[str]) -> Splits:
    """Return official lists in the folders if there are any, else a Karpathy json's splits, else the own split.

    A list counts if it names at least one of the images; how many of its names are images here is noted.

    Raises:
        XmrError: two lists for one split, lists that leave a split empty, or a file that should be read can't be.
    """
    names = _Names(filenames)
    lists, unused = _find_lists(folders, names)
    splits = _official_lists(lists, names) if lists else _karpathy_json(folders, names) or own_splits(filenames)
    return Splits(splits.of, splits.source, (*splits.notes, *unused))


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
        return self._by_key.get(self._key(listed))

    def fits_several(self, listed: str) -> bool:
        return self._key(listed) in self._by_key and self.find(listed) is None

    def _key(self, listed: str) -> str:
        path = PurePosixPath(listed.replace("\\", "/"))
        # A list may name .jpg where the files are .JPG or .png by now.
        stem = path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name
        return next((key for key in (listed, path.name) if key in self._by_key), stem)

    def found(self, listed: Iterable[str]) -> dict[str, str]:
        """Return those of the listed names that are an image, with the image's file name."""
        return {name: filename for name in dict.fromkeys(listed) if (filename := self.find(name)) is not None}


def _find_lists(folders: Sequence[Path], names: _Names) -> tuple[dict[str, tuple[Path, list[str]]], list[str]]:
    """Return the list of each split, and notes on text files that look like lists and are not used.

    Lists are ``*train*.txt``, ``*dev*.txt`` / ``*val*.txt`` and ``*test*.txt`` whose lines are names of images.
    """
    lists: dict[str, tuple[Path, list[str]]] = {}
    notes = []
    for path in sorted({path for folder in folders for path in folder.glob("*.txt")}):
        named = splits_named(path.stem)
        if not named or path.name.startswith(".") or (path.is_file() and path.stat().st_size > _LONGEST_LIST):
            continue
        try:
            listed = list(dict.fromkeys(line.strip() for line in read_lines(path) if line.strip()))
        except XmrError as error:
            # Somebody's notes have a fitting name; if it was a list, the split that it leaves empty stops.
            notes.append(f"not used as a list of {' and '.join(sorted(named))}: {error}")
            continue
        if not names.found(listed):
            # A name has no blanks: how_it_was_tested.txt has a fitting name, but is no list.
            if listed and not any(" " in name or "\t" in name for name in listed):
                notes.append(f"{path.name} was not used: none of its {len(listed)} lines names an image here")
        elif len(named) > 1:
            notes.append(f"{path.name} was not used: its name speaks of {' and '.join(sorted(named))}")
        else:
            split = {"restval": "train"}.get(*named, *named)
            if split in lists:
                raise XmrError(
                    f"{path}: a second list for {split} beside {lists[split][0].name}; keep only one of them"
                )
            lists[split] = path, listed
    return lists, notes


def _official_lists(lists: dict[str, tuple[Path, list[str]]], names: _Names) -> Splits:
    of: dict[str, tuple[str, ...]] = {}
    notes = []
    for split, (path, listed) in lists.items():
        found = names.found(listed)
        for filename in dict.fromkeys(found.values()):
            of[filename] = (*of.get(filename, ()), split)
        several = [name for name in listed if names.fits_several(name)]
        absent = [name for name in listed if name not in found and not names.fits_several(name)]
        note = f"{path.name} is the list of {split}: {len(found)} of its {len(listed)} names found"
        note += f"; no captions of {len(absent)}, such as {absent[0]}" if absent else ""
        notes.append(note + (f"; {len(several)} fit several images, such as {several[0]}" if several else ""))
    for split in ("train", "val", "test"):
        if split not in lists:
            used = ", ".join(path.name for path, _ in lists.values())
            raise XmrError(
                f"{next(iter(lists.values()))[0].parent}: {used} leave {split} empty: no list for {split} that names "
                "an image with captions here; add it, or take the lists away for a split by a hash of the file name"
            )
    return Splits(of, "official lists", (*notes, *_note_on_the_rest(names, of, "list")))


def _karpathy_json(folders: Sequence[Path], names: _Names) -> Splits | None:
    """Look for the ``dataset*.json`` that knows most of the images, and at least one."""
    best: tuple[int, dict[str, str], str] = 0, {}, ""
    for path in sorted({path for folder in folders for path in folder.glob("dataset*.json")}):
        content = read_json(path)
        items = content.get("images") if isinstance(content, dict) else None
        split_of = {}
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("filename"), str) and isinstance(item.get("split"), str):
                filename = names.find(item["filename"])
                if filename is not None:
                    split_of[filename] = item["split"]
        if len(split_of) > len(best[1]):
            best = len(items), split_of, path.name
    listed, split_of, name = best
    if not split_of:
        return None
    splits = settle({filename: (split,) for filename, split in split_of.items()}, "karpathy json")
    found = f"splits are those of {name}: {len(split_of)} of its {listed} images found"
    return Splits(splits.of, splits.source, (found, *splits.notes, *_note_on_the_rest(names, splits.of, "json")))


def _note_on_the_rest(names: _Names, of: dict[str, tuple[str, ...]], what: str) -> list[str]:
    rest = len(names.all) - len(of)
    return [f"{rest} images stand in no {what} and are in no split"] if rest else []
