"""``Workspace``: one dataset with its features, opened once and shared by many runs."""

import copy
import os
import tempfile
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..config import Config, profile
from ..data import CaptionedImages
from ..data.locate import open_dataset
from ..errors import XmrError
from ..features.bert import bert_name, bert_tokens, is_bert
from ..course import import_fasttext, import_vgg
from ..features.fasttext import read_fasttext, train_fasttext
from ..features.glove import glove_words
from ..features.image_extractors import TRUNK, image_extractor, image_tail
from ..features.images import drop_skipped, extract_images
from ..features.onehot import onehot_words
from ..features.phoc import phoc_words
from ..features.regions import BACKBONE, LITE, RegionRows, is_regions, region_extractor
from ..features.store import FeatureStore
from ..features.words import WordVectors, table_of_store
from ..modules import POOLS, Items, Parts, Rows
from ..networks.bert import BertTail, load_bert
from ..networks.faster_rcnn import coco_weights, last_layer
from ..paths import cache_root, runs_root
from ..training import Pairs
from ..weights import sha256_of
from .captions import caption_vectors
from .detectors import DetectorHistory, detector_of
from .factories import Pretrained
from .grid import grid_rows

TEXT_FEATURES = ("onehot", "phoc", "glove", "fasttext-self", "fasttext-course", "fasttext-file", "minilm")
FILES = {"glove": "XMR_GLOVE_FILE", "fasttext-file": "XMR_FASTTEXT_FILE"}
"""Environment variables that may name a file of vectors, by the slug of what is read from it."""
TABLE = " as a table"
COURSE_FILES = {"vgg16-course": "vgg_feats.mat", "fasttext-course": "fasttext_feats.npy"}


