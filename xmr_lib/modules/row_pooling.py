"""Aggregation with something to learn, or of regions: the rows of an item become one vector."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..errors import XmrError
from ..ragged import Ragged
from ..registry import Registry
from .pooling import POOLS, pool
from .projection import Projection
from .recurrent import RECURRENT, RecurrentPooling

LEARNED = ("attention", "selfattention", "gpo")
POOLINGS: Registry[type[nn.Module]] = Registry("aggregation")
"""Classes ``(dim, hidden, dropout, box_features)`` → a module from rows and what stands beside them to one vector per
item, whose length is its ``dim``. ``fixed = True``: nothing of it is learned."""


class ScorePooling(nn.Module):
    """Mean of the rows weighted by the detector's score."""

    def forward(self, rows: Ragged, box_features: Float[Tensor, "rows box_features"]) -> Float[Tensor, "items dim"]:
        return pool(rows.values, rows.offsets, "idf", box_features[:, -1])


class PlainPooling(nn.Module):
    """An aggregation of ``pool`` that needs nothing but the rows."""

    def __init__(self, how: str):
        super().__init__()
        self.how = how

    def forward(self, rows: Ragged, box_features: Float[Tensor, "rows box_features"]) -> Float[Tensor, "items dim"]:
        return pool(rows.values, rows.offsets, self.how)


class AttentionPooling(nn.Module):
    """Dot-product attention with one learned query: a weighted mean, the weights a softmax over an item's own rows."""

    def __init__(self, dim: int, box_features: int = 0):
        super().__init__()
        self.query = nn.Linear(dim, 1, bias=False)
        self.place = nn.Linear(box_features, 1, bias=False) if box_features else None
        # Zero logits: training starts from the mean.
        for layer in (self.query, self.place):
            if layer is not None:
                nn.init.zeros_(layer.weight)

    def weights(self, rows: Ragged, box_features: Float[Tensor, "rows box_features"]) -> Float[Tensor, " rows"]:
        """Return the weight of each row; those of one item sum to 1."""
        logits = self.query(nn.functional.normalize(rows.values, dim=1)).squeeze(1)
        if self.place is not None:
            logits = logits + self.place(box_features).squeeze(1)
        # Lengths of √dim and a rate of 1e-3 would move logits of unit vectors too slowly.
        logits = logits * math.sqrt(rows.values.shape[1])
        item = rows.item_of_row
        highest = logits.new_zeros(len(rows)).scatter_reduce(0, item, logits.detach(), "amax", include_self=False)
        powers = (logits - highest[item]).exp()
        return powers / powers.new_zeros(len(rows)).index_add(0, item, powers)[item]

    def forward(self, rows: Ragged, box_features: Float[Tensor, "rows box_features"]) -> Float[Tensor, "items dim"]:
        weighted = rows.values * self.weights(rows, box_features)[:, None]
        return weighted.new_zeros(len(rows), weighted.shape[1]).index_add(0, rows.item_of_row, weighted)


class SelfAttentionPooling(nn.Module):
    """One transformer layer over an item's rows (Vaswani et al. 2017), then their mean."""

    def __init__(self, dim: int, hidden: int, dropout: float, box_features: int = 0):
        super().__init__()
        # Scaled and with dropout, as what follows an aggregation: a bare layer learns the training images by heart.
        self.enter = Projection((dim, box_features), hidden, "linear", hidden, dropout, "power")
        self.layer = nn.TransformerEncoderLayer(hidden, 4, 2 * hidden, dropout, batch_first=True, norm_first=True)

    def forward(self, rows: Ragged, box_features: Float[Tensor, "rows box_features"]) -> Float[Tensor, "items hidden"]:
        entered = Ragged(self.enter(torch.cat([rows.values, box_features], dim=1)), rows.offsets)
        blocks = rows.of_like_length()
        means = torch.cat([self._mean(entered[block]) for block in blocks])
        return means[torch.cat(blocks).argsort()]

    def _mean(self, rows: Ragged) -> Float[Tensor, "items hidden"]:
        padded, real = rows.padded()
        # An item without rows would have nothing to attend to: its softmax would be 0 / 0.
        blocked = ~real & real.any(1, keepdim=True)
        seen = self.layer(padded, src_key_padding_mask=blocked) * real[:, :, None]
        return seen.sum(1) / real.sum(1, keepdim=True).clamp_min(1)


