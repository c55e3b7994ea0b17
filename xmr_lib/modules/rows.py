"""``Rows``: ragged rows of items (regions of images, words of captions) as tensors; ``Parts``: several of an item."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """Rows of item ``i`` are ``values[offsets[i]:offsets[i + 1]]``. No padding is ever part of it.

    A row is a vector, or the number of a word in a table of vectors (then ``values`` has one axis).
    """

    values: Shaped[Tensor, "rows *dim"]
    offsets: Int[Tensor, " items_plus_one"]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (items, dim), as of a tensor with one row per item."""
        return len(self), *self.values.shape[1:]

    @property
    def lengths(self) -> Int[Tensor, " items"]:
        return self.offsets.diff()

    @property
    def item_of_row(self) -> Int[Tensor, " rows"]:
        return torch.repeat_interleave(torch.arange(len(self)), self.lengths)

    def __getitem__(self, items: Tensor | slice) -> "Rows":
        """Gather some items in the order given."""
        if isinstance(items, slice):
            items = torch.arange(len(self))[items]
        lengths = self.lengths[items]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        rows = torch.repeat_interleave(self.offsets[:-1][items] - offsets[:-1], lengths) + torch.arange(
            int(offsets[-1])
        )
        return Rows(self.values[rows], offsets)

    def keep(self, wanted: Bool[Tensor, " rows"]) -> "Rows":
        """Leave out the rows that are not wanted; an item may be left without any."""
        kept = torch.cat([wanted.new_zeros(1, dtype=torch.int64), wanted.cumsum(0)])
        return Rows(self.values[wanted], kept[self.offsets])

    def split(self, block: int) -> list["Rows"]:
        """Cut into parts of at most ``block`` items."""
        return [self[start : start + block] for start in range(0, len(self), block)]

    def of_like_length(self, block: int = 64) -> list[Int[Tensor, " some"]]:
        """Return all items in blocks of at most ``block``, short ones first: padded, such a block is nearly full."""
        return list(self.lengths.argsort(stable=True).split(block))

    def padded(self) -> tuple[Shaped[Tensor, "items most dim"], Bool[Tensor, "items most"]]:
        """Return the rows in a rectangle, zeros behind each item's own, and which of its places are real."""
        most = max(int(self.lengths.max()), 1)
        real = torch.arange(most) < self.lengths[:, None]
        rectangle = self.values.new_zeros(len(self), most, self.values.shape[1])
        rectangle[real] = self.values
        return rectangle, real


@dataclass(frozen=True)
class Parts:
    """Several kinds of features of the same items, to be fused: each a tensor with one vector per item, or ``Rows``."""

    parts: tuple[Tensor | Rows, ...]

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, items: Tensor | slice) -> "Parts":
        """Gather some items in the order given."""
        return Parts(tuple(part[items] for part in self.parts))

    def split(self, block: int) -> list["Parts"]:
        """Cut into parts of at most ``block`` items."""
        return [self[start : start + block] for start in range(0, len(self), block)]
