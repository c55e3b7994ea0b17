"""What a tower is fed: one vector per item, several, or several kinds of features; in memory or on disk."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ..ragged import Ragged


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