class GeneralisedPooling(nn.Module):
    """GPO (Chen et al., VSE∞, 2021): each dimension's values, sorted, weighted by learned weights of their place.

    The weights come from a bidirectional GRU over codes of the places, so that any number of rows can be pooled; mean
    and maximum are special cases. Nothing is learned of the rows themselves.
    """

    def __init__(self, codes: int = 32):
        super().__init__()
        self.codes = codes
        self.gru = nn.GRU(codes, codes, batch_first=True, bidirectional=True)
        self.score = nn.Linear(codes, 1, bias=False)

    def forward(self, rows: Ragged, box_features: Float[Tensor, "rows box_features"]) -> Float[Tensor, "items dim"]:
        padded, real = rows.padded()
        blocked = ~real[:, None]
        lowest = torch.finfo(padded.dtype).min
        ordered = _ascending(padded.transpose(1, 2).masked_fill(blocked, lowest).contiguous())
        ordered = ordered.masked_fill(blocked.flip(2), 0.0)
        weights = self.weights(rows.lengths, padded.shape[1]).flip(1).to(ordered.dtype)
        return torch.bmm(ordered, weights[:, :, None]).squeeze(2)

    def weights(self, lengths: Tensor, most: int) -> Float[Tensor, "items most"]:
        """Return the weights of the places, the largest value's first; those of one item sum to 1, 0 behind it.

        ``lengths`` lie on the host.
        """
        device, known = self.score.weight.device, lengths.clamp_min(1).unique()
        codes = self.place_codes(torch.arange(most), self.codes).expand(len(known), most, self.codes)
        codes = codes.to(device, non_blocking=True)
        packed = nn.utils.rnn.pack_padded_sequence(codes, known, batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=most)
        forwards, backwards = states.chunk(2, dim=2)
        logits = self.score((forwards + backwards) / 2).squeeze(2)
        behind, place = torch.arange(most) >= known[:, None], torch.searchsorted(known, lengths.clamp_min(1))
        logits = logits.masked_fill(behind.to(device, non_blocking=True), -torch.inf)
        return logits.softmax(1)[place.to(device, non_blocking=True)]

    @staticmethod
    def place_codes(places: Int[Tensor, " most"], codes: int) -> Float[Tensor, "most codes"]:
        """Return sines and cosines of the places, of rates that fall by powers (Vaswani et al. 2017)."""
        rates = torch.exp(torch.arange(0, codes, 2) * (-math.log(10_000.0) / codes))
        angles = places[:, None] * rates
        return torch.cat([angles.sin(), angles.cos()], dim=1)


def _ascending(values: Float[Tensor, "items dim most"]) -> Float[Tensor, "items dim most"]:
    """Sort along the last axis; the gradient goes to where each value came from."""
    if values.device.type != "cpu" or values.dtype != torch.float32:
        return values.sort(2).values
    # numpy sorts many short rows at once (AVX2 or AVX-512), several times as fast as torch: it was most of an epoch.
    if not values.requires_grad:
        return torch.from_numpy(np.sort(values.numpy(), axis=2))
    return values.gather(2, torch.from_numpy(np.argsort(values.detach().numpy(), axis=2)))


def row_pooling(how: str, dim: int, hidden: int, dropout: float, box_features: int = 0) -> tuple[nn.Module, int]:
    """Build an aggregation by its registered name; return it and the length of its vectors.

    Args:
        dim: length of a row.
        hidden: width of what has a hidden layer.
        box_features: numbers that stand beside each row: 5 of a region (see ``BOX_FEATURES``), none of a word.

    Raises:
        XmrError: an unknown name, or one that needs what there isn't.
    """
    pooling = POOLINGS[how](dim, hidden, dropout, box_features)
    return pooling, pooling.dim


def _plain(how: str) -> type[nn.Module]:
    """Return the class of an aggregation of ``pool``: nothing of it is learned."""

    class Plain(PlainPooling):
        fixed = True

        def __init__(self, dim: int, hidden: int, dropout: float, box_features: int = 0):
            if how == "idf":
                raise XmrError(
                    "aggregation 'idf' is done ahead of training: with it, words can't be trained or left out"
                )
            super().__init__(how)
            self.dim = dim * (2 if how == "meanmax" else 1)

    return Plain


def _recurrent(kind: str) -> type[nn.Module]:
    class Recurrent(RecurrentPooling):
        def __init__(self, dim: int, hidden: int, dropout: float, box_features: int = 0):
            super().__init__(kind, dim, hidden)

    return Recurrent


for _how in POOLS:
    POOLINGS.register(_how)(_plain(_how))


@POOLINGS.register("score")
class _Score(ScorePooling):
    def __init__(self, dim: int, hidden: int, dropout: float, box_features: int = 0):
        if not box_features:
            raise XmrError("aggregation 'score' needs regions: words have no detector's score")
        super().__init__()
        self.dim = dim


@POOLINGS.register("attention")
class _Attention(AttentionPooling):
    def __init__(self, dim: int, hidden: int, dropout: float, box_features: int = 0):
        super().__init__(dim, box_features)
        self.dim = dim


@POOLINGS.register("selfattention")
class _SelfAttention(SelfAttentionPooling):
    def __init__(self, dim: int, hidden: int, dropout: float, box_features: int = 0):
        super().__init__(dim, hidden, dropout, box_features)
        self.dim = hidden


@POOLINGS.register("gpo")
class _GPO(GeneralisedPooling):
    def __init__(self, dim: int, hidden: int, dropout: float, box_features: int = 0):
        super().__init__()
        self.dim = dim


for _kind in RECURRENT:
    POOLINGS.register(_kind)(_recurrent(_kind))
