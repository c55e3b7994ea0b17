"""PHOC, the pyramidal histogram of characters (Almazán et al. 2014): a word by which letters stand where."""

import itertools
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..features.spec import ENCODERS
from ..features.words import training_words
from ..provenance import Provenance
from .base import Site
from .words import WordEncoder

CHARACTERS = string.ascii_lowercase + string.digits
LEVELS = (2, 3, 4, 5)
BIGRAMS = 50
BIGRAM_LEVEL = 2


@ENCODERS.register("phoc")
class PhocEncoder(WordEncoder):
    """PHOCs of length 604: 36 characters × (2 + 3 + 4 + 5) parts of the word, 50 bigrams × 2 halves.

    The bigrams are the most frequent ones of the training captions' words. No word is unknown.
    """

    provenance = Provenance(())
    bigrams: list[str]

    def learn(self, site: Site) -> None:
        pairs: Counter[str] = Counter()
        for word, times in training_words(site.dataset).items():
            for pair in itertools.pairwise(word):
                pairs["".join(pair)] += times
        self.bigrams = [pair for pair, _ in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:BIGRAMS]]

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        return np.stack([phoc(word, self.bigrams) for word in words])

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"bigrams": self.bigrams}, {}

    def from_state(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.bigrams = facts["bigrams"]


def phoc(word: str, bigrams: Sequence[str]) -> np.ndarray:
    """Return the PHOC of a word, 0 or 1 each: level by level, part by part, character by character; then bigrams.

    The k-th of n characters covers [k / n, (k + 1) / n]; it belongs to a part of the word that holds at least half of
    it. Characters that are neither letters nor digits belong nowhere.
    """
    levels = [_level(word, 1, list(CHARACTERS), level) for level in LEVELS]
    return np.concatenate([*levels, _level(word, 2, bigrams, BIGRAM_LEVEL)])


def _level(word: str, length: int, units: Sequence[str], parts: int) -> np.ndarray:
    place = {unit: index for index, unit in enumerate(units)}
    found = np.zeros((parts, len(units)), dtype=np.float32)
    word = word.lower()
    for start in range(len(word) - length + 1):
        unit = word[start : start + length]
        if unit not in place:
            continue
        for part in range(parts):
            # In units of 1 / (characters × parts), so that halves are exact.
            overlap = min((start + length) * parts, (part + 1) * len(word)) - max(start * parts, part * len(word))
            if 2 * overlap >= length * parts:
                found[part, place[unit]] = 1.0
    return found.ravel()
