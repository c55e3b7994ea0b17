"""Vectors of character n-grams: what FastText makes the vector of a new word from (Bojanowski et al. 2017)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float16, Int32


@dataclass(frozen=True)
class Subwords:
    """The buckets that n-grams of the training words fall into; all others were never trained and are left out."""

    buckets: Int32[np.ndarray, " buckets"]
    """Their numbers, ascending."""
    values: Float16[np.ndarray, "buckets dim"]
    rule: Int32[np.ndarray, " 3"]
    """Shortest and longest n-gram, in characters, and the number of all buckets."""

    @classmethod
    def of(cls, model: Any) -> "Subwords":
        """Take them from a trained ``FastText`` of gensim's."""
        wv = model.wv
        used = np.unique(np.concatenate([np.asarray(own, dtype=np.int64) for own in wv.buckets_word]))
        rule = np.array([wv.min_n, wv.max_n, wv.bucket], dtype=np.int32)
        return cls(used.astype(np.int32), wv.vectors_ngrams[used].astype(np.float16), rule)

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        """Return the mean of each word's n-grams, shape (words, dim); zeros where none of them was trained."""
        from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes

        table = np.zeros((len(words), self.values.shape[1]), dtype=np.float32)
        shortest, longest, count = self.rule.tolist()
        for row, word in enumerate(words):
            grams = compute_ngrams_bytes(word, shortest, longest)
            hashes = np.array([ft_hash_bytes(gram) % count for gram in grams], dtype=np.int64)
            places = np.searchsorted(self.buckets, hashes)
            known = places < len(self.buckets)
            known[known] = self.buckets[places[known]] == hashes[known]
            if known.any():
                # Untrained n-grams count as zero vectors, as they nearly are in gensim.
                table[row] = self.values[places[known]].astype(np.float32).sum(0) / len(grams)
        return table

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the fields by name."""
        return {"buckets": self.buckets, "values": self.values, "rule": self.rule}
