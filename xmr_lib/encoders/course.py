"""The course's own features: fc7 of VGG-16 by ``imgid``, and a FastText vector for each word of each caption."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..course import import_fasttext, import_vgg
from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..features.store import FeatureStore
from ..features.words import WordVectors, table_of_store
from ..provenance import Provenance
from .base import ImageEncoder, Site
from .words import WordEncoder

VGG_FILE, FASTTEXT_FILE = "vgg_feats.mat", "fasttext_feats.npy"


@ENCODERS.register("vgg16-course")
class CourseVgg16(ImageEncoder):
    """(4096,) of ``vgg_feats.mat``; most likely Caffe's weights, which nobody has here."""

    provenance = Provenance(("ImageNet-1k",), "that of the course")
    row_shape = (4096,)
    of_pictures = False

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None):
        super().__init__(spec)
        self.file = Path(file) if file else None

    @classmethod
    def open(cls, spec: FeatureSpec, site: Site) -> "CourseVgg16":
        return cls(spec, site.beside(VGG_FILE))

    def features(self, pixels: np.ndarray) -> np.ndarray:
        raise XmrError(
            f"{self.spec.slug}: the course's own VGG-16 can't be run on photographs; give rows of {VGG_FILE} by imgid "
            "(encode_image_features), or train on vgg16-torchvision or effnet-lite0"
        )

    def store(self, dataset: CaptionedImages, folder: str | Path, strict: bool = False) -> FeatureStore:
        assert self.file is not None
        return import_vgg(self.file, dataset, folder)


@ENCODERS.register("fasttext-course")
class CourseFastText(WordEncoder):
    """300 numbers for each word of each caption, from ``fasttext_feats.npy``.

    Opened on a dataset, its captions have the vectors of their own cells (``store``); ``as_words`` is the table of
    the words in them, which is what a saved model keeps.
    """

    provenance = Provenance(("Common Crawl or Wikipedia (Facebook's vectors)",), "that of the course")
    per_token = True
    """Whether features of the dataset are one vector per token, from a store."""

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None):
        super().__init__(spec)
        self.file = Path(file) if file else None

    @classmethod
    def open(cls, spec: FeatureSpec, site: Site) -> "CourseFastText":
        return cls(spec, site.beside(FASTTEXT_FILE))

    def store(self, dataset: CaptionedImages, folder: str | Path) -> FeatureStore:
        """Import the file, or open what was imported."""
        assert self.file is not None
        return import_fasttext(self.file, dataset, folder)

    def as_words(self, dataset: CaptionedImages, store: FeatureStore) -> "CourseFastText":
        """Return the encoder with a table of the words in a dataset's cells: of each the vector of first sight."""
        made = type(self)(self.spec, self.file)
        words = table_of_store(dataset, store)
        made.vocabulary, made.table, made.per_token = words.vocabulary, words.table, False
        if differing := _differing(words, store.take(dataset.caption_ids).values):
            warnings.warn(
                f"{store.folder}: {differing} words have different vectors in different cells; a table keeps the first",
                stacklevel=2,
            )
        return made

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        known = dict(zip(self.vocabulary, self.table, strict=True))
        return np.stack([known[w] if w in known else np.zeros(self.table.shape[1], np.float32) for w in words])

    def from_state(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.per_token = False


def _differing(words: WordVectors, values: np.ndarray) -> int:
    """Count the words of which a cell has another vector than the table."""
    numbers = words.words.values
    other = [
        numbers[start : start + 65_536][
            (np.abs(values[start : start + 65_536] - words.table[numbers[start : start + 65_536]]) > 1e-5).any(axis=1)
        ]
        for start in range(0, len(numbers), 65_536)
    ]
    return len(np.unique(np.concatenate(other))) if other else 0
