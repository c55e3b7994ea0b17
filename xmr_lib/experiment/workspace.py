"""``Workspace``: one dataset with its features, opened once and shared by many runs."""

import os
import sys
import tempfile
from collections.abc import Callable
from copy import copy
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch

from ..config import EnsembleConfig, RunConfig, TextBranch, profile
from ..data import CaptionedImages
from ..data.locate import open_dataset
from ..data.splits import OWN, OWN_NOTE
from ..encoders import DETECTORS, ImageEncoder, WordEncoder
from ..errors import XmrError
from ..features.renew import pictures_of
from ..features.spec import FeatureSpec
from ..features.store import FeatureStore
from ..items import Items
from ..model import BranchInput, ImageInput, TextInput, one_or_parts
from ..modules import BOX_FEATURES
from ..networks.faster_rcnn import coco_weights
from ..paths import cache_root, runs_root
from ..ragged import Ragged
from ..runtime import Runtime
from ..training import Pairs
from ..weights import sha256_of
from .bank import LITE, FeatureBank

FILES = {"glove": "XMR_GLOVE_FILE", "fasttext-file": "XMR_FASTTEXT_FILE"}
"""Environment variables that may name a file of vectors, by the encoder that reads it."""
NO_PHOTOGRAPHS = (
    "no image folder was found beside the captions; tell where it is by: xmr data check DATA --images FOLDER --remember"
)
COURSE_FILES = {"image": ("vgg_feats.mat", "vgg16-course"), "text": ("fasttext_feats.npy", "fasttext-course")}


