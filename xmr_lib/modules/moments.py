"""Mean and deviation of vectors that come in blocks."""

import torch
from jaxtyping import Float
from torch import Tensor


class Moments:
    """Mean and deviation of each dimension, in double precision, whatever the blocks (Chan et al. 1979).

    They are kept on the host, for not every device has double precision.
    """

    def __init__(self):
        self.count = 0
        self.mean: Tensor = torch.zeros((), dtype=torch.float64)
        self._squares: Tensor = torch.zeros((), dtype=torch.float64)

    @classmethod
    def of(cls, vectors: Float[Tensor, "items dim"]) -> "Moments":
        """Take those of one block."""
        found = cls()
        found.add(vectors)
        return found

    def add(self, vectors: Float[Tensor, "items dim"]) -> None:
        """Count a block in."""
        if not len(vectors):
            return
        vectors = vectors.cpu().double()
        mean, total = vectors.mean(0), self.count + len(vectors)
        apart = mean - self.mean
        self._squares = (
            self._squares + (vectors - mean).square().sum(0) + apart**2 * (self.count * len(vectors) / total)
        )
        self.mean = self.mean + apart * (len(vectors) / total)
        self.count = total

    @property
    def deviation(self) -> Float[Tensor, " dim"]:
        """The sample's deviation, n - 1 in its denominator."""
        return (self._squares / (self.count - 1)).sqrt()
