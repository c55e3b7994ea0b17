"""What can be extracted from an image, by slug."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from ..errors import XmrError
from ..networks.efficientnet_lite import (
    EfficientNetHead,
    EfficientNetTail,
    efficientnet_lite0,
    efficientnet_lite0_weights,
)
from ..networks.frcnn_lite import CUT, MAP
from ..networks.vgg import vgg16_fc7, vgg16_weights
from ..weights import Weights

EFFICIENTNET_SCALING = {"mean": [127.0] * 3, "deviation": [128.0] * 3}
IMAGENET_SCALING = {
    "mean": [255 * mean for mean in (0.485, 0.456, 0.406)],
    "deviation": [255 * deviation for deviation in (0.229, 0.224, 0.225)],
}
EFFICIENTNET_HEADS = {
    "effnet-lite0": ((1280,), "float32", "last map, averaged", lambda grid: grid.mean((2, 3))),
    # ReLU6 keeps the map in 0..6, where half precision has an error below 0.002; a store takes half the disk.
    "effnet-lite0-grid": ((49, 1280), "float16", "last map, row by row", lambda grid: grid.flatten(2).transpose(1, 2)),
}
TRUNK, LAST_BLOCK = "effnet-lite0-trunk", "effnet-lite0@15"
EFFICIENTNET_MAPS = {
    TRUNK: (CUT, MAP, "last map of stride 16"),
    LAST_BLOCK: (15, (192, 7, 7), "map before the last block"),
}
SLUGS = (*EFFICIENTNET_HEADS, *EFFICIENTNET_MAPS, "vgg16-torchvision")


@dataclass(frozen=True)
class ImageExtractor:
    """A frozen network, what it is fed and what is kept of its output. Nothing is loaded before ``network()``."""

    slug: str
    row_shape: tuple[int, ...]
    """Shape of one image's features."""
    settings: dict
    """Everything beside the weights that the values depend on, as JSON keeps it: ``side`` in pixels (an image is
    squashed to side × side), ``mean`` and ``deviation`` of red, green and blue on the scale 0..255, the store's
    ``dtype``, and in words the ``output`` that is taken."""
    weights: Weights
    network: Callable[[], nn.Module]
    """Load the network, (images, 3, side, side) → its output."""
    head: Callable[[Tensor], Tensor]
    """Network's output → (images, *row_shape)."""

    ragged: ClassVar[bool] = False

    @property
    def side(self) -> int:
        return self.settings["side"]

    def features(self, network: nn.Module, pixels: UInt8[np.ndarray, "images side side 3"]) -> np.ndarray:
        """Return the features of a batch, shape (images, *row_shape)."""
        inputs = self.scaled(pixels)
        with torch.inference_mode():
            return self.head(network(inputs)).numpy().astype(self.settings["dtype"])

    def scaled(self, pixels: UInt8[np.ndarray, "images side side 3"]) -> Float[Tensor, "images 3 side side"]:
        """Return (pixels − mean) / deviation as the network wants it."""
        mean, deviation = torch.tensor(self.settings["mean"]), torch.tensor(self.settings["deviation"])
        return ((torch.tensor(pixels) - mean) / deviation).permute(0, 3, 1, 2)


def image_extractor(slug: str, weights_file: str | None = None) -> ImageExtractor:
    """Return an extractor by slug.

    - ``effnet-lite0``: EfficientNet-Lite0's last map, averaged over its 49 places, (1280,).
    - ``effnet-lite0-grid``: the same map, its 49 places row by row, (49, 1280), kept in half precision.
    - ``effnet-lite0-trunk``: its last map of stride 16, (112, 14, 14), in half precision: what a detector learns from,
      and what its last five blocks are fed when they are trained on.
    - ``effnet-lite0@15``: its map before the last block, (192, 7, 7), in half precision, to train that block on.
    - ``vgg16-torchvision``: fc7 of VGG-16 after its ReLU, one view, (4096,).

    Args:
        weights_file: file of VGG's weights; see ``networks.vgg``.

    Raises:
        XmrError: an unknown slug, or its weights can't be had.
    """
    if slug == "vgg16-torchvision":
        settings = {"side": 224, **IMAGENET_SCALING, "dtype": "float32", "output": "fc7 after ReLU"}
        weights = vgg16_weights(weights_file)
        return ImageExtractor(slug, (4096,), settings, weights, lambda: vgg16_fc7(weights_file)[0], lambda fc7: fc7)
    if slug not in SLUGS:
        raise XmrError(f"image features {slug!r} are unknown; there are {', '.join(SLUGS)}")
    if weights_file:
        raise XmrError(f"image features {slug!r}: the weights come with a package; no file is used, not {weights_file}")
    weights = efficientnet_lite0_weights()
    if slug in EFFICIENTNET_MAPS:
        blocks, shape, output = EFFICIENTNET_MAPS[slug]
        settings = {"side": 224, **EFFICIENTNET_SCALING, "dtype": "float16", "output": output}
        network = partial(_first_blocks, blocks)
        return ImageExtractor(slug, shape, settings, weights, network, lambda maps: maps)
    row_shape, dtype, output, head = EFFICIENTNET_HEADS[slug]
    settings = {"side": 224, **EFFICIENTNET_SCALING, "dtype": dtype, "output": output}
    return ImageExtractor(slug, row_shape, settings, weights, lambda: efficientnet_lite0()[0], head)


def image_tail(slug: str) -> EfficientNetTail | None:
    """Return the blocks behind a map that is kept as features, with their pretrained weights; None for others."""
    if slug not in EFFICIENTNET_MAPS:
        return None
    return EfficientNetTail(efficientnet_lite0()[0], EFFICIENTNET_MAPS[slug][0]).requires_grad_(True)


def _first_blocks(blocks: int) -> EfficientNetHead:
    return EfficientNetHead(efficientnet_lite0()[0], blocks)
