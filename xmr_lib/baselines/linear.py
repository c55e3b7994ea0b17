"""A fitted CCA as a module: two linear maps with the interface of a trained encoder."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from ..items import Items, in_blocks
from .cca import CCA


class LinearEncoder(nn.Module):
    """Images and captions into the space of a CCA, in double precision; dimension d is weighted by its correlation.

    Args:
        image_dim, text_dim, embed_dim: lengths of an image's vector, of a caption's, of an embedding.
        scalings: of images and captions: ``l2`` scales a vector to length 1 first; others leave it, since CCA centres
            and its ridge is relative to the variance.
    """

    def __init__(self, image_dim: int, text_dim: int, embed_dim: int, scalings: tuple[str, str]):
        super().__init__()
        self.scalings = scalings
        for side, dim in (("image", image_dim), ("caption", text_dim)):
            self.register_buffer(f"{side}_mean", torch.zeros(dim, dtype=torch.float64))
            self.register_buffer(f"{side}_map", torch.zeros(dim, embed_dim, dtype=torch.float64))

    @property
    def fed(self) -> dict[str, Any]:
        """What it is built from beside the config: lengths of an image's vector, of a caption's and an embedding."""
        return {"image": self.image_map.shape[0], "text": list(self.caption_map.shape)}

    @classmethod
    def of(cls, cca: CCA, power: float, scalings: tuple[str, str]) -> "LinearEncoder":
        """Take over a fitted CCA; correlations to the ``power`` weigh the dimensions (Gong et al. 2014)."""
        made = cls(*cca.image_map.shape[:1], *cca.caption_map.shape, scalings)
        weights = cca.correlations**power
        for side, mean, projection in (
            ("image", cca.image_mean, cca.image_map),
            ("caption", cca.caption_mean, cca.caption_map),
        ):
            getattr(made, f"{side}_mean").copy_(torch.from_numpy(mean))
            getattr(made, f"{side}_map").copy_(torch.from_numpy(projection * weights))
        return made

    @torch.inference_mode()
    def embed_images(self, images: Items) -> Float[Tensor, "images embed"]:
        """Embed images, each a vector, in blocks."""
        return self._embedded(images, self.scalings[0], self.image_mean, self.image_map)

    @torch.inference_mode()
    def embed_captions(self, captions: Items) -> Float[Tensor, "captions embed"]:
        """Embed captions, each a vector, in blocks."""
        return self._embedded(captions, self.scalings[1], self.caption_mean, self.caption_map)

    @staticmethod
    def _embedded(items: Items, scaling: str, mean: Tensor, projection: Tensor) -> Tensor:
        return in_blocks(items, lambda block: ((_scaled(block.to("cpu"), scaling) - mean) @ projection).float())


@dataclass(frozen=True)
class Scaled:
    """Features as CCA is fitted on them, read when they are asked for."""

    items: Items
    scaling: str

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, items: np.ndarray) -> np.ndarray:
        return _scaled(self.items[torch.from_numpy(items)], self.scaling).numpy()


def _scaled(vectors: Float[Tensor, "items dim"], scaling: str) -> Float[Tensor, "items dim"]:
    """Scale as CCA is fed: ``l2`` to length 1, in single precision; others leave vectors as they are."""
    return normalize(vectors) if scaling == "l2" else vectors
