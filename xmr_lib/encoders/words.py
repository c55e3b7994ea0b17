"""Encoders of words: a vector per word, whatever stands around it."""

import json
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from safetensors.numpy import load_file, save_file

from ..data.captioned import CaptionedImages
from ..features.spec import FeatureSpec
from ..features.words import WordVectors, vocabulary_of
from ..ragged import Ragged
from .base import Captions, Site, TextEncoder

WORDS, TABLE = "words.json", "words.safetensors"


class WordEncoder(TextEncoder):
    """A vector per word, whatever stands around it.

    A subclass gives ``vectors``, and where it learned something of the dataset ``state`` and ``from_state``.
    """

    vocabulary: tuple[str, ...] = ()
    """Words of the dataset that the table has rows for."""
    table: Float[np.ndarray, "vocabulary dim"]
    """Zeros mean an unknown word."""

    @classmethod
    def open(cls, spec: FeatureSpec, site: Site) -> "WordEncoder":
        made = cls(spec)
        made.learn(site)
        vocabulary = tuple(vocabulary_of(site.dataset))
        made.table = made.vectors(vocabulary).astype(np.float32, copy=False)
        made.vocabulary = vocabulary
        return made

    def learn(self, site: Site) -> None:
        """Take from the training captions what ``vectors`` needs, if anything."""

    @abstractmethod
    def vectors(self, words: Sequence[str]) -> Float[np.ndarray, "words dim"]:
        """Return the vector of any words, also of those outside the vocabulary; zeros where the method has none."""

    def words(self, dataset: CaptionedImages) -> WordVectors:
        """Return the table with the words of all captions of the dataset that it was opened on.

        Raises:
            XmrError: no word of the dataset has a vector.
        """
        return WordVectors.of(dataset, self.vocabulary, self.table)

    def rows(self, captions: Captions) -> Ragged:
        place = {word: number for number, word in enumerate(self.vocabulary)}
        new = sorted({word for words in captions.tokens for word in words if word not in place})
        table = self.table
        if new:
            place |= {word: len(place) + number for number, word in enumerate(new)}
            table = np.concatenate([table, self.vectors(new).astype(np.float32, copy=False)])
        numbers = np.array([place[word] for words in captions.tokens for word in words], dtype=np.int64)
        return Ragged.from_lengths(table[numbers], np.array([len(words) for words in captions.tokens], dtype=np.int64))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what ``vectors`` needs after a save: plain values and arrays."""
        return {}, {}

    def from_state(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Take back what ``state`` gave."""

    def save(self, folder: str | Path) -> None:
        folder = Path(folder)
        facts, arrays = self.state()
        words = {"vocabulary": list(self.vocabulary), **facts}
        (folder / WORDS).write_text(json.dumps(words, ensure_ascii=False) + "\n", "utf-8", "surrogatepass")
        save_file({"table": self.table, **arrays}, folder / TABLE)

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> "WordEncoder":
        made = cls(spec)
        made.copies, folder = Path(networks) if networks else None, Path(folder)
        facts = json.loads((folder / WORDS).read_text("utf-8", "surrogatepass"))
        arrays = load_file(folder / TABLE)
        made.vocabulary, made.table = tuple(facts.pop("vocabulary")), arrays.pop("table")
        made.from_state(facts, arrays)
        return made

    copies: Path | None = None
    """Folder of copies of pretrained networks, where a saved model has them."""

    def unknown(self, words: Sequence[str], reason: str) -> Float[np.ndarray, "words dim"]:
        """Return zeros for words that have no vector here, and say why, once."""
        if not self._said and len(words):
            warnings.warn(f"{self.spec.slug}: new words such as {words[0]!r} have no vector ({reason})", stacklevel=3)
            self._said = True
        return np.zeros((len(words), self.table.shape[1]), dtype=np.float32)

    _said = False
