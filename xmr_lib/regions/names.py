"""Which image a name or a number in somebody's files means: by its file name, its id, or the number in its name."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Int

from ..course.lines import named
from ..data.captioned import CaptionedImages
from ..data.files import IMAGE_SUFFIXES
from ..errors import XmrError

ID = re.compile(r"0*(\d{1,18})$")
NUMBER = re.compile(r"(?:^|[_-])0*(\d{1,18})$")
"""At the end of a name, not a part of a word: 42 of ``COCO_val2014_000000000042``."""
BY_NAME, BY_ID, BY_NUMBER = "file name", "image id", "number at the end of the file name"


@dataclass(frozen=True)
class Match:
    """What names mean under one rule."""

    rule: str
    images: Int[np.ndarray, " names"]
    """Position of each name's image; −1: none."""

    @property
    def fitting(self) -> int:
        return int((self.images >= 0).sum())


def matches(dataset: CaptionedImages, names: Sequence[str]) -> list[Match]:
    """Return what the names mean under each rule that fits any of them, the best first."""
    files, ids = dataset.filenames, map(str, dataset.image_ids.tolist())
    found = [
        Match(BY_NAME, _looked_up(map(_stem, files), map(_stem, names))),
        Match(BY_ID, _looked_up(ids, map(_id, names))),
        Match(BY_NUMBER, _looked_up(map(_end, files), map(_end, names))),
    ]
    return sorted((match for match in found if match.fitting), key=lambda match: -match.fitting)


def best_match(dataset: CaptionedImages, names: Sequence[str], where: str) -> Match:
    """Return what the names mean where nothing but they themselves can say it.

    Raises:
        XmrError: none fits; two rules fit as many and say different things; or some fit by image id and others do not:
            ids are small numbers, which those of other data hit by chance. Begins with ``where``.
    """
    found = matches(dataset, names)
    if not found:
        raise XmrError(f"{where}: none fits an image of {dataset.name} by file name or id, e.g. {named(names[0])}")
    best, *others = found
    if best.rule == BY_ID and best.fitting < len(names):
        raise XmrError(
            f"{where}: {best.fitting} of {len(names)} fit {dataset.name} by {BY_ID}, the others do not; ids of other "
            "data? name them like the images"
        )
    for other in others:
        if other.fitting == best.fitting and (other.images != best.images).any():
            raise XmrError(
                f"{where}: they fit {dataset.name} by {best.rule} and, to other images, by {other.rule}; name them "
                "like the images"
            )
    return best


def _looked_up(known: Iterable[str | None], names: Iterable[str | None]) -> np.ndarray:
    """Return the place of each name among those known; one that is known twice means nothing."""
    known = list(known)
    counts = Counter(known)
    places = {name: place for place, name in enumerate(known) if name is not None and counts[name] == 1}
    return np.array([places.get(name, -1) for name in names], dtype=np.int64)


def _stem(name: str) -> str:
    # "a.b.jpg" is a.b; a name without a suffix of images stays whole.
    path = PurePosixPath(name.strip().replace("\\", "/"))
    return path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name


def _id(name: str) -> str | None:
    found = ID.match(name.strip())
    return found[1] if found else None


def _end(name: str) -> str | None:
    found = NUMBER.search(_stem(name))
    return found[1] if found else None
