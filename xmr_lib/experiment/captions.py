"""From words to one vector a caption, for a whole dataset, in blocks that fit in memory."""

from collections import Counter

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from ..data import CaptionedImages
from ..errors import XmrError
from ..features.store import FeatureStore
from ..features.words import WordVectors
from ..modules import pool
from ..ragged import Ragged, offsets_of

BLOCK = 4096


def caption_vectors(
    dataset: CaptionedImages, words: WordVectors | FeatureStore, aggregation: str
) -> Float[Tensor, "captions pooled"]:
    """Aggregate the words of every caption of a dataset, in its order.

    Args:
        words: a vector for each word of the vocabulary, or a ragged store with a vector for each word of each caption.
        aggregation: see ``encoders.pool``.

    Raises:
        XmrError: word vectors and the captions' tokens differ in number.
    """
    captions = np.arange(dataset.caption_count)
    weights = word_weights(dataset) if aggregation == "idf" else None
    blocks = []
    for block in tqdm(
        np.split(captions, captions[BLOCK::BLOCK]), desc=f"words → captions ({aggregation})", leave=False
    ):
        rows = _rows(dataset, words, block)
        block_weights = None if weights is None else torch.from_numpy(weights.take(block).values)
        if block_weights is not None and len(block_weights) != len(rows.values):
            raise XmrError(f"{dataset.name}: {len(rows.values)} word vectors for {len(block_weights)} tokens")
        blocks.append(
            pool(torch.from_numpy(rows.values).float(), torch.from_numpy(rows.offsets), aggregation, block_weights)
        )
    return torch.cat(blocks)


def word_weights(dataset: CaptionedImages) -> Ragged:
    """Return the inverse document frequency of each word of each caption, counted on the training captions.

    log((1 + captions) / (1 + captions with the word)): a word that no training caption has weighs most.
    """
    train = dataset.split("train")
    frequency = Counter(word for tokens in train.tokens for word in set(tokens))
    vocabulary = {
        word: np.log((1 + train.caption_count) / (1 + frequency[word])) for words in dataset.tokens for word in words
    }
    values = np.array([vocabulary[word] for words in dataset.tokens for word in words], dtype=np.float32)
    return Ragged(values, offsets_of(np.array([len(words) for words in dataset.tokens], dtype=np.int64)))


def _rows(dataset: CaptionedImages, words: WordVectors | FeatureStore, captions: np.ndarray) -> Ragged:
    if isinstance(words, FeatureStore):
        return words.take(dataset.caption_ids[captions])
    rows = words.words.take(captions)
    return Ragged(words.table[rows.values], rows.offsets)
