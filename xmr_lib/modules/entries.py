"""What comes before aggregation: from stored rows (regions, words, tokens) to vectors that may be trained."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .rows import Rows

GEOMETRY = 5
"""Last columns of a region's row: left, top, right, bottom as shares of the image, and the detector's score."""

Entered = tuple[Rows, Float[Tensor, "rows geometry"]]
"""Vectors, and the numbers that stand beside them: ``GEOMETRY`` of a region, none of a word."""


class RegionEntry(nn.Module):
    """Regions: the box head's last layer, if there is one between the stored rows and their vectors."""

    def __init__(self, last_layer: nn.Linear | None = None):
        super().__init__()
        self.last_layer = last_layer

    def forward(self, images: Rows) -> Entered:
        values = images.values.float()
        vectors, geometry = values[:, :-GEOMETRY], values[:, -GEOMETRY:]
        if self.last_layer is not None:
            vectors = self.last_layer(vectors).relu()
        return Rows(vectors, images.offsets), geometry


class MapEntry(nn.Module):
    """A map of a CNN: ``tail``, the rest of the network cut in two, is trained on, and its last map is averaged."""

    def __init__(self, tail: nn.Module):
        super().__init__()
        self.tail = tail

    def forward(self, maps: Float[Tensor, "images channels rows columns"]) -> Float[Tensor, "images dim"]:
        return self.tail(maps.float()).mean((2, 3))


class WordEmbedding(nn.Module):
    """Words by their number in a table of vectors: one-hot vectors times a matrix, trained or not.

    In training, ``dropout`` is the share of words left out of their captions (Iyyer et al. 2015).
    """

    def __init__(self, table: Float[Tensor, "vocabulary dim"], trained: bool, dropout: float, scale: float = 1.0):
        super().__init__()
        self.scale = scale
        self.table = nn.Embedding.from_pretrained(table.clone(), freeze=not trained)
        self.dropout = dropout

    @torch.inference_mode()
    def fit(self, captions: Rows) -> None:
        """Bring the table to mean 0 and deviation ``scale`` over the training words; unknown words stay zero."""
        table = self.table.weight
        known = table.any(dim=1, keepdim=True)
        mean, scale = _mean_and_scale(table[captions.values[known[captions.values, 0]]])
        table.copy_((table - mean) / scale * known * self.scale)

    def forward(self, captions: Rows) -> Entered:
        captions = without_some(captions, self.dropout if self.training else 0.0)
        vectors = self.table(captions.values)
        return Rows(vectors, captions.offsets), vectors[:, :0]


class TokenEntry(nn.Module):
    """Vectors of words or of BERT's tokens as they are stored; ``tail`` is the rest of a network cut in two."""

    def __init__(self, dim: int, dropout: float, tail: nn.Module | None = None):
        super().__init__()
        self.dropout, self.tail = dropout, tail
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(()))

    @torch.inference_mode()
    def fit(self, captions: Rows, sample: int = 2048) -> None:
        """Take mean and variance from some of the training captions."""
        items = torch.linspace(0, len(captions) - 1, min(sample, len(captions))).long()
        mean, scale = _mean_and_scale(self._tailed(captions[items]).values)
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def forward(self, captions: Rows) -> Entered:
        captions = without_some(self._tailed(captions), self.dropout if self.training else 0.0)
        values = (captions.values - self.mean) / self.scale
        return Rows(values, captions.offsets), values[:, :0]

    def _tailed(self, captions: Rows) -> Rows:
        captions = Rows(captions.values.float(), captions.offsets)
        if self.tail is None:
            return captions
        blocks, found = captions.of_like_length(), []
        for block in blocks:
            states, real = captions[block].padded()
            found.append(self.tail(states, real)[real])
        order = torch.cat(blocks)
        return Rows(torch.cat(found), captions[order].offsets)[order.argsort()]


def _mean_and_scale(values: Float[Tensor, "rows dim"]) -> tuple[Float[Tensor, " dim"], Float[Tensor, ""]]:
    # One scale for all dimensions: one that training hardly ever uses must not be blown up.
    return values.mean(0), values.var(0).mean().sqrt().clamp_min(1e-6)


def without_some(rows: Rows, share: float) -> Rows:
    """Leave out a random share of the rows."""
    return rows.keep(torch.rand(len(rows.values)) >= share) if share > 0 else rows
