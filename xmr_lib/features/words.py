"""Words and their vectors: one table over a dataset's vocabulary, whatever the vectors come from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..ragged import Ragged
from .store import FeatureStore

MISSPELT = 100
"""Frequent words whose misspellings are in every table, so that one can see what a representation does with them."""


@dataclass(frozen=True)
class WordVectors:
    """A vector for each word of a dataset, and which words each caption has. Zeros mean an unknown word."""

    vocabulary: tuple[str, ...]
    table: Float32[np.ndarray, "vocabulary dim"]
    """Row i is the vector of ``vocabulary[i]``."""
    words: Ragged
    """Rows of ``table``, int64: one item a caption of the dataset, in its order; empty for a caption without words."""

    @classmethod
    def of(cls, dataset: CaptionedImages, vocabulary: Sequence[str], table: np.ndarray) -> "WordVectors":
        """Look up the words of all captions.

        Raises:
            XmrError: no word of the dataset has a vector.
        """
        if not table.any():
            raise XmrError(f"{dataset.name}: none of its {len(vocabulary)} words has a vector")
        row_of = {word: row for row, word in enumerate(vocabulary)}
        rows = np.array([row_of[word] for words in dataset.tokens for word in words], dtype=np.int64)
        lengths = np.array([len(words) for words in dataset.tokens], dtype=np.int64)
        return cls(tuple(vocabulary), table.astype(np.float32, copy=False), Ragged.from_lengths(rows, lengths))


def table_of_store(dataset: CaptionedImages, store: FeatureStore) -> WordVectors:
    """Return the vectors of words from a store that has one for each word of each caption: those of first sight.

    Raises:
        XmrError: a caption has not as many vectors as words.
    """
    rows = store.take(dataset.caption_ids)
    words = [word for tokens in dataset.tokens for word in tokens]
    if len(words) != len(rows.values):
        raise XmrError(f"{store.folder}: {len(rows.values)} word vectors for {len(words)} words")
    first: dict[str, int] = {}
    for row, word in enumerate(words):
        first.setdefault(word, row)
    vocabulary = vocabulary_of(dataset)
    return WordVectors.of(dataset, vocabulary, table_of(vocabulary, {w: rows.values[r] for w, r in first.items()}))


def vocabulary_of(dataset: CaptionedImages) -> list[str]:
    """Return the words of all captions in alphabetical order, then the misspellings of ``misspellings_of``."""
    return [*sorted({word for words in dataset.tokens for word in words}), *misspellings_of(dataset)]


def training_captions(dataset: CaptionedImages) -> list[tuple[str, ...]]:
    """Return the words of each training caption that has any."""
    of_train = np.isin(dataset.image_of_caption, dataset.splits.get("train", []))
    return [words for words, wanted in zip(dataset.tokens, of_train.tolist(), strict=True) if wanted and words]


def training_words(dataset: CaptionedImages) -> Counter[str]:
    """Count the words of the training captions."""
    return Counter(word for words in training_captions(dataset) for word in words)


def misspellings_of(dataset: CaptionedImages) -> dict[str, str]:
    """Return misspelling → word for the most frequent training words of at least five letters.

    Two letters in the middle change places; what that makes is no word of the dataset.
    """
    known = {word for words in dataset.tokens for word in words}
    frequency = training_words(dataset)
    found: dict[str, str] = {}
    for word, _ in sorted(frequency.items(), key=lambda item: (-item[1], item[0])):
        middle = len(word) // 2
        misspelt = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
        if len(word) >= 5 and misspelt not in known and misspelt not in found and len(found) < MISSPELT:
            found[misspelt] = word
    return found


def table_of(vocabulary: Sequence[str], vectors: Mapping[str, np.ndarray]) -> Float32[np.ndarray, "vocabulary dim"]:
    """Return one row a word; zeros for a word that ``vectors`` does not have."""
    dim = len(next(iter(vectors.values()), ()))
    table = np.zeros((len(vocabulary), dim), dtype=np.float32)
    for row, word in enumerate(vocabulary):
        if word in vectors:
            table[row] = vectors[word]
    return table
