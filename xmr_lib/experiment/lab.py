"""``Lab``: one dataset with its features, opened once and shared by many runs."""

import copy
import tempfile
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..config import Config, profile
from ..data import CaptionedImages
from ..data.locate import open_dataset
from ..encoders import Rows
from ..errors import XmrError
from ..features.course import import_fasttext, import_vgg
from ..features.image_extractors import TRUNK, image_extractor
from ..features.images import drop_skipped, extract_images
from ..features.regions import BACKBONE, LITE, RegionRows, is_regions, region_extractor
from ..features.store import FeatureStore
from ..features.words import WordVectors, train_fasttext
from ..networks.faster_rcnn import last_layer
from ..paths import cache_root, results_root
from ..training import Pairs
from .captions import caption_vectors
from .detectors import DetectorHistory, detector_of
from .grid import grid_rows

COURSE_FILES = {"vgg16-course": "vgg_feats.mat", "fasttext-course": "fasttext_feats.npy"}


class Lab:
    """A dataset, its features (made when first asked for) and the folder of its results.

    Args:
        dataset: slug; ``scenes`` needs no data.
        data: folder or file of the dataset; empty: see ``data.locate``.
        profile: ``smoke``, ``demo`` or ``full``; sizes only.
        results: root of the results; empty: ``results/`` (for ``smoke`` a new temporary folder).
        strict: stop at the first image that can't be read, instead of leaving it out of its split.

    Raises:
        XmrError: the data can't be found or read.
    """

    def __init__(
        self,
        dataset: str = "scenes",
        data: str | Path | None = None,
        profile_name: str = "demo",
        results: str | Path | None = None,
        strict: bool = False,
    ):
        self.profile = profile(profile_name)
        self.dataset = open_dataset(dataset, data, self.profile)
        if not results and profile_name == "smoke":
            results = tempfile.mkdtemp(prefix="xmr-smoke-")
        self.results = (Path(results).expanduser() if results else results_root()) / self.dataset.name
        self.strict = strict
        # Memoised for this object alone; a memoised method would keep every Lab alive.
        self.image_store = lru_cache(maxsize=None)(self._image_store)
        self.words = lru_cache(maxsize=2)(self._open_words)
        self._captions = lru_cache(maxsize=2)(self._caption_vectors)
        self._pairs = lru_cache(maxsize=4)(self._gather_pairs)

    @cached_property
    def cache(self) -> Path:
        """Folder of this dataset's stores and checkpoints."""
        return cache_root() / f"{self.dataset.name}-{self.dataset.fingerprint[:8]}"

    def config(self, model: str, **changes: object) -> Config:
        """Return the config of a model on this dataset, in this profile, on the features that the data bring.

        Where the course's own feature files lie beside the captions they are named; else those that are made here.
        """
        course = {"image_features": "vgg16-course"} if self._course_file("vgg16-course").is_file() else {}
        course |= {"text_features": "fasttext-course"} if self._course_file("fasttext-course").is_file() else {}
        return Config(model).but(**{**course, **self.profile.changes, **changes})

    def usable(self, image_features: str) -> CaptionedImages:
        """Return the dataset, its splits without the images that have no features (a file that can't be read)."""
        return drop_skipped(self.dataset, self.image_store(image_features))

    def pairs(self, config: Config, split: str, seed: int) -> Pairs:
        """Return the features of one split of ``usable()``, images and captions in the order of the dataset."""
        return self._pairs(config.image_features, config.text_features, config.aggregation, split, seed)

    def facts(self, image_features: str) -> dict:
        """Return what a result says about its data."""
        usable = self.usable(image_features)
        return {
            "name": usable.name,
            "fingerprint": usable.fingerprint,
            "layout": usable.layout,
            "split_source": usable.split_source,
            "images": {name: len(images) for name, images in usable.splits.items()},
            "captions": {
                name: usable.split(name).caption_count for name, images in usable.splits.items() if len(images)
            },
            "left_out": sorted(self.image_store(image_features).skipped),
            "profile": self.profile.name,
        }

    def _gather_pairs(self, image_features: str, text_features: str, aggregation: str, split: str, seed: int) -> Pairs:
        part = self.usable(image_features).split(split)
        images = self._images(image_features, part.image_ids)
        of_part = np.isin(self.dataset.caption_ids, part.caption_ids)
        captions = self._captions(text_features, aggregation, seed)[torch.from_numpy(of_part)]
        return Pairs(images, captions, part.image_of_caption)

    def _images(self, slug: str, ids: np.ndarray) -> torch.Tensor | Rows:
        store = self.image_store(slug)
        if is_regions(slug):
            rows = RegionRows(store).take(ids, slug)
            return Rows(torch.from_numpy(rows.values), torch.from_numpy(rows.offsets))
        features = store.take(ids)
        return grid_rows(features) if features.ndim == 3 else torch.from_numpy(features.astype(np.float32))

    def _caption_vectors(self, text_features: str, aggregation: str, seed: int) -> torch.Tensor:
        return caption_vectors(self.dataset, self.words(text_features, seed), aggregation)

    @property
    def detector_slug(self) -> str:
        """The detector of task (c): trained here where boxes lie beside the captions, else torchvision's from COCO."""
        return LITE if self._beside("boxes.json").is_file() else "frcnn-resnet50"

    @property
    def detector_file(self) -> Path:
        """Where the light Faster R-CNN of this dataset is, or will be once ``detector()`` was called."""
        return self.cache / "detectors" / f"{LITE}-{self.profile.name}.safetensors"

    def detector(self) -> DetectorHistory:
        """Train the light Faster R-CNN on ``boxes.json`` beside the captions, or return the history of what is there.

        Raises:
            XmrError: there are no boxes.
        """
        boxes, epochs = self._beside("boxes.json"), self.profile.detector_epochs
        return detector_of(self.usable(TRUNK), boxes, self.image_store(TRUNK), self.detector_file, epochs)

    def last_layer(self, image_features: str) -> nn.Linear | None:
        """Return a copy of fc7 of the detector whose box head describes the regions; None for other features."""
        if not is_regions(image_features) or image_features.endswith(BACKBONE):
            return None
        return copy.deepcopy(last_layer(region_extractor(image_features, self.detector_file).network()))

    def _image_store(self, slug: str) -> FeatureStore:
        if is_regions(slug):
            detector = slug.removesuffix(BACKBONE)
            if slug != detector:
                # One store holds both descriptions.
                return self.image_store(detector)
            if detector == LITE:
                self.detector()
            folder = self.cache / "features" / (f"{LITE}-{self.profile.name}" if detector == LITE else detector)
            extractor = region_extractor(detector, self.detector_file)
            return extract_images(self.dataset, extractor, folder, strict=self.strict)
        folder = self.cache / "features" / slug
        if slug in COURSE_FILES:
            return import_vgg(self._course_file(slug), self.dataset, folder)
        return extract_images(self.dataset, image_extractor(slug), folder, strict=self.strict)

    def _open_words(self, slug: str, seed: int) -> WordVectors | FeatureStore:
        if slug in COURSE_FILES:
            return import_fasttext(self._course_file(slug), self.dataset, self.cache / "features" / slug)
        if slug == "fasttext-self":
            folder = self.cache / "features" / f"{slug}-{self.profile.name}-seed{seed}"
            return train_fasttext(self.dataset, folder, epochs=self.profile.fasttext_epochs, seed=seed)
        raise XmrError(f"text features {slug!r} are unknown; there are fasttext-self, fasttext-course")

    def _course_file(self, slug: str) -> Path:
        return self._beside(COURSE_FILES[slug])

    def _beside(self, name: str) -> Path:
        source = self.dataset.source or Path()
        return (source if source.is_dir() else source.parent) / name
