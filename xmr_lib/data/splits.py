"""Splits: what they are called, and the one by a hash of the file name for data that bring none."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SPLIT_NAMES = {"train": "train", "training": "train", "restval": "restval"} | {
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What people call a split, in lower case, and what it is called here; ``restval`` goes into ``train``."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_BEGINNINGS = ("train", "restval", "val", "dev", "test")


@dataclass(frozen=True)
class Splits:
    """Which split or splits each file name is in; names may be in none."""

    of: dict[str, tuple[str, ...]]
    source: str
    """``layout``, ``official lists``, ``karpathy json`` or ``own-split``."""
    notes: tuple[str, ...] = ()


OWN = "own-split"
OWN_NOTE = "images were divided by a hash of their file names: not comparable with published numbers"


def own_splits(filenames: Sequence[str]) -> Splits:
    """Split 80 / 10 / 10 % by a hash of each file name: an image stays where it is when others come or go."""
    bounds = ((0.8, "train"), (0.9, "val"), (1.0, "test"))
    of = {name: (next(split for bound, split in bounds if name_fraction(name) < bound),) for name in filenames}
    return Splits(of, OWN)


def name_fraction(filename: str) -> float:
    """Return a number in [0, 1) that hangs on the file name alone (the first 6 bytes of its SHA-256)."""
    return int.from_bytes(hashlib.sha256(filename.encode("utf-8", "surrogatepass")).digest()[:6], "big") / 2**48


def splits_named(stem: str) -> set[str]:
    """Return the splits that the name of a file speaks of: ``captions_val2014``, ``trainImages``, ``test_set`` …

    A word counts where it begins with a split's name: ``devices`` in a file's name does no harm, since what such a
    file holds has to fit as well. ``trainval`` speaks of both.
    """
    words = [word.lower() for word in _WORD.findall(stem)]
    named = {SPLIT_NAMES[key] for word in words for key in _BEGINNINGS if word.startswith(key)}
    return named | {"val" for word in words if word.startswith("train") and word.endswith("val")}


def settle(split_of: Mapping[str, tuple[str, ...]], source: str) -> Splits:
    """Return the splits with ``restval`` put into ``train``, and notes on that and on splits of other names.

    Karpathy & Fei-Fei (2015) took COCO's val and test from its validation images; the rest of those is ``restval``.
    Since VSE++ (Faghri et al. 2018) the field trains on both: 82,783 + 30,504 = 113,287 images.
    """
    merged = {
        filename: tuple(dict.fromkeys("train" if split == "restval" else split for split in splits))
        for filename, splits in split_of.items()
    }
    count = sum("restval" in splits for splits in split_of.values())
    notes = [f"train holds {count} images of split 'restval' too, as the field has it"] if count else []
    for split, count in Counter(split for splits in merged.values() for split in splits).items():
        if split not in ("train", "val", "test"):
            notes.append(f"{count} images are in split {split!r}, which is neither train, val nor test")
    return Splits(merged, source, tuple(notes))
