"""One-hot words over a fixed vocabulary, by way of a random matrix: a table to be trained, or a random projection."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..features.spec import ENCODERS
from ..features.words import table_of, training_words
from ..provenance import Provenance
from .base import Site
from .words import WordEncoder

SEEN = 3
"""Times that training captions must have a word for it to be in the fixed vocabulary."""
DIM = 300


@ENCODERS.register("onehot")
class OneHotEncoder(WordEncoder):
    """One-hot vectors times a random matrix with entries N(0, 1).

    A linear layer on a one-hot vector is a row of its weights, so this table *is* that layer before training. Left as
    it is, distances are those of one-hot vectors but for a factor (Johnson & Lindenstrauss 1984). Words outside the
    fixed vocabulary are zero.
    """

    provenance = Provenance(())

    def learn(self, site: Site) -> None:
        fixed = sorted(word for word, times in training_words(site.dataset).items() if times >= SEEN)
        matrix = np.random.default_rng(site.seed).standard_normal((len(fixed), DIM), dtype=np.float32)
        self._vector_of = dict(zip(fixed, matrix, strict=True))

    def from_state(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        # All words of the fixed vocabulary are in the table; rows of the others are zero.
        rows = zip(self.vocabulary, self.table, strict=True)
        self._vector_of = {word: row for word, row in rows if row.any()}

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        found = self._vector_of
        return table_of(words, found) if found else np.zeros((len(words), DIM), dtype=np.float32)

    _vector_of: dict[str, np.ndarray] | None = None
