"""``CaptionedImages``: the one shape that every dataset has here."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..errors import XmrError


@dataclass(frozen=True)
class CaptionedImages:
    """Images with any number of captions each, and named splits.

    Images and captions are numbered by their place in these arrays ("position"). ``image_ids`` are the names that
    the data itself gives its images (Karpathy's ``imgid``): course features are looked up by them, never by position.
    Captions of one image are contiguous: ``image_of_caption`` never decreases.
    """

    name: str
    """Slug of the dataset, e.g. ``flickr8k``: the folder under ``runs/``."""
    image_ids: Int[np.ndarray, " images"]
    filenames: tuple[str, ...]
    raw: tuple[str, ...]
    """Captions as written, HTML entities decoded."""
    tokens: tuple[tuple[str, ...], ...]
    """Words of each caption; may be empty."""
    caption_ids: Int[np.ndarray, " captions"]
    """Unique number of each caption (Karpathy's ``sentid``)."""
    image_of_caption: Int[np.ndarray, " captions"]
    """Position of each caption's image."""
    splits: dict[str, np.ndarray]
    """``train``, ``val``, ``test``: sorted positions of images. Images may be in none (unreadable …)."""
    split_source: str
    """Where the splits come from: ``layout``, ``official lists``, ``karpathy json`` or ``own-split``."""
    layout: str
    """Name of the reader that made this."""
    images_folder: str | Path | None = None
    """Folder of the image files; None where there are only features."""
    source: str | Path | None = None
    """Folder or file that was read."""
    notes: tuple[str, ...] = field(default=())
    """What the reader met on its way: malformed rows, images without captions …"""

    def __post_init__(self) -> None:
        for name in ("images_folder", "source"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(path))
        if self.name in ("", ".", "..") or len(self.name) > 100 or re.search(r"[/\\\0]", self.name):
            raise XmrError(f"a dataset can't be called {self.name!r}: its results are in a folder of that name")
        images, captions = len(self.image_ids), len(self.raw)
        if len(self.filenames) != images:
            raise XmrError(f"{self.name}: {len(self.filenames)} file names for {images} image ids")
        if not len(self.tokens) == len(self.caption_ids) == len(self.image_of_caption) == captions:
            raise XmrError(f"{self.name}: raw captions, tokens, caption ids and images of captions differ in number")
        if captions and (np.diff(self.image_of_caption) < 0).any():
            raise XmrError(f"{self.name}: captions of one image must be contiguous and follow the order of the images")
        for what, ids in (("image", self.image_ids), ("caption", self.caption_ids)):
            unique, counts = np.unique(ids, return_counts=True)
            if (counts > 1).any():
                raise XmrError(f"{self.name}: {what} id {unique[counts > 1][0]} occurs twice; ids must be unique")

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def caption_count(self) -> int:
        return len(self.raw)

    @cached_property
    def caption_offsets(self) -> Int[np.ndarray, " images_plus_one"]:
        """Captions of image ``i`` are ``caption_offsets[i]:caption_offsets[i + 1]``."""
        return np.searchsorted(self.image_of_caption, np.arange(len(self) + 1)).astype(np.int64)

    def captions_of(self, image: int) -> range:
        """Return the positions of the captions of the image at a position."""
        return range(int(self.caption_offsets[image]), int(self.caption_offsets[image + 1]))

    def path(self, image: int) -> Path:
        """Return the file of the image at a position.

        Raises:
            XmrError: the dataset came without an image folder.
        """
        if self.images_folder is None:
            raise XmrError(
                f"{self.name}: no image folder was found in {self.source}, so that only features can be used; "
                "tell where it is by: xmr data check DATA --images FOLDER --remember"
            )
        return self.images_folder / self.filenames[image]

    def subset(self, images: np.ndarray) -> "CaptionedImages":
        """Return the images at these positions (any order is put in ascending order) with all their captions."""
        images = np.unique(np.asarray(images, dtype=np.int64))
        captions = np.flatnonzero(np.isin(self.image_of_caption, images))
        return replace(
            self,
            image_ids=self.image_ids[images],
            filenames=tuple(self.filenames[i] for i in images),
            raw=tuple(self.raw[c] for c in captions),
            tokens=tuple(self.tokens[c] for c in captions),
            caption_ids=self.caption_ids[captions],
            image_of_caption=np.searchsorted(images, self.image_of_caption[captions]),
            splits={name: np.flatnonzero(np.isin(images, positions)) for name, positions in self.splits.items()},
        )

    def split(self, name: str) -> "CaptionedImages":
        """Return one split as a dataset of its own.

        Raises:
            XmrError: there is no such split, or it is empty.
        """
        if name not in self.splits or not len(self.splits[name]):
            sizes = ", ".join(f"{len(images)} in {split}" for split, images in sorted(self.splits.items()))
            raise XmrError(f"{self.name}: no images in split {name!r}; there are {sizes or 'no splits'}")
        return self.subset(self.splits[name])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of ids, file names and tokens (not of the splits): features of other data are told by it."""
        digest = hashlib.sha256()
        digest.update(np.ascontiguousarray(self.image_ids, dtype="<i8").tobytes())
        digest.update(np.ascontiguousarray(self.caption_ids, dtype="<i8").tobytes())
        digest.update(np.ascontiguousarray(self.image_of_caption, dtype="<i8").tobytes())
        digest.update("\n".join(self.filenames).encode("utf-8", "surrogatepass"))
        digest.update("\n".join(" ".join(words) for words in self.tokens).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:16]

    @cached_property
    def split_fingerprint(self) -> str:
        """Hash of which images are in which split: a model that learned from one must not be scored on another's."""
        digest = hashlib.sha256()
        for name, images in sorted(self.splits.items()):
            digest.update(name.encode() + np.ascontiguousarray(self.image_ids[images], dtype="<i8").tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def raw_fingerprint(self) -> str:
        """Hash of the captions as they were written: what a tokenizer of its own makes features of."""
        return hashlib.sha256("\n".join(self.raw).encode("utf-8", "surrogatepass")).hexdigest()[:16]
