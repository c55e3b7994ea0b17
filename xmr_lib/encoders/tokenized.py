"""Text encoders with a tokenizer of their own: what they read of a caption ends somewhere, and they say so."""

import sys
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..features.store import FeatureStore
from ..features.store_writer import AlreadyThere, StoreWriter
from ..networks.huggingface import too_long
from ..ragged import Ragged
from .base import Captions, TextEncoder

BLOCK = 2048
"""Captions between two commits."""
TOKENS = 2048
"""Tokens that a network sees at once on a processor, padding included; on another device eight times as many."""


class TokenizedEncoder(TextEncoder):
    """A subclass gives ``tokenizer``, ``longest``, ``row_shape``, ``made_by`` and ``encoded``."""

    dtype: str = "float16"
    tokenizer: Any
    longest: int
    """Most tokens that are read of a caption, those that are put around it included."""
    row_shape: tuple[int, ...]
    """Shape of the features of a caption, or of one of its rows."""

    @property
    def tokens(self) -> int:
        """Tokens that its network sees at once."""
        return TOKENS if self.runtime.on_cpu else 8 * TOKENS

    @abstractmethod
    def made_by(self, dataset: CaptionedImages) -> dict[str, Any]:
        """Return what a store of a dataset is told by, beside type and captions: extractor, weights, settings."""

    @abstractmethod
    def encoded(self, captions: list[str]) -> Ragged | Float[np.ndarray, "captions dim"]:
        """Return the features of captions as they are stored."""

    def cut(self, captions: Sequence[str]) -> int:
        """Return how many captions are longer than what is read of them."""
        return too_long(self.tokenizer, captions, self.longest)

    def rows(self, captions: Captions) -> Ragged | Float[np.ndarray, "captions dim"]:
        self._tell_cut(captions.raw)
        return self.encoded(list(captions.raw))

    def store(self, dataset: CaptionedImages, folder: str | Path) -> FeatureStore:
        """Compute the features of all captions, or open them: one item per caption, in the order of the dataset.

        A kill loses at most a block.

        Raises:
            XmrError: the store in ``folder`` was made by something else.
        """
        folder = Path(folder)
        meta = {
            **self.made_by(dataset),
            "dtype": self.dtype,
            "dataset": dataset.fingerprint,
            "captions": dataset.raw_fingerprint,
        }
        if not folder.exists():
            ragged = type(self).yields(self.spec) != "vector"
            with suppress(AlreadyThere), StoreWriter(folder, meta, self.row_shape, ragged, self.dtype) as writer:
                count = dataset.caption_count
                with tqdm(total=count, initial=writer.done, desc=f"{self.spec.slug} captions", unit="caption") as bar:
                    for start in range(writer.done, count, BLOCK):
                        block = np.arange(start, min(start + BLOCK, count))
                        found = self.encoded([dataset.raw[caption] for caption in block])
                        rows = (found.values, found.lengths) if isinstance(found, Ragged) else (found, None)
                        writer.append(dataset.caption_ids[block], *rows)
                        writer.commit()
                        bar.update(len(block))
                writer.finish()
        store = FeatureStore.open(folder, meta)
        self._tell_cut(dataset.raw)
        return store

    def _tell_cut(self, captions: Sequence[str]) -> None:
        if cut := self.cut(captions):
            line = f"{cut} of {len(captions)} captions are longer than the {self.longest} tokens that it reads"
            tqdm.write(f"warning: {self.spec.slug}: {line}; they are cut", file=sys.stderr)


def batches_of_like_length(lengths: Int[np.ndarray, " captions"], tokens: int) -> list[list[int]]:
    """Cut captions, sorted by length, into batches of about ``tokens`` tokens."""
    batches: list[list[int]] = [[]]
    for caption in np.argsort(lengths, kind="stable").tolist():
        # The last one is the longest so far: all are padded to it.
        if (len(batches[-1]) + 1) * lengths[caption] > tokens and batches[-1]:
            batches.append([])
        batches[-1].append(caption)
    return batches
