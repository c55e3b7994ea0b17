"""Nothing is learned: both modalities come embedded in one space by whoever trained it, as CLIP's do."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from ..items import Items, in_blocks


class ZeroShot(nn.Module):
    """The interface of a trained encoder without any weights: embeddings are scaled to length 1."""

    @property
    def fed(self) -> dict[str, Any]:
        """What it is built from beside the config."""
        return {}

    @torch.inference_mode()
    def embed_images(self, images: Items) -> Float[Tensor, "images embed"]:
        """Scale the embeddings of images, in blocks."""
        return in_blocks(images, lambda block: normalize(block.to("cpu")))

    @torch.inference_mode()
    def embed_captions(self, captions: Items) -> Float[Tensor, "captions embed"]:
        """Scale the embeddings of captions, in blocks."""
        return in_blocks(captions, lambda block: normalize(block.to("cpu")))
