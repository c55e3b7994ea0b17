"""``Items``, what a tower is fed: one vector per item, rows, or several kinds of features; in memory or on disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .ragged import Ragged


@dataclass(frozen=True)
class OnDisk:
    """Features that are read when they are asked for: numbers of items give tensors in memory, a slice does not yet."""

    read: Callable[[Int[np.ndarray, " some"]], Tensor | Ragged]
    """From ids to features, in the order given."""
    ids: Int[np.ndarray, " items"]
    nbytes: int
    """Bytes of all of them."""

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, items: Tensor | slice) -> "Tensor | Ragged | OnDisk":
        if isinstance(items, slice):
            ids = self.ids[items]
            return replace(self, ids=ids, nbytes=self.nbytes * len(ids) // max(len(self), 1))
        return self.read(self.ids[items.numpy()])

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Tensor | Ragged:
        """Read them all, on a device."""
        return self.read(self.ids).to(device, non_blocking=non_blocking)

    def split(self, block: int) -> "list[OnDisk]":
        """Cut into parts of at most ``block`` items, none of them read yet."""
        return [self[start : start + block] for start in range(0, len(self), block)]


@dataclass(frozen=True)
class Parts:
    """Several kinds of features of the same items, to be fused: each one vector per item, or rows (both tensors)."""

    parts: tuple[Tensor | Ragged | OnDisk, ...]

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, items: Tensor | slice) -> "Parts":
        """Gather some items in the order given."""
        return Parts(tuple(part[items] for part in self.parts))

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Parts":
        """Return all parts on a device."""
        return Parts(tuple(part.to(device, non_blocking=non_blocking) for part in self.parts))

    def pin_memory(self) -> "Parts":
        """Return all parts in memory that a GPU copies from by itself."""
        return Parts(tuple(part.pin_memory() for part in self.parts))

    def split(self, block: int) -> "list[Parts]":
        """Cut into parts of at most ``block`` items."""
        return [self[start : start + block] for start in range(0, len(self), block)]


Items = Tensor | Ragged | OnDisk | Parts
"""Features of items of one modality; ``to("cpu")`` of any is in memory."""

BLOCK_BYTES = 2**23
"""Of the features that are in memory at once, as they are stored."""


def blocks_of(items: Items) -> Sequence[Items]:
    """Cut many items into blocks that are small enough to be computed with; what is on disk is not read yet."""
    # A map of a CNN or the rows of a grid take fifty times the memory of one vector.
    if isinstance(items, Tensor) and items.ndim == 2:
        return items.split(8192)
    return items.split(min(max(BLOCK_BYTES * len(items) // max(items.nbytes, 1), 1), 512))


def in_blocks(items: Items, embed: Callable[[Items], Float[Tensor, "some embed"]]) -> Float[Tensor, "items embed"]:
    """Embed many items block by block; ``embed`` gives embeddings that lie on the host."""
    found, start = None, 0
    for block in blocks_of(items):
        own = embed(block)
        # Made once: small results between the large things that are freed would keep their memory from being used.
        found = own.new_empty(len(items), *own.shape[1:]) if found is None else found
        found[start : start + len(own)] = own
        start += len(own)
    assert found is not None
    return found
