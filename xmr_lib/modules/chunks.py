"""A dual encoder over a batch that is too large for its activations to be kept: gradient caching (Gao et al. 2021)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..items import Items


class InChunks(nn.Module):
    """Embeds some pairs at a time and forgets how; for the gradient each chunk is embedded once more.

    The loss sees all pairs, so no negative is lost, and the gradient is that of the whole batch. Dropout is drawn chunk
    by chunk, the same both times.
    """

    def __init__(self, model: nn.Module, chunk: int):
        super().__init__()
        self.model, self.chunk = model, chunk

    def forward(
        self, images: Items, captions: Items
    ) -> tuple[Float[Tensor, "pairs embed"], Float[Tensor, "pairs embed"]]:
        chunks = zip(images.split(self.chunk), captions.split(self.chunk), strict=True)
        embeddings = zip(*(checkpoint(self.model, *pair, use_reentrant=False) for pair in chunks), strict=True)
        first, second = (torch.cat(side) for side in embeddings)
        return first, second
