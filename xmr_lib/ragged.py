"""``Ragged``: lists of different length, end to end in one array or tensor."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

Offsets = Int[np.ndarray, " items_plus_one"] | Int[Tensor, " items_plus_one"]
Lengths = Int[np.ndarray, " items"] | Int[Tensor, " items"]


@dataclass(frozen=True)
class Ragged:
    """``values`` holds the rows of all items end to end; item ``i`` is ``values[offsets[i]:offsets[i + 1]]``.

    Rows are regions of images, words of captions, or numbers of words in a table (then ``values`` has one axis). Both
    fields are arrays, or both are tensors (see ``tensors``); ``values`` may be a memory map: nothing here copies more
    than was asked for. No padding is ever part of it.

    ``values`` may lie on any device. ``offsets`` lie on the host, always: what follows from them (how many rows, how
    long the longest item) is known there without waiting for a device.
    """

    values: Shaped[np.ndarray, "rows *dims"] | Shaped[Tensor, "rows *dims"]
    offsets: Offsets

    @classmethod
    def from_lengths(cls, values: np.ndarray | Tensor, lengths: Lengths) -> "Ragged":
        """Build from the number of rows of each item."""
        return cls(values, offsets_of(lengths))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (items, *dims), as of an array with one row per item."""
        return len(self), *self.values.shape[1:]

    @property
    def lengths(self) -> Lengths:
        """Number of rows of each item."""
        return self.offsets[1:] - self.offsets[:-1]

    @property
    def item_of_row(self) -> Any:
        """The item that each row belongs to, shape (rows,), where the values lie."""
        return self._beside(_repeated(_count(len(self), self.offsets), self.lengths))

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return self.values.nbytes

    def __getitem__(self, items: Any) -> Any:
        """Return the rows of one item, shape (its length, *dims), or of several (a slice, numbers) as ``Ragged``."""
        if isinstance(items, int | np.integer):
            if not -len(self) <= items < len(self):
                raise IndexError(f"item {items} of {len(self)}")
            items = int(items) % len(self)
            return self.values[self.offsets[items] : self.offsets[items + 1]]
        lengths = self.lengths[items]
        offsets = offsets_of(lengths)
        # Row k of the result is row (start of its item + place within the item) of the source.
        rows = _repeated(self.offsets[:-1][items] - offsets[:-1], lengths) + _count(int(offsets[-1]), offsets)
        return Ragged(self.values[self._beside(rows)], offsets)

    def tensors(self) -> "Ragged":
        """Return the same rows as tensors, which share the arrays' memory."""
        return Ragged(torch.from_numpy(np.asarray(self.values)), torch.from_numpy(self.offsets))

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Ragged":
        """Return the rows on a device. Of tensors."""
        return Ragged(self.values.to(device, non_blocking=non_blocking), self.offsets)

    def pin_memory(self) -> "Ragged":
        """Return the rows in memory that a GPU copies from by itself. Of tensors."""
        return Ragged(self.values.pin_memory(), self.offsets)

    def keep(self, wanted: Bool[Tensor, " rows"]) -> "Ragged":
        """Leave out the rows that are not wanted (said on the host); an item may be left without any. Of tensors."""
        kept = torch.cat([wanted.new_zeros(1, dtype=torch.int64), wanted.cumsum(0)])
        return Ragged(self.values[self._beside(wanted.nonzero().squeeze(1))], kept[self.offsets])

    def split(self, block: int) -> "list[Ragged]":
        """Cut into parts of at most ``block`` items."""
        return [self[start : start + block] for start in range(0, len(self), block)]

    def of_like_length(self, block: int = 64) -> list[Int[Tensor, " some"]]:
        """Return all items in blocks of at most ``block``, short ones first: padded, such a block is nearly full."""
        return list(torch.as_tensor(self.lengths).argsort(stable=True).split(block))

    def padded(self) -> tuple[Shaped[Tensor, "items most dim"], Bool[Tensor, "items most"]]:
        """Return the rows in a rectangle, zeros behind each item's own, and which places are real. Of tensors."""
        most = max(int(self.lengths.max()), 1)
        real = _count(most, self.offsets) < self.lengths[:, None]
        dim = self.values.shape[1]
        flat = self.values.new_zeros(len(self) * most, dim).index_copy(0, self._places(most), self.values)
        return flat.view(len(self), most, dim), self._beside(real)

    def unpadded(self, rectangle: Shaped[Tensor, "items most *dims"]) -> Shaped[Tensor, "rows *dims"]:
        """Return the rows of a rectangle like that of ``padded``, without what stands behind each item's own."""
        return rectangle.flatten(0, 1)[self._places(rectangle.shape[1])]

    def _places(self, most: int) -> Int[Tensor, " rows"]:
        """Return where each row stands in a rectangle of ``most`` places per item, counted on from its first."""
        starts = most * _count(len(self), self.offsets) - self.offsets[:-1]
        return self._beside(_repeated(starts, self.lengths) + _count(int(self.offsets[-1]), self.offsets))

    def _beside(self, found: Any) -> Any:
        """Bring what was found on the host to where the values lie; nobody waits for it."""
        if isinstance(self.values, Tensor) and isinstance(found, Tensor):
            return found.to(self.values.device, non_blocking=True)
        return found


def offsets_of(lengths: Lengths) -> Offsets:
    """Return offsets, int64, for items of the given lengths."""
    if isinstance(lengths, Tensor):
        return torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _repeated(values: Any, times: Lengths) -> Any:
    return values.repeat_interleave(times) if isinstance(values, Tensor) else np.repeat(values, times)


def _count(end: int, like: Offsets) -> Any:
    return torch.arange(end) if isinstance(like, Tensor) else np.arange(end)