class Workspace:
    """A dataset, its features (made when first asked for) and the folder of its results.

    Args:
        dataset: slug; ``scenes`` needs no data.
        data: folder or file of the dataset; empty: see ``data.locate``.
        profile: ``smoke``, ``demo`` or ``full``; sizes only.
        results: root of the results; empty: ``runs/`` (for ``smoke`` a new temporary folder).
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
        self.results = (Path(results).expanduser() if results else runs_root()) / self.dataset.name
        self.strict = strict
        # Memoised for this object alone; a memoised method would keep every Workspace alive.
        self.image_store = lru_cache(maxsize=None)(self._image_store)
        self.words = lru_cache(maxsize=6)(self._open_words)
        self._captions = lru_cache(maxsize=3)(self._caption_vectors)
        self._pairs = lru_cache(maxsize=4)(self._gather_pairs)

    @cached_property
    def cache(self) -> Path:
        """Folder of this dataset's stores and checkpoints."""
        return cache_root() / f"{self.dataset.name}-{self.dataset.fingerprint[:8]}"

    def config(self, model: str, **changes: object) -> Config:
        """Return the config of a model on this dataset, in this profile, on the features that the data bring.

        ``changes`` are what the model sets; sizes of the profile come after them.
        Where the course's own feature files lie beside the captions they are named; else those that are made here.
        """
        course = {"image_features": "vgg16-course"} if self._course_file("vgg16-course").is_file() else {}
        course |= {"text_features": "fasttext-course"} if self._course_file("fasttext-course").is_file() else {}
        sizes = dict(self.profile.changes)
        if "epochs" in sizes:
            sizes["epochs"] = min(sizes["epochs"], changes.get("epochs", Config.epochs))
        return Config(model).but(**{**course, **changes, **sizes})

    def usable(self, image_features: str) -> CaptionedImages:
        """Return the dataset, its splits without the images that have no features (a file that can't be read)."""
        usable = self.dataset
        for slug in image_features.split("+"):
            usable = drop_skipped(usable, self.image_store(slug))
        return usable

    def pairs(self, config: Config, split: str, seed: int) -> Pairs:
        """Return the features of one split of ``usable()``, images and captions in the order of the dataset."""
        # What is not trained on is aggregated once, ahead of training.
        in_model = config.train_words or config.word_dropout > 0 or config.tune_text_layers > 0
        slugs = self._text_slugs(config)
        hows = (how if how in POOLS and not in_model else None for _, how in config.text_parts)
        text = tuple(zip(slugs, hows, strict=True))
        return self._pairs(config.image_features, text, split, seed)

    def pretrained(self, config: Config, seed: int) -> Pretrained:
        """Return what a model of this config starts from: last layers of detectors, tables of words, tails of BERTs."""
        slugs = self._text_slugs(config)
        words = [self.words(slug, seed) for slug in slugs]
        return Pretrained(
            last_layers=tuple(self.last_layer(slug) for slug, _ in config.image_parts),
            tables=tuple(torch.from_numpy(w.table) if isinstance(w, WordVectors) else None for w in words),
            tails=tuple(self._tail(slug, config.tune_text_layers) for slug in slugs),
        )

    @staticmethod
    def _text_slugs(config: Config) -> list[str]:
        # To be trained, the course's vectors (one for each word of each caption) have to be those of words.
        return [
            f"{slug}{TABLE}" if config.train_words and slug in COURSE_FILES else slug for slug, _ in config.text_parts
        ]

    def _tail(self, slug: str, layers: int) -> BertTail | None:
        if not layers or not is_bert(slug):
            return None
        bert = load_bert(bert_name(slug))
        if not slug.endswith(f"@{bert.layers - layers}"):
            raise XmrError(
                f"text features {slug!r}: to tune the last {layers} of {bert.layers} layers, take the features of the "
                f"layer before them, '{slug.split('@')[0]}@{bert.layers - layers}'"
            )
        return BertTail(bert, layers)

    def facts(self, config: Config) -> dict:
        """Return what a result says about its data: nothing that differs from machine to machine."""
        usable, slugs = self.usable(config.image_features), config.image_features.split("+")
        named = [FILES[slug] for slug, _ in config.text_parts if os.environ.get(FILES.get(slug, ""))]
        return {
            "name": usable.name,
            "fingerprint": usable.fingerprint,
            "layout": usable.layout,
            "split_source": usable.split_source,
            "split_fingerprint": usable.split_fingerprint,
            "files": {variable: sha256_of(_file_named_by(variable, variable)) for variable in named},
            "images": {name: len(images) for name, images in usable.splits.items()},
            "captions": {
                name: usable.split(name).caption_count for name, images in usable.splits.items() if len(images)
            },
            "left_out": sorted({name for slug in slugs for name in self.image_store(slug).skipped}),
            "profile": self.profile.name,
        }

    def weights(self, config: Config, seed: int) -> dict[str, str]:
        """Return the hash of the network behind each of a model's features, where one made them."""
        stores = {slug: self.image_store(slug) for slug, _ in config.image_parts}
        stores |= {slug: self.words(slug, seed) for slug in self._text_slugs(config)}
        return {
            slug: store.meta["weights"]
            for slug, store in stores.items()
            if isinstance(store, FeatureStore) and "weights" in store.meta
        }

    def _gather_pairs(
        self, image_features: str, text: tuple[tuple[str, str | None], ...], split: str, seed: int
    ) -> Pairs:
        part = self.usable(image_features).split(split)
        images = [self._images(slug, part.image_ids) for slug in image_features.split("+")]
        of_part = np.flatnonzero(np.isin(self.dataset.caption_ids, part.caption_ids))
        captions = [self._texts(slug, how, of_part, seed) for slug, how in text]
        return Pairs(_one_or_parts(images), _one_or_parts(captions), part.image_of_caption)

    def _images(self, slug: str, ids: np.ndarray) -> torch.Tensor | Rows:
        store = self.image_store(slug)
        if is_regions(slug):
            rows = RegionRows(store).take(ids, slug)
            return Rows(torch.from_numpy(rows.values), torch.from_numpy(rows.offsets))
        features = store.take(ids)
        if features.ndim == 4:  # maps of a CNN, a hundred times as long as a vector: kept in half precision
            return torch.from_numpy(features)
        return grid_rows(features) if features.ndim == 3 else torch.from_numpy(features.astype(np.float32))

    def _texts(self, slug: str, how: str | None, captions: np.ndarray, seed: int) -> torch.Tensor | Rows:
        """Return captions (by their places in the dataset) as one vector each, or as words where ``how`` is None."""
        if how is not None:
            return self._captions(slug, how, seed)[torch.from_numpy(captions)]
        words = self.words(slug, seed)
        if isinstance(words, FeatureStore):
            rows = words.take(self.dataset.caption_ids[captions])
            return Rows(torch.from_numpy(rows.values), torch.from_numpy(rows.offsets))
        rows = words.words.take(captions)
        return Rows(torch.from_numpy(rows.values), torch.from_numpy(rows.offsets))

    def _caption_vectors(self, text_features: str, aggregation: str, seed: int) -> torch.Tensor:
        return caption_vectors(self.dataset, self.words(text_features, seed), aggregation)

    @property
    def detector_slug(self) -> str:
        """The detector of task (c): trained here where boxes lie beside the captions, else torchvision's from COCO."""
        return LITE if self.beside("boxes.json").is_file() else "frcnn-resnet50"

    @cached_property
    def detector_error(self) -> str:
        """Why task (c) can't be done on these data, and what to do; empty where it can."""
        if self.detector_slug == LITE:
            return ""
        try:
            coco_weights(self.detector_slug)
        except XmrError as error:
            return f"{error}; or put boxes.json, in COCO's format, beside the captions"
        return ""

    @property
    def detector_file(self) -> Path:
        """Where the light Faster R-CNN of this dataset is, or will be once ``detector()`` was called."""
        return self.cache / "detectors" / f"{LITE}-{self.profile.name}.safetensors"

    def detector(self) -> DetectorHistory:
        """Train the light Faster R-CNN on ``boxes.json`` beside the captions, or return the history of what is there.

        Raises:
            XmrError: there are no boxes.
        """
        boxes, epochs = self.beside("boxes.json"), self.profile.detector_epochs
        return detector_of(self.usable(TRUNK), boxes, self.image_store(TRUNK), self.detector_file, epochs)

    def last_layer(self, image_features: str) -> nn.Module | None:
        """Return a copy of fc7 of the detector whose box head describes the regions, or of the rest of the CNN whose
        maps they are; None for other features."""
        if (tail := image_tail(image_features)) is not None:
            return tail
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
        folder = self.cache / "features" / slug.replace("/", "_")
        if slug.endswith(TABLE):
            return table_of_store(self.dataset, self.words(slug.removesuffix(TABLE), seed))
        if slug in COURSE_FILES:
            return import_fasttext(self._course_file(slug), self.dataset, folder)
        if slug == "fasttext-self":
            folder = self.cache / "features" / f"{slug}-{self.profile.name}-seed{seed}"
            return train_fasttext(self.dataset, folder, epochs=self.profile.fasttext_epochs, seed=seed)
        if slug == "fasttext-file":
            return read_fasttext(self.dataset, _file_named_by(FILES[slug], slug))
        if slug == "glove":
            return glove_words(self.dataset, _file_named_by(FILES[slug], slug) if FILES[slug] in os.environ else None)
        if slug == "onehot":
            return onehot_words(self.dataset, seed=seed)
        if slug == "phoc":
            return phoc_words(self.dataset)
        if is_bert(slug):
            return bert_tokens(self.dataset, slug, folder)
        raise XmrError(f"text features {slug!r} are unknown; there are {', '.join(TEXT_FEATURES)}, bert:NAME_OR_FOLDER")

    def _course_file(self, slug: str) -> Path:
        return self.beside(COURSE_FILES[slug])

    def beside(self, name: str) -> Path:
        """Return the path of a file of this name beside the captions, whether there is one or not."""
        source = self.dataset.source or Path()
        return (source if source.is_dir() else source.parent) / name


def _one_or_parts(features: list[torch.Tensor | Rows]) -> Items:
    return features[0] if len(features) == 1 else Parts(tuple(features))


def _file_named_by(variable: str, slug: str) -> Path:
    if not os.environ.get(variable):
        raise XmrError(f"text features {slug!r}: set {variable} to the file of the vectors")
    return Path(os.environ[variable]).expanduser()
