"""What comes before aggregation: from stored rows (regions, words, tokens) to vectors that may be trained."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..ragged import Ragged
from .tunable import Tunable

BOX_FEATURES = ("left", "top", "right", "bottom", "score")
"""Last columns of a region's row: its box as shares of the image, and the detector's score."""
BESIDE = len(BOX_FEATURES)

Entered = tuple[Ragged, Float[Tensor, "rows box_features"]]
"""Vectors, and the numbers that stand beside them: ``BOX_FEATURES`` of a region, none of a word."""


class RegionEntry(Tunable):
    """Regions: the box head's last layer, if there is one between the stored rows and their vectors."""

    def __init__(self, last_layer: nn.Linear | None = None, lr_multiplier: float = 1.0):
        super().__init__(lr_multiplier, pretrained=True)
        self.last_layer = last_layer

    def forward(self, images: Ragged) -> Entered:
        values = images.values.to(torch.get_default_dtype())
        vectors, box_features = values[:, :-BESIDE], values[:, -BESIDE:]
        if self.last_layer is not None:
            vectors = self.last_layer(vectors).relu()
        return Ragged(vectors, images.offsets), box_features


class MapEntry(Tunable):
    """A map: ``tail``, the rest of the network cut in two, is trained on; the last map of a CNN is averaged."""

    def __init__(self, tail: nn.Module, lr_multiplier: float = 1.0):
        super().__init__(lr_multiplier, pretrained=True)
        self.tail = tail

    def forward(self, maps: Float[Tensor, "images *map"]) -> Float[Tensor, "images dim"]:
        found = self.tail(maps.to(torch.get_default_dtype()))
        return found.mean((2, 3)) if found.ndim == 4 else found


class StatesEntry(Tunable):
    """States of a caption's tokens: ``tail``, the rest of the network cut in two, is trained on and gives a vector."""

    def __init__(self, tail: nn.Module, lr_multiplier: float = 1.0):
        super().__init__(lr_multiplier, pretrained=True)
        self.tail = tail

    def forward(self, captions: Ragged) -> Float[Tensor, "captions dim"]:
        captions = Ragged(captions.values.to(torch.get_default_dtype()), captions.offsets)
        blocks = captions.of_like_length()
        found = torch.cat([self.tail(*captions[block].padded()) for block in blocks])
        return found[torch.cat(blocks).argsort().to(found.device, non_blocking=True)]


class WordEmbedding(Tunable):
    """Words by their number in a table of vectors: one-hot vectors times a matrix, trained or not.

    ``beyond``: vectors of words that the table does not have, numbered on from its end; they are no part of the state.

    In training, ``dropout`` is the share of words left out of their captions (Iyyer et al. 2015).
    """

    def __init__(
        self,
        table: Float[Tensor, "vocabulary dim"],
        trained: bool,
        dropout: float,
        scale: float = 1.0,
        lr_multiplier: float = 1.0,
    ):
        super().__init__(lr_multiplier, pretrained=False)
        self.scale = scale
        self.table = nn.Embedding.from_pretrained(table.clone(), freeze=not trained)
        self.dropout = dropout
        self.register_buffer("mean", torch.zeros(table.shape[1]))
        self.register_buffer("deviation", torch.ones(()))
        self.beyond: Tensor | None = None

    @torch.inference_mode()
    def fit(self, captions: Ragged) -> None:
        """Bring the table to mean 0 and deviation ``scale`` over the training words; unknown words stay zero."""
        table = self.table.weight
        known = table.any(dim=1, keepdim=True)
        # By how often each word is there: its vector is not held once for every time.
        counts = torch.bincount(captions.values, minlength=len(table)).to(table.device)[:, None] * known
        mean, deviation = _mean_and_scale(table, counts)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)
        table.copy_(self.scaled(table))

    def scaled(self, vectors: Float[Tensor, "words dim"]) -> Float[Tensor, "words dim"]:
        """Return vectors as ``fit`` would have put them into the table: where training starts, and new words stay."""
        vectors = vectors.to(self.mean.device)
        return (vectors - self.mean) / self.deviation * vectors.any(dim=1, keepdim=True) * self.scale

    def forward(self, captions: Ragged) -> Entered:
        captions = without_some(captions, self.dropout if self.training else 0.0)
        vectors = self._looked_up(captions.values)
        return Ragged(vectors, captions.offsets), vectors[:, :0]

    def _looked_up(self, numbers: Tensor) -> Float[Tensor, "rows dim"]:
        if self.beyond is None:
            return self.table(numbers)
        return nn.functional.embedding(numbers, torch.cat([self.table.weight, self.beyond]))


class TokenEntry(Tunable):
    """Vectors of words or of BERT's tokens as they are stored; ``tail`` is the rest of a network cut in two."""

    def __init__(self, dim: int, dropout: float, tail: nn.Module | None = None, lr_multiplier: float = 1.0):
        super().__init__(lr_multiplier, pretrained=True)
        self.dropout, self.tail = dropout, tail
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(()))

    @torch.inference_mode()
    def fit(self, captions: Ragged, sample: int = 2048) -> None:
        """Take mean and variance from some of the training captions."""
        items = torch.linspace(0, len(captions) - 1, min(sample, len(captions))).long()
        mean, scale = _mean_and_scale(self._tailed(captions[items].to(self.mean.device)).values)
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def forward(self, captions: Ragged) -> Entered:
        captions = without_some(self._tailed(captions), self.dropout if self.training else 0.0)
        values = (captions.values - self.mean) / self.scale
        return Ragged(values, captions.offsets), values[:, :0]

    def _tailed(self, captions: Ragged) -> Ragged:
        captions = Ragged(captions.values.to(torch.get_default_dtype()), captions.offsets)
        if self.tail is None:
            return captions
        blocks, found = captions.of_like_length(), []
        for block in blocks:
            states, real = (own := captions[block]).padded()
            found.append(own.unpadded(self.tail(states, real)))
        order = torch.cat(blocks)
        return Ragged(torch.cat(found), captions[order].offsets)[order.argsort()]


def _mean_and_scale(
    values: Float[Tensor, "rows dim"], counts: Int[Tensor, "rows 1"] | None = None
) -> tuple[Float[Tensor, " dim"], Float[Tensor, ""]]:
    """Mean and one scale for all dimensions: one that training hardly ever uses must not be blown up."""
    # On the host, for not every device has double precision.
    values = values.cpu()
    counts = values.new_ones(len(values), 1, dtype=torch.int64) if counts is None else counts.cpu()
    total = counts.sum()
    mean = (values.double() * counts).sum(0) / total
    variance = ((values - mean) ** 2 * counts).sum(0) / (total - 1)
    return mean.to(values.dtype), variance.mean().sqrt().clamp_min(1e-6).to(values.dtype)


def without_some(rows: Ragged, share: float) -> Ragged:
    """Leave out a random share of the rows."""
    return rows.keep(torch.rand(len(rows.values)) >= share) if share > 0 else rows
