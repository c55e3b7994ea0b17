"""One-hot words over a fixed vocabulary, by way of a random matrix: a table to be trained, or a random projection."""

import numpy as np

from ..data.captioned import CaptionedImages
from .words import WordVectors, table_of, training_words, vocabulary_of

SEEN = 3
"""Times that training captions must have a word for it to be in the fixed vocabulary."""


def onehot_words(dataset: CaptionedImages, dim: int = 300, seed: int = 0) -> WordVectors:
    """Return one-hot vectors times a random matrix with entries N(0, 1).

    A linear layer on a one-hot vector is a row of its weights, so this table *is* that layer before training. Left as
    it is, distances are those of one-hot vectors but for a factor (Johnson & Lindenstrauss 1984). Words outside the
    fixed vocabulary are zero.
    """
    fixed = sorted(word for word, times in training_words(dataset).items() if times >= SEEN)
    matrix = np.random.default_rng(seed).standard_normal((len(fixed), dim), dtype=np.float32)
    vocabulary = vocabulary_of(dataset)
    return WordVectors.of(dataset, vocabulary, table_of(vocabulary, dict(zip(fixed, matrix, strict=True))))
