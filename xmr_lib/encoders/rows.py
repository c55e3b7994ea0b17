"""``Rows``: ragged rows of items (regions of images, words of captions) as tensors, indexed by item."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """Rows of item ``i`` are ``values[offsets[i]:offsets[i + 1]]``. No padding is ever part of it."""

    values: Float[Tensor, "rows dim"]
    offsets: Int[Tensor, " items_plus_one"]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Return (items, dim), as of a tensor with one row an item."""
        return len(self), self.values.shape[1]

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

    def split(self, block: int) -> list["Rows"]:
        """Cut into parts of at most ``block`` items."""
        return [self[start : start + block] for start in range(0, len(self), block)]

    def padded(self) -> tuple[Float[Tensor, "items most dim"], Bool[Tensor, "items most"]]:
        """Return the rows in a rectangle, zeros behind each item's own, and which of its places are real."""
        most = max(int(self.lengths.max()), 1)
        real = torch.arange(most) < self.lengths[:, None]
        rectangle = self.values.new_zeros(len(self), most, self.values.shape[1])
        rectangle[real] = self.values
        return rectangle, real
