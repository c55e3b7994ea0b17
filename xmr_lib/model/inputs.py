"""From photographs and captions to what the towers of a model are fed: one object per branch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..config import Branch, TextBranch
from ..encoders import Captions, ImageEncoder, TextEncoder, WordEncoder
from ..errors import XmrError
from ..features.idf import InverseFrequency
from ..features.view import Pixels
from ..items import Items, OnDisk, Parts
from ..modules import WordEmbedding, pool
from ..ragged import Ragged

Boxes = Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Of each image: boxes as shares of it, shape (regions, 4), their labels and their scores; without the whole image."""


@dataclass(frozen=True)
class ImageInput:
    """The features of one branch of the image tower."""

    branch: Branch
    encoder: ImageEncoder

    def of_pixels(self, pixels: Pixels, boxes: Boxes | None = None) -> Tensor | Ragged:
        """Return the features of images; of ``boxes``, if regions are given."""
        if boxes is not None and hasattr(self.encoder, "describe"):
            return as_items(self.encoder.inputs(self.encoder.describe(pixels, boxes)))
        return as_items(self.encoder.inputs(self.encoder.features(pixels)))


@dataclass(frozen=True)
class TextInput:
    """The features of one branch of the text tower."""

    branch: TextBranch
    encoder: TextEncoder
    frequency: InverseFrequency | None = None
    """For the aggregation ``idf``."""

    def of_captions(self, captions: Captions, embedding: WordEmbedding | None = None) -> Tensor | Ragged:
        """Return the features of captions; ``embedding`` is the model's own table, where words are named by number."""
        if embedding is not None:
            return self._numbers(captions, embedding)
        rows = self.encoder.rows(captions)
        if not self.branch.pooled_ahead:
            return as_items(rows)
        return pooled(rows, self.branch.pooling, captions.tokens, self.frequency)

    def _numbers(self, captions: Captions, embedding: WordEmbedding) -> Ragged:
        encoder = self.encoder
        assert isinstance(encoder, WordEncoder)
        number_of = {word: number for number, word in enumerate(encoder.vocabulary)}
        new = sorted({word for words in captions.tokens for word in words if word not in number_of})
        number_of |= {word: len(number_of) + place for place, word in enumerate(new)}
        numbers = [number_of[word] for words in captions.tokens for word in words]
        lengths = np.array([len(words) for words in captions.tokens], dtype=np.int64)
        # The table in use grows for this call alone: the model itself stays as it was saved.
        embedding.beyond = embedding.scaled(torch.from_numpy(encoder.vectors(new)).float()) if new else None
        return as_items(Ragged.from_lengths(np.array(numbers, dtype=np.int64), lengths))


def pooled(
    rows: Ragged, pooling: str, tokens: Sequence[Sequence[str]], frequency: InverseFrequency | None = None
) -> Tensor:
    """Aggregate rows that need nothing learned, shape (captions, pooled).

    Raises:
        XmrError: ``idf``, and the rows are not one for each token.
    """
    weights = None
    if pooling == "idf":
        assert frequency is not None
        weights = torch.from_numpy(frequency.weights(tokens))
        if len(weights) != len(rows.values):
            raise XmrError(
                f"aggregation 'idf': {len(rows.values)} vectors for {len(weights)} words; it needs one for each"
            )
    return pool(torch.from_numpy(np.asarray(rows.values)).float(), torch.from_numpy(rows.offsets), pooling, weights)


def as_items(features: np.ndarray | Ragged) -> Tensor | Ragged:
    """Return features as tensors; maps and states, a hundred times as long as a vector, stay in half precision."""
    if isinstance(features, Ragged):
        return features.tensors()
    tensor = torch.from_numpy(features)
    return tensor if tensor.ndim > 2 else tensor.float()


def one_or_parts(features: Sequence[Tensor | Ragged | OnDisk]) -> Items:
    """Return the features of a tower: of its one branch, or of several together."""
    return features[0] if len(features) == 1 else Parts(tuple(features))
