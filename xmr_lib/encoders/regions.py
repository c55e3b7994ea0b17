"""From the regions of an image (or the places of a CNN's grid) to one vector, then to the common space."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import XmrError
from .pooling import pool
from .projection import Projection
from .rows import Rows

GEOMETRY = 5
"""Last columns of every row: left, top, right, bottom as shares of the image, and the detector's score."""
AGGREGATIONS = ("mean", "max", "score", "attention", "selfattention", "gpo")


class ScorePooling(nn.Module):
    """Mean of the rows weighted by the detector's score."""

    def forward(self, rows: Rows, geometry: Float[Tensor, "rows 5"]) -> Float[Tensor, "items dim"]:
        return pool(rows.values, rows.offsets, "idf", geometry[:, -1])


class PlainPooling(nn.Module):
    """Mean or maximum of the rows."""

    def __init__(self, how: str):
        super().__init__()
        self.how = how

    def forward(self, rows: Rows, geometry: Float[Tensor, "rows 5"]) -> Float[Tensor, "items dim"]:
        return pool(rows.values, rows.offsets, self.how)


class AttentionPooling(nn.Module):
    """Dot-product attention with one learned query: a weighted mean, the weights a softmax over an item's own rows."""

    def __init__(self, dim: int):
        super().__init__()
        self.query = nn.Linear(dim, 1, bias=False)
        self.place = nn.Linear(GEOMETRY, 1, bias=False)
        # Zero logits: training starts from the mean.
        nn.init.zeros_(self.query.weight)
        nn.init.zeros_(self.place.weight)

    def weights(self, rows: Rows, geometry: Float[Tensor, "rows 5"]) -> Float[Tensor, " rows"]:
        """Return the weight of each row; those of one item sum to 1."""
        logits = (self.query(nn.functional.normalize(rows.values, dim=1)) + self.place(geometry)).squeeze(1)
        # Lengths of √dim and a rate of 1e-3 would move logits of unit vectors too slowly.
        logits = logits * math.sqrt(rows.values.shape[1])
        item = rows.item_of_row
        highest = logits.new_zeros(len(rows)).scatter_reduce(0, item, logits.detach(), "amax", include_self=False)
        powers = (logits - highest[item]).exp()
        return powers / powers.new_zeros(len(rows)).index_add(0, item, powers)[item]

    def forward(self, rows: Rows, geometry: Float[Tensor, "rows 5"]) -> Float[Tensor, "items dim"]:
        weighted = rows.values * self.weights(rows, geometry)[:, None]
        return weighted.new_zeros(len(rows), weighted.shape[1]).index_add(0, rows.item_of_row, weighted)


class SelfAttentionPooling(nn.Module):
    """One transformer layer over an item's rows (Vaswani et al. 2017), then their mean."""

    def __init__(self, dim: int, hidden: int, dropout: float):
        super().__init__()
        self.enter = nn.Linear(dim + GEOMETRY, hidden)
        self.layer = nn.TransformerEncoderLayer(hidden, 4, 2 * hidden, dropout, batch_first=True, norm_first=True)

    def forward(self, rows: Rows, geometry: Float[Tensor, "rows 5"]) -> Float[Tensor, "items hidden"]:
        padded, real = _entered(self.enter, rows, geometry)
        # An item without rows would have nothing to attend to: its softmax would be 0 / 0.
        blocked = ~real & real.any(1, keepdim=True)
        seen = self.layer(padded, src_key_padding_mask=blocked) * real[:, :, None]
        return seen.sum(1) / rows.lengths.clamp_min(1)[:, None]


