"""The towers on rectangles: rows of all items padded to one length, as programs without ragged arrays are fed.

Each module computes what its ragged counterpart computes without dropout, with the same weights; what stands behind an
item's own rows takes no part in anything. They are for export: training and this library's search stay ragged.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..errors import XmrError
from .entries import BESIDE, RegionEntry, TokenEntry, WordEmbedding
from .item import ItemEncoder, RowPart
from .recurrent import RecurrentPooling
from .row_pooling import AttentionPooling, GeneralisedPooling, PlainPooling, ScorePooling


class PaddedTower(nn.Module):
    """An ``ItemEncoder``: of each branch it takes vectors, or a rectangle of rows (or numbers of words) and lengths.

    Raises:
        XmrError: a branch has an entry or an aggregation that can't be brought into a rectangle.
    """

    def __init__(self, tower: ItemEncoder):
        super().__init__()
        self.tower = tower
        self.padded = nn.ModuleList(PaddedPart(part) if isinstance(part, RowPart) else part for part in tower.parts)
        for part in tower.parts:
            if not isinstance(part, RowPart | nn.Identity):
                raise XmrError("its last layers are those of a pretrained network, which are trained")

    def forward(self, *inputs: Tensor) -> Float[Tensor, "items embed"]:
        left = list(inputs)
        found = []
        for part in self.padded:
            found.append(part(left.pop(0), left.pop(0)) if isinstance(part, PaddedPart) else part(left.pop(0)))
        return self.tower.embedded(found)


class PaddedPart(nn.Module):
    """A ``RowPart``."""

    def __init__(self, part: RowPart):
        super().__init__()
        self.entry, pooling = part.entry, part.pooling
        if isinstance(self.entry, TokenEntry) and self.entry.tail is not None:
            raise XmrError("its last layers are those of a pretrained network, which are trained")
        if not isinstance(self.entry, RegionEntry | WordEmbedding | TokenEntry):
            raise XmrError(f"its rows come from {type(self.entry).__name__}")
        if isinstance(pooling, RecurrentPooling):
            pooling = PaddedRecurrent(pooling)
        elif isinstance(pooling, GeneralisedPooling):
            pooling = PaddedGeneralised(pooling)
        elif not isinstance(pooling, PlainPooling | ScorePooling | AttentionPooling):
            name = type(pooling).__name__.removeprefix("_")
            raise XmrError(f"its aggregation, {name}, has no form on rectangles")
        self.pooling = pooling

    def forward(self, rows: Tensor, lengths: Int[Tensor, " items"]) -> Float[Tensor, "items dim"]:
        real = places(rows) < lengths[:, None]
        beside = None
        if isinstance(self.entry, WordEmbedding):
            values = self.entry.table(torch.where(real, rows, 0))
        elif isinstance(self.entry, RegionEntry):
            values, beside = rows[:, :, :-BESIDE], rows[:, :, -BESIDE:]
            if self.entry.last_layer is not None:
                values = self.entry.last_layer(values).relu()
        else:
            values = (rows - self.entry.mean) / self.entry.scale
        if isinstance(self.pooling, PaddedRecurrent | PaddedGeneralised):
            return self.pooling(values, lengths)
        if isinstance(self.pooling, ScorePooling):
            weights = torch.where(real, beside[:, :, -1], 0.0)
            total, values = weights.sum(1, keepdim=True), torch.where(real[:, :, None], values, 0.0)
            return (values * weights[:, :, None]).sum(1) / torch.where(total > 0, total, 1.0)
        if isinstance(self.pooling, AttentionPooling):
            return _attended(self.pooling, values, beside, real)
        return pool_padded(values, real, self.pooling.how)


class PaddedRecurrent(nn.Module):
    """A ``RecurrentPooling``; the backward direction reads each item's own rows from their end."""

    def __init__(self, pooling: RecurrentPooling):
        super().__init__()
        self.pooled, self.bos, self.eos = pooling.pooled, pooling.bos, pooling.eos
        self.networks = nn.ModuleList(_directions(pooling.rnn))

    def forward(self, rows: Float[Tensor, "items most dim"], lengths: Int[Tensor, " items"]) -> Tensor:
        ends = torch.zeros_like(rows[:, :1])
        marked = torch.cat([ends + self.bos, rows, ends], dim=1)
        marked = torch.where((places(marked) == lengths[:, None] + 1)[:, :, None], self.eos, marked)
        states = _read(self.networks, marked, lengths + 2)
        if self.pooled:
            return pool_padded(torch.cat(states, dim=2), places(marked) < lengths[:, None] + 2, "meanmax")
        # Forwards the last state is that of <eos>, backwards that of <bos>.
        last = _gathered(states[0], lengths[:, None] + 1)
        return torch.cat([last[:, 0], *(own[:, 0] for own in states[1:])], dim=1)


