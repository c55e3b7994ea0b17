"""The dual encoder: two projections that meet in one space and never see each other's input."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..items import Items, in_blocks
from .item import ItemEncoder


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
        return in_blocks(features, lambda block: encoder(block.to(device)).float().cpu())
    finally:
        encoder.train(training)
