"""``FeatureBank``: the features of one dataset, made when first asked for and opened once."""

import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ..config import Profile, TextBranch
from ..data import CaptionedImages
from ..encoders import DETECTORS, Encoder, ImageEncoder, Site, TextEncoder, WordEncoder, open_encoder
from ..features.extract import drop_skipped
from ..features.idf import InverseFrequency
from ..features.spec import ENCODERS, FeatureSpec
from ..features.store import FeatureStore
from ..features.words import WordVectors
from ..items import OnDisk
from ..model import as_items, pooled
from ..ragged import Ragged
from ..runtime import CPU, Runtime
from ..training import History
from .detectors import detector_of

LITE = FeatureSpec("frcnn-lite0")
TRUNK = FeatureSpec("effnet-lite0", "trunk")
BLOCK = 4096
"""Captions that are aggregated at once."""


class FeatureBank:
    """Encoders, stores and tables of words of a dataset.

    Args:
        dataset: whose features they are.
        cache: folder of its stores, in ``features/``.
        profile: sizes of what is learned on the dataset (FastText, a detector).
        strict: stop at the first image that can't be read.
        runtime: where networks compute.
    """

    def __init__(
        self,
        dataset: CaptionedImages,
        cache: str | Path,
        profile: Profile,
        strict: bool = False,
        runtime: Runtime = CPU,
    ):
        self.dataset, self.cache, self.profile, self.strict = dataset, Path(cache), profile, strict
        self.runtime = runtime
        self._on_disk: set[str] = set()
        # Memoised for this object alone; a memoised method would keep every bank alive.
        self.encoder = lru_cache(maxsize=None)(self._encoder)
        self.image_store = lru_cache(maxsize=None)(self._image_store)
        self._opened = lru_cache(maxsize=6)(self._words)
        self.caption_vectors = lru_cache(maxsize=3)(self._caption_vectors)
        self.frequency = lru_cache(maxsize=None)(self._frequency)

    def site(self, seed: int = 0) -> Site:
        """Return where encoders are opened."""
        return Site(
            self.dataset,
            self.cache,
            seed,
            self.profile.name,
            self.profile.fasttext_epochs,
            self.profile.detector_epochs,
            self.runtime,
        )

    def usable(self, specs: tuple[FeatureSpec, ...]) -> CaptionedImages:
        """Return the dataset, its splits without the images that have no features (a file that can't be read)."""
        usable = self.dataset
        for spec in specs:
            usable = drop_skipped(usable, self.image_store(spec))
        return usable

    def images(self, spec: FeatureSpec, ids: np.ndarray) -> torch.Tensor | Ragged | OnDisk:
        """Return the features of images by their ids, as a model is fed them."""
        encoder, store = self.encoder(spec), self.image_store(spec)
        assert isinstance(encoder, ImageEncoder)
        return self._held(lambda ids: as_items(encoder.inputs(store.take(ids))), ids, store)

    def captions(self, branch: TextBranch, captions: np.ndarray, seed: int) -> torch.Tensor | Ragged | OnDisk:
        """Return captions, by their places in the dataset, as a branch is fed them: vectors, rows or numbers."""
        if branch.pooled_ahead:
            return self._pooled_ahead(branch.features, branch.pooling, captions, seed)
        words = self.words(branch.features, seed, branch.train_words)
        if isinstance(words, FeatureStore):
            return self._held(lambda ids: as_items(words.take(ids)), self.dataset.caption_ids[captions], words)
        return as_items(words.words[captions])

    def places(self, part: CaptionedImages) -> np.ndarray:
        """Return the places that the captions of a part have in the whole dataset."""
        return np.flatnonzero(np.isin(self.dataset.caption_ids, part.caption_ids))

    def text_encoder(self, spec: FeatureSpec, seed: int, as_words: bool = False) -> TextEncoder:
        """Return the encoder of captions; ``as_words``: with one vector per word, where a store has one per token."""
        encoder = self.encoder(spec, seed)
        if as_words and getattr(encoder, "per_token", False):
            encoder = encoder.as_words(self.dataset, self.words(spec, seed))
        assert isinstance(encoder, TextEncoder)
        return encoder

    def _frequency(self) -> InverseFrequency:
        """Count the words of the training captions."""
        return InverseFrequency.of(self.dataset)

    def _held(
        self, read: Callable[[np.ndarray], torch.Tensor | Ragged], ids: np.ndarray, store: FeatureStore
    ) -> torch.Tensor | Ragged | OnDisk:
        """Read features into memory, if they are not too many to be held there."""
        size = store.nbytes_of(ids)
        if size <= self.runtime.hold:
            return read(ids)
        self._tell_on_disk(store.folder.name, size)
        return OnDisk(read, ids, size)

    def _tell_on_disk(self, name: str, size: int) -> None:
        """Say, once, that features are too many to be held: steps take longer."""
        if name not in self._on_disk and self.runtime.processes.first:
            held = f"{self.runtime.hold / 2**30:.1f} GiB (XMR_HOLD_MB)"
            tqdm.write(f"{name}: {size / 2**30:.1f} GiB stay on disk, read by batch; held is {held}", file=sys.stderr)
        self._on_disk.add(name)

    def _encoder(self, spec: FeatureSpec, seed: int = 0) -> Encoder:
        if spec.encoder == LITE.encoder:
            self.detector()
        return open_encoder(spec, self.site(seed))

    def _image_store(self, spec: FeatureSpec) -> FeatureStore:
        if spec.encoder in DETECTORS and spec.output:
            # One store holds both descriptions of a region.
            return self.image_store(FeatureSpec(spec.encoder))
        encoder = self.encoder(spec)
        assert isinstance(encoder, ImageEncoder)
        return encoder.store(self.dataset, encoder.store_folder(self.site()), self.strict)

    def share(self, spec: FeatureSpec) -> None:
        """Make the store of image features together with the other processes, if it is not there and can be shared."""
        if spec.encoder in DETECTORS and spec.output:
            return self.share(FeatureSpec(spec.encoder))
        with self.runtime.processes.first_alone():
            encoder = self.encoder(spec)
        assert isinstance(encoder, ImageEncoder)
        folder = encoder.store_folder(self.site())
        # All look before the first one begins.
        there = folder.exists() or type(encoder).store is not ImageEncoder.store
        self.runtime.processes.wait()
        if not there:
            encoder.share(self.dataset, folder, self.strict)

    def without_pictures(self, spec: FeatureSpec) -> bool:
        """Return whether features can be had without photographs: they came with the data, or were made before."""
        kind, stores = ENCODERS[spec.encoder], self.cache / "features"
        if not issubclass(kind, ImageEncoder) or not kind.of_pictures:
            return True
        # A detector is not opened for the question: it would be trained first.
        return any(stores.glob(f"{spec.encoder}*")) if spec.encoder in DETECTORS else (stores / spec.folder).exists()

    def words(self, spec: FeatureSpec, seed: int, as_words: bool = False) -> WordVectors | FeatureStore:
        """Return the table of a dataset's words, or the store of its captions; see ``text_encoder``."""
        # However it is asked for, it is opened once, and what it has to say is said once.
        return self._opened(spec, seed, as_words)

    def _words(self, spec: FeatureSpec, seed: int, as_words: bool) -> WordVectors | FeatureStore:
        encoder = self.text_encoder(spec, seed, as_words)
        if isinstance(encoder, WordEncoder) and not getattr(encoder, "per_token", False):
            return encoder.words(self.dataset)
        return encoder.store(self.dataset, encoder.store_folder(self.site(seed)))

    def _pooled_ahead(self, spec: FeatureSpec, pooling: str, captions: np.ndarray, seed: int) -> torch.Tensor | OnDisk:
        """Return the aggregated words of captions; where all are too many, those of some when they are asked for."""

        def read(some: np.ndarray) -> torch.Tensor:
            return self._aggregated(spec, pooling, some, seed)

        per_caption = read(captions[:1]).nbytes
        size = per_caption * self.dataset.caption_count
        if size > self.runtime.hold:
            self._tell_on_disk(f"{spec.slug} ({pooling})", size)
            return OnDisk(read, captions, per_caption * len(captions))
        return self.caption_vectors(spec, pooling, seed)[torch.from_numpy(captions)]

    def _caption_vectors(self, spec: FeatureSpec, pooling: str, seed: int) -> torch.Tensor:
        captions = np.arange(self.dataset.caption_count)
        blocks = np.split(captions, captions[BLOCK::BLOCK])
        bar = tqdm(blocks, desc=f"words → captions ({pooling})", leave=False)
        return torch.cat([self._aggregated(spec, pooling, block, seed) for block in bar])

    def _aggregated(self, spec: FeatureSpec, pooling: str, captions: np.ndarray, seed: int) -> torch.Tensor:
        frequency = self.frequency() if pooling == "idf" else None
        rows = self._rows(self.words(spec, seed), captions)
        return pooled(rows, pooling, [self.dataset.tokens[c] for c in captions], frequency)

    def _rows(self, words: WordVectors | FeatureStore, captions: np.ndarray) -> Ragged:
        if isinstance(words, FeatureStore):
            return words.take(self.dataset.caption_ids[captions])
        rows = words.words[captions]
        return Ragged(words.table[rows.values], rows.offsets)

    @property
    def detector_file(self) -> Path:
        """Where the light Faster R-CNN of this dataset is, or will be once ``detector()`` was called."""
        return self.cache / "detectors" / f"{LITE.encoder}-{self.profile.name}.safetensors"

    def detector(self) -> History:
        """Train the light Faster R-CNN on ``boxes.json`` beside the captions, or return the history of what is there.

        Raises:
            XmrError: there are no boxes.
        """
        boxes, epochs = self.site().beside("boxes.json"), self.profile.detector_epochs
        maps = self.image_store(TRUNK)
        return detector_of(self.usable((TRUNK,)), boxes, maps, self.detector_file, epochs, runtime=self.runtime.alone)