class PaddedGeneralised(nn.Module):
    """A ``GeneralisedPooling``: the weights of the places are made anew for each item, by its length."""

    def __init__(self, pooling: GeneralisedPooling):
        super().__init__()
        self.score, self.codes = pooling.score, pooling.codes
        self.networks = nn.ModuleList(_directions(pooling.gru))

    def forward(self, rows: Float[Tensor, "items most dim"], lengths: Int[Tensor, " items"]) -> Tensor:
        real = places(rows) < lengths[:, None]
        lowest = torch.finfo(rows.dtype).min
        ordered = torch.where(real[:, :, None], rows, lowest).sort(1, descending=True).values
        codes = GeneralisedPooling.place_codes(places(rows)[0], self.codes)
        known = lengths.clamp_min(1)
        forwards, backwards = _read(self.networks, codes[None].expand(rows.shape[0], -1, -1), known)
        logits = self.score((forwards + backwards) / 2).squeeze(2)
        weights = torch.where(places(rows) < known[:, None], logits, -torch.inf).softmax(1)
        return (torch.where(real[:, :, None], ordered, 0.0) * weights[:, :, None]).sum(1)


def pool_padded(
    values: Float[Tensor, "items most dim"], real: Bool[Tensor, "items most"], how: str
) -> Float[Tensor, "items pooled"]:
    """Aggregate as ``pool`` does: ``mean``, ``sum``, ``max``, ``meanmax`` or ``cls``; an item without rows is zero."""
    if how == "meanmax":
        return torch.cat([pool_padded(values, real, "mean"), pool_padded(values, real, "max")], dim=1)
    if how == "cls":
        return torch.where(real[:, :1], values[:, 0], 0.0)
    if how == "max":
        highest = torch.where(real[:, :, None], values, -torch.inf).amax(1)
        return torch.where(real.any(1)[:, None], highest, 0.0)
    sums = torch.where(real[:, :, None], values, 0.0).sum(1)
    return sums / real.sum(1, keepdim=True).clamp_min(1) if how == "mean" else sums


def places(rows: Tensor) -> Int[Tensor, "1 most"]:
    """Return the numbers of the places of a rectangle."""
    return torch.arange(rows.shape[1], device=rows.device)[None]


def _attended(pooling: AttentionPooling, values: Tensor, beside: Tensor | None, real: Tensor) -> Tensor:
    logits = pooling.query(nn.functional.normalize(values, dim=2)).squeeze(2)
    if pooling.place is not None:
        logits = logits + pooling.place(beside).squeeze(2)
    logits = torch.where(real, logits * values.shape[2] ** 0.5, -torch.inf)
    # An item without rows has no weights: 0 / 0 becomes 0.
    weights = torch.where(real, logits.softmax(1), 0.0)
    return (torch.where(real[:, :, None], values, 0.0) * weights[:, :, None]).sum(1)


def _directions(network: nn.RNNBase) -> list[nn.RNNBase]:
    """Return a network of one direction for each of a recurrent network's, with its weights."""
    found = []
    for ending in ("", "_reverse") if network.bidirectional else ("",):
        one = type(network)(network.input_size, network.hidden_size, batch_first=True)
        weights = network.state_dict()
        one.load_state_dict({name: weights[name + ending] for name in one.state_dict()})
        found.append(one)
    return found


def _read(networks: nn.ModuleList, rows: Tensor, lengths: Tensor) -> list[Float[Tensor, "items most hidden"]]:
    """Return the hidden states of each direction, at the rows' places; those behind an item's own mean nothing."""
    states = [networks[0](rows)[0]]
    for network in list(networks)[1:]:
        turned = (lengths[:, None] - 1 - places(rows)).clamp_min(0)
        states.append(_gathered(network(_gathered(rows, turned))[0], turned))
    return states


def _gathered(rows: Float[Tensor, "items most dim"], at: Int[Tensor, "items some"]) -> Float[Tensor, "items some dim"]:
    return rows.gather(1, at[:, :, None].expand(-1, -1, rows.shape[2]))
