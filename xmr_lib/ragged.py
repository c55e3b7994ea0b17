"""Ragged arrays: lists of different length, end to end in one array."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped


@dataclass(frozen=True)
class Ragged:
    """``values`` holds the rows of all items end to end; item ``i`` is ``values[offsets[i]:offsets[i + 1]]``.

    ``values`` may be a memory map: nothing here copies more than was asked for.
    """

    values: Shaped[np.ndarray, "rows *dims"]
    offsets: Int[np.ndarray, " items_plus_one"]

    @classmethod
    def from_lengths(cls, values: np.ndarray, lengths: np.ndarray) -> "Ragged":
        """Build from the number of rows of each item."""
        return cls(values, offsets_of(lengths))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, item: int) -> np.ndarray:
        """Return the rows of one item, shape (its length, *dims)."""
        if not -len(self) <= item < len(self):
            raise IndexError(f"item {item} of a ragged array of {len(self)}")
        item %= len(self)
        return self.values[self.offsets[item] : self.offsets[item + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """Number of rows of each item, shape (items,)."""
        return np.diff(self.offsets)

    def take(self, items: np.ndarray) -> "Ragged":
        """Gather some items, in the order given, into a new ragged array in memory."""
        lengths = self.lengths[items]
        offsets = offsets_of(lengths)
        # Row k of the result is row (start of its item + place within the item) of the source.
        rows = np.repeat(self.offsets[:-1][items] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Ragged(np.asarray(self.values[rows]), offsets)


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Return offsets, shape (items + 1,), int64, for items of the given lengths."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