class Workspace:
    """A dataset, its features (made when first asked for) and the folder of its results.

    Args:
        dataset: slug; ``scenes`` needs no data. Empty: what the data call themselves, or ``scenes`` without data.
        data: folder or file of the dataset; empty: see ``data.locate``.
        profile_name: ``smoke``, ``demo`` or ``full``; sizes only.
        results: root of the results; empty: ``runs/`` (for ``smoke`` a new temporary folder).
        strict: stop at the first image that can't be read, instead of leaving it out of its split.
        runtime: where networks compute; default: ``Runtime.of()``, a GPU if there is one.

    Raises:
        XmrError: the data can't be found or read, or the device can't be had.
    """

    def __init__(
        self,
        dataset: str | None = None,
        data: str | Path | None = None,
        profile_name: str = "demo",
        results: str | Path | None = None,
        strict: bool = False,
        runtime: Runtime | None = None,
    ):
        self.runtime = runtime or Runtime.of()
        self.profile = profile(profile_name)
        processes = self.runtime.processes
        with processes.first_alone():
            self.dataset = open_dataset(dataset, data, self.profile.scenes)
        own = [f"own split: {OWN_NOTE}"] if self.dataset.split_source == OWN else []
        for note in (*self.dataset.notes, *own) if processes.first else ():
            # What a reader left out or put elsewhere is said where it is used, not by the check alone.
            print(f"{self.dataset.name}: {note}", file=sys.stderr)
        if not results and profile_name == "smoke":
            if not processes.alone:
                raise XmrError("profile smoke writes to a temporary folder; give several processes one with --results")
            results = tempfile.mkdtemp(prefix="xmr-smoke-")
        self.results = (Path(results).expanduser() if results else runs_root()) / self.dataset.name
        self.cache = cache_root() / f"{self.dataset.name}-{self.dataset.fingerprint[:8]}"
        self.bank = FeatureBank(self.dataset, self.cache, self.profile, strict, self.runtime)
        # Each side on its own: the same images are not held again for every other text and seed.
        self._images_of = lru_cache(maxsize=4)(self._gather_images)
        self._captions_of = lru_cache(maxsize=4)(self._gather_captions)

    @property
    def own_features(self) -> dict[str, str]:
        """Slugs of the features of images and captions that the data bring, or of those that are made here."""
        made = {"image": "effnet-lite0", "text": "fasttext-self"}
        return {
            side: slug if self.beside(file).is_file() else made[side] for side, (file, slug) in COURSE_FILES.items()
        }

    def sized(self, config: RunConfig) -> RunConfig:
        """Return a config with the sizes of this workspace's profile."""
        return self.profile.apply(config)

    def usable(self, config: RunConfig) -> CaptionedImages:
        """Return the dataset, its splits without the images that have none of a model's features."""
        return self.bank.usable(config.image_specs)

    def pairs(self, config: RunConfig, split: str, seed: int) -> Pairs:
        """Return the features of one split of ``usable()``, images and captions in the order of the dataset."""
        return Pairs(
            self._images_of(config.features("image"), split),
            self._captions_of(config.image_specs, config.branches("text"), split, seed),
            self.usable(config).split(split).image_of_caption,
        )

    def prepare(self, config: RunConfig, seed: int) -> None:
        """Make a model's features where there are none yet: all processes what can be shared, the first the rest."""
        if isinstance(config.method, EnsembleConfig):
            return
        for spec in config.image_specs:
            self.bank.share(spec)
        with self.runtime.processes.first_alone():
            for split in ("train", "val", "test"):
                self.pairs(config, split, seed)

    def with_images(self, images: Callable[[str], Items]) -> "Workspace":
        """Return this workspace with other features of images for every model that asks for some.

        Args:
            images: gives those of a split, in the order of ``usable()``; asked once.
        """
        other, held = copy(self), lru_cache(images)
        other._images_of = lambda features, split: held(split)
        return other

    def images(self, config: RunConfig, split: str) -> Items:
        """Return the features of the images of one split alone."""
        return self._images_of(config.features("image"), split)

    def image_inputs(self, config: RunConfig) -> list[BranchInput]:
        """Return what the image branches of a model are fed, and the pretrained layers that they start from."""
        part = self.usable(config).split("train").image_ids[:1]
        return [self._image_input(branch.features, part) for branch in config.branches("image")]

    def text_inputs(self, config: RunConfig, seed: int) -> list[BranchInput]:
        """Return what the text branches of a model are fed; tables of words and tails of BERTs with it."""
        return [self._text_input(branch, seed) for branch in config.branches("text")]

    def inputs(self, config: RunConfig, seed: int) -> tuple[list[ImageInput], list[TextInput]]:
        """Return the way from photographs and captions to what a model is fed: with it, it can leave this place."""
        images = [ImageInput(branch, self.bank.encoder(branch.features)) for branch in config.branches("image")]
        texts = []
        for branch in config.branches("text"):
            # One vector per word is what new captions can have; a store has them for its own captions only.
            encoder = self.bank.text_encoder(branch.features, seed, as_words=True)
            texts.append(TextInput(branch, encoder, self.bank.frequency() if branch.pooling == "idf" else None))
        return images, texts

    def facts(self, config: RunConfig) -> dict:
        """Return what a result says about its data: nothing that differs from machine to machine."""
        usable = self.usable(config)
        named = [FILES[spec.encoder] for spec in config.text_specs if os.environ.get(FILES.get(spec.encoder, ""))]
        stores = [self.bank.image_store(spec) for spec in config.image_specs]
        return {
            "name": usable.name,
            "fingerprint": usable.fingerprint,
            "layout": usable.layout,
            "split_source": usable.split_source,
            "split_fingerprint": usable.split_fingerprint,
            "files": {variable: sha256_of(_named_by(variable)) for variable in named},
            "images": {name: len(images) for name, images in usable.splits.items()},
            "captions": {
                name: usable.split(name).caption_count for name, images in usable.splits.items() if len(images)
            },
            # Empty where the features came with the data.
            "pictures": next(filter(None, map(pictures_of, stores)), ""),
            "left_out": sorted({name for store in stores for name in store.skipped}),
            "profile": self.profile.name,
        }

    def weights(self, config: RunConfig, seed: int) -> dict[str, str]:
        """Return the hash of the network behind each of a model's features, where one made them."""
        stores = {spec.slug: self.bank.image_store(spec) for spec in config.image_specs}
        stores |= {spec.slug: self.bank.words(spec, seed) for spec in config.text_specs}
        return {
            slug: store.meta["weights"]
            for slug, store in stores.items()
            if isinstance(store, FeatureStore) and "weights" in store.meta
        }

    def missing(self, config: RunConfig) -> str:
        """Return why a model's image features can't be had on these data, and what to do; empty where they can."""
        if self.detector_error and any(spec.encoder in DETECTORS for spec in config.image_specs):
            return self.detector_error
        if self.dataset.images_folder is None and not all(map(self.bank.without_pictures, config.image_specs)):
            return NO_PHOTOGRAPHS
        return ""

    @property
    def detector_slug(self) -> str:
        """The detector of task (c): trained here where boxes lie beside the captions, else torchvision's from COCO."""
        return LITE.slug if self.beside("boxes.json").is_file() else "frcnn-resnet50"

    @cached_property
    def detector_error(self) -> str:
        """Why task (c) can't be done on these data, and what to do; empty where it can."""
        if self.detector_slug == LITE.slug:
            return ""
        try:
            coco_weights(self.detector_slug)
        except XmrError as error:
            return f"{error}; or put boxes.json, in COCO's format, beside the captions"
        return ""

    def beside(self, name: str) -> Path:
        """Return the path of a file of this name beside the captions, whether there is one or not."""
        return self.bank.site().beside(name)

    def _gather_images(self, specs: tuple[FeatureSpec, ...], split: str) -> Items:
        ids = self.bank.usable(specs).split(split).image_ids
        gathered = {spec: self.bank.images(spec, ids) for spec in dict.fromkeys(specs)}
        return one_or_parts([gathered[spec] for spec in specs])

    def _gather_captions(
        self, images: tuple[FeatureSpec, ...], texts: tuple[TextBranch, ...], split: str, seed: int
    ) -> Items:
        places = self.bank.places(self.bank.usable(images).split(split))
        return one_or_parts([self.bank.captions(branch, places, seed) for branch in texts])

    def _image_input(self, spec: FeatureSpec, one: np.ndarray) -> BranchInput:
        encoder, features = self.bank.encoder(spec), self.bank.images(spec, one).to("cpu")
        assert isinstance(encoder, ImageEncoder)
        tail = encoder.tail()
        if spec.yields == "map" and tail is not None:
            return BranchInput(tail.dim, tail=tail)
        if isinstance(features, Ragged):
            dim = features.shape[1] - len(BOX_FEATURES) if tail is None else tail.out_features
            return BranchInput(dim, rows=True, tail=tail)
        return BranchInput(features.shape[1])

    def _text_input(self, branch: TextBranch, seed: int) -> BranchInput:
        features = self.bank.captions(branch, np.arange(1), seed).to("cpu")
        if not isinstance(features, Ragged):
            return BranchInput(features.shape[1])
        encoder = self.bank.text_encoder(branch.features, seed, branch.train_words)
        if isinstance(encoder, WordEncoder) and features.values.ndim == 1:
            return BranchInput(encoder.table.shape[1], rows=True, table=torch.from_numpy(encoder.table))
        tail = encoder.tail(branch.unfreeze)
        if branch.features.yields == "map" and tail is not None:
            return BranchInput(tail.dim, tail=tail)
        return BranchInput(features.shape[1], rows=True, tail=tail)


def _named_by(variable: str) -> Path:
    path = Path(os.environ[variable]).expanduser()
    if not path.is_file():
        raise XmrError(f"{path}: there is no such file; {variable} names it")
    return path