class GeneralisedPooling(nn.Module):
    """GPO (Chen et al., VSE∞, 2021): each dimension's values, sorted, weighted by learned weights of their place.

    The weights come from a bidirectional GRU over codes of the places, so that any number of rows can be pooled; mean
    and maximum are special cases.
    """

    def __init__(self, dim: int, hidden: int, codes: int = 32):
        super().__init__()
        self.enter = nn.Linear(dim + GEOMETRY, hidden)
        self.codes = codes
        self.gru = nn.GRU(codes, codes, batch_first=True, bidirectional=True)
        self.score = nn.Linear(codes, 1, bias=False)

    def forward(self, rows: Rows, geometry: Float[Tensor, "rows 5"]) -> Float[Tensor, "items hidden"]:
        padded, real = _entered(self.enter, rows, geometry)
        lowest = torch.finfo(padded.dtype).min
        ordered = padded.masked_fill(~real[:, :, None], lowest).sort(1, descending=True).values
        weights = self.weights(rows.lengths, padded.shape[1])
        return (ordered.masked_fill(~real[:, :, None], 0.0) * weights[:, :, None]).sum(1)

    def weights(self, lengths: Tensor, most: int) -> Float[Tensor, "items most"]:
        """Return the weights of the places, the largest value's first; those of one item sum to 1, 0 behind it."""
        known = lengths.clamp_min(1).unique()
        rates = torch.exp(torch.arange(0, self.codes, 2) * (-math.log(10_000.0) / self.codes))
        angles = torch.arange(most)[:, None] * rates
        codes = torch.cat([angles.sin(), angles.cos()], dim=1).expand(len(known), most, self.codes)
        packed = nn.utils.rnn.pack_padded_sequence(codes, known.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=most)
        forwards, backwards = states.chunk(2, dim=2)
        logits = self.score((forwards + backwards) / 2).squeeze(2)
        logits = logits.masked_fill(torch.arange(most) >= known[:, None], -torch.inf)
        return logits.softmax(1)[torch.searchsorted(known, lengths.clamp_min(1))]


def _entered(layer: nn.Linear, rows: Rows, geometry: Tensor) -> tuple[Tensor, Tensor]:
    """Map rows of length √dim, with their geometry, by a first layer; return them padded, and which are real."""
    inputs = nn.functional.normalize(rows.values, dim=1) * math.sqrt(rows.values.shape[1])
    return Rows(layer(torch.cat([inputs, geometry], dim=1)), rows.offsets).padded()


def region_pooling(how: str, dim: int, hidden: int, dropout: float) -> tuple[nn.Module, int]:
    """Build an aggregation by name; return it and the length of its vectors.

    Raises:
        XmrError: an unknown name.
    """
    if how in ("mean", "max"):
        return PlainPooling(how), dim
    if how == "score":
        return ScorePooling(), dim
    if how == "attention":
        return AttentionPooling(dim), dim
    if how == "selfattention":
        return SelfAttentionPooling(dim, hidden, dropout), hidden
    if how == "gpo":
        return GeneralisedPooling(dim, hidden), hidden
    raise XmrError(f"image aggregation {how!r} is unknown; there are {', '.join(AGGREGATIONS)}")


class RegionEncoder(nn.Module):
    """Rows of an image → embedding: the box head's last layer (if there is one), aggregation, projection."""

    def __init__(self, pooling: nn.Module, projection: Projection, last_layer: nn.Linear | None = None):
        super().__init__()
        self.last_layer, self.pooling, self.projection = last_layer, pooling, projection

    def rows(self, images: Rows) -> tuple[Rows, Float[Tensor, "rows 5"]]:
        """Return the vectors of the regions, and their geometry."""
        values = images.values.float()
        vectors, geometry = values[:, :-GEOMETRY], values[:, -GEOMETRY:]
        if self.last_layer is not None:
            vectors = self.last_layer(vectors).relu()
        return Rows(vectors, images.offsets), geometry

    def fit_input(self, images: Rows) -> None:
        """Take the statistics that ``standardise`` needs, from the aggregation before it has learned anything."""
        if self.projection.input_scaling == "standardise":
            with torch.inference_mode():
                self.projection.fit_input(torch.cat([self.pooling(*self.rows(part)) for part in images.split(1024)]))

    def forward(self, images: Rows) -> Float[Tensor, "images embed"]:
        return self.projection(self.pooling(*self.rows(images)))
