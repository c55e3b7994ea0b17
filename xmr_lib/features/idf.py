"""Inverse document frequency (Spärck Jones 1972), counted on the training captions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from ..data.captioned import CaptionedImages


@dataclass(frozen=True)
class InverseFrequency:
    """log((1 + captions) / (1 + captions with the word)): a word that no training caption has weighs most."""

    captions: int
    frequency: dict[str, int]
    """Of each word the training captions that have it."""

    @classmethod
    def of(cls, dataset: CaptionedImages) -> "InverseFrequency":
        train = dataset.split("train")
        return cls(train.caption_count, dict(Counter(word for tokens in train.tokens for word in set(tokens))))

    def weights(self, captions: Sequence[Sequence[str]]) -> Float32[np.ndarray, " words"]:
        """Return the weight of each word of each caption, end to end."""
        known = {word: self._weight(word) for words in captions for word in words}
        return np.array([known[word] for words in captions for word in words], dtype=np.float32)

    def _weight(self, word: str) -> float:
        return float(np.log((1 + self.captions) / (1 + self.frequency.get(word, 0))))
