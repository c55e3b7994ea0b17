"""The dual encoder: two projections that meet in one space and never see each other's input."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .item import ItemEncoder
from .parts import Items

BLOCK_BYTES = 2**23
"""Of the features that are embedded at once, as they are stored."""


class DualEncoder(nn.Module):
    """Image encoder and caption encoder (Kiros et al. 2014, without the LSTM): similarity needs no joint pass."""

    def __init__(self, image: ItemEncoder, caption: ItemEncoder):
        super().__init__()
        self.image, self.caption = image, caption

    def forward(
        self, images: Items, captions: Items
    ) -> tuple[Float[Tensor, "pairs embed"], Float[Tensor, "pairs embed"]]:
        return self.image(images), self.caption(captions)

    def embed_images(self, images: Items) -> Float[Tensor, "images embed"]:
        """Embed many images, in blocks, without dropout; the embeddings lie on the host."""
        return embed_items(self.image, images)

    def embed_captions(self, captions: Items) -> Float[Tensor, "captions embed"]:
        """Embed many captions, in blocks, without dropout; the embeddings lie on the host."""
        return embed_items(self.caption, captions)


@torch.inference_mode()
def embed_items(encoder: nn.Module, features: Items) -> Float[Tensor, "items embed"]:
    """Embed many items where the encoder lies, in blocks, without dropout; the embeddings lie on the host."""
    training, device = encoder.training, next(encoder.parameters()).device
    encoder.eval()
    try:
        # A map of a CNN or the rows of a grid take fifty times the memory of one vector.
        vectors = isinstance(features, Tensor) and features.ndim == 2
        several = min(max(BLOCK_BYTES * len(features) // max(features.nbytes, 1), 1), 512)
        parts = features.split(8192 if vectors else several)
        return torch.cat([encoder(part.to(device)).float().cpu() for part in parts])
    finally:
        encoder.train(training)
