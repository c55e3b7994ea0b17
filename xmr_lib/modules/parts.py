"""What a tower is fed: one vector per item, several, or several kinds of features."""

from dataclasses import dataclass

from torch import Tensor

from ..ragged import Ragged


@dataclass(frozen=True)
class Parts:
    """Several kinds of features of the same items, to be fused: each one vector per item, or rows (both tensors)."""

    parts: tuple[Tensor | Ragged, ...]

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, items: Tensor | slice) -> "Parts":
        """Gather some items in the order given."""
        return Parts(tuple(part[items] for part in self.parts))

    def split(self, block: int) -> "list[Parts]":
        """Cut into parts of at most ``block`` items."""
        return [self[start : start + block] for start in range(0, len(self), block)]


Items = Tensor | Ragged | Parts
"""Features of items of one modality."""
